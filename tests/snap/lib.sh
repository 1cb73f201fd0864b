# lib.sh - what the tests of this folder share: programs that launch without pause, and what their rings say.
# Source it after tests/tap.sh.
BUILD=$(realpath "$BUILD")
OUT=$TMP/out
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD

# The programs that a test has started: ended with it.
programs=()
end_programs() {
	[ ${#programs[@]} = 0 ] || kill -9 "${programs[@]}" 2>/dev/null
	wait "${programs[@]}" 2>/dev/null
	programs=()
} 2>/dev/null
trap 'end_programs; drop "$TMP"' EXIT

# start NAME=VALUE... PROGRAM...: in the background under the preload; $program is its pid.
start() {
	exec_traced "$@" 2>>"$TMP/stderr" &
	program=$!
	programs+=("$program")
}
exec_traced() { exec env LD_LIBRARY_PATH="$BUILD/fakecuda" VPROF_OUT="$OUT" LD_PRELOAD="$BUILD/libvprof.so" "$@"; }

# hammer THREADS [NAME=VALUE...]: a program that launches from so many threads as fast as it can.
hammer() {
	start FAKECUDA_INSTANT=1 "${@:2}" "$BUILD/safety/launcher" "$TMP/progress.${#programs[@]}" "$1" 0 20
}

snap() { "$BUILD/vprof" snap "$@" >"$TMP/said" 2>"$TMP/said.err"; }
json() { "$BUILD/vprof" info --json "$1" >"$TMP/info.json"; shift; jq -r "$@" "$TMP/info.json"; }

rings() { find "${1:-$OUT}" -name '*.ring' 2>/dev/null | wc -l; }
have_rings() { [ "$(rings "$OUT")" -ge "$1" ]; }
