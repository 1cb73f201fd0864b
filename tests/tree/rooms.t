#!/usr/bin/env bash
# Which folder may include which: in-process code and tools know each other only by include/vprof/.
. tests/tap.sh

# reaches FOLDERS... -- PATTERN: the #include lines of these folders that name another room.
reaches() {
	local folders=()
	while [ "$1" != -- ]; do folders+=("$1"); shift; done
	grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](\.\./)*($2)/" "${folders[@]}" --include='*.[chS]' --include='*.def'
}

is "in-process code includes no tool" "$(reaches preload shim -- 'tools|tests')" ""
is "the recording half knows nothing of CUDA" "$(reaches preload -- shim)" ""
is "tools include nothing of the process's half" "$(reaches tools -- 'preload|shim|tests')" ""
is "the contract includes nothing of either" "$(reaches include -- 'preload|shim|tools|tests')" ""
is "the shim uses what preload/ offers it" \
	"$(reaches shim -- preload | grep -vE 'preload/(inner|record|compiler|testpoint|lookup|libc|text|clock|holdings|thread)\.h')" ""

# The check sees a line that breaks the rule.
mkdir -p "$TMP/tools"
echo '#include "preload/record.h"' >"$TMP/tools/x.c"
is "a tool that does is found" "$(cd "$TMP" && reaches tools -- 'preload|shim' | wc -l)" 1

# A question about a stream may end its capture: shim/ask.h alone asks them, and knows when.
is "nothing is asked of a stream but through shim/ask.h" "$(grep -rn 'vprof_ask\.stream_' shim preload | grep -v '^shim/ask\.h:')" ""

# No printing, no heap, no end of the program in code that lives in somebody else's process.
calls='(malloc|calloc|realloc|free|printf|fprintf|puts|exit|_exit|abort|dlopen|pthread_mutex_lock)'
is "in-process code calls nothing of the program's heap, stdio or exit" \
	"$(grep -nE "(^|[^_a-zA-Z>.\"])$calls\(" preload/*.[ch] shim/*.[ch] | grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)' | grep -vE '"[^"]*'"$calls"'\(|__attribute__')" ""
done_testing
