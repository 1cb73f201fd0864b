#!/usr/bin/env bash
# gpu.sh - where there is a GPU: are its times those of CUPTI, and what do they cost? Rows of `make
# bench`, from what tests/gpu/gpu_time.py measures; nothing where there is none.
set -euo pipefail
build=${BUILD:-build}
export BUILD=$(cd "$build" && pwd)
"$BUILD/gpu/preload_probe" device >/dev/null 2>&1 || exit 0
work=$(mktemp -d /dev/shm/vprof-gpu.XXXXXX)
trap 'rm -rf "$work"' EXIT
OUT=$work python3 tests/gpu/gpu_time.py accuracy cost >/dev/null 2>"$work/err" || cat "$work/err" >&2
[ -s "$work/gpu_time.tsv" ] || exit 0
awk -F '\t' -v OFS='\t' '{
	target = substr($5, 3)
	what = $1 == "accuracy" ? "GPU time near that of CUPTI: " : "GPU time costs: "
	print what $2, $3, $4, target, sprintf("%.3f", $3 / target), substr($5, 1, 2) "1", $6
}' "$work/gpu_time.tsv"
