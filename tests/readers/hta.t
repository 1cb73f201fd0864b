#!/usr/bin/env bash
# HolisticTraceAnalysis, unchanged, finds in a trace in the torch profiler's layout what was put there.
. tests/tap.sh
. tests/readers/lib.sh
need_python hta.trace_analysis

ask() { timeout 100 "$VENV/bin/python" tests/readers/read_hta.py "$1" >"$2"; }
cut_answer() { grep "^$1	" "${2:-$TMP/answer}" | cut -f 2-; }

ok "two ranks are made" made "$TMP/out"
ok "the traces are read" ask "$TMP/out" "$TMP/answer"
[ -s "$TMP/answer" ] || done_testing

# The plan is in made.py. The analyses leave out the last of the five steps, as they do by default.
is "both ranks" "$(cut_answer ranks)" "0	1"
is "time by kernel: sum, longest, shortest" "$(cut_answer kernel | tr ' ' _ | tr '\t' ' ')" "$(tr -d '\t' <<'END'
	0 Memcpy_DtoH_(Device_->_Host) 80 20 20 MEMORY
	0 Memset_(Device) 24 6 6 MEMORY
	0 demo::add(float*,_int) 420 55 50 COMPUTATION
	0 demo::gemm(float*,_int) 1200 200 100 COMPUTATION
	0 demo::norm(float*,_int) 120 30 30 COMPUTATION
	0 graph_8 16 4 4 COMPUTATION
	0 ncclDevKernel_AllReduce_Sum_f32_RING_LL 960 240 240 COMMUNICATION
	1 Memcpy_DtoH_(Device_->_Host) 80 20 20 MEMORY
	1 Memset_(Device) 24 6 6 MEMORY
	1 demo::add(float*,_int) 420 55 50 COMPUTATION
	1 demo::gemm(float*,_int) 1200 200 100 COMPUTATION
	1 demo::norm(float*,_int) 120 30 30 COMPUTATION
	1 graph_8 16 4 4 COMPUTATION
	1 ncclDevKernel_AllReduce_Sum_f32_RING_LL 1056 264 264 COMMUNICATION
END
)"
# A step computes for 200 + 50 + 185 + 4 us; the collective covers 40 to 340 with what runs beside it.
is "temporal: idle, computing, busy with other things, all" "$(cut_answer temporal)" \
	"$(printf '%s\t%s\t%s\t%s\t%s\n' 0 1554 1756 280 3590 1 1458 1756 376 3590)"
# 190 of the 240 us of the collective, 190 of 264.
is "communication that computing covers" "$(cut_answer overlap)" "$(printf '%s\t%s\n' 0 79.17 1 71.97)"
is "by kind, both ranks" "$(cut_answer type)" "$(printf '%s\t%s\n' COMMUNICATION 448 \
	'COMMUNICATION overlapping MEMORY' 48 COMPUTATION 1992 'COMPUTATION overlapping COMMUNICATION' 1520 MEMORY 160)"
# Four steps: 100 before the graph, 10 + 5 in it, 3 + 3 before the copy, 2 + 2 round the set; between the steps 410.
is "idle time of a stream" "$(cut_answer idle | awk '$2 == 7 { n[$1] += $4 } END { print n[0], n[1] }')" "1730 1730"
is "operations waiting on a stream: samples, most" "$(cut_answer queue)" \
	"$(printf '%s\t%s\t%s\t%s\n' 0 7 32 3 0 13 8 1 1 7 32 3 1 13 8 1)"
is "launches: time of the host, of the GPU, delay" "$(cut_answer launch | cut -f 2- | head -5)" \
	"$(printf '%s\t%s\t%s\n' 5 200 15 5 240 65 2 6 203 5 50 205 5 20 540)"
is "pace of copies and sets" "$(cut_answer pace)" "$(printf '0\t%s\t4\t%s\n' 'Memcpy DtoH' 0.409 Memset 0.682)"
is "the critical path of a step is found" "$(cut_answer critical)" "True	True"

# Times that are no whole microseconds, without the rounding that it does by itself.
export HTA_DISABLE_NS_ROUNDING=1
ok "two ranks with odd times are made" made "$TMP/odd" 500
ok "they are read" ask "$TMP/odd" "$TMP/odd.answer"
is "half a microsecond more for each that is no node" "$(cut_answer kernel "$TMP/odd.answer" | head -7 | cut -f 3)" \
	"$(printf '%s\n' 82 26 422 1202 120 16 962)"
done_testing
