#!/usr/bin/env bash
# What vprof assumes of the machine and the driver. Prints all answers; fails only where an
# assumption of the code does not hold.
. tests/gpu/lib.sh
need_gpu
DIR=$OUT/probe
mkdir -p "$DIR"
timeout 120 "$BUILD/gpu/preload_probe" >"$DIR/probe.tsv" 2>"$DIR/probe.err"
rc=$?
diag "$(cat "$DIR/probe.tsv")"
ok "the probe ran to its end" test $rc = 0
ok "a row's address is the exported symbol" not grep -q '^DIFFERENT' "$DIR/probe.tsv"
ok "a CUfunction of a module has a name" grep -q '^cuFuncGetName(CUfunction of.*result 0, name vprof_test_empty' "$DIR/probe.tsv"
if python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'; then
	LD_PRELOAD=$BUILD/gpu/handle_probe.so timeout 90 python3 -c '
import torch
a = torch.randn(64, 64, device="cuda")
print(float((a @ a + a.sin()).sum()))' >"$DIR/handles.out" 2>"$DIR/handles.txt"
	diag "torch: exit $?" "$(grep '^handle' "$DIR/handles.txt" | head -12)"
	ok "the runtime launches through cuGetProcAddress" grep -q '^handle' "$DIR/handles.txt"
fi
done_testing
