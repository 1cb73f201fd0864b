# lib.sh - programs that are timed, and what their rings have. Source it after tests/tap.sh.

# look NAME WHAT: what the ring in $TMP/NAME has of it by now; `seen`: what it had when it was looked at last.
look() {
	python3 tests/gputime/seen.py "$TMP/$1"/*.ring >"$TMP/$1.seen"
	seen "$1" "$2"
}
seen() { sed -n "s/^$2 *//p" "$TMP/$1.seen"; }

has_twins() { [ "$(look "$1" twins)" -ge "$2" ]; }

# rate NAME N: switched from outside: the word is in the control page.
rate() { python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(4096 + 16); f.write(int(sys.argv[2]).to_bytes(4, "little"))' "$TMP/$1"/*.ring "$2"; }

# list NAME: its events in NAME.list; events NAME [PATTERN]: how many lines of the list have that.
list() { "$BUILD/gputime/list" "$TMP/$1"/*.ring >"$TMP/$1.list"; }
events() { grep -v '^counts\|^clock' "$TMP/$1.list" | grep -c -- "${2-.}"; }
streams() { grep -v '^counts\|^clock' "$TMP/$1.list" | cut -f 12 | sort -u | wc -l; }

# Are there times of so many streams, graphs as a whole counting as one?
has_timed() { list "$1" && [ "$(grep -v '^counts\|^clock' "$TMP/$1.list" | awk -F '\t' '{ print $10 == "span" ? $10 : $12 }' | sort -u | wc -l)" -ge "$2" ]; }

# halting NAME CONDITION 'WORD...' PROGRAM...: with the library and without; its outputs are in NAME.out and NAME.plain.
# Each time that the program halts it goes on when CONDITION NAME WORD holds for the next word, then at once.
halting() {
	local name=$1 condition=$2 words=$3 word go
	shift 3
	drop "$TMP/$name"
	rm -f "$TMP/$name.go"
	mkdir "$TMP/$name"
	mkfifo "$TMP/$name.go"
	VPROF_OUT=$TMP/$name LD_PRELOAD=$BUILD/libvprof.so timeout 300 "$@" <"$TMP/$name.go" >"$TMP/$name.out" 2>&1 &
	exec {go}>"$TMP/$name.go"
	for word in $words; do
		until_true "$condition" "$name" "$word" || diag "$name: not $condition $word"
		(printf x >&"$go") # which is nothing where the program has ended
	done
	exec {go}>&-
	wait $!
	timeout 300 "$@" </dev/null >"$TMP/$name.plain" 2>&1
}

# of_streams CLIENT: what a test of what is put onto streams by it needs.
of_streams() {
	command -v python3 >/dev/null || skip_all "python3 reads the rings"
	export LD_LIBRARY_PATH=$BUILD/fakecuda FAKECUDA_COPY_NS=3000 VPROF_GPU=off
	client=$BUILD/gputime/$1
	unset VPROF_GPU_EAGER VPROF_GPU_SPANS
}

# Of what is put onto streams, by $client.
# traced NAME WINDOW VERB ARGUMENT...: its events in NAME.list. Before what counts it launches until there are times of so
# many streams as TIMED says, a word for each time. A busy machine may keep the program from launching in time again and
# again: it has five tries to have RIGHT of a hundred right.
traced() {
	for _ in 1 2 3 4 5; do
		VPROF_GPU_EAGER=$2 halting "$1" has_timed "${TIMED-1}" "$client" "${@:3}"
		list "$1"
		is_right_for "$1" spin_20us 20690 && is_right_for "$1" spin_10us 10690 && is_right_for "$1" '^copy' 3690 &&
			is_right_for "$1" '^set' 3690 && break
	done
	is "$1: the program does what it does without" "$(cat "$TMP/$1.out")" "$(cat "$TMP/$1.plain")"
}
is_right_for() { [ "$(events "$1" "$2")" = 0 ] || [ "$(right "$1" "$2" "$3")" -ge "${RIGHT-97}" ]; }
# right NAME PATTERN NS [WITHIN]: of those that have it so many took that, in percent. From stamp to stamp they take longer
# where a busy machine does not let the program launch in time.
right() {
	grep -v '^counts\|^clock' "$TMP/$1.list" | grep -- "$2" | awk -F '\t' -v ns="$3" -v in_="${4-250}" '
		{ took = substr($6, 8) - substr($5, 8); good += took >= ns - in_ && took <= ns + in_ }
		END { print int(100 * good / (NR ? NR : 1)) }'
}
lost() { python3 -c 'import struct, sys; print(struct.unpack_from("<Q", open(sys.argv[1], "rb").read(), 8192 + 64 + 14 * 8)[0])' "$TMP/$1"/*.ring; }
