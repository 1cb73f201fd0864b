#!/usr/bin/env bash
# Lookups of symbols answer as without the preload: the same results, the same dlerror().
# Another tool's preload, in front of ours or behind it, counts and passes on the same.
. tests/tap.sh
. tests/safety/lib.sh

# ---- a machine without a driver ----

# A failed lookup names the object that asked. Of names that begin like the driver's, that is
# the preload, which asked on behalf of the program: a text that nobody parses.
unchanged_but_for_asker() {
	sed -i -E 's/[^ ]+: undefined symbol: cu/OBJECT: undefined symbol: cu/' "$TMP/plain.out" "$TMP/traced.out"
	unchanged
}

no_driver() { DRIVER=$TMP/nowhere "$@"; }
no_driver run_both "$PROGRAMS/lookups" none
ok "without a driver: every lookup as without us" unchanged_but_for_asker
ok "without a driver: cuInit is not to be found" grep -q '^default cuInit: null, error .*undefined symbol: cuInit$' "$TMP/traced.out"
ok "without a driver: what is not ours is found" grep -q '^libm cos: libm.so.6, error none$' "$TMP/traced.out"
is "without a driver: no ring" "$(rings)" 0
cat >"$TMP/ask.py" <<'EOF'
import ctypes
for lib in (None, "libm.so.6", "libcuda.so.1"):
    try:
        dll = ctypes.CDLL(lib)
    except OSError as e:
        print(lib, e)
        continue
    for name in ("cuInit", "cuLaunchKernel", "cuNoSuchThing", "cos", "malloc"):
        try:
            print(lib, name, getattr(dll, name) is not None)
        except AttributeError as e:
            print(lib, name, e)
    if lib == "libcuda.so.1":
        print(dll.cuInit(0), dll.cuMemFree_v2(ctypes.c_uint64(0)), dll.cuDriverGetVersion(None))
EOF
no_driver run_both python3 "$TMP/ask.py"
ok "without a driver: ctypes as without us" unchanged_but_for_asker
no_driver run_both "$PROGRAMS/throws" "$PROGRAMS/libthrow.so"
ok "without a driver: a program that tries to load it" unchanged

no_driver run_both "$PROGRAMS/own_names"
ok "without a driver: a library's own functions by such names" unchanged
is "without a driver: they make no ring" "$(rings)" 0

# ---- with one ----

run_both "$PROGRAMS/lookups" driver
ok "with a driver: every lookup as without us" unchanged_but_for_asker
ok "with a driver: an unknown symbol is not to be found" \
	grep -q '^driver cuNoSuchThing: null, error .*undefined symbol: cuNoSuchThing$' "$TMP/traced.out"
ok "with a driver: a known one is" grep -q '^driver cuLaunchKernel: libcuda.so.1, error none$' "$TMP/traced.out"
is "lookups alone make no ring" "$(rings)" 0
run_both python3 "$TMP/ask.py"
ok "with a driver: ctypes as without us" unchanged_but_for_asker
cat >"$TMP/unversioned.py" <<'EOF'
import ctypes
print(ctypes.CDLL("libcuda.so").cuInit(0))
EOF
run_both python3 "$TMP/unversioned.py"
ok "a driver loaded by its name without a version" unchanged
is "is recorded as well" "$(rings)" 1
run_both "$PROGRAMS/lookups" threads
ok "lookups from many threads at once" unchanged
ok "lookups from many threads at once: all right" grep -q '^0 threads got wrong' "$TMP/traced.out"
run_both "$PROGRAMS/lookups" local "$PROGRAMS/local_scope.so"
ok "a driver in the caller's own scope" unchanged
ok "a driver in the caller's own scope: found there" grep -q '^cuInit: found' "$TMP/traced.out"
run_both VPROF_ENABLE=0 "$PROGRAMS/lookups" driver
ok "disabled: every lookup as without us" unchanged_but_for_asker
run_both LD_BIND_NOW=1 "$PROGRAMS/lookups" driver
ok "bound at load time: every lookup as without us" unchanged_but_for_asker

# ---- other preloads ----

# beside OTHER PROGRAM...: alone, in front of ours, behind ours; the program and the other preload
# see the same in all three. Behind ours it may be that calls which it makes or hands out by
# itself cannot be recorded; then one line says so.
beside() {
	local other=$PROGRAMS/$1.so name="$1, ${*:2}" place order
	name=${name//"$PROGRAMS/"/}
	shift
	for place in alone front behind; do
		case $place in
		alone)  order=$other ;;
		front)  order=$other:$LIBRARY ;;
		behind) order=$LIBRARY:$other ;;
		esac
		new_out
		plain LD_PRELOAD="$order" "$@" >"$TMP/$place.out" 2>"$TMP/$place.err" 4>"$TMP/$place.counts" </dev/null
		echo "exit $?" >>"$TMP/$place.out"
		# What the preload looks up is its own affair.
		sed -i 's/ lookups.*//' "$TMP/$place.counts"
		sed -i -E 's/[^ ]+: undefined symbol: cu/OBJECT: undefined symbol: cu/' "$TMP/$place.out"
		[ $place != alone ] || continue
		ok "$name, $place: output and exit status" diff "$TMP/alone.out" "$TMP/$place.out"
		ok "$name, $place: the other counts the same" diff "$TMP/alone.counts" "$TMP/$place.counts"
		recorded "$name, $place" "$1"
	done
}

recorded() {
	case $2 in *calls*) ;; *) return ;; esac
	# A dlsym in front of ours that finds the next by dlvsym() finds libc's: ours has no version.
	case "$place $1" in "front other_dlsym, calls,"*) return ;; esac
	is "$1: a ring is made" "$(rings)" 1
	if [ "$place" = behind ] && [ -s "$TMP/behind.err" ]; then
		ok "$1: one line says what is not recorded" grep -q '^vprof: .*another library of this program has' "$TMP/behind.err"
		is "$1: one line" "$(wc -l <"$TMP/behind.err")" 1
	else
		ok "$1: nothing on stderr" diff "$TMP/alone.err" "$TMP/$place.err"
		is "$1: every launch is recorded" "$("$BUILD/vprof" dump "$OUT"/*.ring | grep -c cuLaunchKernel)" 603
	fi
}

for other in exports dlsym early; do
	for program in calls calls-plt; do
		beside other_$other "$PROGRAMS/$program"
	done
	beside other_$other "$PROGRAMS/throws" "$PROGRAMS/libthrow.so"
	DRIVER=$TMP/nowhere beside other_$other "$PROGRAMS/throws" "$PROGRAMS/libthrow.so"
done
DRIVER=$TMP/nowhere beside other_exports "$PROGRAMS/lookups" hooked
is "without a driver: a hook finds nothing behind it, least of all itself" "$(head -1 "$TMP/behind.out")" "result 500"
beside other_early "$PROGRAMS/lookups" driver
DRIVER=$TMP/nowhere beside other_early "$PROGRAMS/lookups" none
is "a constructor may look up before ours has run" "$(plain LD_PRELOAD="$LIBRARY:$PROGRAMS/other_early.so" true 4>&1)" \
	"launches 0 lookups 1"
is "and before it is there" "$(plain LD_PRELOAD="$PROGRAMS/other_early.so:$LIBRARY" true 4>&1)" "launches 0 lookups 1"

done_testing
