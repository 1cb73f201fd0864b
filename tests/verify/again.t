#!/usr/bin/env bash
# vprof verify on a ring whose truth is known: what CUPTI would have said of the same work, and what it would not.
. tests/tap.sh
. tests/run/lib.sh
made=$OLDPWD/tests/gputime/made.py
command -v python3 >/dev/null || skip_all "python3 makes the rings"

mkdir -p same/vprof same/cupti
python3 "$made" same/vprof/made.ring --replays 400 --every 2 >truth

# As the recorder writes it: another clock, other numbers of streams and graphs, and launches that vprof did not sample.
python3 - truth >same/cupti/42.tsv <<'END'
import sys
for line in open(sys.argv[1]):
    kind, name, graph, node, begin, end = line.split("\t")[:6]
    if kind == "graph":
        continue
    graph, node = (70, 1000 + int(node)) if graph == "1" else (0, 0)
    if kind != "kernel":
        name = 65536 if not graph else 1 << 20 if kind == "copy" else 4096
    for later in (0, 400000):
        times = [int(t) - 1_700_000_000_000_000_000 + later for t in (begin, end)]
        print(kind, name, 0, 7, 1, graph, node, *times, sep="\t")
END

again() { "$vprof" verify --again "$@" >"$TMP/out" 2>"$TMP/err"; echo $?; }
json() { "$vprof" verify --json --again "$@" >"$TMP/json"; }

is "the same work is near: 0" "$(again same)" 0
is "and nothing is remarked" "$(cat "$TMP/err")" ""
ok "all of it" grep -q "^100.00 % of .* on the GPU (7 of 7 rows) lies within 5 % or 200 ns of CUPTI; wanted: 95 %$" "$TMP/out"
is "the table lines up" "$(awk 'NR == 1 { at = index($0, "NAME") } NR > 1 && NF < 9 { exit } substr($0, at - 1, 1) != " " { print }' "$TMP/out")" ""
json same
is "names of kernels, copies and sets" "$(of "$TMP/json" '"; ".join(sorted(r["name"] for r in m["names"]))')" \
	"add(float*); copy of 1048576 bytes; copy of 65536 bytes; gemm(float*); norm(float*); rope(float*); set of 4096 bytes"
is "counts of both" "$(of "$TMP/json" 'sorted((r["vprof"]["count"], r["cupti"]["count"]) for r in m["names"] if "rope" in r["name"])')" "[(200, 400)]"
is "medians within the clock's step" "$(of "$TMP/json" 'max(abs(r["difference_ns"]) for r in m["names"]) <= 32')" True
is "what was taken off, by the kind of edge" "$(of "$TMP/json" '[(r["vprof"]["taken_off_ns"], r["vprof"]["class"]) for r in m["names"] if "norm" in r["name"] or "set" in r["name"]]')" \
	"[(1056, 'programmatic'), (992, 'copy')]"
is "as the driver has them" "$("$vprof" verify --raw-names --again same | grep -c ' _Z4gemmPf$')" 1
is "the first ones only" "$("$vprof" verify --rows 2 --again same | grep -cE '^ *[0-9.]+ +[0-9]+ ')" 2

json same --by-graph
is "by graph: what is in one and what is in none are two rows" \
	"$(of "$TMP/json" 'sorted((r["graph"], r["cupti"]["count"]) for r in m["names"] if "add" in r["name"])')" "[(0, 100), (1, 800)]"
json same --warm-up 150
is "warm-up is left out of both" "$(of "$TMP/json" '[(r["vprof"]["count"], r["cupti"]["count"]) for r in m["names"] if "rope" in r["name"]]')" "[(50, 250)]"

# The same with shapes: `add` is launched in one by the graph and in another on a stream.
mkdir -p shaped/cupti
cp -r same/vprof shaped
awk -F '\t' -v OFS='\t' '{ print $0, $1 != "kernel" ? "0\t0\t0\t0\t0\t0" : $6 ? "132\t1\t1\t128\t1\t1" : "64\t2\t1\t256\t1\t1" }' \
	same/cupti/42.tsv >shaped/cupti/42.tsv
adds() { of "$TMP/json" 'sorted((r["grid"], r["block"], r["cupti"]["count"], r["vprof"]["count"], r["near"]) for r in m["names"] if "add" in r["name"])'; }

is "with shapes all is near as well: 0" "$(again shaped)" 0
ok "in a row more" grep -q "(8 of 8 rows)" "$TMP/out"
is "shapes stand where a name has more than one" "$(grep -o '[a-z]*(float\*).*' "$TMP/out" | sort)" "add(float*) <<<132x1x1, 128x1x1>>>
add(float*) <<<64x2x1, 256x1x1>>>
gemm(float*)
norm(float*)
rope(float*)"
json shaped
is "each with its executions" "$(adds)" "[([64, 2, 1], [256, 1, 1], 100, 50, True), ([132, 1, 1], [128, 1, 1], 800, 400, True)]"
is "a name of one shape has it, a copy none" \
	"$(of "$TMP/json" '[(r["grid"], r["block"]) for r in m["names"] if "gemm" in r["name"] or "65536" in r["name"]]')" \
	"[([132, 1, 1], [128, 1, 1]), (None, None)]"
