#!/usr/bin/env bash
# A program with AddressSanitizer runs under the preload: it looks functions up before its own strings work.
. tests/tap.sh
. tests/safety/lib.sh
echo 'int main(void) { return 42; }' >"$TMP/p.c"
export ASAN_OPTIONS=verify_asan_link_order=0
ran=0
for cc in gcc clang; do
	$cc -fsanitize=address "$TMP/p.c" -o "$TMP/p" 2>/dev/null || continue
	plain "$TMP/p"
	[ $? = 42 ] || continue
	ran=1
	is "as $cc builds it" "$(traced "$TMP/p"; echo $?)" 42
done
[ $ran = 1 ] || skip_all "no compiler here builds such a program"
done_testing
