#!/usr/bin/env bash
# vprof start, stop and mark on processes of the fake driver: who is switched, who is not and why.
. tests/tap.sh
. tests/control/loopers.sh

# recording PID: on or off, as the control word has it.
recording() { [ "$(od -An -tu4 -j4096 -N4 "$(ring "$1")" | tr -d ' ')" != 0 ] && echo on || echo off; }
states() { for pid in "$@"; do recording "$pid"; done | xargs; }
field() { json "$TMP/json" "$1"; }

begin VLLM::EngineCore 500; engine=$last
begin VLLM::Worker_TP2 500; two=$last
begin VLLM::Worker_TP10 500; ten=$last
begin front idle; front=$last

is "all record in the beginning" "$(states "$engine" "$two" "$ten" "$front")" "on on on on"
is "stop says that all did" "$(code "$vprof" stop)" 0
is "stop takes all, one without a context too" "$(states "$engine" "$two" "$ten" "$front")" "off off off off"
is "start" "$(code "$vprof" start)" 0
is "start leaves out who has used no GPU" "$(states "$engine" "$two" "$ten" "$front")" "on on on off"
ok "and says so" grep -q 'left out 1 that has used no GPU' "$TMP/text"
is "start --all" "$(code "$vprof" start --all; states "$front")" "0
on"
"$vprof" stop >/dev/null
is "start --json" "$("$vprof" start --json >"$TMP/json"; field role)" "EngineCore Worker_TP2 Worker_TP10 front"
is "ranks" "$(field rank)" "None 2 10 None"
ok "results" grep -qE '^(done|word) (done|word) (done|word) skipped$' <<<"$(field result)"
"$vprof" stop >/dev/null
is "by role, its beginning" "$(code "$vprof" start worker; states "$engine" "$two" "$ten")" "0
off on on"
"$vprof" stop >/dev/null
is "by role, a pattern" "$(code "$vprof" start 'engine*'; states "$engine" "$two" "$ten")" "0
on off off"
"$vprof" stop >/dev/null
is "by rank" "$(code "$vprof" start rank=10; states "$engine" "$two" "$ten")" "0
off off on"
"$vprof" stop >/dev/null
is "by pid, which takes one without a context" "$(code "$vprof" start "$front"; states "$engine" "$two" "$ten" "$front")" "0
off off off on"
"$vprof" stop >/dev/null
is "by ring" "$(code "$vprof" start "$(ring "$two")"; states "$engine" "$two" "$ten")" "0
off on off"
"$vprof" stop >/dev/null
is "by folder" "$(cd "$TMP" && code env -u VPROF_OUT "$vprof" start out; states "$engine" "$two" "$ten")" "0
on on on"
is "of a folder, one" "$(cd / && code env -u VPROF_OUT "$vprof" stop "$OUT" EngineCore; states "$engine" "$two" "$ten")" "0
off on on"

# One moment for all, which none comes before
cat >"$TMP/late.py" <<'END'
import json, sys
at = json.load(open(sys.argv[1]))["at_monotonic_ns"]
late = [p["window"][sys.argv[3] + "_monotonic_ns"] - at for p in json.load(open(sys.argv[2]))]
early = [ns for ns in late if ns < -20000]
print(len(late), "switched", "early" if early else "late" if max(late) >= 50e6 else "in time", late)
END
# switched VERB [OTHER]: how all followed it. Whom a busy machine keeps from running is late; then once more.
switched() {
	for _ in $(seq 20); do
		[ -z "${2:-}" ] || "$vprof" "$2" --wait 60s >/dev/null
		"$vprof" "$1" --wait 60s --json >"$TMP/json"
		"$vprof" ps --once --json "$engine" "$two" "$ten" >"$TMP/seen"
		python3 "$TMP/late.py" "$TMP/json" "$TMP/seen" "$1" >"$TMP/late"
		grep -q late "$TMP/late" || break
	done
	cat "$TMP/late"
}
is "stop: all at the same moment" "$(switched stop start | cut -d[ -f1)" "3 switched in time "
is "start: likewise" "$(switched start stop | cut -d[ -f1)" "3 switched in time "
"$vprof" stop --wait 60s >/dev/null
is "--at: not before it" "$(code "$vprof" start --wait 60s --at +1000s; states "$engine" "$two")" "0
off off"
is "another in its place" "$(code "$vprof" start --wait 60s --at +400ms)" 0
ok "the text says when" grep -q 'started 3 of 3 processes, from 400.0 ms after this command on' "$TMP/text"
becomes "then it starts" "on on" states "$engine" "$two"
"$vprof" start --wait 60s --at 0 --for 100ms >/dev/null
becomes "--for: it stops by itself" "off off" states "$engine" "$two"
"$vprof" start --wait 60s --at 1000s >/dev/null
"$vprof" stop --wait 60s >/dev/null
is "a stop forgets what is yet to come" "$("$vprof" ps --once --json "$engine" >"$TMP/json"; grep -c switches_in "$TMP/json")" 0
"$vprof" start --wait 60s --mb 1 --launches 7 "$engine" >/dev/null
limit() { "$vprof" ps --once "$engine" | grep -o 'off #[0-9]* [a-z]*' | cut -d' ' -f3; }
becomes "the first limit that is reached" launches limit
ok "vprof info tells of it" sh -c "'$vprof' info '$(ring "$engine")' | grep -q '#[0-9]* (request) from .* after the start for .* (launches), 7 launches'"
is "likewise for scripts" "$("$vprof" info --json "$(ring "$engine")" | python3 -c '
import json, sys
w = json.load(sys.stdin)[0]["windows"]
print(w[0]["started"], w[-1]["started"], w[-1]["stopped"], w[-1]["launches"], all(a["stop_ns"] <= b["start_ns"] for a, b in zip(w, w[1:])))')" \
	"begin request launches 7 True"
