#!/usr/bin/env bash
# Where no ring can be made, or one has to be made elsewhere: the program's output, exit
# status and every result are those of a run without the preload, one line says why there
# is no ring, what was lost is counted, nothing is left behind, and files are private.
. tests/safety/namespace.sh
. tests/tap.sh
. tests/safety/lib.sh
umask 022
chmod 755 "$TMP"
# Calls that only ask are otherwise counted where there is a ring, and are no loss where there is none.
export VPROF_TRACE=all
# A /dev/shm of our own: other tests make rings in the machine's at the same time.
if [ "$SAFETY_NAMESPACE" = 1 ]; then
	mount --make-rprivate /
	mount -t tmpfs -o size=2g,mode=1777 none /dev/shm
fi

calls=$PROGRAMS/calls
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# ---- what is asked of each case ----

lines() { wc -l <"$1" | tr -d ' '; }
one_line() { [ "$(lines "$TMP/traced.err")" = 1 ] && grep -q "^vprof: .*$1" "$TMP/traced.err" || { cat "$TMP/traced.err"; false; }; }
same_err() { diff "$TMP/plain.err" "$TMP/traced.err"; }
all_lost() { awk '$2 > 600 && $2 == $4 { good = 1 } { print } END { exit !good }' "$TMP/traced.side"; }
none_lost() { awk '$2 > 600 && $4 == 0 { good = 1 } { print } END { exit !good }' "$TMP/traced.side"; }
all_private() { [ -z "$(find -L "$@" -name '*.ring' ! -perm 600 -print)" ]; }
# Only in a namespace of our own is what lies there ours.
shm_files() { [ "$SAFETY_NAMESPACE" = none ] || find /dev/shm -name '*.ring' 2>/dev/null | sort; }

# no_ring NAME COMPLAINT SURROUNDINGS...: none can be made
no_ring() {
	local name=$1 complaint=$2 before
	shift 2
	new_out
	before=$(shm_files)
	run_both "$@"
	ok "$name: output and exit status" unchanged
	ok "$name: one line says why" one_line "$complaint"
	ok "$name: every call is counted as lost" all_lost
	is "$name: nothing is left in the folder" "$(find "$OUT" -type f -o -type l 2>/dev/null)" ""
	is "$name: nothing is left in /dev/shm" "$(shm_files)" "$before"
}

