#!/usr/bin/env bash
# picture.sh FILE.png [TRACE] - the demo's trace (or TRACE) in the Perfetto UI, as a picture.
. tests/tap.sh
. tests/readers/lib.sh
need_browser
trace=${2:-}
if [ -z "$trace" ]; then
	run_demo >/dev/null || exit 1
	trace=$TMP/demo/trace.json
fi
perfetto "$trace" "$1" --window "${WINDOW:-120}" >/dev/null && echo "  PICTURE $1"
