#!/usr/bin/env bash
# The ways to the driver, over a driver with nothing behind it; what doors.c tests.
BUILD=$(realpath "${BUILD:-build}")
TMP=$(mktemp -d "${TMPDIR:-/tmp}/vprof-test.XXXXXX")
trap 'rm -rf "$TMP"' EXIT
VPROF_OUT=$TMP/out VPROF_RING_AT=out LD_LIBRARY_PATH=$BUILD/tests/shim LD_PRELOAD=$BUILD/libvprof.so \
	"$BUILD/tests/shim/doors"
