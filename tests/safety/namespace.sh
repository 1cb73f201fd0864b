# namespace.sh - a test in a mount namespace of its own: the file systems that it mounts are gone with it.
#
# Sourced before tests/tap.sh, since the test begins anew in there. SAFETY_NAMESPACE is 1 then, or none where
# there can be no such namespace.
if [ -z "$SAFETY_NAMESPACE" ]; then
	export SAFETY_NAMESPACE=1
	unshare -m true 2>/dev/null && exec unshare -m "$0"
	unshare -rm true 2>/dev/null && exec unshare -rm "$0"
	export SAFETY_NAMESPACE=none
fi
