# lib.sh - a traced worker that is told what to do, and control of its ring. Source it after tests/tap.sh.

BUILD=$(realpath "$BUILD")
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD

# worker_start [NAME=VALUE...]: in the background; `tell` speaks to it. $PID is it, $RING its ring once there is one.
worker_start() {
	[ -x "$BUILD/control/worker" ] || { echo "Bail out! $BUILD/control/worker is not built"; exit 1; }
	rm -rf "$TMP/out"
	coproc WORKER { exec env LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="${WORLD:+$BUILD/control/world.so:}${LIBRARY:-$BUILD/libvprof.so}" FAKECUDA_INSTANT=1 \
		VPROF_RING_AT=out VPROF_RING_MB="${MB:-4}" VPROF_OUT="$TMP/out" VPROF_FACTS=0 "$@" "$BUILD/control/worker" 2>"$TMP/said"; }
	PID=$WORKER_PID
}

# tell LINE: the worker does it; its answer is in $ANSWER. ask and answer are its halves.
tell() { ask "$@" && answer "$@"; }
ask() { echo "$*" >&"${WORKER[1]}"; }
answer() {
	local line
	ANSWER=
	while IFS= read -r -t 60 line <&"${WORKER[0]}"; do
		[ "$line" != ok ] || return 0
		ANSWER+=${ANSWER:+$'\n'}$line
	done
	echo "# the worker does not answer: $*" >&2
	return 1
}

# child: the process that a fork has made; it may answer before its parent.
child() { sed -n 's/^child //p' <<<"$ANSWER"; }

worker_end() {
	[ -z "${WORKER_PID:-}" ] || { local in=${WORKER[1]}; exec {in}>&-; wait "$PID"; }
}

# The ring of process $1, or of the worker; fails where there is none yet.
ring() {
	local rings
	rings=$(compgen -G "$TMP/out/*.${1:-$PID}.*.ring") && head -1 <<<"$rings"
}

ctl() { "$BUILD/control/ctl" "$(ring)" "$@"; }

# launches [PID]: how many are recorded.
launches() { "$BUILD/vprof" dump "$(ring "$@")" | grep -c cuLaunchKernel; }

# launches_of PID WANTED: the same of a process that may not have made them all yet.
launches_of() {
	until_true made_as_many "$@"
	launches "$1"
}
made_as_many() { ring "$1" && [ "$(launches "$1")" -ge "$2" ]; }

# The newest window.
window() { windows | sed 's/.*,//'; }

windows() { ctl show | sed -n 's/^window \([a-z]* [a-z]*\) .*/\1/p' | paste -sd,; }
