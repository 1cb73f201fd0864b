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
# What every process runs and writes of it, CUDA or not, lies where the loader reads and writes anyway: each other
# page is a fault, and those were a third of what the library adds to an exec.
at_load='vprof_load|vprof_unload|vprof_config_load|vprof_fork_init|vprof_nvtx_announce|vprof_own_path|match_own'
at_load+='|vprof_environ_initial|vprof_environ_value|vprof_environ_put|make_exit_key'
code() { nm "$lib" | grep -E " [tT] ($at_load)$"; }
is "what is run at load is there" "$(code | wc -l)" 11
is "in the first 64 KiB, behind the symbols" "$(code | grep -v '^000000000000')" ""

# section NAME: first and last page
section() {
	local address size
	read -r address size < <(readelf -SW "$lib" | awk -v name="$1" '{ sub(/.*\]/, "") } $1 == name { print $3, $5 }')
	echo $((0x$address >> 12)) $(((0x$address + 0x$size - 1) >> 12))
}
read -r _ slots < <(section .got.plt)
is "what is written then, in the page of the PLT's slots" "$(section .data)" "$slots $slots"
read -r start bytes < <(readelf -lW "$lib" | awk '$1 == "LOAD" && $7 == "RW" { print $3, $5 }')
is "no page has both bytes of the file and zeroes of the loader" $(((start + bytes) % 4096)) 0
done_testing
