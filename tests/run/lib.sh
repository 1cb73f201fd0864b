# lib.sh - what the tests of `vprof run` and `vprof env` share. Source it after tests/tap.sh.
#
# Each test works in a folder of its own, $TMP/here, since runs make folders there.

BUILD=$(realpath "$BUILD")
vprof=$BUILD/vprof
client=$BUILD/fakecuda/client
here=$TMP/here
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD
export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_RING_MB=2
mkdir "$here"
# Rings that a run left on tmpfs go with the folder's links, wherever below it they are.
cd "$here" || exit 1

# of FILE EXPRESSION: what Python makes of the JSON in FILE, as `m`.
of() { python3 -c 'import json, sys; m = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
