#!/usr/bin/env bash
# The torch profiler's layout: one file for each process that used a GPU, its name and rank, and all of one file.
. tests/tap.sh

forge() { "$BUILD/tests/forge" "$@"; }
merge=$(realpath "$BUILD")/vprof-merge

# ring FILE PID ROLE DEVICE [MORE]: launches, in each step with a copy of its results.
ring() {
	{
		printf 'ring pid=%d lanes=1 chunks=2 real=1000000000 role=%s host=node-1\n' "$2" "$3"
		printf '%s\n' 'call id=1 family=1 name=cuLaunchKernel' 'call id=2 family=3 name=cuMemcpyDtoHAsync_v2' \
			'call id=3 family=5 name=cuStreamSynchronize' 'call id=4 family=13 name=cuStreamQuery' \
			'call id=5 family=8 name=cuMemCreate' 'call id=6 family=4 name=cuMemsetD2D8_v2_ptds'
		[ "$4" = - ] || printf '%s\n' 'kernel name=_Z1fi' "context handle=0xc device=$4 number=1"
		printf 'chunk lane=0 thread=1 tid=%d comm=main\n' "$2"
		[ "$4" = - ] || for t in 1000 2000 3000 4000 5000; do
			printf '%s\n' "rec kind=1 call=1 t=$t dur=100 kernel=1 w0=0x7f00" \
				"rec kind=3 call=2 t=$((t + 200)) dur=100 object=0x102 w2=64 w3=0x7f00" \
				"rec kind=5 call=3 t=$((t + 300)) dur=400 w0=0x7f00"
		done
		[ -z "${5:-}" ] || printf '%s\n' "$5"
	} | "$BUILD/tests/forge" "$1"
}

ring "$TMP/one.ring" 100 VLLM::Worker_TP1 0 "rec kind=11 call=5 t=5800 dur=10 result=2
rec kind=4 call=6 t=5900 dur=10 w1=64
rec kind=1 call=1 t=6000 open=1 kernel=1"
"$merge" --format kineto "$TMP/one.ring" >"$TMP/one.json" 2>"$TMP/err"
is "one process, to standard output" "$(cat "$TMP/err")" ""
is "that is JSON" "$(jq -r '.schemaVersion' "$TMP/one.json")" 1
ok "with the rank as readers look for it" grep -qE '^"distributedInfo": .*"rank": 1, "world_size": 1}' "$TMP/one.json"
is "base, unit and origin" "$(jq -c '[.baseTimeNanoseconds, .displayTimeUnit, .traceName]' "$TMP/one.json")" \
	"[1000001000,\"ms\",\"$TMP/one.ring\"]"
is "every event has a name and a category" "$(jq '[.traceEvents[] | select(.name == null or .cat == null)] | length' "$TMP/one.json")" 0
is "no call has a stream" "$(jq '[.traceEvents[] | select(.args.stream)] | length' "$TMP/one.json")" 0
calls() { jq -r ".traceEvents[] | select(.cat | startswith(\"cuda_\")) | [.cat, .name, .args.call, .ts, .dur$1] | @tsv" "$TMP/one.json"; }
is "calls have the runtime's names" "$(calls | head -3)" "$(printf '%s\t%s\t%s\t%s\t%s\n' \
	cuda_runtime cudaLaunchKernel cuLaunchKernel 0 0.1 cuda_runtime cudaMemcpyAsync cuMemcpyDtoHAsync_v2 0.2 0.1 \
	cuda_runtime cudaStreamSynchronize cuStreamSynchronize 0.3 0.4)"
is "or the driver's, where there is none" "$(calls | sed -n 16,17p)" "$(printf '%s\t%s\t%s\t%s\t%s\n' \
	cuda_driver cuMemCreate cuMemCreate 4.8 0.01 cuda_runtime cudaMemset2D cuMemsetD2D8_v2_ptds 4.9 0.01)"
