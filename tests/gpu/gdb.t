#!/usr/bin/env bash
# A process stuck inside a launch: the debugger names the call and the kernel, live and from a core.
#
# stuck_launch hangs in a cuLaunchKernel behind a kernel that spins. GDB is the debugger
# (default: cuda-gdb, else gdb). Attached in two ways: as people do, which with
# cuda-gdb stops the GPU too, and without symbols of libraries, which keeps cuda-gdb off the GPU.
. tests/gpu/lib.sh
need_gpu
if [ -z "${GDB:-}" ]; then
	for GDB in cuda-gdb /usr/local/cuda/bin/cuda-gdb gdb ''; do
		command -v "${GDB:-none}" >/dev/null && break
	done
fi
[ -n "$GDB" ] || skip_all "no cuda-gdb and no gdb"
[ -e tools/gdb/vprof.py ] || skip_all "no tools/gdb/vprof.py"
diag "$("$GDB" --version 2>&1 | grep -i 'gdb' | head -2)"

DIR=$OUT/gdb
mkdir -p "$DIR"

# Starts stuck_launch; sets PID and LET_GO (closing that descriptor ends the spin). Fails when it
# is not stuck within 30 s. STUCK_ENV adds variables: with the fake driver, whose queues have no end,
# STUCK_ENV=FAKECUDA_HANG=cuLaunchKernel:1000 makes it stick.
stuck_start() {
	rm -f "$DIR/go"
	mkfifo "$DIR/go"
	(
		ulimit -c unlimited 2>/dev/null
		cd "$DIR" && exec env LD_PRELOAD="$LIBVPROF" VPROF_OUT="$DIR/out" ${STUCK_ENV:-} \
			"$BUILD/gpu/stuck_launch" 240 <go >stuck.txt 2>stuck.err
	) &
	PID=$!
	exec {LET_GO}>"$DIR/go"
	for _ in $(seq 300); do
		grep -q '^STUCK' "$DIR/stuck.txt" 2>/dev/null && return 0
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.1
	done
	diag "$(cat "$DIR/stuck.txt" "$DIR/stuck.err")"
	return 1
}

# ask NAME ARGUMENT...: the debugger's output lands in $DIR/NAME.txt.
ask() {
	local name=$1 start=$SECONDS
	shift
	timeout -k 5 "${GDB_LIMIT:-60}" "$GDB" -nx -batch -iex 'set pagination off' "$@" \
		>"$DIR/$name.txt" 2>"$DIR/$name.err" </dev/null
	diag "$name: exit $?, $((SECONDS - start)) s"
	grep -v '^\[New\|^warning' "$DIR/$name.txt" | tail -"${LINES_SHOWN:-6}" | sed 's/^/# /'
}

# shows FILE: the call and the kernel that the program is stuck in, on one line.
shows() { grep -q 'cuLaunchKernel.*vprof_test_waiting' "$1" || { tail -n 5 "$1" "${1%.txt}.err"; false; }; }

stuck_start # not under ok, which would run it in a subshell: it sets variables
ok "a launch gets stuck" grep -q '^STUCK' "$DIR/stuck.txt"
if ! grep -q '^STUCK' "$DIR/stuck.txt"; then
	exec {LET_GO}>&-
	kill -9 "$PID" 2>/dev/null
	done_testing
fi
diag "$(cat "$DIR/stuck.txt")"

ask quiet -iex 'set auto-solib-add off' -p "$PID" -x tools/gdb/vprof.py -ex 'vprof inflight' -ex 'vprof threads'
ok "attached without library symbols, vprof inflight shows the launch" shows "$DIR/quiet.txt"

ask attach -p "$PID" -x tools/gdb/vprof.py -ex 'vprof inflight' -ex 'vprof threads' -ex 'vprof last 5'
ok "attached, vprof inflight shows the launch" shows "$DIR/attach.txt"
ok "vprof last shows the launches before it" test "$(grep -c 'vprof_test_waiting' "$DIR/attach.txt")" -ge 3
ok "the program still lives after both" kill -0 "$PID"

# From the file alone, for where no debugger may attach.
timeout 20 python3 tests/gpu/ringfile.py "$DIR/out" >"$DIR/ringfile.txt" 2>&1
ok "the ring alone shows it too" grep -q '"in_flight": \[\["cuLaunchKernel", "vprof_test_waiting"\]\]' "$DIR/ringfile.txt"

if [ "$(head -c1 /proc/sys/kernel/core_pattern)" != '|' ]; then
	echo 0x33 >"/proc/$PID/coredump_filter" 2>/dev/null
	kill -ABRT "$PID"
	for _ in $(seq 300); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
	core=$(ls -t "$DIR"/core* "$(sed 's/%.*//' /proc/sys/kernel/core_pattern)"* 2>/dev/null | head -1)
	if [ -n "$core" ]; then
		diag "core: $(du -h "$core" | cut -f1)"
		ask core -iex 'set auto-solib-add off' "$BUILD/gpu/stuck_launch" -c "$core" -x tools/gdb/vprof.py -ex 'vprof inflight'
		ok "in its core, vprof inflight shows the launch" shows "$DIR/core.txt"
		rm -f "$core"
	else
		diag "no core was written; that half is not tested here"
	fi
	exec {LET_GO}>&-
else
	exec {LET_GO}>&-
	for _ in $(seq 300); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
	ok "let go, the program ends well" grep -q '^RELEASED' "$DIR/stuck.txt"
fi
kill -9 "$PID" 2>/dev/null
rm -f "$DIR/go"
done_testing
