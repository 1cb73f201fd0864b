#!/usr/bin/env bash
# vprof run: the command runs as it would without, its rings lie in a folder of their own.
. tests/tap.sh
. tests/run/lib.sh

status() { "$@" >"$TMP/out" 2>"$TMP/err"; echo $?; }

is "the command's output is its own" "$("$vprof" run echo -n 'a  b' 2>/dev/null)" "a  b"
is "and its input" "$(echo word | "$vprof" run -- cat 2>/dev/null)" word
is "the first word that is no option ends ours" "$("$vprof" run sh -c 'echo $0 $1' --ring-mb --help 2>/dev/null)" "--ring-mb --help"
rm -rf vprof-*

is "its status is ours" "$(status "$vprof" run sh -c 'exit 7')" 7
is "what died of a signal has us die of it" "$(python3 -c '
import signal, subprocess, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has its children ignore
print([subprocess.call([sys.argv[1], "run", "sh", "-c", "kill -%d $$" % n], stderr=subprocess.DEVNULL) for n in (1, 9, 15)])
' "$vprof")" "[-1, -9, -15]"
rm -rf vprof-*
is "no such command: 127" "$(status "$vprof" run nonesuch)" 127
ok "and says so" grep -q "nonesuch: No such file" "$TMP/err"
is "a command that cannot be run: 126" "$(status "$vprof" run /etc)" 126
is "wrong usage: 125" "$(status "$vprof" run --nonesuch true)" 125
is "a trace of a form that cannot be written: 125" "$(status "$vprof" run --merge trace.json.xz true)" 125
ok "is said before anything is run" grep -qx "vprof run: --merge trace.json.xz: only .gz and .zst can be written" "$TMP/err"
is "no command: 125" "$(status "$vprof" run)" 125
is "a value that the library would not take: 125" "$(status "$vprof" run --ring-mb x true)" 125
ok "and says which" grep -q "ring-mb: 'x' is not a whole number" "$TMP/err"
is "an unknown group of calls: 125" "$(status "$vprof" run --trace launch,copi true)" 125
ok "and the one that was meant" grep -q "did you mean copy" "$TMP/err"
# refuses OPTION VALUE: vprof run and env do, name the option, and say what is allowed.
refuses() {
	is "--$1 $2: 125" "$(status "$vprof" run "--$1" "$2" true)" 125
	ok "says what is allowed" grep -qF -- "vprof run: --$1: '$2' is none of $3" "$TMP/err"
	is "--$1 $2: wrong usage of env" "$(status "$vprof" env "--$1" "$2")" 2
}
refuses gpu sampel:4 "off, all, sample, sample:N"
refuses gpu sample:0 "off, all, sample, sample:N"
refuses gpu-eager 5 "off, always, TIME/TIME"
refuses gpu-eager 200ms/2ms "off, always, TIME/TIME"
refuses gpu-eager 1/2 "off, always, TIME/TIME"
refuses gpu-parts 9 "0 to 8"
refuses gpu-twins 257 "0 to 256"
refuses ring-mb 0 "1 to 65536"
refuses ring-at shmm "auto, shm, out"
refuses ring-at "shm out" "auto, shm, out"
refuses capture range: "always, off, profiler, range:PATTERNS"
refuses spill-full drop "drop-oldest, stop"
refuses snap-on hang:5x "none, slow_step:2x, slow_step:TIME, hang:TIME, idle:TIME, cooldown:TIME"
refuses snap-on slow_step:2x, "none, slow_step:2x"
is "what is allowed is taken" "$("$vprof" run --gpu sample:4 --gpu-eager 2ms/200ms --gpu-parts 8 --gpu-twins 256 --ring-mb 1 --ring-at out \
	--capture 'range:a*' --spill-full stop --snap-on slow_step:1.5x,hang:10s,cooldown:0.5m true >/dev/null 2>&1; echo $?)" 0
rm -rf vprof-*
is "a run that came to nothing leaves no folder" "$(ls)" ""