is "failed and open ones say so" "$(jq -c '.traceEvents[] | select(.args.error or .args.in_flight) | .args' "$TMP/one.json")" \
'{"call":"cuMemCreate","error":2,"error name":"CUDA_ERROR_OUT_OF_MEMORY","correlation":272}
{"call":"cuLaunchKernel","kernel":"f(int)","in_flight":true,"correlation":274}'
is "steps are annotations of their thread" \
	"$(jq -r '.traceEvents[] | select(.cat == "user_annotation") | [.name, .tid, .ts] | @tsv' "$TMP/one.json")" \
	"$(printf 'ProfilerStep#%d\t100\t%d\n' 1 0 2 1 3 2 4 3 5 4)"
"$merge" --format kineto --no-steps "$TMP/one.ring" 2>/dev/null | grep -c ProfilerStep >"$TMP/none"
is "or left out" "$(cat "$TMP/none")" 0

# A program with ranges that name its steps needs no others.
ring "$TMP/said.ring" 100 train.py 0 "text name=ProfilerStep#7
text name=ProfilerStep#8
rec kind=14 t=6000 dur=500 text=1
rec kind=1 call=1 t=6100 dur=100 kernel=1
rec kind=14 t=7000 dur=500 text=2
rec kind=1 call=1 t=7100 dur=100 kernel=1"
is "or the program's own" "$("$merge" --format kineto "$TMP/said.ring" 2>/dev/null |
	jq -r '.traceEvents[] | select(.cat == "user_annotation") | [.name, .tid, .ts, .dur] | @tsv')" \
	"$(printf 'ProfilerStep#%d\t100\t%d\t0.501\n' 7 5 8 6)"

mkdir "$TMP/many"
ring "$TMP/many/b.ring" 201 VLLM::Worker_TP1 1
ring "$TMP/many/a.ring" 202 VLLM::Worker_TP0 0
ring "$TMP/many/c.ring" 203 VLLM::EngineCore -
"$merge" --format kineto "$TMP/many" -o "$TMP/out" 2>"$TMP/err"
is "a folder gets a file for each that used a GPU" "$(ls "$TMP/out")" \
	"$(printf '%s\n' rank0_Worker_TP0.pt.trace.json rank1_Worker_TP1.pt.trace.json)"
is "the others are told of" "$(cat "$TMP/err")" "vprof-merge: 1 process used no GPU and has no file"
ranks() { for file in "$@"; do jq -r '[.distributedInfo.rank, .distributedInfo.world_size, ([.traceEvents[].pid] | unique | join(","))] | @tsv' "$file"; done; }
is "each its own process, by the rank of its role" "$(ranks "$TMP"/out/*)" "$(printf '%d\t2\t%d\n' 0 202 1 201)"
is "one base of time for all" "$(jq .baseTimeNanoseconds "$TMP"/out/* | sort -u | wc -l)" 1

"$merge" --format kineto "$TMP/many" -o "$TMP/%n.%p.%h.%r%%.json.gz" 2>/dev/null
is "names by a pattern" "$(cd "$TMP" && ls *.gz)" "$(printf '%s\n' Worker_TP0.202.node-1.0%.json.gz Worker_TP1.201.node-1.1%.json.gz)"
is "packed as they are named" "$(gzip -dc "$TMP/Worker_TP0.202.node-1.0%.json.gz" | jq .distributedInfo.rank)" 0
"$merge" --format kineto "$TMP/many" -z gz -o "$TMP/packed" 2>/dev/null
is "a folder of packed ones" "$(ls "$TMP/packed" | sed 's/.*_TP.//')" "$(printf '.pt.trace.json.gz\n%.0s' 1 2)"
"$merge" --format kineto "$TMP/many" --pid 201 -o "$TMP/alone.json" 2>/dev/null
is "one that is chosen may have a plain name" "$(ranks "$TMP/alone.json")" "1	1	201"
fails() { "$merge" --format "$@" >"$TMP/said" 2>&1; [ $? = 2 ] && grep -q "$wanted" "$TMP/said"; }
wanted="2 processes used a GPU"
ok "several do not fit into one file" fails kineto "$TMP/many" -o "$TMP/all.json"
ok "nor into standard output" fails kineto "$TMP/many"
wanted="neither chrome nor kineto"
ok "another format is none" fails nsys "$TMP/many"

