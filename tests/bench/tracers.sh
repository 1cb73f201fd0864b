#!/usr/bin/env bash
# tracers.sh - vprof's recorded launch beside two tracers of the same empty launch, as
# rows of `make bench`: an LTTng-UST tracepoint pair with the fields of a launch record,
# and uftrace, which here records function, thread and times only. A tracer that is not
# installed is a comment line; one that recorded nothing is an error and has no rows.
#
# Each figure is the cost added per call in the thread's CPU time, from blocks of anchor,
# plain and traced calls in turn (record_cost.c, tracer_cost.c). Nothing outlives this
# script: the session daemon is its child, and its files lie in one folder on tmpfs.
set -uo pipefail
build=${BUILD:-build}
limit=85 # seconds, for everything
work=$(mktemp -d /dev/shm/vprof-tracers.XXXXXX)
waiting=$(ls -d /dev/shm/lttng-ust-wait-* 2>/dev/null)
daemon=
status=0

stop_daemon() { # its consumer daemon goes when their socket closes
	[ -n "$daemon" ] || return 0
	kill "$daemon" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	daemon=
}
cleanup() {
	local file

	stop_daemon
	rm -rf "$work"
	# LTTng's library makes these in every process that it is linked into, and leaves them.
	for file in /dev/shm/lttng-ust-wait-*; do
		[[ $'\n'$waiting$'\n' == *$'\n'$file$'\n'* ]] || rm -f "$file"
	done
}
trap cleanup EXIT
trap 'exit 1' INT TERM

limited() {
	local left=$((limit - SECONDS))

	timeout $((left > 0 ? left : 1)) "$@"
}
fail() { # fail TRACER WHAT: with the end of its log
	echo "tracers.sh: $1: $2" >&2
	tail -n 20 "$work/$1.log" >&2
	status=1
	return 1
}
absent() { echo "# $1: not installed (needs $2 when bench is built)"; }

run_vprof() {
	limited env LD_LIBRARY_PATH="$build/fakecuda" FAKECUDA_INSTANT=1 VPROF_OUT="$work/out" \
		LD_PRELOAD="$(realpath "$build/libvprof.so")" "$build/bench/record_cost" >"$work/vprof.rows" 2>"$work/vprof.log" ||
		fail vprof 'record_cost failed'
	rm -rf "$work/out"
}

# The tracer's own rows, and vprof's figure over each.
print_rows() { # print_rows NAME FILE
	grep -v '^#' "$2"
	awk -F'\t' -v name="$1" '
		FILENAME == ARGV[1] { vprof[$1] = $2; next }
		/^#/ { next }
		{
			threads = substr($1, index($1, ", "))
			if (!(("recorded launch" threads) in vprof))
				exit 1
			v = vprof["recorded launch" threads]
			printf "recorded launch vs %s%s\t%s\tns\t%s\t%.3f\t<=1\t%s\n", name, threads, v, $2, v / $2,
				v <= $2 ? "ok" : "short"
		}' "$work/vprof.rows" "$2" || fail vprof "no figure to compare with $1"
}

# ---- LTTng-UST ---------------------------------------------------------------
# In overwrite mode with snapshots: LTTng's flight recorder, which like a ring keeps the
# newest records, never blocks and never discards a new one. All buffers together have the
# size of a ring, 64 MiB, in 4 sub-buffers for each CPU, in shared memory (tmpfs). No timers.
# As root, a session daemon takes the system's sockets, so all of it then runs as nobody.
lttng_env=(env LTTNG_HOME="$work" LTTNG_UST_REGISTER_TIMEOUT=10000)
[ "$(id -u)" != 0 ] || lttng_env=(setpriv --reuid=65534 --regid=65534 --clear-groups "${lttng_env[@]}")
subbuffer=$((16 << 20))
for ((cpus = $(getconf _NPROCESSORS_CONF); cpus > 1 && subbuffer > 65536; cpus = (cpus + 1) / 2)); do
	subbuffer=$((subbuffer / 2))
