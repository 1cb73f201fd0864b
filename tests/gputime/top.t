#!/usr/bin/env bash
# vprof top by GPU time: totals against the truth of everything that ran, measured or not.
. tests/tap.sh

here=tests/gputime
command -v python3 >/dev/null || skip_all "python3 makes the rings"
vprof=$BUILD/vprof

python3 "$here/made.py" --replays 400 --every 4 --everything "$TMP/a.all" "$TMP/a.ring" >"$TMP/a.truth"
"$vprof" top --json --rows 0 "$TMP/a.ring" >"$TMP/a.json"
is "estimated totals are true within their margins" "$(python3 "$here/total.py" "$TMP/a.all" "$TMP/a.json" 2 2>&1)" ""
row() { jq -c --arg name "$1" ".work[] | select(.name == \$name) | $2" "${3:-$TMP/a.json}"; }
is "how many were measured" "$(row 'gemm(float*)' '[.count, .samples, .one_in, .covered]')" "[1200,300,4,1200]"
is "eager and in graphs: samples of both" "$(row 'add(float*)' '[.count, .samples]')" "[1200,250]"
ok "a margin that is small and not 0" test "$(row 'gemm(float*)' '.margin_ns > 0 and .margin_ns < 0.01 * .total_ns')" = true
is "no variation, no margin" "$(row set .margin_ns)" 0
# All measured: the eager ones are not, so those of graphs.
python3 "$here/made.py" --replays 40 --every 1 --everything "$TMP/b.all" "$TMP/b.ring" >"$TMP/b.truth"
"$vprof" top --json --rows 0 --per graph "$TMP/b.ring" >"$TMP/b.json"
jq '.work |= map(select(.of | startswith("graph")))' "$TMP/b.json" | jq '.total_ns = ([.work[].total_ns] | add)' >"$TMP/g.json"
awk -F '\t' '$3 == 1' "$TMP/b.all" >"$TMP/g.all"
is "all measured: no margin, and every figure right" "$(python3 "$here/total.py" "$TMP/g.all" "$TMP/g.json" 0 2>&1)" ""
is "nothing is estimated there" "$(jq '[.work[].margin_ns] | add' "$TMP/g.json")" 0

# Few launches, many, and windows: the margins of each.
margin() { "$vprof" top --json --rows 0 --per graph "$1.ring" | python3 "$here/margin.py" "$1.truth" "${@:2}"; }
for replays in 8 20 64 400; do
	python3 "$here/made.py" --replays $replays "$TMP/m.ring" >"$TMP/m.truth"
	is "of $replays replays one in four: norm, gemm" "$(margin "$TMP/m" 'norm(float*)' 1 $replays launch) $(margin "$TMP/m" 'gemm(float*)' 1 $((3 * replays)) launch)" "right right"
done
is "eager" "$(margin "$TMP/m" 'add(float*)' 0 400 launch)" right
python3 -c 'import struct, sys; f = open(sys.argv[1], "r+b"); f.seek(4096 + 24); f.write(struct.pack("<II", 20000, 80000))' "$TMP/m.ring"
is "in windows: by these" "$(margin "$TMP/m" 'add(float*)' 0 400 20/80)" right
is "replays are none" "$(margin "$TMP/m" 'norm(float*)' 1 400 launch)" right

