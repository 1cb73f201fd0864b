#!/usr/bin/env bash
# vllm_serve.sh sigterm|kill|profile|ranges|layers DIR: one life of `vllm serve` under the preload.
#
#	sigterm   some requests, then SIGTERM to the server: its default shutdown
#	kill      SIGKILL to EngineCore while eight requests are being decoded
#	profile   some requests inside vLLM's own torch profiler, then SIGTERM
#	ranges    some requests with vLLM's NVTX ranges for steps and scopes, then SIGTERM
#	layers    the same with a range for each module: by the older model runner and without
#	          graphs, since vLLM has these only so
#
# Run by vllm_serve.t, which sets VLLM, VLLM_FLAGS, MODEL, LIBVPROF. The server starts in DIR with
# LD_PRELOAD and nothing else of vprof's set, so its rings are in DIR/out. Leaves in DIR:
# server.log, client.jsonl (vllm_client.py), processes.txt (what lived before the end) and
# end.json (when which process was killed, when all were gone). vllm_check.py judges them.
set -u
mode=$1
DIR=$2
here=$(cd "$(dirname "$0")" && pwd)
PORT=${PORT:-8000}
URL=http://127.0.0.1:$PORT
READY=${READY_LIMIT:-180}
mkdir -p "$DIR"
cd "$DIR" || exit 1
rm -rf out client.jsonl end.json

flags=(--enable-logging-iteration-details)
case $mode in
profile)
	mkdir -p torch
	flags+=(--profiler-config.profiler=torch "--profiler-config.torch_profiler_dir=$PWD/torch"
		--profiler-config.torch_profiler_with_stack=false --profiler-config.ignore_frontend=true)
	;;
ranges | layers)
	# The ranges of steps begin with the first /start_profile and go on after it.
	flags+=(--profiler-config.profiler=cuda)
	export VLLM_NVTX_SCOPES_FOR_PROFILING=1
	;;
esac
[ "$mode" != layers ] || {
	flags+=(--enable-layerwise-nvtx-tracing --enforce-eager)
	export VLLM_USE_V2_MODEL_RUNNER=0
}

client() { timeout -k 5 "$CLIENT_LIMIT" python3 "$here/vllm_client.py" "$URL" "$@" >>client.jsonl 2>>client.err; }
now() { date +%s%N; }

# descendants PID: it and all processes below it.
descendants() {
	local child
	echo "$1"
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do descendants "$child"; done
}
engine_of() {
	local p
	for p in $(descendants "$1"); do
		case $(cat "/proc/$p/comm" 2>/dev/null) in VLLM::Engine*) echo "$p"; return ;; esac
	done
}
any_alive() {
	local p
	for p; do [ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null && return 0; done
	return 1
}

LD_PRELOAD=$LIBVPROF $VLLM serve "$MODEL" $VLLM_FLAGS --port "$PORT" "${flags[@]}" >server.log 2>&1 &
server=$!
start=$(now)
CLIENT_LIMIT=$((READY + 10)) client "wait:$READY" &
waiter=$!
while kill -0 $waiter 2>/dev/null; do
	kill -0 $server 2>/dev/null || { kill $waiter; break; } # it died: no use waiting
	sleep 0.5
done
if ! wait $waiter; then
	echo "the server did not get ready" >&2
	tail -20 server.log >&2
	for p in $(descendants $server); do kill -9 "$p" 2>/dev/null; done
	exit 1
fi

engine=$(engine_of $server)
all=$(descendants $server)
for p in $all; do
	echo "$p $(cat "/proc/$p/comm" 2>/dev/null) $(ls "/proc/$p/task" 2>/dev/null | wc -l)"
done >processes.txt

killed=0
case $mode in
sigterm)
	CLIENT_LIMIT=60 client sleep:1 load:1:64 sleep:1 load:8:128 sleep:1 load:12:100 sleep:2
	killed=$(now)
	kill -TERM $server
	;;
kill)
	CLIENT_LIMIT=60 client sleep:1 load:1:64 sleep:1
	CLIENT_LIMIT=40 client load:8:1500 &
	sleep 1.5
	killed=$(now)
	kill -9 "$engine"
	;;
profile)
	CLIENT_LIMIT=150 client sleep:1 load:8:64 sleep:1 post:start_profile sleep:1 load:1:40 sleep:1 load:8:40 sleep:1 \
		post:stop_profile sleep:1
	kill -TERM $server
	;;
ranges | layers)
	CLIENT_LIMIT=90 client post:start_profile sleep:1 load:1:24 sleep:1 load:4:16 sleep:2
	kill -TERM $server
	;;
esac
after=$(now)
for _ in $(seq 150); do
	any_alive $all || break
	sleep 0.1
done
gone=$(now)
left=$(for p in $all; do any_alive "$p" && echo "$p"; done)
for p in $left; do kill -9 "$p" 2>/dev/null; done
wait 2>/dev/null
printf '{"mode":"%s","server":%d,"engine":%d,"start_ns":%d,"kill_before_ns":%d,"kill_after_ns":%d,"gone_ns":%d,"left":%d}\n' \
	"$mode" "$server" "${engine:-0}" "$start" "$killed" "$after" "$gone" "$(wc -w <<<"$left")" >end.json
