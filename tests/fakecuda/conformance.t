#!/usr/bin/env bash
# The fake driver passes the conformance test, found either way, and everything
# it exports can be found by cuGetProcAddress.
. tests/tap.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda
unset FAKECUDA_INSTANT FAKECUDA_FAIL FAKECUDA_HANG FAKECUDA_KERNEL_NS FAKECUDA_DEVICES

# passes PROGRAM: it exits 0, and has run its tests rather than skipped them.
passes() {
	timeout 60 "$BUILD/fakecuda/$1" >"$TMP/$1" || { grep -A2 '^not ok' "$TMP/$1"; return 1; }
	[ "$(grep -c '^ok ' "$TMP/$1")" -gt 300 ]
}

# Symbols of the driver that proc.def has no row for.
without_row() {
	nm -D --defined-only "$BUILD/fakecuda/libcuda.so.1" | awk '$2 == "T" { print $3 }' | sort >"$TMP/exported"
	sed -n 's/^[PT](.*, \(cu[A-Za-z0-9_]*\))$/\1/p' tests/fakecuda/proc.def | sort >"$TMP/rows"
	comm -23 "$TMP/exported" "$TMP/rows"
}

# count FUNCTION OPTION...: what a client says it called.
count() {
	local name=$1
	shift
	timeout 60 "$BUILD/fakecuda/client" "$@" 2>/dev/null | awk -v n="$name" '$1 == n { s += $2 } END { print s + 0 }'
}

# killed by a signal or by timeout: what a hang looks like from outside
hangs() { timeout 3 "$@" >/dev/null 2>&1; [ $? = 124 ]; }

ok "conformance, functions by cuGetProcAddress" passes conformance
ok "conformance, functions by the linker" passes conformance-plt
ok "both print the same" cmp "$TMP/conformance" "$TMP/conformance-plt"
is "every exported symbol has a row" "$(without_row)" ""

for via in plt dlsym gpa gpa1; do
	is "a client launches by way of $via" "$(count cuLaunchKernel --via $via --threads 3 --launches 7)" 21
done
is "three processes" "$(count cuLaunchKernel --procs 3 --launches 2)" 6
is "short threads" "$(count cuLaunchKernel --short-threads 40)" 40
is "graphs" "$(count cuGraphLaunch --graphs 5 --threads 2)" 10
is "graphs of more launches, waited for" "$(count cuStreamSynchronize --graphs 5 --per-graph 9 --sync --programmatic)" 7
is "and captured as often" "$(count cuLaunchKernelEx --graphs 5 --per-graph 9 --programmatic)" 9
# begun QUEUE: how many of 40 launches of half a second each are made in three
begun() {
	FAKECUDA_QUEUE=$1 timeout -s KILL 3 "$BUILD/fakecuda/client" --launches 40 --kernel spin_500ms --count-file "$TMP/queue.$1" >/dev/null 2>&1
	"$BUILD/fakecuda/client" --show "$TMP/queue.$1" | awk '$1 == "cuLaunchKernel" { print $2 }'
}
is "a queue has room for all" "$(begun 0)" 40
ok "a full one holds its caller" test "$(begun 4)" -lt 20
for how in fork _Fork clone spawn; do
	is "a child by $how works too" "$(count cuLaunchKernel --$how --launches 3)" 6
	is "and after the parent" "$(count cuLaunchKernel --$how --when after --launches 3)" 6
done
is "a forked child of an initialised process gets error 3" \
	"$(timeout 10 "$BUILD/fakecuda/client" --_Fork --when after 2>&1 >/dev/null | head -1)" \
	"client: cuInit returned 3"
is "PTX for a newer GPU than FAKECUDA_SM says is refused" \
	"$(FAKECUDA_SM=70 timeout 10 "$BUILD/fakecuda/client" 2>&1 >/dev/null | head -1)" \
	"client: cuModuleLoadData returned 209"
export FAKECUDA_FAIL=cuLaunchKernel:3:700
ok "an injected failure fails the program" not timeout 10 "$BUILD/fakecuda/client" --launches 5
is "and is sticky" "$(timeout 10 "$BUILD/fakecuda/client" --launches 5 --keep-errors 2>&1 |
	grep -c 'cuLaunchKernel returned 700')" 3
unset FAKECUDA_FAIL
FAKECUDA_HANG=cuLaunchKernel:3 ok "an injected hang hangs" hangs "$BUILD/fakecuda/client" --launches 5 --count-file "$TMP/counts"
is "in the call it names" "$("$BUILD/fakecuda/client" --show "$TMP/counts" | grep cuLaunchKernel)" "cuLaunchKernel 3 2"
FAKECUDA_HANG=spin_1us:3 ok "one of a kernel hangs too" hangs "$BUILD/fakecuda/client" --launches 5 --kernel spin_1us --count-file "$TMP/kernel"
is "whatever launches it" "$("$BUILD/fakecuda/client" --show "$TMP/kernel" | grep cuLaunchKernel)" "cuLaunchKernel 3 2"
done_testing
