#!/usr/bin/env bash
# Sets of rings: order over processes, equal pids, bad rings beside good ones, torn and cut ones.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
forge=$(realpath "$BUILD/tests/forge")
vprof=$(realpath "$BUILD/vprof")
script=$PWD/tools/gdb/vprof.py
cd "$TMP" || exit

mkdir out
ring() { # FILE PID BOOT MONO REAL T...
	{
		echo "ring pid=$2 boot=$3 mono=$4 real=$5 chunks=4 lanes=4 title=p$2"
		echo call id=1 family=1 name=cuLaunchKernel
		echo chunk lane=0 thread=1 tid="$2" comm=app
		for t in "${@:6}"; do echo "rec t=$t dur=10"; done
	} | "$forge" "$1"
}
show() { # pid and start of each slice, in the order of the trace
	python3 -c '
import json, sys
print(*("%d@%g" % (e["pid"], e["ts"] * 1000) for e in json.load(sys.stdin)["traceEvents"] if e["ph"] == "X"))'
}

# Ticks are 0 at each process's own start; the anchors bring them together.
ring out/a.ring 100 x 1000 5000 100 300 500
ring out/b.ring 200 x 1050 5050 100 300 500
is "one order over processes" "$("$merge" out | show)" "100@0 200@50 100@200 200@250 100@400 200@450"
is "a folder, its files, a pattern: the same" "$("$merge" out | md5sum)" "$("$merge" 'out/*.ring' | md5sum)"
is "a ring named twice counts once" "$("$merge" out/a.ring out/a.ring | show)" "100@0 100@200 100@400"
ring c.ring 300 y 0 5120 100 300
is "another host, by real time" "$("$merge" out c.ring | show)" \
	"100@0 200@50 300@120 100@200 200@250 300@320 100@400 200@450"

ring d.ring 100 x 1010 5010 100
"$merge" out/a.ring d.ring > same.json
is "two rings of one pid get two pids" "$(show < same.json)" "100@0 4194305@10 100@200 100@400"
ok "the name keeps the real one" grep -q '"name":"process_name","pid":4194305,.*"p100 (pid 100)"' same.json
ok "and the other one's name is bare, as readers show the pid" grep -q '"process_name","pid":100,.*"name":"p100"' same.json
ring host.ring 400 z 0 5000 100
printf 'node2\0' | dd of=host.ring bs=1 seek=176 conv=notrunc status=none
is "rings of two hosts: names say which" "$("$merge" out/a.ring host.ring | grep -o '"name":"p[0-9][^"]*"' | xargs)" \
	"name:p100 on host name:p400 on node2"

echo garbage > out/bad.ring
: > out/empty.ring
"$merge" out > good.json 2> err
is "bad rings beside good ones: exit 0" $? 0
is "... the good ones are all there" "$(show < good.json)" "100@0 200@50 100@200 200@250 100@400 200@450"
ok "... the bad one is named" grep -q "out/bad.ring: " err
ok "... the empty one is named" grep -q "out/empty.ring: " err
"$merge" out/bad.ring out/empty.ring > none 2> err
is "only bad ones: exit 1" $? 1
is "... and no output" "$(cat none)" ""

# A ring cut at any place gives a whole trace of what is left, or a message.
cut_everywhere() {
	local size
	for size in $(seq 0 2003 "$(stat -c %s out/a.ring)"); do
		head -c "$size" out/a.ring > cut.ring
		"$merge" -o cut.json cut.ring 2> cut.err
		case $? in
		0) python3 -m json.tool cut.json /dev/null || { echo "cut at $size"; return 1; } ;;
		1) grep -q cut.ring cut.err || { echo "no message, cut at $size"; return 1; } ;;
		*) echo "exit $? for cut at $size"; return 1 ;;
		esac
	done
}
ok "cut anywhere" cut_everywhere

"$forge" idle.ring <<'SCRIPT'
ring pid=7 chunks=4
SCRIPT
"$merge" idle.ring > idle.json
ok "a ring without records is a trace without slices" python3 -c '
import json
trace = json.load(open("idle.json"))
assert [e["name"] for e in trace["traceEvents"]] == ["process_name", "process_labels", "process_sort_index"]'

# Records slightly out of order, as a signal handler leaves them; in flight until the last beat.
"$forge" odd.ring <<'SCRIPT'
ring pid=7 chunks=4
call id=1 family=1 name=cuLaunchKernel
chunk lane=0 thread=1 tid=7 comm=app
rec t=100 dur=1
rec t=300 dur=1
rec t=200 dur=1
rec t=400 open=1
beat t=90100
SCRIPT
is "slightly out of order" "$("$merge" odd.ring | show)" "7@0 7@100 7@200 7@300"
ok "in flight up to the last beat" bash -c "'$merge' odd.ring | grep -q '\"ts\":0.300,\"dur\":89.700'"

# Names that are no UTF-8, have quotes or are long.
"$forge" names.ring <<SCRIPT
ring pid=7 chunks=4 title=$(printf '\xff"\\\x01')x command=$(printf 'k\xc3\xa9\xe2')
call id=1 family=1 name=cuLaunchKernel
kernel name=$(head -c 400 /dev/zero | tr '\0' k)
kernel name=$(printf '_Z\xfe')
lane lane=0 thread=1 tid=7 comm=$(printf '\xe2\x82"')
chunk lane=0 thread=1 tid=7 comm=a
rec t=1 kernel=1
rec t=2 kernel=2
SCRIPT
"$merge" names.ring > names.json
ok "strange names stay valid JSON in UTF-8" python3 -c '
import json
text = open("names.json", "rb").read().decode("utf-8")
trace = json.loads(text)["traceEvents"]
assert trace[0]["args"]["name"] == "\ufffd\"\\\x01x", trace[0]
assert [e["name"] for e in trace if e["ph"] == "X"] == ["k" * 400, "_Z\ufffd"]'

# A copy's direction has one name, whoever tells of it.
{
	echo ring pid=7
	echo call id=3 family=3 name=cuMemcpy
	echo chunk lane=0 thread=1 tid=7 comm=app
	for object in $(seq 0 11); do echo "rec kind=3 call=3 t=$((object + 1)) object=$object"; done
} | "$forge" copies.ring
directions=$("$merge" copies.ring | sed -n 's/.*"direction":"\([^"]*\)".*/\1/p' | xargs)
is "directions of vprof dump" "$("$vprof" dump copies.ring | sed 's/.* direction=\([^ ]*\).*/\1/' | xargs)" "$directions"
is "directions in gdb" "$(sed -n 's/^DIRECTIONS = //p' "$script" | python3 -c 'print(*eval(input()), "unknown")')" "$directions"

done_testing
