#!/usr/bin/env bash
# make install puts a working product under DESTDIR and PREFIX, and uninstall takes it away.
. tests/tap.sh
MAKEFLAGS=
export MAKEFLAGS
mk() { make --no-print-directory BUILD="$BUILD" DESTDIR="$TMP/root" PREFIX=/opt/vprof "$@"; }
root=$TMP/root/opt/vprof

ok "make install" mk install
is "what it put there" "$(cd "$root" && find . -type f | sort)" "$({ printf '%s\n' docs/man/*.1 | sed 's|^docs/man|./share/man/man1|'; cat <<'LIST'
./bin/vprof
./bin/vprof-merge
./include/vprof/cut.h
./include/vprof/ring.h
./include/vprof/ring_control.h
./include/vprof/ring_defs.h
./include/vprof/ring_gpu.h
./include/vprof/ring_records.h
./include/vprof/spill.h
./include/vprof/step.h
./include/vprof/steps.h
./include/vprof/times.h
./include/vprof/slow.h
./include/vprof/vprof.h
./lib/libvprof.so
./lib/pkgconfig/vprof.pc
./lib/vprof/cupti_times.so
./share/bash-completion/completions/vprof
./share/bash-completion/completions/vprof-merge
./share/man/man7/libvprof.7
./share/vprof/gdb/vprof.py
./share/vprof/python/vprof.py
./share/zsh/site-functions/_vprof
LIST
} | sort)"

# The installed things, used together from another folder.
ok "the installed library traces" env -C "$TMP" LD_LIBRARY_PATH="$(cd "$BUILD" && pwd)/fakecuda" \
	LD_PRELOAD="$root/lib/libvprof.so" VPROF_RING_MB=2 "$(cd "$BUILD" && pwd)/fakecuda/client" --launches 3
ok "the installed merge merges" env -C "$TMP" "$root/bin/vprof-merge" out -o t.json
is "all three launches are there" "$(grep -c '"cuLaunchKernel"' "$TMP/t.json")" 3
ok "the installed vprof reads" env -C "$TMP" "$root/bin/vprof" info out
is "the installed vprof runs a program with its library" \
	"$(env -C "$TMP" "$root/bin/vprof" run sh -c 'echo $LD_PRELOAD' 2>/dev/null)" "$root/lib/libvprof.so"

printf '#include <vprof/ring.h>\nint main(void) { return VPROF_RING_MAJOR != 1; }\n' >"$TMP/reader.c"
ok "a reader builds with the installed header alone" ${CC:-cc} -std=c11 -Wall -Wextra -Werror -I"$root/include" "$TMP/reader.c" -o "$TMP/reader"
ok "and runs" "$TMP/reader"
if command -v pkg-config >/dev/null; then
	is "pkg-config knows the library" \
		"$(PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --variable=library vprof)" /opt/vprof/lib/libvprof.so
fi

ok "make uninstall" mk uninstall
is "leaves no file" "$(find "$root" -type f)" ""
done_testing
