#!/usr/bin/env bash
# A call of our own to the driver that does not return holds up no call of the program's.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "python3 reads the rings"
export LD_LIBRARY_PATH=$BUILD/fakecuda
client=$BUILD/gputime/client

# goes_on CALL VERB ARGUMENT...: the call that hangs is our thread's, not the program's; does this end, and right?
goes_on() {
	local call=$1 name=${1%:*}.${1#*:}.$2
	shift
	mkdir "$TMP/$name"
	FAKECUDA_HANG=$call VPROF_OUT=$TMP/$name VPROF_GPU=sample:4 LD_PRELOAD=$BUILD/libvprof.so \
		timeout -s KILL 30 "$client" "$@" >"$TMP/$name.out" 2>&1
	timeout 30 "$client" "$@" >"$TMP/$name.plain" 2>&1
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
# A context that goes is the one thing that waits, for two seconds at most.
SECONDS=0
goes_on cuGraphUpload:1 context 100 300
ok "and each end of a context takes no longer" test "$SECONDS" -le 8
done_testing
