#!/usr/bin/env bash
# The gdb script's layout tables are those of ring.h.
. tests/tap.sh

command -v python3 >/dev/null || skip_all "no python3"

# What differs between the tables of script $1 and ring.h, one a line.
differences() {
	python3 tests/gdb/layout.py "$1" >"$TMP/layout.c" &&
		${CC:-cc} -Iinclude "$TMP/layout.c" -o "$TMP/layout" && "$TMP/layout"
}

found=$(differences tools/gdb/vprof.py)
is "no field or constant differs" "$(grep -v '^checked' <<<"$found")" ""
ok "more than 100 were compared" test "$(sed -n 's/^checked //p' <<<"$found")" -gt 100

# The comparison sees what it is for.
sed 's/"t0": (8, 8)/"t0": (16, 8)/' tools/gdb/vprof.py >"$TMP/wrong.py"
is "a wrong offset is named" "$(differences "$TMP/wrong.py" | grep -v '^checked')" "vprof_slot.t0 offset"
done_testing
