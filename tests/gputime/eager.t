#!/usr/bin/env bash
# What is put onto streams is timed by stamps and gates: the program is the same with them, and the times are right.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda FAKECUDA_COPY_NS=3000
client=$BUILD/gputime/eager
unset VPROF_GPU VPROF_GPU_EAGER VPROF_GPU_SPANS

# traced NAME WINDOW VERB ARGUMENT...: its events in NAME.list
traced() {
	local name=$1 window=$2
	shift 2
	mkdir "$TMP/$name"
	VPROF_OUT=$TMP/$name VPROF_GPU_EAGER=$window LD_PRELOAD=$BUILD/libvprof.so timeout 60 "$client" "$@" >"$TMP/$name.out" 2>&1
	timeout 60 "$client" "$@" >"$TMP/$name.plain" 2>&1
	is "$name: the program does what it does without" "$(cat "$TMP/$name.out")" "$(cat "$TMP/$name.plain")"
	"$BUILD/gputime/list" "$TMP/$name"/*.ring >"$TMP/$name.list"
}
# events NAME [PATTERN]: how many lines of the list have that
events() { grep -v '^counts\|^clock' "$TMP/$1.list" | grep -c -- "${2-.}"; }
# right NAME PATTERN NS: of those that have it so many took that, in percent. The fake driver's threads come late at
# times on a busy machine, and with them what follows.
right() {
	grep -v '^counts\|^clock' "$TMP/$1.list" | grep -- "$2" | awk -F '\t' -v ns="$3" '
		{ took = substr($6, 8) - substr($5, 8); good += took >= ns - 250 && took <= ns + 250 }
		END { print int(100 * good / (NR ? NR : 1)) }'
}
lost() { python3 -c 'import struct, sys; print(struct.unpack_from("<Q", open(sys.argv[1], "rb").read(), 8192 + 64 + 14 * 8)[0])' "$TMP/$1"/*.ring; }
all_right() { # NAME
	ok "$1: kernels took what they took" test "$(right "$1" spin_20us 20000)" -ge 97 -a "$(right "$1" spin_10us 10000)" -ge 97
	ok "$1: copies and sets did" test "$(right "$1" '^copy' 3000)" -ge 97 -a "$(right "$1" '^set' 3000)" -ge 97
	is "$1: all have their launch, and nothing is lost" "$(sed -n 's/.*\(no_launch=[0-9]*\).*/\1/p' "$TMP/$1.list") $(lost "$1")" "no_launch=0 0"
}

traced off off busy 200 0
is "off: nothing is timed" "$(events off)" 0
traced busy always busy 3000 0
all_right busy
ok "a busy stream: from stamp to stamp" test "$(events busy '	stream	')" -gt 2000
ok "most of its operations" test "$(events busy)" -gt 9000
traced idle always idle 400 100
all_right idle
ok "an idle one: behind gates" test "$(events idle '	gated	')" -gt 800
is "and only there" "$(events idle '	stream	')" 0
traced legacy always legacy 1500 0
all_right legacy
traced own always own 1500 0
all_right own

done_testing
