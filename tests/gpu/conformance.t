#!/usr/bin/env bash
# The conformance program sees on the real driver what it sees on the fake one: line by line,
# and again under the preload; looked up at run time, and linked with the driver (-plt). What the fake driver may differ in is for the program itself to leave out.
. tests/gpu/lib.sh
need_gpu
[ -x "$BUILD/fakecuda/conformance" ] || skip_all "$BUILD/fakecuda/conformance is not built"
[ -e "$BUILD/fakecuda/libcuda.so.1" ] || skip_all "the fake driver is not built"

# once NAME VARIABLE=VALUE...: its output, and its results without numbers and comments.
once() {
	local name=$1
	shift
	timeout -k 5 90 env "$@" "$PROGRAM" >"$DIR/$name.tap" 2>"$DIR/$name.err"
	echo "exit $?" >>"$DIR/$name.tap"
	sed -n 's/^\(not \)\{0,1\}ok [0-9]* *-* */\1ok /p; /^exit/p; /^1\.\./p' "$DIR/$name.tap" >"$DIR/$name"
}

for program in conformance conformance-plt; do
	PROGRAM=$BUILD/fakecuda/$program
	DIR=$OUT/$program
	mkdir -p "$DIR"
	once fake LD_LIBRARY_PATH="$BUILD/fakecuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
	once real VPROF=0
	once real-preload LD_PRELOAD="$LIBVPROF" VPROF_OUT="$DIR/out"
	diag "fake: $(grep -c '^ok' "$DIR/fake") ok, $(grep -c '^not' "$DIR/fake") not; real: $(grep -c '^ok' "$DIR/real") ok," \
		"$(grep -c '^not' "$DIR/real") not; under the preload: $(grep -c '^ok' "$DIR/real-preload") ok," \
		"$(grep -c '^not' "$DIR/real-preload") not"
	for name in fake real real-preload; do
		grep '^not ok' "$DIR/$name.tap" | head -20 | sed "s/^/# $name: /"
		sed -n "s/^# asked/# $name: asked/p" "$DIR/$name.tap"
		[ ! -s "$DIR/$name.err" ] || diag "$name: $(tail -3 "$DIR/$name.err")"
	done
	ok "$program: the program makes checks" test "$(grep -c '^ok' "$DIR/fake")" -gt 5
	ok "$program: the fake driver passes all of them" not grep -q '^not ok\|^exit [^0]' "$DIR/fake"
	ok "$program: the real driver gives the same results" diff "$DIR/fake" "$DIR/real"
	ok "$program: and so it does under the preload" diff "$DIR/fake" "$DIR/real-preload"
	timeout 30 python3 tests/gpu/ringfile.py "$DIR/out" >"$DIR/ringfile.txt" 2>&1
	ok "$program: whose ring holds launches and nothing lost" grep -q '"losses": {}, "launches": [1-9]' "$DIR/ringfile.txt"
done
done_testing
