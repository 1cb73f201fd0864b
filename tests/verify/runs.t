#!/usr/bin/env bash
# vprof verify --runs: several runs of each side, of a command that is another in each where the test wants it to be.
. tests/tap.sh
. tests/run/lib.sh
made=$OLDPWD/tests/gputime/made.py
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
export CUPTI_LIB=$BUILD/verify/libcupti.so TMPDIR=$TMP/tmp here
mkdir "$TMPDIR"

# Kernels that say how long they take, three times each; CUPTI has 690 ns more.
for name in spin_{2us_1,8us_16,30us_1}_branch0 spin_{3us_1,9us_16,35us_1}_branch1 spin_{4us_1,10us_16,40us_1}_branch2 \
	spin_{5us_1,11us_16,45us_1}_branch3 spin_4us_132_join; do
	us=${name#spin_}
	for i in 1 2 3; do echo "kernel $name 7 3 1 1000 $((1690 + 1000 * ${us%%us*}))"; done
done >activities.1

# work COMMAND...: notes where it is to record, and has the activities of its run beside CUPTI.
cat >work <<'END'
#!/bin/sh
echo "${CUPTI_TIMES:-$VPROF_OUT}" >>"$here/places"
run=$(grep -c 'cupti$' "$here/places")
export FAKE_CUPTI="$here/activities.$run"
[ "$(wc -l <"$here/places")" != "$FAIL_AT" ] || exit 4
exec "$@"
END
chmod +x work

# verify OPTION...: of a graph whose replays take as long as they say, on a software driver; the exit code.
verify() {
	: >places
	"$vprof" verify "$@" -- "$here/work" "$BUILD/gpu/gpu_kernels" graph branches 40 >"$TMP/out" 2>"$TMP/err"
	echo $?
}
rows() { of "$TMP/out" "[$1 for r in m['names'] if '$2' in r['name']]"; }

# One kernel is another in each run, though not in their mean; one is not in the second; one is slower in all by a bit.
sed '/spin_4us_132_join/s/ 5690$/ 5400/; /spin_45us/d; /spin_9us/s/10690$/10720/' activities.1 >activities.2
sed '/spin_4us_132_join/s/ 5690$/ 5980/' activities.1 >activities.3
is "three runs of each: 0" "$(verify --runs 3 --json --keep kept --plain)" 0
is "with nothing to remark" "$(cat "$TMP/err")" ""
is "the sides take turns in being first, and the plain run is last" "$(sed "s|$here/kept/||" places | tr '\n' ' ')" \
	"1/cupti 1/vprof 2/vprof 2/cupti 3/cupti 3/vprof  "
is "so many" "$(of "$TMP/out" 'm["runs"]')" 3
is "each run's median, and their mean" "$(rows '(r["cupti"]["medians_ns"], r["cupti"]["median_ns"], r["cupti"]["count"])' 132_join)" \
	"[([4690, 4400, 4980], 4690, 9)]"
is "of CUPTI's runs that are too far from each other the mean is near" "$(rows 'r["near"]' 132_join)" "[True]"
is "a run without it has none" "$(rows '(r["cupti"]["medians_ns"], r["cupti"]["median_ns"], r["cupti"]["count"])' 45us)" \
	"[([45690, None, 45690], 45690, 6)]"
is "little is as little" "$(rows '(r["cupti"]["medians_ns"], r["cupti"]["median_ns"])' 9us)" "[([9690, 9720, 9690], 9700)]"
is "vprof's as well" "$(of "$TMP/out" '{(len(r["vprof"]["medians_ns"]), abs(sum(r["vprof"]["medians_ns"]) / 3 - r["vprof"]["median_ns"]) < 1,
	r["vprof"]["count"] >= 90) for r in m["names"]}')" "{(3, True, True)}"
is "the share of CUPTI's runs among themselves" "$(of "$TMP/out" '(m["among_themselves"]["cupti"]["rows_near"],
	round(m["among_themselves"]["cupti"]["share"], 4) ==
	round(1 - sum(r["cupti"]["total_ns"] for r in m["names"] if "join" in r["name"] or "45us" in r["name"]) / m["gpu_ns"], 4))')" \
	"(11, True)"
is "and of vprof's" "$(of "$TMP/out" 'm["among_themselves"]["vprof"]')" "{'share': 1.0, 'rows_near': 13}"
is "wall times are there" "$(of "$TMP/out" 'sorted(m["wall_s"])')" "['cupti', 'plain', 'vprof']"
is "every run is kept" "$(find kept -name '*.log' -o -name '*.tsv' -o -name '*.ring' | sed 's|/[^/]*\.\([tr][a-z]*\)$|/.\1|' | sort | tr '\n' ' ')" \
	"$(for run in 1 2 3; do echo kept/$run/{cupti.log,cupti/.tsv,vprof.log,vprof/.ring}; done | tr '\n' ' ')kept/plain.log "

