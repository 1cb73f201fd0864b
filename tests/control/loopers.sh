# loopers.sh - processes to be controlled, on the fake driver. Source it after tests/tap.sh.
BUILD=$(realpath "$BUILD")
vprof=$BUILD/vprof
OUT=$TMP/out
unset "${!VPROF_@}" LD_PRELOAD
export VPROF_OUT=$OUT
pids=()
trap 'kill -CONT "${pids[@]}" 2>/dev/null; kill -9 "${pids[@]}" 2>/dev/null; wait 2>/dev/null; drop "$TMP"' EXIT

# begin TITLE ARGUMENT...: a looper of that title; its pid is in $last when it is ready.
begin() {
	local title=$1 ready
	shift
	mkfifo "$TMP/ready"
	(
		export LD_LIBRARY_PATH=$BUILD/fakecuda LD_PRELOAD=$BUILD/libvprof.so
		exec -a "$title" "$BUILD/control/looper" "$@"
	) >"$TMP/ready" &
	last=$!
	pids+=("$last")
	read -r ready <"$TMP/ready"
	rm "$TMP/ready"
}
ring() { echo "$OUT"/*."$1".*.ring; }
# json FILE FIELD: of an array of processes, or of what start and stop print, one value each.
json() { python3 -c 'import json,sys; a=json.load(open(sys.argv[1])); print(*[p[sys.argv[2]] for p in (a if isinstance(a, list) else a["processes"])])' "$@"; }
code() { "$@" >"$TMP/text" 2>"$TMP/errors"; echo $?; }
