#!/usr/bin/env bash
# The table against a real cuda.h and cudaTypedefs.h, and a real libcuda.so stub where there is one.
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
rows, excepts, styles = [], set(), {}
for line in open("shim/cuda_api.def"):
    m = re.match(r"CU_(ROW|ALIAS)\((.*)\)$", line)
    if m:
        f = [x.strip() for x in m[2].split(",")]
        rows.append((m[1], f[0], f[1], int(f[2]), int(f[3]), int(f[6])))
        styles[f[0]] = f[5]
    m = re.match(r"CU_EXCEPT\((\w+),", line)
    if m:
        excepts.add(m[1])

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
    # Every function, in all its versions and under both flags, is hooked or an exception.
    have = {(base, version, flags) for _, _, base, version, flags, _ in rows}
    for key in sorted(types):
        if key[0] not in excepts and key not in have:
            print("no row for", *key)
elif what == "classes":
    # A C++ program in which the compiler tells what each argument is.
    print("#include <cstdio>\n#include <type_traits>\n#include \"cudaTypedefs.h\"\n#include \"cudaProfilerTypedefs.h\"")
    print("""
template <class T> int word() { return !std::is_floating_point<T>::value && sizeof(T) <= 8; }
template <class R, class... A> void row(const char *symbol, int nargs, int plain, R (*)(A...))
{
	const int words[] = { 1, word<A>()... };
	int all = 1;

	for (int one : words)
		all &= one;
	if ((int)sizeof...(A) != nargs)
		printf("%s takes %d arguments, not %d\\n", symbol, (int)sizeof...(A), nargs);
	if (!std::is_same<R, CUresult>::value)
		printf("%s returns something else\\n", symbol);
	if (plain && !all)
		printf("%s is plain, and has an argument that is no machine word\\n", symbol);
	if (!all)
		by_value++;
}""".replace("template <class T>", "static int by_value;\ntemplate <class T>", 1))
    print("int main()\n{")
    for kind, symbol, base, version, flags, nargs in rows:
        if kind == "ROW" and version <= newest:
            suffix = next((s for s in ("_ptsz", "_ptds") if symbol.endswith(s)), "")
            print('\trow("%s", %d, %d, (PFN_%s_v%d%s)0);' % (symbol, nargs, styles[symbol] == "PLAIN", base, version, suffix))
    print('\tprintf("%d by value\\n", by_value);\n}')
elif what == "exported":
    stub = next((p for p in (os.path.join(include, "../lib64/stubs/libcuda.so"),
                             os.path.join(include, "../lib/stubs/libcuda.so")) if os.path.exists(p)), None)
    if stub:
        out = subprocess.run(["nm", "-D", stub], capture_output=True, text=True, check=True).stdout
        names = {l.split()[2] for l in out.splitlines() if " T " in l}
        for kind, symbol, _, version, _, _ in rows:
            if version <= newest and (symbol in names) != (kind == "ROW"):
                print(symbol)
        for symbol in sorted(names - excepts - {r[1] for r in rows}):
            print("no row for", symbol)
PY
compare() { python3 "$TMP/compare.py" "$1" "$include" 2>&1; }

is "every row is in the header, with its version, flags and arguments" "$(compare rows)" ""
is "later versions have higher suffixes" "$(compare order)" ""
is "every function is hooked in all its versions, or an exception" "$(compare complete)" ""
is "rows are exported by the driver, aliases are not, and nothing else is" "$(compare exported)" ""
if command -v g++ >/dev/null && g++ -E -I"$include" -include cuda.h -x c++ /dev/null >/dev/null 2>&1; then
	compare classes >"$TMP/classes.cc"
	g++ -std=c++11 -w -D__CUDA_API_VERSION_INTERNAL -I"$include" "$TMP/classes.cc" -o "$TMP/classes" 2>"$TMP/errors" || diag "$(head -5 "$TMP/errors")"
	is "arguments are what the rows say; six functions take floats or structs by value" "$("$TMP/classes")" "6 by value"
fi
done_testing
