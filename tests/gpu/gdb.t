#!/usr/bin/env bash
# A debugger on a process inside a launch names the call and the kernel: started by the
# debugger and stopped in the driver, attached while it launches, hung behind a kernel, and dead.
#
# GDB is the debugger (default: cuda-gdb, else gdb). cuda-gdb attaches to the GPU too, which waits for
# the call that hangs; so a hung process is attached to with an empty sysroot, in which it finds no
# driver to talk to, or not at all: its ring's file and its core will do. gdb just attaches.
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
mkdir -p "$DIR/nothing"
STUCK=$BUILD/gpu/stuck_launch
COMMANDS=(-ex 'vprof inflight' -ex 'vprof threads' -ex 'vprof last 5')

# start WORD ARGUMENT...: stuck_launch with these arguments, until it prints WORD. Sets PID and LET_GO
# (closing that descriptor ends it). STUCK_ENV adds variables to the one that hangs: with the fake
# driver, whose queues have no end, STUCK_ENV=FAKECUDA_HANG=cuLaunchKernel:1000 makes it stick.
start() {
	local word=$1 more=
	shift
	[ "$word" != STUCK ] || more=${STUCK_ENV:-}
	rm -rf "$DIR/go" "$DIR/out" "$DIR/stuck.txt"
	mkfifo "$DIR/go"
	(
		ulimit -c unlimited 2>/dev/null
		cd "$DIR" && exec env LD_PRELOAD="$LIBVPROF" VPROF_OUT="$DIR/out" $more \
			"$STUCK" "$@" <go >stuck.txt 2>stuck.err
	) &
	PID=$!
	exec {LET_GO}>"$DIR/go"
	for _ in $(seq 300); do
		grep -q "^$word" "$DIR/stuck.txt" 2>/dev/null && return 0
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.1
	done
	diag "$(cat "$DIR/stuck.txt" "$DIR/stuck.err")"
	return 1
}

let_go() {
	exec {LET_GO}>&-
	for _ in $(seq 100); do kill -0 "$PID" 2>/dev/null || return; sleep 0.1; done
	kill -9 "$PID" 2>/dev/null
}

# ask NAME ARGUMENT...: the debugger's output lands in $DIR/NAME.txt.
ask() {
	local name=$1 start=$SECONDS
	shift
	timeout -k 5 "${GDB_LIMIT:-30}" "$GDB" -nx -batch -iex 'set pagination off' -x tools/gdb/vprof.py "$@" \
		>"$DIR/$name.txt" 2>"$DIR/$name.err" </dev/null
	diag "$name: exit $?, $((SECONDS - start)) s"
	grep -v '^\[\|^warning\|^Using host' "$DIR/$name.txt" | tail -"${LINES_SHOWN:-25}" | sed 's/^/# /'
}

# shows FILE KERNEL: the launch of it that is under way, on one line of vprof inflight.
shows() { grep -q "^[0-9].* cuLaunchKernel  *$2 grid (1,1,1) block (1,1,1)" "$1" || { tail -n 5 "$1" "${1%.txt}.err"; false; }; }
launches() { grep -c "cuLaunchKernel .*$2" "$1"; }

# ---- started by the debugger, stopped at the driver's first instruction of the 7th launch ----

rm -rf "$DIR/out"
ask started -iex 'set startup-with-shell off' -x tests/gpu/stop_in_driver.py \
	-ex "set environment LD_PRELOAD $LIBVPROF" -ex "set environment VPROF_OUT $DIR/out" \
	-ex 'stop-in-driver cuLaunchKernel 7' -ex run "${COMMANDS[@]}" -ex 'info symbol $pc' -ex kill \
	--args "$BUILD/gpu/launch_cost" plain 1 50
ok "started: stopped in the driver" grep -q '^cuLaunchKernel.*in section .*libcuda\.so' "$DIR/started.txt"
ok "started: vprof inflight shows the launch" shows "$DIR/started.txt" vprof_test_empty
is "started: vprof last shows the launches before it" "$(sed '1,/^before/d' "$DIR/started.txt" | grep -c 'cuLaunchKernel .*vprof_test_empty')" 5
is "started: one of them is under way" "$(grep -c 'IN FLIGHT' "$DIR/started.txt")" 1

# ---- attached while it launches: nearly all of its time is inside a launch ----

start BUSY busy 120
for try in 1 2 3; do
	ask "busy$try" -p "$PID" "${COMMANDS[@]}"
	shows "$DIR/busy$try.txt" vprof_test_waiting >/dev/null && break
done
ok "attached: vprof inflight shows the launch" shows "$DIR/busy$try.txt" vprof_test_waiting
ok "attached: vprof last shows its launches" test "$(launches "$DIR/busy$try.txt" vprof_test_waiting)" -ge 5
ok "attached: the program still lives" kill -0 "$PID"
let_go
ok "attached: it ends well" grep -q '^LAUNCHED' "$DIR/stuck.txt"

# ---- hung in a launch ----

start STUCK 240 # not under ok, which would run it in a subshell: it sets variables
ok "a launch gets stuck" grep -q '^STUCK' "$DIR/stuck.txt"
if ! grep -q '^STUCK' "$DIR/stuck.txt"; then
	let_go
	done_testing
fi
diag "$(cat "$DIR/stuck.txt")"

case ${GDB##*/} in cuda*) HOW=(-iex "set sysroot $DIR/nothing") ;; *) HOW=() ;; esac
ask hung "${HOW[@]}" -p "$PID" "${COMMANDS[@]}"
ok "hung: vprof inflight shows the launch" shows "$DIR/hung.txt" vprof_test_waiting
ok "hung: vprof last shows the launches before it" test "$(launches "$DIR/hung.txt" vprof_test_waiting)" -ge 5
ok "hung: the program still lives" kill -0 "$PID"

ask file -ex "vprof file $(echo "$DIR"/out/*.ring)" "${COMMANDS[@]}"
ok "its ring's file, not attached: vprof inflight shows the launch" shows "$DIR/file.txt" vprof_test_waiting
timeout 20 "$VPROF" top "$DIR/out" >"$DIR/top.txt" 2>&1
ok "vprof top says which call never returned" grep -q 'cuLaunchKernel.*vprof_test_waiting' "$DIR/top.txt"

if [ "$(head -c1 /proc/sys/kernel/core_pattern)" != '|' ]; then
	echo 0x33 >"/proc/$PID/coredump_filter" 2>/dev/null
	kill -ABRT "$PID"
	for _ in $(seq 300); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
	core=$(ls -t "$DIR"/core* "$(sed 's/%.*//' /proc/sys/kernel/core_pattern)"* 2>/dev/null | head -1)
	if [ -n "$core" ]; then
		diag "core: $(du -h "$core" | cut -f1)"
		ask core "$STUCK" -c "$core" "${COMMANDS[@]}"
		ok "in its core, vprof inflight shows the launch" shows "$DIR/core.txt" vprof_test_waiting
		rm -f "$core"
	else
		diag "no core was written; that half is not tested here"
	fi
	exec {LET_GO}>&-
else
	let_go
	ok "let go, the program ends well" grep -q '^RELEASED' "$DIR/stuck.txt"
fi
kill -9 "$PID" 2>/dev/null
rm -f "$DIR/go"
done_testing
