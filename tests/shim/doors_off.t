#!/usr/bin/env bash
# VPROF_ENABLE=0, and a machine without a driver.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
preload() { env VPROF_OUT="$TMP/out" LD_LIBRARY_PATH="$BUILD/tests/shim" LD_PRELOAD="$BUILD/libvprof.so" "$@"; }
bare() { env VPROF_OUT="$TMP/out" VPROF_QUIET=1 LD_PRELOAD="$BUILD/libvprof.so" "$@"; }

ok "switched off, no wrapper is handed out" preload VPROF_ENABLE=0 "$BUILD/tests/shim/doors" off
ok "and there is no ring" not test -e "$TMP/out"
ok "without a driver a call through the PLT returns an error" bare "$BUILD/tests/shim/nodriver"
ok "recording off from the start: the same" bare VPROF_CAPTURE=off "$BUILD/tests/shim/nodriver"
ok "switched off: the same" bare VPROF_ENABLE=0 "$BUILD/tests/shim/nodriver"
done_testing