# One stamp was not made: what is not known is not 0.
python3 "$here/made.py" --replays 64 --skip stamp --everything "$TMP/s.all" "$TMP/s.ring" >/dev/null
"$vprof" top --json --rows 0 "$TMP/s.ring" >"$TMP/s.json"
is "a node without its stamp is estimated" "$(python3 - "$TMP/s.all" "$TMP/s.json" <<'END'
import json, sys
took = [int(f[5]) - int(f[4]) for f in (line.split("\t") for line in open(sys.argv[1])) if f[1] == "_Z4ropePf"]
row = next(r for r in json.load(open(sys.argv[2]))["work"] if r["name"] == "rope(float*)")
print(row["samples"], abs(row["total_ns"] / (64 * sum(took) / len(took)) - 1) < 0.01)
END
)" "15 True"
is "work of launches before what is looked at says so" \
	"$("$vprof" top --json --rows 0 --per range --from 3.02ms "$TMP/s.ring" | jq -r '[.work[].of] | unique | map(select(startswith("("))) | .[]')" "(launched before what is looked at)"

# Every way to tell apart adds up to the same.
total() { "$vprof" top --json --rows 0 "$@" "$TMP/a.ring" | jq '[.work[].total_ns] | add | . / 100 | round'; }
want=$(total)
for per in process role device stream graph step; do
	is "per $per: the same in all" "$(total --per "$per")" "$want"
done
is "ranges that were never sampled are in no total" \
	"$("$vprof" top --json --rows 0 --per range "$TMP/a.ring" | jq -c '[.work[] | select(.of == "decode") | [.covered, .samples, .total_ns]] | unique')" '[[0,0,0]]'
is "and lower the coverage" "$("$vprof" top --per range --csv --rows 0 "$TMP/a.ring" | awk -F, '$4 > 0 && $5 == 0' | wc -l)" 6

"$vprof" top --per range --rows 0 "$TMP/a.ring" >"$TMP/a.text"
is "a share of which nothing is known is none" "$(awk '$3 == "-" { print $1, $2 }' "$TMP/a.text" | sort -u)" "- -"
ok "which is explained" grep -q "; -: never measured$" "$TMP/a.text"

# Of the additions those in graphs, two in three, are never measured.
python3 "$here/made.py" --replays 64 --every 1000 "$TMP/u.ring" >/dev/null
"$vprof" top "$TMP/u.ring" >"$TMP/u.text"
is "one in how many of those that are covered" "$(awk '$NF == "add(float*)" { print $5, $6, $7, $8 }' "$TMP/u.text")" "192 8 8 33%"
ok "which is explained too" grep -q '; COVERED: of kinds that were measured; 1 IN: of these, COUNT is of all' "$TMP/u.text"
ok "where there is need to" test "$("$vprof" top "$TMP/s.ring" | grep -c '1 IN: of')" = 0

python3 "$here/made.py" --replays 64 --skip edges "$TMP/e.ring" >/dev/null
is "where only wholes are known they are the row" \
	"$("$vprof" top --json --rows 0 "$TMP/e.ring" | jq -c '[.work[] | select(.name | startswith("graph")) | [.count, .samples]]')" '[[64,16]]'
python3 "$here/made.py" --replays 64 --skip launch "$TMP/l.ring" >/dev/null
is "launches whose records are gone count once" \
	"$("$vprof" top --json --rows 0 "$TMP/l.ring" | jq -c '.work[] | select(.name == "rope(float*)") | [.count, .samples]')" '[64,16]'

# Other answers, and what does not fit.
is "the first rows" "$("$vprof" top -n 2 --json "$TMP/a.ring" | jq '.work | length')" 2
is "CSV" "$("$vprof" top --csv -n 1 "$TMP/a.ring" | tail -1 | cut -d, -f4-7,13-)" '1200,1200,300,4.000,"","gemm(float*)"'
ok "a table for people" grep -qE '^ *11\.3 ms +45\.[0-9]% .* 1200 +300 +4 +100% .* gemm\(float\*\)$' <("$vprof" top "$TMP/a.ring")
is "by launches: as without GPU times" "$("$vprof" top --by launches --json "$TMP/a.ring" | jq -c '[.kernels[] | .launches]')" "[400,400]"
is "by host time" "$("$vprof" top --by host --csv "$TMP/a.ring" | sed -n 2p)" '400,0,800000,2000,2000,"add(float*)"'
"$BUILD/tests/make_ring" "$TMP/none.ring"
ok "without GPU times: launches" grep -q LAUNCHES <("$vprof" top "$TMP/none.ring")
is "asked for, and not there" "$("$vprof" top --by gpu "$TMP/none.ring" 2>&1)" "vprof top: these rings have no times of a GPU (see VPROF_GPU)"
mkdir "$TMP/untimed"
VPROF_GPU_EAGER=always CUDA_LAUNCH_BLOCKING=1 VPROF_QUIET=1 VPROF_OUT=$TMP/untimed LD_LIBRARY_PATH=$BUILD/fakecuda \
	LD_PRELOAD=$BUILD/libvprof.so "$BUILD/fakecuda/client" --launches 5 >/dev/null
untimed="the GPU was to be timed, but these rings have no times of it (see vprof info)"
is "told to, and nothing was timed" "$("$vprof" top --by gpu "$TMP/untimed" 2>&1)" "vprof top: $untimed"
is "which launches in their stead do not hide" "$("$vprof" top "$TMP/untimed" 2>&1 >/dev/null)" "vprof top: $untimed"
is "nor is it said where launches were asked for" "$("$vprof" top --by launches "$TMP/untimed" 2>&1 >/dev/null)" ""
# Graphs are timed if nothing is said. A program that launches none has nothing that is missing.
VPROF_QUIET=1 VPROF_OUT=$TMP/alone LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so \
	"$BUILD/fakecuda/client" --launches 5 --graphs 0 >/dev/null
is "a program without graphs: not a word" "$("$vprof" top "$TMP/alone" 2>&1 >/dev/null)" ""
for verb in "top --by gpu" "gpu"; do
	is "but where times are asked for, vprof $verb" "$("$vprof" $verb "$TMP/alone" 2>&1)" "vprof ${verb%% *}: these rings have no times of a GPU: graphs alone were to be timed, and there is no launch of one (see VPROF_GPU_EAGER)"
done
# A program that has ended before its twins were there: what the ring tells of it.
mkdir "$TMP/soon"
VPROF_GPU=sample:64 VPROF_QUIET=1 VPROF_OUT=$TMP/soon LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so \
	timeout 60 "$BUILD/gputime/client" chain 3 0 </dev/null >/dev/null
before='none of 3 launches of graphs was timed: (all came before a twin was ready|too few came after their twins were made)'
soon="$before; with --gpu all a graph is timed from its third launch on, or soon after"
for verb in "top" "top --by gpu" "gpu"; do
	ok "too short to be timed, vprof $verb" grep -qxE "vprof ${verb%% *}: $soon" <("$vprof" $verb "$TMP/soon" 2>&1 >/dev/null)
done
ok "and vprof info" grep -qE "^ *$soon$" <("$vprof" info "$TMP/soon")
mkdir "$TMP/sooner"
VPROF_GPU=all VPROF_QUIET=1 VPROF_OUT=$TMP/sooner LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so \
	timeout 60 "$BUILD/gputime/client" chain 2 0 </dev/null >/dev/null
ok "with --gpu all already that is no way out" grep -qxE "vprof gpu: ${before/3/2}" <("$vprof" gpu "$TMP/sooner" 2>&1 >/dev/null)
# A second program, whose ring's disk goes bad: what the first one's tells is not all.
VPROF_GPU=sample:64 VPROF_QUIET=1 VPROF_OUT=$TMP/soon/bad LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so \
	timeout 60 "$BUILD/gputime/client" chain 3 0 </dev/null >/dev/null
both=("$TMP"/soon/*.ring "$TMP"/soon/bad/*.ring)
ok "several such: of them all" grep -q "none of 6 launches" <("$vprof" gpu "${both[@]}" 2>&1)
is "one of several rings cannot be read: not said of the others" \
	"$(UNREADABLE=${both[1]##*/} LD_PRELOAD=$BUILD/gputime/unreadable.so "$vprof" gpu "${both[@]}" 2>&1)" "vprof gpu: $untimed"