for wrong in --for=0 --steps=0 --launches=0 --mb=0 --mb=18446744073709551614 --at=-2s --at=soon --mb=x --steps; do
	is "start $wrong is wrong" "$(code "$vprof" start $wrong)" 2
done

is "groups" "$("$vprof" start --groups launch,graph "$engine" >/dev/null; od -An -tu4 -j4096 -N4 "$(ring "$engine")" | tr -d ' ')" 65
is "no such group" "$(code "$vprof" start --groups launches)" 2
ok "and the one that was meant" grep -q "did you mean 'launch'" "$TMP/errors"

# Who is not there
is "no such role" "$(code "$vprof" start nobody)" 1
ok "is said" grep -q 'nobody: no ring here is of a process with this role' "$TMP/errors"
is "one of two" "$(code "$vprof" stop "$engine" 4194303)" 3
is "no such folder" "$(code "$vprof" stop "$TMP/none/")" 1
begin gone 500; gone=$last
kill -9 "$gone"; wait "$gone" 2>/dev/null
is "a stop for a process that died" "$(code "$vprof" stop "$gone")" 1
ok "is said" grep -q 'gone.*has ended' "$TMP/text"
is "in a folder the dead are not asked" "$("$vprof" start --json >"$TMP/json"; field role)" "EngineCore Worker_TP2 Worker_TP10 front"

# Stopped by a signal: reported, and not waited for.
kill -STOP "$two"
"$vprof" stop --json >"$TMP/json"
is "some: the exit code" "$?" 3
is "the stopped one" "$(field result | tr ' ' '\n' | sed -n 2p)" stopped
SECONDS=0
"$vprof" stop --wait 100s "$two" >/dev/null
ok "is not waited for" test "$SECONDS" -lt 50
kill -CONT "$two"
is "its word is off" "$(recording "$two")" off

# Another user's ring
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$TMP" "$OUT"
	cp "$vprof" "$TMP/vprof"
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/vprof" "$@"; }
	"$vprof" start >/dev/null
	is "another user's ring" "$(code as_nobody stop "$OUT")" 1
	ok "is refused with the reason and the name" grep -q "$engine.*\.ring.*Permission denied (it belongs to root, user 0)" "$TMP/errors"
	cp "$(ring "$engine")" "$TMP/readable.ring"
	chmod 644 "$TMP/readable.ring"
	is "one that may be read and not written" "$(code as_nobody stop "$TMP/readable.ring")" 1
	ok "is refused too" grep -q 'readable.ring: cannot be opened for writing: it belongs to root' "$TMP/text"
	is "and goes on" "$(recording "$engine")" on
fi

