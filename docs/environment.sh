#!/usr/bin/env bash
# environment.sh - prints docs/environment.md, made from the rows of include/vprof/env.def.
set -euo pipefail
cd "$(dirname "$0")/.."

cat <<'HEAD'
# Environment variables

Made from `include/vprof/env.def` by `make docs`; `vprof help env` prints the same rows. The library reads them once, when it is loaded. A value that does not parse is named in one line on stderr, and the default holds. A `SWITCH` takes `1` or `0`, `on` or `off`; `GROUPS` takes names of groups with commas between, `all` or `none`.

| variable | type | default | what it does |
|---|---|---|---|
HEAD
# The preprocessor splits the rows as the library's parser does.
{
	echo '#define VPROF_ENV(name, type, field, initial, help) @| `name` | type | initial | help |'
	echo '#include "vprof/env.def"'
} | ${CC:-cc} -E -P -Iinclude -x c - | sed -n 's/| "" |/| "@" |/; s/" *"//g; s/| "@" |/| "" |/; s/^@| `\([A-Z_]*\)` | \([A-Z]*\) | "\(.*\)" | "\(.*\)" |$/| `\1` | `\2` | `\3` | \4 |/p'