for tool in "vprof top --by launches" "vprof graphs" "vprof-merge -o $TMP/rest.json"; do
	UNREADABLE=${both[1]##*/} LD_PRELOAD=$BUILD/gputime/unreadable.so "$BUILD"/$tool "${both[@]}" >"$TMP/rest" 2>"$TMP/err"
	is "${tool%% -*} tells which ring cannot be read" "$? $(grep -c "^${tool%% -*}: ${both[1]}: [0-9]* records cannot be read$" "$TMP/err")" "1 1"
done
ok "and uses the other" grep -q cuGraphLaunch "$TMP/rest.json"
# A process that was killed in a launch, of whose other work there are times.
python3 "$here/queue.py" hung "$TMP/hung.ring" >/dev/null
opens() { sed -n '/^in flight/,$ { s/^ *//; s/ for .*/ for/; p }' | paste -sd ';'; }
flight="in flight at the end:;$("$vprof" top --by launches "$TMP/hung.ring" | opens | cut -d ';' -f 2)"
ok "a call that never returned is below the launches" grep -q "cuLaunchKernel of work for$" <<<"$flight"
"$vprof" top "$TMP/hung.ring" >"$TMP/text"
is "and below GPU times" "$(opens <"$TMP/text")" "$flight"
ok "which stand there" grep -q '^ *TOTAL.*WORK OF THE GPU$' "$TMP/text"
is "whose count it is not among, nor among launches" "$("$vprof" top --json "$TMP/hung.ring" | jq -c '[.work[0].count, .launches]') $(
	"$vprof" gpu --json "$TMP/hung.ring" | jq -c '[.devices[0].launches, .devices[0].covered]')" "[400,400] [400,400]"
is "and where they are told apart" "$("$vprof" top --per step "$TMP/hung.ring" | opens)" "$flight"
is "in JSON, as of launches" "$("$vprof" top --json "$TMP/hung.ring" | jq -c '[.by, .in_flight]')" \
	"$("$vprof" top --by launches --json "$TMP/hung.ring" | jq -c '["gpu", .in_flight]')"
is "which has it" "$("$vprof" top --json "$TMP/hung.ring" | jq -c '[.in_flight[] | .call, .kernel, .abandoned]')" '["cuLaunchKernel","work",false]'
is "none where none is" "$("$vprof" top "$TMP/a.ring" | opens) $("$vprof" top --json "$TMP/a.ring" | jq -c .in_flight)" " []"
$vprof top --by graph "$TMP/a.ring" 2>"$TMP/err"
is "by what time is told apart: said how" "$(head -1 "$TMP/err")" "vprof top: --by: 'graph' is none of gpu, launches, host (did you mean --per graph?)"
for wrong in "--by time" "--per kernel" "--json --csv" "--by host --per graph" "--by-range --by gpu"; do
	$vprof top $wrong "$TMP/a.ring" >/dev/null 2>"$TMP/err"
	is "refused: $wrong" "$? $(grep -c 'vprof top' "$TMP/err")" "2 2"
done
done_testing