# What is timed on the GPU
gpu_words() { od -An -tu4 -j$((4096 + 16)) -N16 "$(ring "$engine")" | xargs; }
is "one launch of a graph in 64 is to be timed, if nothing is said" "$(gpu_words)" "64 0 0 0"
is "start --gpu" "$(code "$vprof" start --gpu=sample:32 "$engine"; gpu_words)" "0
32 0 0 0"
is "start --gpu=sample" "$(code "$vprof" start --gpu=sample:5 "$engine"; "$vprof" start --gpu=sample "$engine" >/dev/null; gpu_words)" "0
64 0 0 0"
is "in windows, and as a whole" "$(code "$vprof" start --gpu-eager=2ms/200ms --gpu-spans=on "$engine"; gpu_words)" "0
64 1 2000 200000"
is "what is not named stays" "$(code "$vprof" start --gpu=all --gpu-eager=always "$engine"; gpu_words)" "0
1 1 1000000 1000000"
is "off" "$(code "$vprof" start --gpu=off --gpu-eager=off --gpu-spans=off "$engine"; gpu_words)" "0
0 0 0 0"
said_of_gpu() { code "$vprof" start "$@" "$engine" >/dev/null; grep 'timed on the GPU' "$TMP/text"; }
# It is off now: what was made meanwhile has nothing from which a twin could be made.
before="in 1 process that was off: graphs made until now are not timed, unless they are made anew"
is "that graphs of before are not timed is said, once" "$(code "$vprof" start --gpu=sample:64 "$engine" >/dev/null; grep -cx "$before" "$TMP/text"
	code "$vprof" start --gpu=all "$engine" >/dev/null; grep -cx "$before" "$TMP/text"
	code "$vprof" start --gpu=off "$engine" >/dev/null; grep -cx "$before" "$TMP/text")" "1
0
0"
is "it is said what is timed now" "$(said_of_gpu --gpu=sample:64 --gpu-eager=2ms/200ms)" \
	"timed on the GPU from now on: the nodes of graphs, one launch in 64; what is put onto streams, for 2 ms in every 200 ms"
is "and what is not" "$(said_of_gpu --gpu=all --gpu-eager=off --gpu-spans=off)" "timed on the GPU from now on: the nodes of graphs, every launch
no longer timed on the GPU: launches of graphs as a whole; what is put onto streams"
is "nothing where nothing was asked" "$(said_of_gpu)" ""
is "as JSON: what was given" "$("$vprof" start --json --gpu=off --gpu-eager=2ms/200ms "$engine" | jq -c .gpu) $("$vprof" start --json --gpu-spans=off --gpu-eager=off "$engine" | jq -c .gpu)" \
	'{"graphs":0,"window_us":2000,"period_us":200000} {"spans":false,"window_us":0,"period_us":0}'
for wrong in --gpu=some --gpu=sample:0 --gpu=sample:2147483648 --gpu=sample:x --gpu-eager=2ms --gpu-eager=3ms/2ms --gpu-spans=1; do
	is "$wrong is refused" "$(code "$vprof" start "$wrong" "$engine"; gpu_words; grep -c "^vprof start: ${wrong%%=*}: '${wrong#*=}' is " "$TMP/errors")" "2
0 0 0 0
1"
done

# A file that only looks like the ring of a process that lives
cp "$(ring "$engine")" "$TMP/copied.ring"
is "a copy of a ring" "$(code "$vprof" start "$TMP/copied.ring")" 1
ok "is said to be one" grep -q "$engine  EngineCore .*its process has another ring, or none: this is a copy" "$TMP/text"

# What is no ring
head -c 20000 /dev/urandom >"$TMP/random.ring"
is "no ring" "$(code "$vprof" stop "$TMP/random.ring")" 1
ok "is said" grep -q 'random.ring: is not a vprof ring' "$TMP/errors"
head -c 8192 "$(ring "$engine")" >"$TMP/short.ring"
is "a ring that is cut short" "$(code "$vprof" stop "$TMP/short.ring")" 1
ok "is said" grep -q 'short.ring: is cut short' "$TMP/text"

# Nothing named, and nothing there
mkdir "$TMP/empty"
for verb in ps start stop snap "mark text"; do
	# shellcheck disable=SC2086 # a verb and its text
	is "$verb where there is no folder" "$(cd "$TMP/empty" && code env -u VPROF_OUT "$vprof" $verb >/dev/null; sed 's/^vprof [a-z]*: //' "$TMP/errors")" \
		"out: does not exist
no folder was named, so rings were looked for in out: name one, or set VPROF_OUT"
done
code "$vprof" ps "$TMP/empty" >/dev/null
is "a folder that was named has no such line" "$(grep -c "folder was named" "$TMP/errors")" 0

done_testing
