#!/usr/bin/env bash
# A call of our own to the driver that does not return holds up no call of the program's.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda
client=$BUILD/gputime/client

# hanging CALL NAME VERB ARGUMENT...
hanging() {
	drop "$TMP/$2"
	mkdir "$TMP/$2"
	FAKECUDA_HANG=$1 VPROF_OUT=$TMP/$2 VPROF_GPU=sample:4 LD_PRELOAD=$BUILD/libvprof.so \
		timeout -s KILL 30 "$client" "${@:3}" >"$TMP/$2.out" 2>&1 </dev/null
}
# goes_on CALL VERB ARGUMENT...: the call that hangs is our thread's, not the program's; does this end, and right?
goes_on() {
	local call=$1 name=${1%:*}.${1#*:}.$2
	shift
	hanging "$call" "$name" "$@"
	timeout 30 "$client" "$@" >"$TMP/$name.plain" 2>&1 </dev/null
	is "$call never returns: $1" "$(cat "$TMP/$name.out")" "$(cat "$TMP/$name.plain")"
	is "$call never returns: nothing is stamped" \
		"$(python3 tests/gputime/seen.py "$TMP/$name"/*.ring | sed -n 's/^stamped //p')" 0
}

# In this order: the module, what stamps cost (two graphs), the copy of a graph, its twin, and its upload.
for call in cuModuleLoadData:2 cuGraphInstantiateWithFlags:2 cuGraphClone:2 cuGraphInstantiateWithFlags:4 cuGraphUpload:1; do
	goes_on "$call" chain 400 300
	goes_on "$call" change 400 300
	# (An update is cloned by the program's own thread.)
	[ "$call" = cuGraphClone:2 ] || goes_on "$call" update 400 300
done
# A context that goes is the one thing that waits, for two seconds at most; here there are two. A busy machine adds to that.
goes_on cuGraphUpload:1 context 100 300
for _ in 1 2 3 4 5; do
	SECONDS=0
	hanging cuGraphUpload:1 ends context 100 300
	took=$SECONDS
	[ "$took" -gt 6 ] || break
done
ok "and each end of a context takes no longer" test "$took" -le 6
done_testing
