#!/usr/bin/env bash
# --from, --to, --last, --pid, --thread, --raw-names; wrong usage.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
merge=$BUILD/vprof-merge
vprof=$BUILD/vprof
forge=$BUILD/tests/forge
cd "$TMP" || exit

# One process: a call each second from 1 s to 9 s, 100 ms long, by two threads in turn, and
# one of 5 s. Another process: one call at 3 s.
{
	echo ring pid=100 chunks=4 lanes=4
	echo call id=1 family=1 name=cuLaunchKernel
	echo kernel name=_Z3fooi
	echo lane lane=1 thread=2 tid=101 comm=pt_autograd_0
	echo chunk lane=0 thread=1 tid=100 comm=app
	for s in 1 3 5 7 9; do echo "rec kernel=1 t=${s}000000000 dur=100000000"; done
	echo chunk lane=1 thread=2 tid=101 comm=app
	for s in 2 4 6 8; do echo "rec kernel=1 t=${s}000000000 dur=100000000"; done
	echo rec kernel=1 t=2500000000 dur=5000000000
} | "$forge" a.ring
"$forge" b.ring <<'SCRIPT'
ring pid=200 chunks=4 lanes=4
call id=1 family=1 name=cuLaunchKernel
chunk lane=0 thread=1 tid=200 comm=other
rec t=3000000000 dur=100000000
SCRIPT

# starts OPTIONS...: when the slices begin, in seconds after the first record.
starts() {
	"$merge" "$@" a.ring b.ring | python3 -c '
import json, sys
print(*("%g" % (e["ts"] / 1e6) for e in json.load(sys.stdin)["traceEvents"] if e["ph"] == "X"))'
}

is "everything" "$(starts)" "0 1 1.5 2 2 3 4 5 6 7 8"
is "--from cuts what had ended before" "$(starts --from 6.95s)" "7 8"
is "--from keeps what was still going on" "$(starts --from 6.05s)" "1.5 6 7 8"
is "--to" "$(starts --to 1.2s)" "0 1"
is "--to in ms" "$(starts --to 900ms)" "0"
is "--from and --to" "$(starts --from 6.6s --to 7s)" "7"
is "--from before the end" "$(starts --from -1.5s)" "7 8"
is "--from=-TIME" "$(starts --from=-1.5s)" "7 8"
is "--to before the end" "$(starts --to -7.5s)" "0"
is "--last" "$(starts --last 1.5s)" "7 8"
is "--last longer than the trace" "$(starts --last 1h)" "$(starts)"
is "--pid" "$(starts --pid 200)" "2"
is "--pid with a list" "$(starts --pid 200,100)" "$(starts)"
is "--thread by id" "$(starts --thread 101)" "1 1.5 3 5 7"
is "--thread by pattern, newest name" "$(starts --thread 'pt_*')" "1 1.5 3 5 7"
is "--thread by name, twice" "$(starts --thread other --thread 'pt_*')" "1 1.5 2 3 5 7"
is "an old name of the thread does not count" "$(starts --thread app)" "0 2 4 6 8"

# Whom no ring has is named by each tool, and it fails where nobody else was asked for.
unknown() {
	local verb
	for verb in vprof-merge "vprof dump" "vprof top" "vprof kernels" "vprof graphs" "vprof memory" "vprof steps" "vprof gpu"; do
		[ "$1 $verb" != "--thread vprof memory" ] || continue # which has no such option
		"$BUILD"/$verb "$@" a.ring b.ring >out 2>err && echo "$verb: status 0"
		grep -qx "$verb: $1: no [a-z]* '$2' in these rings" err || echo "$verb: $(cat err)"
		[ "$1" = --thread ] || [ ! -s out ] || echo "$verb prints something"
	done
}
is "nobody's pid" "$(unknown --pid 5)" ""
is "nobody's thread" "$(unknown --thread nobody)" ""
is "one of two is known: the other is named" "$("$vprof" top --pid 5,100 a.ring b.ring 2>&1 >/dev/null; echo $?)" "vprof top: --pid: no process '5' in these rings
0"
# The same selection by each tool, all for the same moments of all rings.
dumped() { "$vprof" dump "$@" a.ring b.ring | sed '/^#/d; s/ .*//; s/\.\?0*$//' | sort -n | xargs; }
topped() { "$vprof" top --json "$@" a.ring b.ring | python3 -c '
import json, sys
print(sum(k["launches"] for k in json.load(sys.stdin)["kernels"]))'; }
for selection in "--from 6.05s" "--from -1.5s" "--to -7.5s" "--last 1.5s" "--from 6.6s --to 7s" "--pid 200" "--thread pt_*"; do
	wanted=$(starts $selection)
	is "vprof dump $selection" "$(dumped $selection)" "$wanted"
	is "vprof top $selection" "$(topped $selection)" "$(wc -w <<< "$wanted")"
done
for tool in "$merge" "$vprof dump" "$vprof top"; do
	$tool --from yesterday a.ring > out 2> err
	is "${tool##*/}: a time that is none is wrong usage" $? 2
	ok "${tool##*/}: and it says which" grep -q -- "--from: 'yesterday' is not a time" err
	$tool --last -5s a.ring > out 2>&1
	is "${tool##*/}: --last has no sign" $? 2
done

names() { "$merge" "$@" a.ring | grep -o '"name":"[^"]*","pid":100,"tid":100,"ts":0.0' | cut -d'"' -f4; }
is "names are demangled" "$(names)" foo
is "--raw-names" "$(names --raw-names)" _Z3fooi

usage() {
	"$merge" "${@:2}" > out 2> err
	is "$1: exit 2" $? 2
	ok "$1: message" grep -q "^vprof-merge: " err
	is "$1: nothing on standard output" "$(cat out)" ""
}
usage "no ring"
usage "unknown option" --frobnicate a.ring
usage "a time that is none" --from yesterday a.ring
usage "a time that is none, --to" --to 5parsecs a.ring
usage "a form that is none" -z rar a.ring
ok "--help" bash -c "'$merge' --help | grep -q -- --last"

done_testing
