#!/usr/bin/env bash
# demo.sh - what `make demo` runs: a program under the preload, one of its workers killed, a trace.
#
# BUILD is where make built (build), OUT where rings and trace go (BUILD/demo); with DRIVER=fake the
# fake driver is taken even where there is a GPU.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=$(cd "${BUILD:-build}" && pwd)
OUT=${OUT:-$BUILD/demo}
mkdir -p "$OUT"
# Those of the demo before. On most machines a ring there is a link to its pages in memory.
find "$OUT" -maxdepth 1 -name '*.ring' -lname '/dev/shm/vprof-*' -printf '%l\0' | xargs -0 -r rm -f
rm -f "$OUT"/*.ring "$OUT/trace.json"
log=$OUT/client.log

step() { printf '\n%s\n' "$*"; }
# A path as seen from here, where it lies below.
short() { printf '%s' "${1#"$PWD"/}"; }

if [ "${DRIVER:-}" != fake ] && "$BUILD/demo_client" --probe 2>/dev/null; then
	driver="this machine's GPU"
else
	driver="the fake driver (no GPU here)"
	export LD_LIBRARY_PATH=$BUILD/fakecuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export FAKECUDA_KERNEL_NS=${FAKECUDA_KERNEL_NS:-20000}
fi

step "1. LD_PRELOAD=libvprof.so demo_client     three workers, four threads each, on $driver"
if ! VPROF_OUT=$OUT LD_PRELOAD=$BUILD/libvprof.so "$BUILD/demo_client" >"$log" 2>&1; then
	echo "   the program failed:"
	cat "$log"
	exit 1
fi
killed=$(sed -n 's/^killed //p' "$log")
echo "   worker 2 (pid $killed) was stuck in a launch and got SIGKILL"

step "2. vprof-merge $(short "$OUT")/*.ring -o $(short "$OUT")/trace.json"
"$BUILD/vprof-merge" "$OUT"/*.ring -o "$OUT/trace.json"
echo "   $(ls "$OUT"/*.ring | wc -l) rings, $(grep -c '"ph":"X"' "$OUT/trace.json") slices: open $OUT/trace.json in https://ui.perfetto.dev"

step "3. vprof top $(short "$OUT")/*.ring"
"$BUILD/vprof" top -n 5 "$OUT"/*.ring | sed '/./s/^/   /'
step "4. vprof info $(short "$OUT")/*.$killed.*.ring     the killed worker"
"$BUILD/vprof" info "$OUT"/*."$killed".*.ring | grep -E '^ *(state|records|TID|[0-9]+ )' | sed 's/^/ /'

# The demo's point: the call that the killed worker died in is known.
"$BUILD/vprof" top --by launches "$OUT"/*."$killed".*.ring | grep -q "cuLaunchKernelEx of demo::all_reduce"
