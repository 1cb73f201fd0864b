# lib.sh - what the tests of this folder share. Source it after tests/tap.sh.
#
# plain and traced run the same command in the same surroundings, the second with the
# preload. $OUT is where rings go; new_out empties it, with what its links lead to.

BUILD=$(realpath "$BUILD")
LIBRARY=$BUILD/libvprof.so
TEST_LIBRARY=$BUILD/test/libvprof.so
PROGRAMS=$BUILD/safety
DRIVER=$BUILD/fakecuda
OUT=$TMP/out
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD

new_out() { drop "$OUT"; }

# In the background write `run=exec traced ... &`: then $! is the program and not a shell before it.
plain() { ${run:-} env LD_LIBRARY_PATH="$DRIVER" VPROF_OUT="$OUT" "$@"; }

# env takes NAME=VALUE words of the caller's behind ours.
traced() { ${run:-} env LD_LIBRARY_PATH="$DRIVER" VPROF_OUT="$OUT" LD_PRELOAD="$LIBRARY" "$@"; }

# rings [FOLDER]: how many there are.
rings() { find "${1:-$OUT}" -name '*.ring' 2>/dev/null | wc -l; }

# Both tools read the rings and have nothing to say on stderr but what info prints.
tools_read() {
	local tool
	for tool in info dump; do
		"$BUILD/vprof" $tool "$@" >"$TMP/$tool.out" 2>"$TMP/$tool.err" || {
			echo "vprof $tool: exit $?"
			cat "$TMP/$tool.err"
			return 1
		}
		[ ! -s "$TMP/$tool.err" ] || { cat "$TMP/$tool.err"; return 1; }
	done
}

# compare NAME WRAPPER... -- PROGRAM...: runs the program plain and traced, with WRAPPER... (env words
# or a command that ends in running what follows) before it, and passes when stdout and exit
# status are the same. Through pipes: the program may not be allowed to write files.
# Leaves in $TMP plain.out, plain.err, plain.side (descriptor 3), plain.rc and likewise traced.*.
run_arm() {
	local arm=$1 readers=() stream
	shift
	for stream in out err side; do
		[ -p "$TMP/$stream.pipe" ] || mkfifo "$TMP/$stream.pipe"
		cat "$TMP/$stream.pipe" >"$TMP/$arm.$stream" &
		readers+=($!)
	done
	"$arm" "$@" >"$TMP/out.pipe" 2>"$TMP/err.pipe" 3>"$TMP/side.pipe" <"${INPUT:-/dev/null}"
	echo $? >"$TMP/$arm.rc"
	wait "${readers[@]}"
}

run_both() {
	new_out
	run_arm plain "$@"
	run_arm traced "$@"
}

unchanged() {
	diff "$TMP/plain.out" "$TMP/traced.out" && diff "$TMP/plain.rc" "$TMP/traced.rc"
}
