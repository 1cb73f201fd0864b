#!/usr/bin/env bash
# What the built library needs and shows: it is loaded into every process, and into old containers.
. tests/tap.sh
lib=$BUILD/libvprof.so
command -v readelf >/dev/null || skip_all "no readelf"

is "it needs libc alone" "$(readelf -dW "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux')" libc.so.6
is "it needs no glibc above 2.28" \
	"$(readelf -VW "$lib" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | sed 's/GLIBC_//' | awk -F. '$1 > 2 || $2 > 28')" ""

exports() { readelf --dyn-syms -W "$1" | awk '$7 != "UND" && $5 != "LOCAL" && $6 == "DEFAULT" && $8 { sub(/@.*/, "", $8); print $8 }'; }
is "it shows the driver's names, the doors, NVTX and nothing else" \
	"$(exports "$lib" | grep -vE '^(cu[A-Z][A-Za-z0-9_]*|dlsym|dlvsym|vfork|vprof_[a-z_]*|InitializeInjectionNvtx2)$')" ""
ok "it shows cuLaunchKernel" grep -qx cuLaunchKernel <(exports "$lib")
is "each vprof_ name it shows is described" \
	"$(for name in $(exports "$lib" | grep '^vprof_'); do grep -q "\`$name\`" docs/architecture.md || echo "$name"; done)" ""
ok "its stack is not executable" not grep -q RWE <(readelf -lW "$lib" | grep GNU_STACK)
is "it has no text relocations" "$(readelf -dW "$lib" | grep TEXTREL)" ""
done_testing
