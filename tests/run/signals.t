#!/usr/bin/env bash
# Signals that vprof run gets reach the command once each, as without it.
. tests/tap.sh
. tests/run/lib.sh
exec python3 "$OLDPWD/tests/run/signals.py" "$vprof"
