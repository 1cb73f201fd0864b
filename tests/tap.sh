# tap.sh - results of a shell test in the Test Anything Protocol. Source it from
# a test (tests/*/*.t), which runs in the repository root with BUILD set:
#
#	. tests/tap.sh
#	ok "two files" test "$(ls | wc -l)" = 2
#	done_testing
#
# TMP is a folder of the test's own, removed at the end.

BUILD=${BUILD:-build}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/vprof-test.XXXXXX")
trap 'drop "$TMP"' EXIT
# drop FOLDER: removes it, and the rings on tmpfs that links in it lead to; a link elsewhere is a test's own.
drop() {
	find "$1" -name '*.ring' -lname '/dev/shm/vprof-*' -printf '%l\0' 2>/dev/null | xargs -0 -r rm -f
	rm -rf "$1"
}

tap_run=0
tap_failed=0

# ok NAME COMMAND...: passes when the command does; its output is shown when it fails.
ok() {
	local name=$1 out
	shift
	tap_run=$((tap_run + 1))
	if out=$("$@" 2>&1); then
		echo "ok $tap_run - $name"
	else
		echo "not ok $tap_run - $name"
		tap_failed=$((tap_failed + 1))
		echo "# failed: $*"
		[ -z "$out" ] || printf '%s\n' "$out" | head -40 | sed 's/^/# /'
	fi
}

# is NAME GOT WANTED: passes when both are the same text.
is() {
	tap_run=$((tap_run + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap_run - $1"
	else
		echo "not ok $tap_run - $1"
		tap_failed=$((tap_failed + 1))
		printf 'got:    %s\nwanted: %s\n' "$2" "$3" | head -40 | sed 's/^/# /'
	fi
}

# not COMMAND...: succeeds when the command fails, for use with ok.
not() { ! "$@"; }

# says WANTED COMMAND...: succeeds when that is what the command prints.
says() { [ "$("${@:2}" 2>/dev/null)" = "$1" ]; }

# until_true COMMAND...: waits for the command to succeed, a minute at most. What a test counts on is waited for and
# not slept for: on a busy machine it comes late.
until_true() {
	local patience=$((SECONDS + 60))
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$patience" ] || return 1
		sleep 0.05
	done
}

# becomes NAME WANTED COMMAND...: passes when the command prints that, now or before patience ends.
becomes() {
	until_true says "${@:2}"
	is "$1" "$("${@:3}")" "$2"
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing() {
	echo "1..$tap_run"
	exit $((tap_failed > 0))
}
