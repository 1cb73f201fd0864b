#!/usr/bin/env bash
# The library on the other machine: built for aarch64 with the cross compiler and run under
# QEMU's user emulation. The trampolines, vfork, the recording path and every way to the driver.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
cross=aarch64-linux-gnu-gcc
command -v $cross >/dev/null || skip_all "no $cross"
command -v qemu-aarch64 >/dev/null || skip_all "no qemu-aarch64"
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
arm=$BUILD/aarch64

build() {
	make -s CC=$cross BUILD="$arm" Q=@ "$arm/libvprof.so" "$arm"/fakecuda/{libcuda.so.1,libcuda.so,client,client-plt} \
		"$arm"/tests/shim/{libcuda.so.1,doors} >"$TMP/make.log" 2>&1 || { cat "$TMP/make.log"; return 1; }
}
ok "it builds" build
ok "for that machine" grep -q AArch64 <(readelf -h "$arm/libvprof.so")
is "and needs only libc" "$(readelf -d "$arm/libvprof.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v ld-linux)" libc.so.6

# run OUT DRIVER COMMAND...: under the preload
run() {
	local out=$1 driver=$2
	shift 2
	qemu-aarch64 -E VPROF_OUT="$out" -E LD_LIBRARY_PATH="$driver" -E LD_PRELOAD="$arm/libvprof.so" "$@"
}

for via in plt dlsym gpa gpa1; do
	client=$arm/fakecuda/client
	[ $via != plt ] || client+=-plt # which the client would start, past the emulation
	run "$TMP/$via" "$arm/fakecuda" "$client" --via $via --threads 3 --launches 50 --graphs 2 --copies 2 \
		>"$TMP/$via.counts" 2>"$TMP/$via.err"
	is "by $via the program runs, without a word" "$? $(cat "$TMP/$via.err")" "0 "
	for call in cuLaunchKernel cuGraphLaunch cuMemcpyHtoD_v2 cuStreamSynchronize; do
		is "by $via every $call is recorded" "$("$BUILD/vprof" dump "$TMP/$via" | grep -c " $call ")" \
			"$(sed -n "s/^$call //p" "$TMP/$via.counts")"
	done
done
ok "the counter is the machine's own" grep -q cntvct <("$BUILD/vprof" info "$TMP/plt")

# What doors.c tests, on this machine: 66 checks of lookups, ABIs, errno and records.
VPROF_RING_AT=out run "$TMP/doors" "$arm/tests/shim" "$arm/tests/shim/doors" >"$TMP/doors.tap" 2>&1
rc=$?
ok "the three doors" test $rc = 0
[ $rc = 0 ] || grep -v '^ok' "$TMP/doors.tap" | head -20 | sed 's/^/# /'

for child in --fork --_Fork --vfork; do
	FAKECUDA_INSTANT=1 run "$TMP/child$child" "$arm/fakecuda" "$arm/fakecuda/client" --launches 10 $child \
		>"$TMP/child.counts" 2>"$TMP/child.err"
	is "a parent that makes a child with $child runs" "$?" 0
	parent=$(sed -n 's/^pid //p' "$TMP/child.counts" | head -1)
	is "and has its own launches alone" "$("$BUILD/vprof" dump --pid "$parent" "$TMP/child$child" | grep -c ' cuLaunchKernel ')" 10
done
done_testing
