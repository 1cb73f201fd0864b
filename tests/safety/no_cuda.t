#!/usr/bin/env bash
# A process without CUDA does not notice that we are there: no file, no thread, no memory
# from the heap, no system call once the program has begun, the same environment but for one
# variable, NVTX_INJECTION64_PATH, by which the program's NVTX finds us.
. tests/tap.sh
. tests/safety/lib.sh

mkdir -p "$TMP/cwd"
printf 'b\na\nc\n' >"$TMP/cwd/lines"
cat >"$TMP/commands" <<'EOF'
true
false
bash -c 'echo a | cat; (exit 3); echo $?'
python3 -c pass
python3 -c 'import threading; t = threading.Thread(target=print, args=("t",)); t.start(); t.join()'
python3 -c 'import os; print(sorted(k for k in os.environ if k not in ("LD_PRELOAD", "NVTX_INJECTION64_PATH"))); print(len(os.listdir("/proc/self/task")))'
git --version
git -C / status
sort lines
sort --parallel=2 -S 1M lines
ls --no-such-option
sh -c 'kill -TERM $$'
EOF
while read -r command; do
	new_out
	for arm in plain traced; do
		{ (cd "$TMP/cwd" && run=exec $arm bash -c "exec $command" >"$TMP/$arm.out" 2>"$TMP/$arm.err" </dev/null); } 2>/dev/null
		echo $? >>"$TMP/$arm.out"
	done
	ok "$command: output and exit status" diff "$TMP/plain.out" "$TMP/traced.out"
	ok "$command: stderr" diff "$TMP/plain.err" "$TMP/traced.err"
	ok "$command: no folder, no ring" test ! -e "$OUT" -a ! -e "$TMP/cwd/out"
done <"$TMP/commands"

# The environment, in order.
plain env >"$TMP/plain.env"
traced env >"$TMP/traced.env"
ok "env: the same but for NVTX_INJECTION64_PATH" \
	diff "$TMP/plain.env" <(grep -vE '^(LD_PRELOAD|NVTX_INJECTION64_PATH)=' "$TMP/traced.env")
is "which comes last, once" "$(tail -n 1 "$TMP/traced.env") $(grep -c NVTX_ "$TMP/traced.env")" "NVTX_INJECTION64_PATH=$LIBRARY 1"
is "an empty environment" "$(env -i LD_PRELOAD="$LIBRARY" /usr/bin/env)" "LD_PRELOAD=$LIBRARY
NVTX_INJECTION64_PATH=$LIBRARY"
is "VPROF_NVTX=0: the same environment" "$(env -i LD_PRELOAD="$LIBRARY" VPROF_NVTX=0 /usr/bin/env)" "LD_PRELOAD=$LIBRARY
VPROF_NVTX=0"
is "VPROF_ENABLE=0: the same environment" "$(env -i LD_PRELOAD="$LIBRARY" VPROF_ENABLE=0 /usr/bin/env)" "LD_PRELOAD=$LIBRARY
VPROF_ENABLE=0"
is "the user's own value stays" "$(env -i LD_PRELOAD="$LIBRARY" NVTX_INJECTION64_PATH=/x/tool.so /usr/bin/env)" "LD_PRELOAD=$LIBRARY
NVTX_INJECTION64_PATH=/x/tool.so"

# ---- behind the environment ----

# A variable more or less moves the stack, not the vector's entries.
loader=$(readelf -p .interp "$PROGRAMS/auxv" | grep -o '/[^ ]*')
vector() { "$@" "$PROGRAMS/auxv"; }
many() { for i in {1..400}; do export "MANY_$i=$i"; done; "$@"; }
is "main's environment is followed by the auxiliary vector" "$(vector traced)" "$(vector plain)"
is "so where a process before us set the variable" "$(NVTX_INJECTION64_PATH=/old/libvprof.so vector traced)" "$(vector plain)"
is "so where the environment is large" "$(many vector traced)" "$(vector plain)"
is "so where the loader is a command" "$(traced "$loader" "$PROGRAMS/auxv")" "$(plain "$loader" "$PROGRAMS/auxv")"
ok "it is not empty" grep -qE '^[1-9][0-9]* entries, pages of [1-9]' <<<"$(vector traced)"

# ---- the heap ----

counted() { LIBRARY=$1:$PROGRAMS/count_malloc.so traced "${@:2}" 4>&1 >/dev/null </dev/null; }
for command in true "sort $TMP/cwd/lines" "ls /"; do
	is "$command: allocations" "$(counted "$LIBRARY" $command)" "$(counted "" $command)"
done

# ---- system calls ----

if ! strace -o /dev/null true 2>/dev/null; then
	ok "system calls # SKIP strace cannot run here" true
	done_testing
fi

# What the loader does for any preloaded library is compared with an empty one in our place.
echo 'int nothing_here;' | ${CC:-cc} -x c -shared -fPIC -o "$TMP/libvprof.so" - || exit 1
calls_of() { # LIBRARY COMMAND...
	strace -f -o "$TMP/strace" -E LD_PRELOAD="$1" "${@:2}" >/dev/null 2>&1 </dev/null
	sed 's/^[0-9]* *//' "$TMP/strace" | sed 's/^<... \([a-z0-9_]*\) resumed.*/\1/' | grep -o '^[a-z0-9_]*' | sort | uniq -c
}
for command in /bin/true "sort $TMP/cwd/lines" "bash -c :" "/usr/bin/python3 -c pass"; do
	calls_of "$TMP/libvprof.so" $command >"$TMP/without"
	calls_of "$LIBRARY" $command >"$TMP/with"
	# Mapping a library takes as many calls as it has segments, and each is given its protection.
	for list in without with; do grep -vwE 'mmap|mprotect|munmap|read|close|futex|brk' "$TMP/$list" >"$TMP/$list.calls"; done
	ok "$command: the same system calls as with an empty library" diff "$TMP/without.calls" "$TMP/with.calls"
	is "$command: no process or thread more" "$(grep -cE 'clone|fork' "$TMP/with")" "$(grep -cE 'clone|fork' "$TMP/without")"
	strace -f -e trace=openat,creat,mkdir,symlink -o "$TMP/opened" -E LD_PRELOAD="$LIBRARY" $command >/dev/null 2>&1 </dev/null
	is "$command: it opens nothing of ours but the library" \
		"$(grep vprof "$TMP/opened" | grep -vF "\"$LIBRARY\"" | grep -vF "$TMP")" ""
done

done_testing
