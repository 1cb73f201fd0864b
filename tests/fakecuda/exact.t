#!/usr/bin/env bash
# Times on the fake GPU: what stamps read is what the kernels' names and the
# environment say, to the 32 ns of the GPU's clock, however busy the machine is.
. tests/tap.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda
for name in $(compgen -e FAKECUDA_); do unset "$name"; done

# runs FILE VARIABLE=VALUE...
runs() {
	local to=$1
	shift
	timeout 60 env "$@" "$BUILD/fakecuda/exact" >"$TMP/$to" 2>"$TMP/$to.err" || cat "$TMP/$to.err"
}

# reads FILE NAME NS: two stamps may each be 31 ns early
reads() {
	local got
	got=$(awk -v n="$2" '$1 == n { print $2 }' "$TMP/$1")
	[ -n "$got" ] && [ $((got - $3)) -ge -32 ] && [ $((got - $3)) -le 32 ] || { echo "got ${got:-nothing}, wanted $3"; return 1; }
}
value() { awk -v n="$2" '$1 == n { $1 = ""; print substr($0, 2) }' "$TMP/$1"; }

ok "it runs" runs plain A=1
ok "5 us between stamps on a stream" reads plain stream_plain 6000
ok "launched programmatically" reads plain stream_prog 5700
ok "a kernel that takes what it is told" reads plain timed 8000
ok "and says so" reads plain timed_itself 7000
ok "in a graph" reads plain graph_plain 6000
ok "over programmatic edges" reads plain graph_prog 5700
ok "behind a trigger" reads plain overtaken 16350
is "what the overtaken kernel stores comes last" "$(value plain overtaken_data)" 41
ok "behind a trigger, but waiting" reads plain awaited 56350
is "in order" "$(value plain awaited_data)" 42
ok "behind a kernel that does not trigger" reads plain untriggered 56350
is "in order too" "$(value plain untriggered_data)" 42
ok "branches run side by side" reads plain branches 10000
ok "20 ms" reads plain long 20001000
is "a stamp into memory that is not the GPU's loses the context" "$(value plain stray)" "700 1"

is "an exec takes no memory of the device" "$(value plain exec_bytes)" "0 0"
is "what was made in a context ends with it" "$(value plain ended)" "400 400 0"

ok "it runs with other ways" runs ways FAKECUDA_EDGE_NS=2000 FAKECUDA_PROG_NS=64 FAKECUDA_NODE_NS=10000000 FAKECUDA_NODE_BYTES=8192
ok "a stream's" reads ways stream_plain 9000
ok "a programmatic launch's" reads ways stream_prog 5128
ok "an edge's" reads ways graph_plain 9000
ok "a programmatic edge's" reads ways graph_prog 5128

is "execs that take memory" "$(value ways exec_bytes)" "16384 0"
is "and time" "$(value ways exec_20ms)" 1

ok "it runs with jitter" runs jitter FAKECUDA_JITTER_NS=3000
ok "and again" runs again FAKECUDA_JITTER_NS=3000
ok "what takes 5 us takes longer" test "$(value jitter graph_plain)" -gt 6032
ok "but not by more than that" test "$(value jitter graph_plain)" -lt 9032
ok "and as long each time" reads again graph_plain "$(value jitter graph_plain)"

ok "it runs with a clock of its own" runs clock FAKECUDA_CLOCK_OFFSET_NS=-5000000000 FAKECUDA_CLOCK_PPM=1000
is "which is behind" "$((($(value clock ahead_ms) + 5000) / 500))" 0
ok "and fast" reads clock long 20021001
done_testing
