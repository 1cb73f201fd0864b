#!/usr/bin/env bash
# Programs with a sanitizer's runtime, which has functions of libc of its own and looks the real ones up while it begins.
. tests/tap.sh
printf 'int main(void) { return 7; }\n' >"$TMP/empty.c"

# runs COMPILER SANITIZER
runs() {
	local program=$TMP/$1-$2
	if ! "$1" -fsanitize="$2" "$TMP/empty.c" -o "$program" 2>/dev/null || { "$program"; [ $? != 7 ]; }; then
		ok "$1 -fsanitize=$2 # SKIP it does not run here" true
		return
	fi
	LD_PRELOAD=$BUILD/libvprof.so "$program" >"$TMP/out" 2>&1
	is "$1 -fsanitize=$2: the program runs, without a word" "$? $(cat "$TMP/out")" "7 "
}

# gcc's AddressSanitizer wants to be first in LD_PRELOAD: asan_program.t.
runs gcc thread
runs gcc undefined
for sanitizer in address thread memory undefined; do
	runs clang $sanitizer
done
done_testing