json same
is "CUPTI's file has no shapes: a row a name" "$(adds)" "[(None, None, 900, 450, True)]"
cp -r shaped apart
sed -i 's/\t64\t2\t1\t256\t1\t1$/\t64\t2\t1\t128\t2\t1/' apart/cupti/42.tsv
json apart
is "a shape that one side has is a row that is not near" "$(adds)" \
	"[([64, 2, 1], [128, 2, 1], 100, 0, False), ([64, 2, 1], [256, 1, 1], 0, 50, False), ([132, 1, 1], [128, 1, 1], 800, 400, True)]"
sed -i '0,/\t64\t2\t1\t128\t2\t1$/s//\t64\t2\t1\t1024\t2\t1/' apart/cupti/42.tsv
json apart
is "one that no launch can have is not known" "$(adds)" "[(None, None, 900, 450, True)]"

# A kernel of CUPTI's that takes 30 % longer, one that vprof has not, and another graph.
cp -r same other
awk -F '\t' -v OFS='\t' '$2 == "_Z4ropePf" { $9 += int(($9 - $8) * 0.3) } { print }' same/cupti/42.tsv >other/cupti/42.tsv
printf 'kernel\t_Z4missv\t0\t7\t1\t71\t5\t1000\t1010\n' >>other/cupti/42.tsv
is "what is not near is too much: 1" "$(again other)" 1
ok "which its row says" grep -qE ' -[0-9.]+ +no +rope\(float\*\)$' "$TMP/out"
ok "as that of what vprof has not" grep -qE ' 0 +- +- +- +no +miss\(\)$' "$TMP/out"
is "unless less is wanted: 0" "$(again other --share 60)" 0
json other
is "the share is that of GPU time by CUPTI" \
	"$(of "$TMP/json" 'round(m["share"], 4) == round(1 - sum(r["cupti"]["total_ns"] for r in m["names"] if not r["near"]) / m["gpu_ns"], 4)')" True
again other --by-graph >/dev/null
ok "graphs that only one side has are remarked" grep -q "CUPTI saw 2 graphs and vprof 1" "$TMP/err"

# Times that no execution has are no line; the longest that count do not overflow.
cp -r same hostile
printf 'kernel\t_Z4missv\t0\t7\t1\t71\t5\t%s\t%s\n' 0 18446744073709551615 0 9223372036854775808 \
	0 2251799813685249 18446744073709551615 0 >>hostile/cupti/42.tsv
printf 'kernel\t_Z4missv\t0\t7\t1\t71\t5\t%s\t%s\n' 0 2251799813685248 18444492273895866367 18446744073709551615 \
	>>hostile/cupti/42.tsv
is "hostile times: 1" "$(again hostile)" 1
is "those that cannot be are said" "$(cat "$TMP/err")" "vprof verify: hostile/cupti/42.tsv: 4 lines that are no execution"
json hostile
is "the others count" "$(of "$TMP/json" '[(r["cupti"]["count"], r["cupti"]["median_ns"]) for r in m["names"] if "miss" in r["name"]]')" "[(2, 2251799813685248)]"
# Far more than CUPTI saw is no percentage.
mkdir few; cp -r same/vprof few; mkdir few/cupti; head -9 same/cupti/42.tsv >few/cupti/42.tsv
again few >/dev/null
ok "more than CUPTI saw: how many times" grep -qE '^executions: CUPTI 9, vprof [0-9]+ \([0-9.e+]+ times as many\)$' "$TMP/out"

# Rings that say why they have nothing.
mkdir -p none/vprof none/cupti
cp same/cupti/42.tsv none/cupti
python3 "$made" none/vprof/made.ring --replays 8 --every 100 --skip ties >/dev/null
python3 - none/vprof/made.ring <<'END'
# No timed operation either.
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
for at in range(struct.unpack_from("<Q", data, 40)[0], len(data), 64):
    if struct.unpack_from("<H", data, at + 24)[0] == 21:
        struct.pack_into("<H", data, at + 24, 1)
open(sys.argv[1], "wb").write(data)
END
is "nothing measured: 1" "$(again none)" 1
ok "with a reason" grep -qE "vprof measured nothing of the GPU in 1 process with [0-9]+ launches: a graph has no stamps: it allocates or frees" "$TMP/err"
head -c 100 same/vprof/made.ring >none/vprof/made.ring
is "a ring that cannot be read: 1" "$(again none)" 1
ok "named" grep -q "none/vprof/made.ring: " "$TMP/err"
done_testing
