#!/usr/bin/env bash
# examples/ray: what `vprof env --ray` prints reaches the workers of a cluster, its own or a running one.
. tests/tap.sh
VENV=$(realpath "${VENV:-build/venv}" 2>/dev/null)
BUILD=$(realpath "$BUILD")
[ -x "$VENV/bin/python" ] || skip_all "no ${VENV:-build/venv}: make setup makes it"
"$VENV/bin/python" -c 'import ray' 2>/dev/null || skip_all "$VENV has no ray"
unset "${!VPROF_@}" "${!RAY_@}" LD_PRELOAD
export LD_LIBRARY_PATH=$BUILD/fakecuda RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled
program=$PWD/examples/ray/two_actors.py
# Ray's own files go below TMP too; its sockets' paths must be short.
export RAY_TMPDIR=$TMP/r
mkdir "$TMP/r"
cd "$TMP" || exit 1

run() { timeout 120 "$VENV/bin/python" "$program" 2>err.txt; }
# rings FOLDER PIDS...: the launches in the ring of each.
launches() {
	local folder=$1 pid
	shift
	for pid; do
		"$BUILD/vprof" top --json "$folder"/*."$pid".*.ring | python3 -c '
import json, sys
k = json.load(sys.stdin)["kernels"]
print(*(f"{x['\''kernel'\'']}:{x['\''launches'\'']}" for x in k))'
	done | paste -sd' '
}

pids=$(unset RAY_JOB_CONFIG_JSON_ENV_VAR; run) || diag "$(tail -5 err.txt)"
is "without it, no ring" "$(wc -w <<<"$pids") $(ls rings 2>/dev/null | wc -l)" "2 0"

eval "$("$BUILD/vprof" env --ray -o rings --ring-mb 2)"
pids=$(run) || diag "$(tail -5 err.txt)"
is "with it, both workers leave rings with their launches" "$(launches rings $pids)" "step_of_worker_0:100 step_of_worker_1:101"

# A cluster that was started before, by somebody who keeps LD_PRELOAD from workers.
job=$RAY_JOB_CONFIG_JSON_ENV_VAR
unset RAY_JOB_CONFIG_JSON_ENV_VAR
port=$((20000 + $$ % 10000))
RAY_LD_PRELOAD_ON_WORKERS=0 timeout 120 "$VENV/bin/ray" start --head --port $port --num-cpus 2 --include-dashboard=false \
	--disable-usage-stats --block >start.txt 2>&1 &
cluster=$!
for _ in $(seq 120); do grep -q 'Ray runtime started' start.txt && break; sleep 0.5; done
export RAY_ADDRESS=auto RAY_JOB_CONFIG_JSON_ENV_VAR=${job//\/rings\"/\/there\"}
pids=$(run) || diag "$(tail -5 err.txt; tail -5 start.txt)"
is "so do those of a cluster that runs already" "$(launches there $pids)" "step_of_worker_0:100 step_of_worker_1:101"
# Its own end takes half a minute; nothing of it is wanted.
below() { local child; echo "$1"; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do below "$child"; done; }
kill -9 $(below $cluster) 2>/dev/null
wait $cluster 2>/dev/null
done_testing
