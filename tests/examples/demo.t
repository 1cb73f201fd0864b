#!/usr/bin/env bash
# The demo leaves one run's rings, however often it runs.
. tests/tap.sh
BUILD=$(realpath "$BUILD")

demo() { DRIVER=fake OUT=$TMP/demo BUILD=$BUILD examples/demo.sh; }
pages() { find "$TMP/demo" -name '*.ring' -exec readlink -f {} \; | sort; }

ok "it runs" demo
pages >"$TMP/first"
ok "and once more" demo
pages >"$TMP/second"
is "three rings each" "$(wc -l <"$TMP/first") $(wc -l <"$TMP/second")" "3 3"
is "of the first none is left" "$(xargs ls <"$TMP/first" 2>/dev/null)" ""
drop "$TMP/demo"
done_testing
