#!/usr/bin/env bash
# spill.sh - what keeping everything costs the thread that does it, and what it takes: rows of `make bench`.
# Times are of the processor. live: a program whose launches the thread keeps up with, waking and copying
# included; vllm: the calls of a server (tests/steps); disk: the same into a file in the working folder.
# BENCH_SPILL_RING=FILE: of another ring too.
set -euo pipefail
BUILD=$(realpath "${BUILD:-build}")
work=$(mktemp -d /dev/shm/vprof-spill.XXXXXX)
trap 'rm -rf "$work" spill.bench.tmp' EXIT

live() {
	local said records
	said=$(env LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="$BUILD/libvprof.so" FAKECUDA_INSTANT=1 VPROF_OUT="$work/out" \
		VPROF_SPILL=1 "$BUILD/spill/loop" 2 4000000 20000 4000 </dev/null)
	records=$("$BUILD/spill/check" "$work"/out/*.ring 4000000 | sed -n 's/^records //p')
	awk -v ns="${said##* }" -v n="$records" 'BEGIN {
		if (!n) exit 1
		printf "spill_live_cost\t%.4g\tns/record\t200\t%.3f\t<=1\t%s\n", ns / n, ns / n / 200, ns / n <= 200 ? "ok" : "short" }'
	"$BUILD/bench/spill_cost" "$work"/out/*.ring "$work/file" launches
}

python3 - "$work/vllm.ring" <<'END'
import sys
sys.path.insert(0, "tests/steps")
import calls
import ring as r
ring = r.Ring(1)
lane = ring.lane(1)
for begin, length, fields in calls.read("tests/steps/serve.calls.xz")[1]:
    calls.add(ring, lane, begin, length, fields)
ring.write(sys.argv[1])
END
"$BUILD/bench/spill_cost" "$work/vllm.ring" "$work/file" vllm
"$BUILD/bench/spill_cost" "$work/vllm.ring" spill.bench.tmp disk
live
[ -z "${BENCH_SPILL_RING:-}" ] || "$BUILD/bench/spill_cost" "$BENCH_SPILL_RING" "$work/file" given
