#!/usr/bin/env bash
# The table against a real cudaTypedefs.h and a real libcuda.so stub, where there are any.
. tests/tap.sh
command -v python3 > /dev/null || skip_all "no python3"

for folder in ${CUDA_HOME:+"$CUDA_HOME/include"} /usr/local/cuda/include \
	$(python3 -c 'import nvidia.cuda_runtime as m; print(list(m.__path__)[0] + "/include")' 2> /dev/null) \
	$(python3 -c 'import nvidia.cu13 as m; print(list(m.__path__)[0] + "/include")' 2> /dev/null) \
	"${VENV:-build/venv}"/lib/python3*/site-packages/nvidia/cu13/include; do
	[ ! -f "$folder/cudaTypedefs.h" ] || { include=$folder; break; }
done
[ -n "${include:-}" ] || skip_all "no cudaTypedefs.h"
diag "headers: $include"

# compare WHAT: prints the rows that do not hold.
cat > "$TMP/compare.py" <<'PY'
import os, re, subprocess, sys

what, include = sys.argv[1:]
rows = []
for line in open("shim/cuda_api.def"):
    m = re.match(r"CU_(ROW|ALIAS)\((.*)\)$", line)
    if m:
        f = [x.strip() for x in m[2].split(",")]
        rows.append((m[1], f[0], f[1], int(f[2]), int(f[3]), int(f[6])))

text = ""
for name in "cudaTypedefs.h", "cudaProfilerTypedefs.h":
    path = os.path.join(include, name)
    if os.path.exists(path):
        text += re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
types = {}
for base, version, per_thread, args in re.findall(
        r"typedef\s+CUresult\s*\(CUDAAPI\s*\*\s*PFN_(cu\w+?)_v(\d+)(_pt(?:sz|ds))?\)\s*\((.*?)\)\s*;", text, re.S):
    n = 0 if args.strip() in ("", "void") else args.count(",") + 1
    types[base, int(version), 2 if per_thread else 0] = n
newest = max(v for _, v, _ in types)

if what == "rows":
    for kind, symbol, base, version, flags, nargs in rows:
        if kind == "ALIAS" or version > newest:
            continue
        if (base, version, flags) not in types:
            print(symbol, "is not in the header as", base, version, flags)
        elif types[base, version, flags] != nargs:
            print(symbol, "takes", types[base, version, flags], "arguments, not", nargs)
elif what == "order":
    # The suffix of a symbol rises with the version.
    suffix = lambda s: int((re.search(r"_v(\d)(?:_|$)", s) or [0, 1])[1])
    by = {}
    for kind, symbol, base, version, flags, _ in rows:
        if kind == "ROW":
            by.setdefault((base, flags), []).append((version, suffix(symbol), symbol))
    for group in by.values():
        group.sort()
        for a, b in zip(group, group[1:]):
            if a[1] >= b[1]:
                print(a[2], "and", b[2], "are the wrong way round")
elif what == "complete":
    # All versions and flags of a hooked function are hooked.
    have = {(base, version, flags) for _, _, base, version, flags, _ in rows}
    bases = {r[2] for r in rows}
    for key in sorted(types):
        if key[0] in bases and key not in have:
            print("no row for", *key)
elif what == "exported":
    stub = next((p for p in (os.path.join(include, "../lib64/stubs/libcuda.so"),
                             os.path.join(include, "../lib/stubs/libcuda.so")) if os.path.exists(p)), None)
    if stub:
        out = subprocess.run(["nm", "-D", stub], capture_output=True, text=True, check=True).stdout
        names = {l.split()[2] for l in out.splitlines() if " T " in l}
        for kind, symbol, _, version, _, _ in rows:
            if version <= newest and (symbol in names) != (kind == "ROW"):
                print(symbol)
PY
compare() { python3 "$TMP/compare.py" "$1" "$include" 2>&1; }

is "every row is in the header, with its version, flags and arguments" "$(compare rows)" ""
is "later versions have higher suffixes" "$(compare order)" ""
is "a hooked function is hooked in all its versions" "$(compare complete)" ""
is "rows are exported by the driver, aliases are not" "$(compare exported)" ""
done_testing