done
as_lttng() { limited "${lttng_env[@]}" "$@" 2>>"$work/lttng.log"; }
# A group that nobody is in: members of LTTng's own are sent to the system's daemon.
lttng_do() { as_lttng lttng --no-sessiond --group=vprof-none "$@" >>"$work/lttng.log"; }

lttng_installed() {
	reader=$(command -v babeltrace2 || command -v babeltrace) &&
		command -v lttng lttng-sessiond >/dev/null && [ -x "$build/bench/tracer_lttng" ]
}
lttng_start() {
	cp "$build"/bench/{tracer_lttng,libtracer_plain.so} "$work" && chmod 755 "$work"
	[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$work"
	"${lttng_env[@]}" lttng-sessiond --no-kernel >>"$work/lttng.log" 2>&1 &
	daemon=$!
	for ((i = 0; i < 100; i++)); do
		! lttng_do list || break
		sleep 0.1
	done
	lttng_do create bench --snapshot --output="$work/snapshot" &&
		lttng_do enable-channel --userspace --session=bench --overwrite --buffers-uid --subbuf-size=$subbuffer \
			--num-subbuf=4 --switch-timer=0 --read-timer=0 --monitor-timer=0 ring &&
		lttng_do enable-event --userspace --session=bench --channel=ring 'vprof_bench:*' &&
		lttng_do start bench
}
# Some of the snapshot is enough: one sub-buffer of each CPU. It must be pairs of the arguments that were passed.
lttng_check() {
	local pairs

	lttng_do stop bench && lttng_do snapshot record --session=bench \
		--max-size=$((subbuffer * $(getconf _NPROCESSORS_CONF))) || return 1
	pairs=$(limited "$reader" "$work/snapshot" 2>>"$work/lttng.log" | awk '
		/vprof_bench:launch_entry:.*function = 0x1000,.* 1, .* 2, .* 3 .* 4, .* 5, .* 6 / { entries++ }
		/vprof_bench:launch_exit:.*result = 0/ { exits++ }
		END { print int(entries < exits ? entries : exits) }')
	echo "# LTTng-UST: $pairs pairs read back from one sub-buffer of $((subbuffer >> 10)) KiB per CPU"
	[ "$pairs" -ge 10000 ]
}
run_lttng() {
	lttng_start || fail lttng 'no session' || return
	as_lttng "$work/tracer_lttng" 'LTTng-UST pair' >"$work/lttng.rows" || fail lttng 'tracer_lttng failed' || return
	lttng_check || fail lttng 'the launches were not recorded' || return
	lttng_do destroy bench
	stop_daemon
	print_rows 'LTTng-UST pair' "$work/lttng.rows"
}

# ---- uftrace -----------------------------------------------------------------
# It keeps everything: its recorder writes to tmpfs; buffers large enough that it loses little.
uftrace_check() { # of the calls made, most are in its files
	local made found

	made=$(awk '/^#/ { print $NF }' "$work/uftrace.rows")
	found=$(limited uftrace report -d "$work/uftrace" 2>>"$work/uftrace.log" | awk '$NF == "tracer_traced" { print $(NF - 1) }')
	echo "# uftrace: ${found:=0} of $made calls read back"
	[ "$found" -ge $((made / 2)) ]
}
run_uftrace() {
	limited uftrace record --no-libcall --no-event --force -F tracer_traced -b 4M -d "$work/uftrace" \
		"$build/bench/tracer_uftrace" uftrace >"$work/uftrace.rows" 2>"$work/uftrace.log" ||
		fail uftrace 'uftrace record failed' || return
	uftrace_check || fail uftrace 'the launches were not recorded' || return
	print_rows uftrace "$work/uftrace.rows"
}

run_vprof
if lttng_installed; then run_lttng; else absent lttng-ust 'lttng-tools, liblttng-ust-dev, babeltrace2'; fi
if command -v uftrace >/dev/null && [ -x "$build/bench/tracer_uftrace" ]; then run_uftrace; else absent uftrace uftrace; fi
exit $status
