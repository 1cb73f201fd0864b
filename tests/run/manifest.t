#!/usr/bin/env bash
# manifest.json: there from the start, whole at every moment, with the end of the run in it.
. tests/tap.sh
. tests/run/lib.sh

"$vprof" run -o run --trace launch,range "$client" --launches 2 --graphs 3 >/dev/null 2>&1
m=run/manifest.json
is "the command" "$(of $m '" ".join(m["command"][1:])')" "--launches 2 --graphs 3"
is "where" "$(of $m 'm["cwd"], m["host"], m["uid"]')" "('$here', '$(uname -n)', $(id -u))"
is "with what" "$(of $m 'm["library"], m["environment"]["VPROF_TRACE"], m["environment"]["VPROF_OUT"]')" \
	"('$BUILD/libvprof.so', 'launch,range', '$here/run')"
is "versions" "$(of $m 'm["vprof"]')" "$("$vprof" --version | cut -d' ' -f2)"
is "its end" "$(of $m 'm["state"], m["exit_status"], "signal" in m, 0 < m["end_ns"] - m["start_ns"] < 60e9')" "('ended', 0, False, True)"
is "what was recorded" "$(of $m 'm["recorded"]["processes"], m["recorded"]["launches"], m["recorded"]["lost"]')" "(1, 4, {})"
is "for its user alone" "$(stat -c %a $m)" 600
is "nothing else is left of its writing" "$(ls -A run | grep -v ring)" manifest.json

{ "$vprof" run -o killed sh -c 'kill -9 $$'; } 2>/dev/null
is "a signal" "$(of killed/manifest.json 'm["signal"], "exit_status" in m')" "('SIGKILL', False)"
"$vprof" run -o odd sh -c 'exit 3' "$(printf 'a"\n\\\377')" 2>/dev/null
is "words that JSON must escape" "$(of odd/manifest.json 'm["command"][3] == "a\"\n\\\ufffd", m["exit_status"]')" "(True, 3)"

# While it runs, and however often it is read: never half of it.
"$vprof" run -o live sh -c 'echo $$ >pid; read x' <>"$(mkfifo wait; echo wait)" 2>/dev/null &
run=$!
until_true test -s live/manifest.json -a -s pid
is "it runs" "$(of live/manifest.json 'm["state"], "end" in m, m["pid"]')" "('running', False, $(cat pid))"
echo >wait
wait $run
is "and has ended" "$(of live/manifest.json 'm["state"]')" ended

# Ranks that start side by side in one folder each have their own.
for i in 1 2 3 4 5 6; do "$vprof" run -o ranks --append sh -c "exit $i" 2>/dev/null & done
wait
is "six runs, six manifests" "$(ls -A ranks | wc -l)" 6
is "none is another's" "$(for f in ranks/*; do of "$f" 'm["exit_status"]'; done | sort | paste -sd' ')" "1 2 3 4 5 6"

mkdir full
chmod 500 full
if [ "$(id -u)" != 0 ]; then
	ok "a folder that cannot be written: refused" not "$vprof" run -o full true
fi
done_testing
