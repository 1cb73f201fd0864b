#!/usr/bin/env bash
# coverage.sh - prints docs/coverage.md, made from the rows of shim/cuda_api.def by `vprof coverage`.
set -euo pipefail
cd "$(dirname "$0")/.."
vprof=${BUILD:-build}/vprof

cat <<'HEAD'
# What is recorded of the driver

Made from `shim/cuda_api.def` by `make docs`; `vprof coverage` prints the same, and with the name of a ring also the functions that its program looked up and that the table does not have.

A function is *typed* when its record names what the arguments say (a copy its bytes and addresses, a launch its kernel and grid), *plain* when the record has the first four arguments as numbers, and *query* when it only asks. `VPROF_TRACE` names the groups that are recorded.

## Questions
A function is a query when it changes nothing that a trace tells of, costs next to nothing in the driver, and may be called in a loop or before every other call: is an event or a stream done, which context is current, what are an attribute, a name, a flag. These calls are counted for each thread and function, and recorded one by one only with `query` in `VPROF_TRACE`. Not queries, though they only ask: `cuMemGetInfo`, which can take long and which people look for; `cuEventElapsedTime`; lookups in modules and libraries, which may load code.

## Functions
HEAD
"$vprof" coverage | sed -n '1p'
cat <<'TABLE'

```text
TABLE
"$vprof" coverage | sed -n '3,/^$/p' | sed '/^$/d'
cat <<'TABLE'
```

The GATE is `cuGetProcAddress`: it is not recorded, but what it gives out is ours.

## Left alone
TABLE
"$vprof" coverage | sed -n '/^Not hooked:/,$p' | sed '1d; s/^  \([A-Za-z0-9_]*\) */- `\1`: /'
cat <<'REST'

The functions for OpenGL, EGL and VDPAU are not among the exports of CUDA's link library: they pass through. So does a function that is newer than the table; the ring has its name when the program looked it up.

## Every function
```text
REST
"$vprof" coverage --functions | sed -n '/^  FUNCTION /,/^$/p' | sed '/^$/d'
echo '```'
