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

rings_drop() {
	local ring
	for ring in "$1"/*.ring; do
		[ ! -L "$ring" ] || rm -f "$(readlink "$ring")"
	done
	rm -rf "$1"
}

new_out() { rings_drop "$OUT"; }

trap 'rings_drop "$OUT"; rm -rf "$TMP"' EXIT

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
