# lib.sh - traced loops that keep everything, and what is there of them. Source it after tests/tap.sh.

BUILD=$(realpath "$BUILD")
OUT=$TMP/out
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD

# traced [NAME=VALUE...] PROGRAM...: keeps everything, in a ring of $MB MiB.
traced() {
	${run:-} env LD_LIBRARY_PATH="$BUILD/fakecuda" LD_PRELOAD="$BUILD/libvprof.so" FAKECUDA_INSTANT=1 VPROF_OUT="$OUT" \
		VPROF_RING_MB="${MB:-1}" VPROF_SPILL=1 VPROF_FACTS=0 "$@"
}

# loop ARGUMENT...: words for env may be in $WITH. In a new folder.
loop() {
	drop "$OUT"
	# shellcheck disable=SC2086 # words
	traced ${WITH:-} "$BUILD/spill/loop" "$@" </dev/null >"$TMP/said" 2>"$TMP/err"
}

# Fails where there is none yet.
ring() {
	local rings
	rings=$(compgen -G "$OUT/*.ring") && head -1 <<<"$rings"
}

# look LAUNCHES [RING]: $SEEN is what check says; `seen KEY` one of it.
look() { SEEN=$("$BUILD/spill/check" "${2:-$(ring)}" "$1" 2>&1); }
seen() { sed -n "s/^$1 //p" <<<"$SEEN"; }

# has_gone_on RECORDS: more than so many have been made; reserved: how many.
LAUNCHES=12000000 # of each thread of a program that is killed: more than it comes to make
reserved() { look "$LAUNCHES"; seen reserved; }
has_gone_on() { [ "$(reserved)" -gt "$1" ]; }

# show KEY...: their values on one line.
show() {
	local key line=
	for key; do line+="${line:+ }$key=$(seen "$key")"; done
	echo "$line"
}
whole() { show missing twice order open odd torn bad_files bad_frames; }
WHOLE="missing=0 twice=0 order=0 open=0 odd=0 torn=0 bad_files=0 bad_frames=0"