# What was kept.
cp "$TMP/out" all
"$vprof" verify --again kept --json >"$TMP/out"
is "is compared again" "$(of all '(m["share"], m["among_themselves"], m["names"])')" "$(of "$TMP/out" '(m["share"], m["among_themselves"], m["names"])')"
"$vprof" verify --again kept >"$TMP/out"
ok "as text" grep -qE "^3 runs of each, within as much of their mean: CUPTI's runs among themselves: [0-9.]+ % \(11 of 13 rows\), vprof's: 100.00 % \(13 of 13 rows\)$" "$TMP/out"
is "warm-up is left out of each run" "$("$vprof" verify --again kept --json --warm-up 2 >"$TMP/out"; rows 'r["cupti"]["count"]' 132_join; rows 'r["cupti"]["count"]' 45us)" "[3]
[2]"
is "a run of another number into that folder: 1" "$(verify --keep kept)" 1
ok "says why" grep -q "kept/1 is of an earlier run" "$TMP/err"
mv kept/3 elsewhere
is "of two that are left two are compared" "$("$vprof" verify --again kept --json >"$TMP/out"; of "$TMP/out" 'm["runs"]')" 2
is "one run" "$(verify --keep one --json)" 0
is "has no other to be near to" "$(of "$TMP/out" 'm["runs"], "among_themselves" in m')" "(1, False)"
is "and its median alone" "$(rows 'r["cupti"]["medians_ns"]' 132_join)" "[[4690]]"
is "several into its folder: 1" "$(verify --runs 2 --keep one)" 1
ok "says why" grep -q "one/cupti is of an earlier run" "$TMP/err"

# What goes wrong.
is "the third process fails: 1" "$(FAIL_AT=3 verify --runs 3)" 1
ok "with the run and the side" grep -q "^vprof verify: run 2 of 3: under vprof .*/work ended with exit code 4; what it printed last:$" "$TMP/err"
is "and none follows" "$(wc -l <places)" 3
: >activities.2
is "CUPTI sees nothing in a run: 1" "$(verify --runs 2)" 1
ok "which is named" grep -q "^vprof verify: run 2 of 2: CUPTI saw nothing run on the GPU$" "$TMP/err"
is "no runs: 2" "$(verify --runs 0)" 2
is "more than there may be: 2" "$(verify --runs 17)" 2
is "--again makes none: 2" "$("$vprof" verify --again kept --runs 2 2>/dev/null; echo $?)" 2
is "nothing is left of what was not kept" "$(ls "$TMPDIR")" ""

# Somebody looks on.
cp activities.1 activities.2
: >places
python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$vprof" verify --runs 2 -- "$here/work" "$BUILD/gpu/gpu_kernels" graph branches 40 \
	</dev/null | tr -d '\r' >"$TMP/out"
is "a terminal is told which run it is" "$(grep '\.\.\.$' "$TMP/out" | sed 's/^vprof verify: //')" "run 1 of 2: beside CUPTI ...
run 1 of 2: under vprof ...
run 2 of 2: under vprof ...
run 2 of 2: beside CUPTI ..."

# A shape that only the first run knows.
mkdir -p shapes/1/vprof shapes/1/cupti shapes/2
python3 "$made" shapes/1/vprof/made.ring --replays 400 --every 2 >truth
python3 - truth >shapes/1/cupti/42.tsv <<'END'
import sys
for line in open(sys.argv[1]):
    kind, name, graph, node, begin, end = line.split("\t")[:6]
    if kind != "kernel":
        continue
    shape = (132, 1, 1, 128, 1, 1) if graph == "1" else (64, 2, 1, 256, 1, 1)
    print(kind, name, 0, 7, 1, graph, node, *(int(t) - 1_700_000_000_000_000_000 for t in (begin, end)), *shape, sep="\t")
END
cp -r shapes/1/vprof shapes/1/cupti shapes/2
adds() { "$vprof" verify --again shapes --json >"$TMP/out" 2>"$TMP/err"; rows '(r["grid"], r["cupti"]["count"], r["vprof"]["count"])' add; }
is "with both a row a shape" "$(adds)" "[([132, 1, 1], 800, 800), ([64, 2, 1], 100, 100)]"
sed -i 's/\t64\t2\t1\t256\t1\t1$//' shapes/2/cupti/42.tsv
is "a name is one row in all runs where one run does not know its shapes" "$(adds)" "[(None, 900, 900)]"
is "without a word" "$(cat "$TMP/err")" ""
printf 'no line\n# error 7 of a call\n' >>shapes/1/cupti/42.tsv
adds >/dev/null
is "what there is to say is said once, though all is read twice" "$(cat "$TMP/err")" "vprof verify: shapes/1/cupti/42.tsv: 1 lines that are no execution
vprof verify: run 1 of 2: beside CUPTI: 7 of a call"
done_testing
