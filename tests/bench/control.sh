#!/usr/bin/env bash
# control.sh - start and stop of 64 processes that launch: how long the command takes, and how late the
# last of them switches after the moment that was asked for. Prints rows of `make bench`: the worst
# of ten rounds against the bound on it, and the median of them.
set -euo pipefail
build=${BUILD:-build}
build=$(cd "$build" && pwd)
work=$(mktemp -d /dev/shm/vprof-control.XXXXXX)
processes=64
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
export VPROF_OUT=$work/out

mkfifo "$work/ready"
for ((i = 0; i < processes; i++)); do
	LD_LIBRARY_PATH=$build/fakecuda FAKECUDA_INSTANT=1 LD_PRELOAD=$build/libvprof.so VPROF_RING_AT=out VPROF_RING_MB=2 \
		"$build/control/looper" 5000 >"$work/ready" &
	pids+=($!)
	read -r _ <"$work/ready"
done 2>/dev/null

python3 - "$build/vprof" $processes <<'END'
import json, statistics, subprocess, sys, time
vprof, processes = sys.argv[1], int(sys.argv[2])

def run(*words):
    begin = time.monotonic()
    text = subprocess.run([vprof, *words, "--json"], capture_output=True, check=True).stdout
    return json.loads(text), (time.monotonic() - begin) * 1e3

def row(name, values, bound):
    for word, value in (("worst", max(values)), ("median", statistics.median(values))):
        print(f"{name}: {word} of {len(values)}\t{value:.4g}\tms\t{bound}\t{value / bound:.3f}\t<=1\t{'ok' if value <= bound else 'short'}")

took = {"start": [], "stop": []}
late = {"start": [], "stop": []}
run("stop")
for n in range(10):
    for verb in ("start", "stop"):
        said, ms = run(verb)
        assert said["done"] == processes, said
        took[verb].append(ms)
        seen = [p["window"][verb + "_monotonic_ns"] for p in run("ps", "--once")[0]]
        assert len(seen) == processes
        late[verb].append((max(seen) - said["at_monotonic_ns"]) / 1e6)
for verb in took:
    row(f"vprof {verb}, {processes} processes", took[verb], 50)
    row(f"vprof {verb}: the last one, after the stamp", late[verb], 10)
END
