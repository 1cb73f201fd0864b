#!/usr/bin/env bash
# Children of every kind: each has a ring of its own or none, none writes into its parent's,
# and programs behave as without us.
. tests/tap.sh
. tests/safety/lib.sh

forks=$PROGRAMS/forks

# launches KERNEL: how many rings have how many launches of it, "3:1 5:2" - one of 3, two of 5
launches() {
	local ring
	for ring in "$OUT"/*.ring; do
		"$BUILD/vprof" dump "$ring" >"$TMP/dump" || echo "$ring cannot be read" >&2
		grep 'cuLaunchKernel' "$TMP/dump" | grep -cw "$1"
	done | grep -v '^0$' | sort -n | uniq -c | awk '{ printf "%s%s:%s", (NR > 1) ? " " : "", $2, $1 }'
}

# forked KIND RINGS PARENT CHILD [ALL]
forked() {
	run_both "$forks" "$1"
	ok "$1: output and exit status" unchanged
	ok "$1: nothing on stderr" diff "$TMP/plain.err" "$TMP/traced.err"
	is "$1: rings" "$(rings)" "$2"
	is "$1: the parent's launches" "$(launches parent)" "$3"
	is "$1: the child's launches" "$(launches child)" "$4"
	[ $# -lt 5 ] || is "$1: all launches" "$(launches cuLaunchKernel)" "$5"
}

# The driver refuses the calls of a child that was forked, names of kernels included: it launches
# once, and stops.
forked fork       2 "10:1" ""    "1:1 10:1"
forked _Fork      2 "10:1" ""    "1:1 10:1"
forked raw        2 "10:1" ""    "1:1 10:1"
forked twice      3 "10:1" ""    "1:2 10:1"
forked vfork      2 "10:1" "3:1" "3:1 10:1"
forked vfork-only 1 "10:1" ""    "10:1"
forked spawn      2 "10:1" "3:1"
forked system     2 "10:1" "3:1"
forked popen      2 "10:1" "3:1"
forked exec       2 "5:1"  "3:1"
run_both "$forks" handler
ok "fork in a handler, anywhere in a call that is counted" grep -q 'handler: child ended with 0' "$TMP/traced.out"
run_both "$forks" thread
ok "fork beside a thread that launches: output and exit status" unchanged
is "fork beside a thread that launches: a ring for each" "$(rings)" 21

# A process that executes itself keeps its pid and start: two rings, two names.
run_both "$PROGRAMS/calls" then "$PROGRAMS/calls"
ok "exec of itself: output and exit status" unchanged
is "exec of itself: two rings" "$(rings)" 2
is "exec of itself: one pid" "$(for r in "$OUT"/*.ring; do basename "$r" | cut -d. -f2; done | sort -u | wc -l)" 1

# ---- where children write ----

relative() { # NAME OUT-WORDS...
	local name=$1
	shift
	rm -rf "$TMP/here"
	mkdir -p "$TMP/here" "$TMP/elsewhere"
	(cd "$TMP/here" && run=exec traced env -u VPROF_OUT ELSEWHERE="$TMP/elsewhere" "$@" "$forks" chdir >/dev/null)
	is "$name: the child that went elsewhere writes beside its parent" "$(rings "$TMP/here/${folder:-out}")" 2
	ok "$name: nothing is written elsewhere" test -z "$(ls -A "$TMP/elsewhere")"
	drop "$TMP/here/${folder:-out}"
}
relative "no VPROF_OUT"
folder=a/b relative "a relative VPROF_OUT" VPROF_OUT=a/b/

# ---- Python ----

cat >"$TMP/workers.py" <<'EOF'
import ctypes, multiprocessing, os, subprocess, sys

def work(n):
    cuda = ctypes.CDLL("libcuda.so.1")
    ctx, module, function = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    r = [cuda.cuInit(0), cuda.cuCtxCreate_v2(ctypes.byref(ctx), 0, 0),
         cuda.cuModuleLoadData(ctypes.byref(module), b"fake"),
         cuda.cuModuleGetFunction(ctypes.byref(function), module, b"py_%d" % n)]
    for _ in range(4):
        r.append(cuda.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, None, None, None))
    return n, r

if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2, maxtasksperchild=1) as pool:
            print(method, sorted(pool.map(work, range(4), chunksize=1)))
    code = subprocess.run([sys.argv[1], "child"], env=dict(os.environ, EXTRA="1")).returncode
    print("subprocess", code)
    print("subprocess, own session", subprocess.Popen([sys.argv[1], "child"], start_new_session=True).wait())
    print("no environment", subprocess.run(["/bin/sh", "-c", "echo done"], env={}, capture_output=True).stdout)
EOF
run_both python3 "$TMP/workers.py" "$forks"
ok "Python's workers: output and exit status" unchanged
ok "Python's workers: nothing on stderr" diff "$TMP/plain.err" "$TMP/traced.err"
ok "Python's workers succeed" grep -q 'forkserver.*(3, \[0, 0, 0, 0, 0, 0, 0, 0\])' "$TMP/traced.out"
is "Python's workers: a ring for each that made a call, for nobody else" "$(rings)" 14
is "Python's workers: four launches in each" "$(for n in 0 1 2 3; do launches py_$n; echo; done | sort -u)" "4:3"

done_testing