# Roles without ranks: by device.
mkdir "$TMP/plain"
ring "$TMP/plain/a.ring" 301 train.py 1
ring "$TMP/plain/b.ring" 302 train.py 0
ring "$TMP/plain/c.ring" 3 train.py 2
"$merge" --format kineto "$TMP/plain" -o "$TMP/plain.out" 2>/dev/null
is "ranks by device where no role tells" "$(ranks "$TMP"/plain.out/* | cut -f 1,3 | head -2)" "$(printf '%d\t%d\n' 0 302 1 301)"
ok "a small pid is told apart from a device's" test "$(ranks "$TMP"/plain.out/rank2* | cut -f 3)" -gt 64
is "and shown in the name" "$(jq -r '.traceEvents[] | select(.name == "process_name") | .args.name' "$TMP"/plain.out/rank2*)" "train.py (pid 3)"
# Work of a GPU: a graph with two branches, and what stood on another stream.
made() {
	local name=$1
	shift
	python3 tests/gputime/made.py "$TMP/$name.work.ring" --replays 16 "$@" >"$TMP/$name.truth"
	"$merge" --format kineto "$TMP/$name.work.ring" -o "$TMP/$name.json" 2>/dev/null
}
made gpu
work() { jq -r ".traceEvents[] | select(.ph == \"X\" and .pid == 0) | select($2) | [$3] | @tsv" "$TMP/$1.json"; }
is "all that is known to have run is there" "$(work gpu .args.stream '{kernel: "kernel", gpu_memcpy: "copy", gpu_memset: "set"}[.cat]' | sort | uniq -c)" \
	"$(cut -f 1 "$TMP/gpu.truth" | grep -v graph | sort | uniq -c)"
is "a stream is one, whatever the row" "$(work gpu .args.stream .args.stream | sort -nu | paste -sd' ')" "13 14"
is "the branch that runs beside the other has a row of its own" \
	"$(work gpu '.tid > 1000000' '.name, .tid, .args["graph node id"]' | sort | uniq -c | sed 's/^ *//')" \
	"$(printf '4 add(float*)\t1000013\t%d\n' 7 8)"
overlaps() {
	work "$1" true '.tid, (.ts * 1000 | round), ((.ts + .dur) * 1000 | round)' | sort -n -k1,1 -k2,2 |
		awk '$1 == row && $2 < end { n++ } { row = $1; end = $3 } END { print n + 0 }'
}
is "in no row two overlap" "$(overlaps gpu)" 0
is "graphs around their kernels add nothing to them" \
	"$(work gpu '.cat == "gpu_user_annotation"' '.name, .tid, .args.stream, .args.correlation' | sort -u)" "graph 1	500013		"
is "each has its arrow" "$(jq '[.traceEvents[] | select(.ph == "f")] | length' "$TMP/gpu.json")" "$(grep -vc ^graph "$TMP/gpu.truth")"
is "and each arrow a launch" "$(jq -c '[.traceEvents[] | select(.ph == "s") | .id] - [.traceEvents[] | select(.cat == "cuda_runtime") | .args.correlation]' "$TMP/gpu.json")" "[]"
made late --skip launch
is "nor do they where the launch is overwritten" "$(work late '.name == "graph 1"' .cat | sort -u)" gpu_user_annotation
made whole --skip piece
is "where only the whole was measured it is work" "$(work whole '.name == "graph 1"' '.cat, .tid, .args["graph id"]' | sort -u)" "kernel	13	1"
ok "the trace of a part" "$merge" --format kineto "$TMP/gpu.work.ring" --from 8ms --to 12ms -o "$TMP/part.json"
ok "has a part of the work" test "$(work part .args.stream .ts | wc -l)" -gt 5
is "and no more" "$(work part '.args.stream and (.ts + .dur < 8000 or .ts > 12000)' .ts)" ""
"$merge" --format kineto "$TMP/gpu.work.ring" --thread eager -o "$TMP/eager.json" 2>/dev/null
is "of a thread that which it launched" "$(work eager .args.stream .args.stream | sort -u)" 14

"$merge" --format chrome "$TMP/one.ring" >"$TMP/chrome.json" 2>/dev/null
is "chrome is the default" "$("$merge" "$TMP/one.ring" 2>/dev/null | cmp - "$TMP/chrome.json"; echo $?)" 0
done_testing
