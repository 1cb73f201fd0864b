# lib.sh - programs that are timed, and what their rings have. Source it after tests/tap.sh.

# look NAME WHAT: what the ring in $TMP/NAME has of it by now; `seen`: what it had when it was looked at last.
look() {
	python3 tests/gputime/seen.py "$TMP/$1"/*.ring >"$TMP/$1.seen"
	seen "$1" "$2"
}
seen() { sed -n "s/^$2 *//p" "$TMP/$1.seen"; }

has_twins() { [ "$(look "$1" twins)" -ge "$2" ]; }

# halting NAME 'TWINS...' PROGRAM...: with the library and without; its outputs are in NAME.out and NAME.plain. Each time
# that the program halts it goes on when there are as many twins as the next word says, then at once.
halting() {
	local name=$1 wanted=$2 twins go
	shift 2
	drop "$TMP/$name"
	rm -f "$TMP/$name.go"
	mkdir "$TMP/$name"
	mkfifo "$TMP/$name.go"
	VPROF_OUT=$TMP/$name LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$@" <"$TMP/$name.go" >"$TMP/$name.out" 2>&1 &
	exec {go}>"$TMP/$name.go"
	for twins in $wanted; do
		until_true has_twins "$name" "$twins" || diag "$name: no $twins twins"
		printf x >&"$go"
	done
	exec {go}>&-
	wait $!
	timeout 300 "$@" </dev/null >"$TMP/$name.plain" 2>&1
	look "$name" launches >"$TMP/$name.launches"
}