# The folder.
"$vprof" run "$client" --launches 3 >/dev/null 2>"$TMP/err"
"$vprof" run true 2>/dev/null
"$vprof" run true 2>/dev/null
is "each run has a folder" "$(ls | grep -cE '^vprof-[0-9]{8}-[0-9]{6}(\.[0-9])?$')" 3
is "for its user alone" "$(stat -c %a vprof-* | sort -u)" 700
folder=$(dirname "$(ls vprof-*/*.ring)")
is "with a ring" "$(ls "$folder" | grep -c '\.ring$')" 1
is "the summary" "$(sed -E 's/[0-9]+ records/N records/' "$TMP/err")" \
	"vprof: 1 process, N records, 3 launches, 0 graph launches, nothing lost
vprof-merge $folder -o trace.json"
ok "whose last line makes a trace" env PATH="$BUILD:$PATH" sh -c "$(tail -1 "$TMP/err")"
is "of all launches" "$(grep -c '"cuLaunchKernel"' trace.json)" 3

is "a folder with rings is refused: 125" "$(status "$vprof" run -o "$folder" "$client" --launches 1)" 125
ok "and told how to add to it" grep -q -- "--append" "$TMP/err"
is "nothing was run" "$(cat "$TMP/out")" ""
is "--append adds" "$(status "$vprof" run -o "$folder" --append "$client" --launches 4)" 0
is "a ring" "$(ls "$folder" | grep -c '\.ring$')" 2
is "and a manifest" "$(ls "$folder" | grep manifest | paste -sd' ')" "manifest.1.json manifest.json"
ok "the summary is of the new run alone" grep -q "1 process, .* 4 launches" "$TMP/err"
is "an output folder that is a file: 125" "$(touch file; status "$vprof" run -o file true)" 125
ok "says so" grep -q "file: Not a directory" "$TMP/err"
is "a folder in which none can be made: 125" "$(cd /proc && status "$vprof" run true)" 125
ok "says which" grep -qE "^vprof run: /proc/vprof-[0-9.-]+: No such file" "$TMP/err"
is "folders above are made" "$(status "$vprof" run -o a/b/c/ true; ls a/b)" "0
c"
is "a name with blanks" "$(status "$vprof" run -o "a b" "$client" --launches 1; ls "a b" | grep -c ring)" "0
1"
ok "is quoted in the summary" grep -q "^vprof-merge 'a b' -o trace.json" "$TMP/err"

# Surroundings.
shown() { "$vprof" run "$@" 2>/dev/null; }
is "what LD_PRELOAD had stays in front" "$(LD_PRELOAD=libm.so.6 shown sh -c 'echo $LD_PRELOAD')" "libm.so.6:$BUILD/libvprof.so"
is "another vprof gives way" "$(LD_PRELOAD="/nonesuch/libvprof.so libm.so.6" shown sh -c 'echo $LD_PRELOAD' 2>/dev/null)" \
	"libm.so.6:$BUILD/libvprof.so"
is "options become variables" "$(shown --ring-mb 7 --facts=0 --save-modules sh -c 'echo $VPROF_RING_MB $VPROF_FACTS $VPROF_SAVE_MODULES')" "7 0 1"
is "the folder is absolute" "$(shown -o o sh -c 'echo $VPROF_OUT')" "$here/o"
is "VPROF_LIBRARY says which library" "$(cp "$BUILD/libvprof.so" other.so; VPROF_LIBRARY=other.so shown sh -c 'echo $LD_PRELOAD')" "$here/other.so"
is "one that is not there: 125" "$(VPROF_LIBRARY=nonesuch.so status "$vprof" run true)" 125
is "a library that the loader could not name: 125" "$(mkdir 'x y'; cp other.so 'x y'; VPROF_LIBRARY='x y/other.so' status "$vprof" run true)" 125
mkdir -p inst/bin inst/lib
cp "$vprof" inst/bin; cp "$BUILD/libvprof.so" inst/lib
is "an installed vprof has its library in ../lib" "$(inst/bin/vprof run sh -c 'echo $LD_PRELOAD' 2>/dev/null)" "$here/inst/lib/libvprof.so"

