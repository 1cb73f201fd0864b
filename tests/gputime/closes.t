#!/usr/bin/env bash
# The driver's library is closed by the program while our thread is in it, or may come by.
. tests/tap.sh
. tests/gputime/lib.sh

export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_GPU=sample:2

# closed NAME LAUNCHES MS: as without us
closed() {
	mkdir "$TMP/$1"
	VPROF_OUT=$TMP/$1 LD_PRELOAD=$BUILD/libvprof.so timeout 60 "$BUILD/gputime/closes" "$2" "$3" >"$TMP/$1.out" 2>&1
	is "$1: the program goes on" "$? $(cat "$TMP/$1.out")" "0 counted $((4 * $2))"
}
for n in 1 2 3; do
	closed "closed as it begins $n" 20 50
done
# It comes by once a second. How soon there are twins goes by how busy the machine is.
for n in 2000 8000 32000 128000; do
	closed "closed after $n" $n 1500
	[ "$(look "closed after $n" stamped)" = 0 ] || break
done
ok "there were twins" test "$(seen "closed after $n" stamped)" -gt 0
FAKECUDA_DELAY=cuGraphUpload:1000000000 closed "closed while one is made" 40 1500
done_testing
