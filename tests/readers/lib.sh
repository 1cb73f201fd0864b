# lib.sh - what the tests in real readers share. Source it after tests/tap.sh.

VENV=${VENV:-build/venv}

# need_python MODULE...
need_python() {
	[ -x "$VENV/bin/python" ] || skip_all "no $VENV: make setup makes it"
	"$VENV/bin/python" -c "import $(echo "$*" | sed 's/ /, /g')" 2>/dev/null || skip_all "$VENV lacks one of: $*"
}

need_browser() {
	command -v chromium >/dev/null || skip_all "no chromium"
	command -v chromedriver >/dev/null || skip_all "no chromedriver (Debian: chromium-driver)"
	need_python viztracer selenium
}

# made FOLDER [SHIFT]: the traces of a made-up program of two ranks, see made.py.
made() {
	python3 tests/readers/made.py "$1.rings" "${2:-0}" && "$BUILD/vprof-merge" --format kineto -o "$1" "$1.rings"
}

# Runs the demo on the fake driver; its rings and trace.json are in $TMP/demo afterwards.
run_demo() { DRIVER=fake OUT=$TMP/demo BUILD=$BUILD examples/demo.sh; }

# perfetto TRACE [PICTURE]: what the Perfetto UI's page knows of a trace, see perfetto.py.
perfetto() { timeout 150 "$VENV/bin/python" tests/readers/perfetto.py "$@"; }