# More than one process, the trace at once, silence.
is "children count" "$(status "$vprof" run -o many "$client" --launches 2 --procs 3; grep -o '^vprof: 3 processes.* 6 launches' "$TMP/err" | wc -l)" "0
1"
is "--merge makes the trace" "$(status "$vprof" run -o merged --merge m.json.gz "$client" --launches 5; zcat m.json.gz | grep -c '"cuLaunchKernel"')" "0
5"
ok "and says so" grep -qx "vprof: m.json.gz" "$TMP/err"
is "--quiet says nothing" "$(status "$vprof" run -o quiet --quiet "$client" --launches 1; cat "$TMP/err")" 0
is "a closed stderr does no harm" "$("$vprof" run -o closed "$client" --launches 1 2>&- >/dev/null; echo $?; of closed/manifest.json 'm["recorded"]["launches"]')" "0
1"

# Whoever names no folder means the newest.
mkdir fresh && cd fresh || exit 1
"$vprof" run sh -c "'$client' --launches 1 --sleep-ms 100000 & echo \$! >pid; wait" >/dev/null 2>"$TMP/err" &
run=$!
until_true compgen -G 'vprof-*/*.ring'
mkdir -p vprof-notes
is "vprof ps finds the run" "$("$vprof" ps --json | python3 -c 'import json, sys; print(*(p["pid"] for p in json.load(sys.stdin)))')" "$(cat pid)"
mkdir out
touch -d '1 hour ago' out
is "and not an older folder" "$("$vprof" ps --json | grep -c '"pid"')" 1
mkdir vprof-20991231-235959
is "nor a newer one that has no rings" "$("$vprof" ps --json | grep -c '"pid"')" 1
kill "$(cat pid)"
wait $run
cd ..

# Nothing recorded, and why.
status "$vprof" run --capture off "$client" --launches 3 >/dev/null
ok "recording was off: what switches it on" grep -q "1 process, .*vprof start" "$TMP/err"
is "and that is all" "$(wc -l <"$TMP/err")" 1
status "$vprof" run true >/dev/null
ok "no CUDA: a hint" grep -q "vprof env --ray" "$TMP/err"
status "$vprof" run --procs nosuch,none "$client" --launches 3 >/dev/null
is "no process that was wanted: said, and no hint" "$(cat "$TMP/err")" \
	"vprof: nothing recorded: no process that fits VPROF_PROCS=nosuch,none called the CUDA driver with the library loaded"
status "$vprof" run --enable=0 "$client" --launches 3 >/dev/null
is "nothing was to be: said, and no hint" "$(cat "$TMP/err")" "vprof: nothing recorded: VPROF_ENABLE is 0"
status env FAKECUDA_HANG=cuLaunchKernel:200 timeout 60 "$vprof" run -o copied --snap-on hang:200ms sh -c '
	"$1" --launches 300 & until [ -e "$(echo copied/*.snap-1.ring)" ]; do sleep 0.1; done; kill -KILL $!; wait' sh "$client" >/dev/null
ok "a ring and its copy are one process" grep -q '^vprof: 1 process, 1 copy of a ring, [0-9]* records' "$TMP/err"
is "and in the manifest" "$(of copied/manifest.json '(m["recorded"]["processes"], m["recorded"]["copies"], m["recorded"]["open"])')" "(1, 1, 1)"
printf '#!/bin/sh\n' >sudo; chmod +x sudo
status "$vprof" run ./sudo make >/dev/null
ok "sudo: turned around" grep -q "sudo vprof run" "$TMP/err"
echo 'int main(void) { return 0; }' >s.c
if ${CC:-cc} -static s.c -o s 2>/dev/null; then
	status "$vprof" run ./s >/dev/null
	ok "a static program" grep -q "s: it is statically linked" "$TMP/err"
fi
cp /bin/true raised && chmod u+s raised
status "$vprof" run ./raised >/dev/null
ok "raised privileges" grep -q "raised privileges" "$TMP/err"
done_testing
