#!/usr/bin/env bash
# What a process is for and which rank it is, from its command line, its title and its launcher.
. tests/tap.sh
. tests/control/loopers.sh
make=$BUILD/tests/make_ring

# role COMMAND: "ROLE|RANK" of a ring with that command line.
role() {
	"$make" --lanes 1 --chunks 1 --records 3 --kernels 1 --command "$1" "$TMP/one.ring"
	"$vprof" ps --json "$TMP/one.ring" >"$TMP/json"
	echo "$(json "$TMP/json" role)|$(json "$TMP/json" rank_text)"
}

while IFS='#' read -r command wanted; do
	is "$command" "$(role "$command")" "$wanted"
done <<'END'
VLLM::EngineCore#EngineCore|
VLLM::EngineCore_DP1#EngineCore_DP1|1
VLLM::Worker#Worker|
VLLM::Worker_TP3#Worker_TP3|3
VLLM::Worker_TP0_PP1_EP12#Worker_TP0_PP1_EP12|TP0 PP1 EP12
VLLM::APIServer_0#APIServer_0|
sglang::scheduler_TP2#scheduler_TP2|2
ray::RayWorkerWrapper.execute_method#ray::RayWorkerWrapper|
ray::Actor#ray::Actor|
/usr/bin/python3 /usr/local/bin/vllm serve model --port 8000#API server|
python3 -m vllm.entrypoints.openai.api_server#API server|
/usr/bin/python3 -c from multiprocessing.resource_tracker import main;main(5)#resource tracker|
/usr/bin/python3 -c from multiprocessing.spawn import spawn_main; spawn_main()#spawned python|
python3 -u -X dev src/train.py --lr 1#train.py|
python -m torch.distributed.run train.py#torch.distributed.run|
python3 -c print(1)#python3|
python3#python3|
/opt/bin/solver -n 4#solver|
a_TP2#a_TP2|
END

# Ranks that launchers set, first those that mean the whole job.
rank() {
	mkfifo "$TMP/ready"
	env "$@" LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="$BUILD/libvprof.so" "$BUILD/control/looper" 1000 >"$TMP/ready" &
	pids+=($!)
	read -r _ <"$TMP/ready"
	rm "$TMP/ready"
	"$vprof" ps --json $! >"$TMP/json"
	got=$(json "$TMP/json" rank)
}
for words in "RANK=5 LOCAL_RANK=1:5" "LOCAL_RANK=1:1" "OMPI_COMM_WORLD_RANK=3:3" "SLURM_PROCID=12 LOCAL_RANK=4:12" "RANK=first:None"; do
	rank ${words%:*} >/dev/null
	is "${words%:*}" "$got" "${words#*:}"
done
is "rank=N selects it" "$("$vprof" ps --json rank=12 >"$TMP/json"; json "$TMP/json" rank)" 12

# The order of a trace's processes: front ends, engines, then by rank, whichever began first
n=0
for command in VLLM::Worker_TP10 VLLM::Worker_TP2 VLLM::EngineCore "vllm serve m"; do
	n=$((n + 1))
	"$make" --lanes 1 --chunks 1 --records 3 --kernels 1 --pid $n --start $((1000000 * n)) --command "$command" "$TMP/order-$n.ring"
done
is "processes in a trace" "$("$BUILD/vprof-merge" "$TMP"/order-*.ring | python3 -c '
import json, sys
events = json.load(sys.stdin)["traceEvents"]
print(*[e["pid"] for e in sorted((e for e in events if e["name"] == "process_sort_index"), key=lambda e: e["args"]["sort_index"])])')" "4 3 2 1"
is "and in vprof ps" "$("$vprof" ps --json "$TMP"/order-*.ring >"$TMP/json"; json "$TMP/json" pid)" "4 3 2 1"
done_testing
