#!/usr/bin/env bash
# vprof verify from end to end: kernels of known length, whose times CUPTI would have, timed by the library's stamps.
. tests/tap.sh
. tests/run/lib.sh
export CUPTI_LIB=$BUILD/verify/libcupti.so FAKE_CUPTI=$here/activities
kernels=$BUILD/gpu/gpu_kernels

# known KERNEL...: activities of kernels whose names say how long they take, from their first instruction to their
# last, three times each. CUPTI has 690 ns more (VPROF_OWN_NS).
known() {
	local name us
	for name in "$@" "$@" "$@"; do
		us=${name#spin_}
		echo "kernel $name 7 3 1 1000 $((1690 + 1000 * ${us%%us*}))"
	done >activities
}

# near WHAT ROWS: all of that work is near, in so many rows.
near() {
	"$vprof" verify --json -- "$kernels" graph "$1" 40 >"$TMP/json" 2>"$TMP/err"
	is "$1: every kernel is near" "$? $(of "$TMP/json" '[r["name"] for r in m["names"] if r["kind"] == "kernel" and not r["near"]]')" "0 []"
	is "$1: so many" "$(of "$TMP/json" 'm["rows_near"]')" "$2"
	ok "$1: most replays were measured" python3 -c '
import json, sys
m = json.load(open(sys.argv[1]))
sys.exit(not all(r["vprof"]["count"] >= 30 for r in m["names"]))' "$TMP/json"
	[ ! -s "$TMP/err" ] || diag "$(cat "$TMP/err")"
}

known spin_{1,2,5,10,20}us_{1,132,1056} spin_{50,100,200,500,1000,2000,5000,10000}us_1
near chain 23
known spin_{2us_1,8us_16,30us_1}_branch0 spin_{3us_1,9us_16,35us_1}_branch1 spin_{4us_1,10us_16,40us_1}_branch2 \
	spin_{5us_1,11us_16,45us_1}_branch3 spin_4us_132_join
near branches 13

# Another truth, another answer.
sed -i '/spin_4us_132_join/s/ 5690$/ 9690/' activities
is "one whose time is another is not near" \
	"$("$vprof" verify --json -- "$kernels" graph branches 40 2>/dev/null >"$TMP/json"; of "$TMP/json" '[r["name"] for r in m["names"] if not r["near"]]')" \
	"['spin_4us_132_join']"
done_testing
