#!/usr/bin/env bash
# `vprof file` on the ring of a program that goes on: a kernel defined after the ring was opened has its name.
. tests/tap.sh
GDB=${GDB:-gdb}

command -v "$GDB" >/dev/null || skip_all "no gdb"
"$GDB" -nx -batch -ex 'python print(1)' 2>/dev/null | grep -qx 1 || skip_all "this gdb has no Python"

ring() { # FILE KERNEL...: with a launch of each
	local file=$1 i
	shift
	{
		echo ring pid=100
		echo call id=1 family=1 name=cuLaunchKernel
		printf 'kernel name=%s\n' "$@"
		echo chunk lane=0 thread=1 tid=100 comm=app
		for ((i = 1; i <= $#; i++)); do echo "rec t=$i kernel=$i"; done
	} | "$BUILD/tests/forge" "$file"
}
ring "$TMP/now.ring" first
ring "$TMP/later.ring" first second
cat > "$TMP/read.py" <<END
import shutil
ring = Ring(File("$TMP/now.ring"), "file")
shutil.copyfile("$TMP/later.ring", "$TMP/now.ring")
print(*(record.detail().split()[0] for record in ring.records()))
END
is "a name that came after the ring was opened" \
	"$("$GDB" -nx -batch -x tools/gdb/vprof.py -x "$TMP/read.py" 2>&1 | tail -1)" "first second"
done_testing