# a_ring NAME COMPLAINT SURROUNDINGS...: one is made all the same; an empty COMPLAINT: without a word
a_ring() {
	local name=$1 complaint=$2
	shift 2
	run_both "$@"
	ok "$name: output and exit status" unchanged
	if [ -n "$complaint" ]; then
		ok "$name: one line on stderr" one_line "$complaint"
	else
		ok "$name: nothing on stderr" same_err
	fi
	ok "$name: no call is lost" none_lost
	is "$name: one ring" "$(find -L "$OUT" -type f -name '*.ring' | wc -l)" 1
	ok "$name: it is private" all_private "$OUT"
	ok "$name: the tools read it" tools_read "$OUT"/*.ring
}

# ---- values of the environment ----

a_ring "usual" "" "$calls"
a_ring "VPROF_RING_AT=bogus" "VPROF_RING_AT=bogus" VPROF_RING_AT=bogus "$calls"
for mb in 0 65537 99999999999 abc -1 1.5 18446744073709551617; do
	a_ring "VPROF_RING_MB=$mb" "VPROF_RING_MB" "VPROF_RING_MB=$mb" "$calls"
done
a_ring "VPROF_QUIET=1 and a bogus value" "" VPROF_RING_AT=bogus VPROF_QUIET=1 "$calls"
a_ring "VPROF_RING_AT=out" "" VPROF_RING_AT=out "$calls"
(
	cd "$TMP" || exit
	mkdir -p here && cd here || exit
	OUT=$(printf 'x%.0s' {1..1100})
	run_arm plain "$calls"
	run_arm traced "$calls"
)
ok "VPROF_OUT too long: output and exit status" unchanged
ok "VPROF_OUT too long: one line on stderr" one_line "VPROF_OUT"
is "VPROF_OUT too long: the default folder holds" "$(rings "$TMP/here/out")" 1
drop "$TMP/here/out"

# ---- the folder ----

mkdir -p "$TMP/place"
echo content >"$TMP/place/file"
folder=$OUT
OUT=$TMP/place/file
run_keep() { run_arm plain "$@"; run_arm traced "$@"; }
no_ring_at() { # the folder cannot be emptied between two arms
	local name=$1 complaint=$2
	shift 2
	run_keep "$@"
	ok "$name: output and exit status" unchanged
	ok "$name: one line says why" one_line "$complaint"
	ok "$name: every call is counted as lost" all_lost
}
no_ring_at "VPROF_OUT is a file" "not a directory\|its name is taken" "$calls"
OUT=$TMP/place/file/below/it
no_ring_at "VPROF_OUT below a file" "not a directory" "$calls"
is "the file is as it was" "$(cat "$TMP/place/file")" content
OUT=$TMP/place/$(printf '%0100d/' {1..9})
OUT=$OUT$(printf "%0$((1010 - ${#OUT}))d" 0)
no_ring_at "a path that is too long" "file name too long" "$calls"
ln -s loop "$TMP/place/loop"
OUT=$TMP/place/loop
no_ring_at "VPROF_OUT is a link to itself" "too many\|taken\|not a directory" "$calls"
ln -s elsewhere "$TMP/place/link"
mkdir "$TMP/place/elsewhere"
OUT=$TMP/place/link
run_keep "$calls"
ok "VPROF_OUT is a link to a folder: output and exit status" unchanged
is "VPROF_OUT is a link to a folder: the ring is there" "$(rings "$TMP/place/elsewhere")" 1
drop "$TMP/place/elsewhere"
OUT=out
run_keep bash -c 'mkdir "$1" && cd "$1" && rmdir "$1" && exec "$0"' "$calls" "$TMP/gone"
ok "the working folder has been removed: output and exit status" unchanged
ok "the working folder has been removed: one line says why" one_line "no such file"
OUT=$folder

# ---- limits ----

no_ring "no file may be written" "limit on file sizes" prlimit --fsize=0 "$calls"
no_ring "files of at most 512 KiB" "limit on file sizes" prlimit --fsize=524288 "$calls"
a_ring "files of at most 2 MiB" "" prlimit --fsize=2097152 "$calls"
is "files of at most 2 MiB: the ring has no more" "$(find -L "$OUT" -name '*.ring' -size +2048k)" ""
no_ring "no descriptor is free" "too many open files" "$calls" eat-descriptors

# Address space: what the program needs by itself is found out, in KiB.
cat >"$TMP/peak.py" <<'EOF'
import subprocess, sys
low, high = 4 << 10, 1 << 20
while high - low > 256:
    half = (low + high) // 2
    p = subprocess.run(["prlimit", f"--as={half << 10}", sys.argv[1]], stdin=subprocess.DEVNULL, capture_output=True)
    enough = p.returncode == 7 and b"no thread" not in p.stdout
    low, high = (low, half) if enough else (half, high)
print(high)
EOF
peak=$(plain python3 "$TMP/peak.py" "$calls")
limits() { echo "--as=$(((peak + $1 * 1024) * 1024))"; }
ok "the program needs $peak KiB of address space" test "$peak" -lt 100000
for more in 16 24 32 48 60 64 66 68 72 80 100 1000; do
	a_ring "address space of $peak KiB + $more MiB" "" prlimit "$(limits $more)" "$calls"
done
# So little that the program has room and a ring has none.
no_ring "too little address space" "cannot allocate memory" prlimit --as=16000000 bash -c 'exec 9<"$0"; exec "$0" one-thread' "$calls"

# ---- names that are taken ----

# In one process image, before its first call, something is put where its ring would go.
cat >"$TMP/plant.sh" <<'EOF'
host=$(uname -n | tr -c 'a-zA-Z0-9\n-' _)
name=$host.$$.$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f20).ring
shm=/dev/shm/vprof-$(id -u)
mkdir -p "$VPROF_OUT" "$shm"
chmod 700 "$shm"
case $1 in
link)     ln -s "$2" "$VPROF_OUT/$name" ;;
nowhere)  ln -s "$2.new" "$VPROF_OUT/$name" ;;
file)     echo mine >"$VPROF_OUT/$name" ;;
folder)   mkdir "$VPROF_OUT/$name" ;;
shm-link) ln -s "$2" "$shm/$name" ;;
shm-file) echo mine >"$shm/$name" ;;
esac
echo "$VPROF_OUT/$name" >"$2.name"
echo "$shm/$name" >"$2.shm"
shift 2
exec "$@"
EOF
victim=$TMP/victim
taken() { # HOW AT
	local name="the name is taken ($1, VPROF_RING_AT=$2)" arm planted
	echo content >"$victim"
	for arm in plain traced; do
		new_out
		rm -f "$victim.new"
		run_arm $arm VPROF_RING_AT="$2" bash "$TMP/plant.sh" "$1" "$victim" "$calls"
		[ $arm = traced ] || rm -f "$(cat "$victim.shm")"
	done
	planted=$(cat "$victim.name")
	ok "$name: output and exit status" unchanged
	ok "$name: nothing on stderr" same_err
	is "$name: the victim is untouched" "$(cat "$victim")" content
	ok "$name: nothing is made through a link" test ! -e "$victim.new"
	ok "$name: the ring has another" test -f "${planted%.ring}-1.ring"
	ok "$name: it is private" all_private "${planted%.ring}-1.ring"
	case $1 in
	file)            is "$name: the file is untouched" "$(cat "$planted")" mine ;;
	folder)          ok "$name: the folder is untouched" test -d "$planted" ;;
	link | nowhere)  ok "$name: the link is untouched" test -L "$planted" ;;
	shm-file)        is "$name: the file is untouched" "$(cat "$(cat "$victim.shm")")" mine ;;
	shm-link)        ok "$name: the link is untouched" test -L "$(cat "$victim.shm")" ;;
	esac
	case $1 in shm-*) rm -f "$(cat "$victim.shm")" ;; esac
}
for how in link nowhere file folder; do
	taken $how auto
	taken $how out
done
if [ -d /dev/shm ] && [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
	taken shm-link shm
	taken shm-file shm
fi

# ---- umasks ----

for mask in 000 077; do
	a_ring "umask $mask" "" bash -c "umask $mask; exec \$0" "$calls"
done

# ---- file systems ----

if [ "$SAFETY_NAMESPACE" = none ]; then
	ok "file systems # SKIP no mount namespace can be made here" true
	done_testing
fi
new_out
mkdir -p "$TMP/small" "$TMP/fixed"

mount -t tmpfs -o size=8m,mode=0777 none "$TMP/small"
OUT=$TMP/small/out
no_ring "full file system" "no space left" "$calls"
a_ring "small file system, small ring" "" VPROF_RING_MB=4 "$calls"
new_out
cp /dev/zero "$TMP/small/rest" 2>/dev/null
no_ring "file system without a byte" "no space left" "$calls"
umount "$TMP/small"

mount -t tmpfs -o size=8m,ro none "$TMP/fixed"
OUT=$TMP/fixed/out
no_ring "folder to be made on a read-only file system" "read-only file system" "$calls"
OUT=$TMP/fixed
no_ring_at "folder on a read-only file system" "read-only file system" "$calls"
umount "$TMP/fixed"

OUT=$TMP/out
for size in 1m 64m; do
	mount -t tmpfs -o size=$size,mode=1777 none /dev/shm
	a_ring "/dev/shm of $size" "" "$calls"
	is "/dev/shm of $size: the ring lies in the folder" "$(find "$OUT" -type f -name '*.ring' | wc -l)" 1
	umount /dev/shm
done
mount -t tmpfs -o size=1m,mode=1777 none /dev/shm
a_ring "/dev/shm of 1m, asked for" "" VPROF_RING_AT=shm "$calls"
umount /dev/shm
mount -t tmpfs -o size=2g,mode=1777,ro none /dev/shm
a_ring "read-only /dev/shm" "" "$calls"
umount /dev/shm

# From here on in a /dev/shm of our own.
mount -t tmpfs -o size=2g,mode=1777 none /dev/shm
mkdir "$TMP/trap"
ln -s "$TMP/trap" "/dev/shm/vprof-$(id -u)"
a_ring "/dev/shm/vprof-UID is a link" "" "$calls"
is "/dev/shm/vprof-UID is a link: nothing goes through it" "$(find "$TMP/trap" -type f)" ""
new_out
rm "/dev/shm/vprof-$(id -u)"
mkdir -m 777 "/dev/shm/vprof-$(id -u)"
a_ring "/dev/shm/vprof-UID is open to all" "" "$calls"
is "/dev/shm/vprof-UID is open to all: not used" "$(shm_files)" ""
new_out
rmdir "/dev/shm/vprof-$(id -u)"
a_ring "umask 777" "" bash -c 'mkdir -p "$VPROF_OUT"; umask 777; exec "$0"' "$calls"
is "umask 777: our folder in /dev/shm is usable" "$(stat -c %a /dev/shm/vprof-$(id -u))" 700

# ---- other users ----

if [ "$(id -u)" != 0 ] || ! "${nobody[@]}" test -r "$LIBRARY" -a -x "$calls" -a -r "$DRIVER/libcuda.so.1"; then
	ok "other users # SKIP not root, or another user cannot read what was built" true
	done_testing
fi
new_out
mkdir "$OUT"
no_ring_user() { # the folder is root's, and stays
	no_ring_at "$1" "$2" "${nobody[@]}" "${@:3}"
	is "$1: nothing is left in the folder" "$(ls -A "$OUT")" ""
	is "$1: nothing is left in /dev/shm" "$(shm_files)" ""
}
no_ring_user "another user's folder" "permission denied" "$calls"
no_ring_user "a missing folder below another user's" "permission denied" env VPROF_OUT="$OUT/a/b" "$calls"
chmod 1777 "$OUT"
rm -rf /dev/shm/vprof-65534
mkdir /dev/shm/vprof-65534
run_keep "${nobody[@]}" "$calls"
ok "a folder open to all: output and exit status" unchanged
ok "another user's folder in /dev/shm is not used" test -f "$(echo "$OUT"/*.ring)" -a ! -L "$(echo "$OUT"/*.ring)"
is "the ring is the user's, and private" "$(stat -c %u:%a "$OUT"/*.ring)" 65534:600
rm -rf /dev/shm/vprof-65534 "$OUT"/*.ring
run_keep "${nobody[@]}" bash -c 'umask 777; exec "$0"' "$calls"
ok "umask 777 of an ordinary user: output and exit status" unchanged
ok "umask 777 of an ordinary user: no call is lost" none_lost
is "umask 777 of an ordinary user: the ring is private" "$(stat -L -c %u:%a "$OUT"/*.ring)" 65534:600
ok "umask 777 of an ordinary user: it lies in /dev/shm" test -L "$(echo "$OUT"/*.ring)"
done_testing
