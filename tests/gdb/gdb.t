#!/usr/bin/env bash
# The gdb commands on a program that hangs inside a launch: live, in cores, from the file.
. tests/tap.sh
ROOT=$PWD
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
GDB=${GDB:-gdb}

command -v "$GDB" >/dev/null || skip_all "no gdb"
"$GDB" -nx -batch -ex 'python print(1)' 2>/dev/null | grep -qx 1 || skip_all "this gdb has no Python"
sleep 600 &
probe=$!
attached=$("$GDB" -nx -batch -p $probe -ex 'python print(gdb.selected_inferior().pid)' 2>&1)
kill $probe
grep -qx "$probe" <<<"$attached" || skip_all "no ptrace here: $(grep -i ptrace <<<"$attached" | head -1)"

export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_RING_MB=2

# gdb_on ARGUMENTS...: its words, without what gdb itself says about threads and files.
gdb_on() { timeout 120 "$GDB" -nx -batch -iex 'set debuginfod enabled off' -x tools/gdb/vprof.py "$@"; }

# start LIBRARY: a client under it with three threads, hung in the 120th launch. Sets PID, RING, TID (of the thread).
start() {
	drop "$TMP/out"
	(cd "$TMP" && ulimit -c unlimited &&
		LD_PRELOAD=$1 VPROF_OUT=$TMP/out FAKECUDA_HANG=cuLaunchKernel:120 exec \
			"$BUILD/fakecuda/client" --threads 3 --hold --launches 50 --kernel _ZN4demo9attentionEPfj) \
		>"$TMP/client" 2>&1 &
	PID=$!
	# All is still: 119 launches and one under way.
	until_true says 120 launches
	RING=$(echo "$TMP"/out/*.ring)
	TID=$("$BUILD/vprof" dump "$RING" | awk '$6 == "in-flight" && $5 == "cuLaunchKernel" { print $3 }')
}

launches() { "$BUILD/vprof" dump "$TMP/out" | grep -c ' cuLaunchKernel '; }
stop() { kill -9 "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; }
trap 'stop; [ -n "${KEEP:-}" ] || drop "$TMP"' EXIT

# has NAME FILE PATTERN
has() { ok "$1" grep -qE -- "$3" "$2"; }

# The row of the hung thread, as each of the three commands is to show it, in FILE.
shows_hang() {
	has "$1: threads shows the hung thread" "$2" "^[0-9]+ +$TID +client +[0-9]+ +cuLaunchKernel +[0-9.]+ (s|ms|us)$"
	is "$1: it is the only one in a call" "$(sed '/^thread .*in flight for/,/^process/!d' "$2" | grep -c -E ' (s|ms|us)$')" 1
	has "$1: inflight shows call, kernel and shape" "$2" \
		"^[0-9]+ +$TID +client +[0-9.]+ (s|ms|us) +cuLaunchKernel +demo::attention\(float\*, unsigned int\) grid \([0-9,]+\) block \([0-9,]+\)"
	is "$1: last shows as many as asked for" "$(sed '1,/^before/d' "$2" | grep -c ' client ')" 60
	has "$1: last shows the open call" "$2" "^[0-9.]+ (s|ms|us) +$TID +client +IN FLIGHT +cuLaunchKernel"
}
# The other threads go on for at most 30 launches and a few waits after the one that hangs.
COMMANDS=(-ex 'vprof threads' -ex 'vprof inflight' -ex 'vprof last 60')

# ---- live ----

start "$BUILD/libvprof.so"
ok "a thread hangs in a launch" test -n "$TID"
gdb_on -p "$PID" "${COMMANDS[@]}" >"$TMP/live" 2>&1
shows_hang "live" "$TMP/live"
number=$(sed -n "/^thread  *tid  *name  *for/,\$p" "$TMP/live" | awk -v tid="$TID" '$2 == tid { print $1; exit }')
gdb_on -p "$PID" -ex "thread $number" -ex bt >"$TMP/bt" 2>&1
has "live: the thread's number leads to its stack" "$TMP/bt" '#[0-9]+ .* cuLaunchKernel'

# Records made so far by each thread, against the ring itself.
is "live: threads counts the records" \
	"$(sed -n '/in flight for$/,/^process/p' "$TMP/live" | awk '$3 == "client" && $4 ~ /^[0-9]+$/ { print $2, $4 }' | sort)" \
	"$("$BUILD/vprof" dump "$RING" | grep -v '^#' | awk '{ n[$3]++ } END { for (t in n) print t, n[t] }' | sort)"

# ---- a core by gdb, with the ring in the file only ----

gdb_on -p "$PID" -ex "gcore $TMP/gcore" >"$TMP/log" 2>&1
gdb_on "$BUILD/fakecuda/client" "$TMP/gcore" "${COMMANDS[@]}" >"$TMP/core1" 2>&1
shows_hang "gcore" "$TMP/core1"
cp "$RING" "$TMP/copy"
rm -f "$(readlink -f "$RING")" "$RING"
gdb_on "$BUILD/fakecuda/client" "$TMP/gcore" -ex 'vprof inflight' >"$TMP/core2" 2>&1
has "gcore without the ring's file: it says what is missing" "$TMP/core2" 'lacks the ring.*\.ring.*vprof file PATH'
gdb_on "$BUILD/fakecuda/client" "$TMP/gcore" -ex "vprof file $TMP/copy" -ex 'vprof inflight' >"$TMP/core3" 2>&1
has "gcore with the file named: inflight" "$TMP/core3" "^[0-9-]+ +$TID +client .*demo::attention"
gdb_on -p "$PID" "${COMMANDS[@]}" >"$TMP/deleted" 2>&1
shows_hang "live, its file deleted" "$TMP/deleted"
stop

# ---- a stripped library; cores by the kernel ----

strip -o "$TMP/libvprof.so" "$BUILD/libvprof.so"
echo 0x3b >/proc/self/coredump_filter # with shared pages of files
start "$TMP/libvprof.so"
gdb_on -p "$PID" "${COMMANDS[@]}" >"$TMP/stripped" 2>&1
shows_hang "live, stripped" "$TMP/stripped"
kill -SEGV "$PID"
wait "$PID" 2>/dev/null
core=$(ls "$TMP"/core* 2>/dev/null | grep -E '/core(\.[0-9]+)?$' | head -1)
if [ -n "$core" ]; then
	rm -f "$(readlink -f "$RING")" "$RING"
	gdb_on "$BUILD/fakecuda/client" "$core" "${COMMANDS[@]}" >"$TMP/core4" 2>&1
	shows_hang "the kernel's core, stripped, ring in it" "$TMP/core4"
else
	diag "no core from the kernel here (core_pattern: $(cat /proc/sys/kernel/core_pattern))"
fi

# ---- without a program, and wrong use ----

gdb_on -ex "vprof file $TMP/copy" -ex 'vprof threads' -ex 'vprof file' -ex 'vprof threads' >"$TMP/none" 2>&1
has "a ring's file without a program" "$TMP/none" "^- +[0-9]+ +client "
has "no program, no file: it says so" "$TMP/none" 'no process and no core here'
gdb_on -ex "vprof file $ROOT/Makefile" -ex 'vprof last 0' >"$TMP/wrong" 2>&1
has "a file that is no ring is refused" "$TMP/wrong" 'Makefile is not a vprof ring'
has "last 0 is refused" "$TMP/wrong" 'takes a number from 1 up'
done_testing
