#!/usr/bin/env bash
# vprof cubin: kernels whose facts are known from their source, in both layouts of cubins, in
# fatbins packed in each way, and in an object file; and files that are damaged.
. tests/tap.sh

vprof=$BUILD/vprof
for packed in tests/cubin/corpus/*.gz; do
	gzip -dc "$packed" >"$TMP/$(basename "$packed" .gz)"
done
cubin() { (cd "$TMP" && "$vprof" cubin "$@"); }
case $vprof in /*) ;; *) vprof=$PWD/$vprof ;; esac

# facts FILE: symbol, static shared memory, stack, parameters, threads, clusters.
facts() {
	cubin --json "$1" | jq -r '.[] | select(.kind == "cubin").kernels[] |
		[.symbol, .shared, .stack, ([.params[] | "\(.offset):\(.size)"] | join(" ")), .param_bytes,
		 (.max_threads // .required_threads // [] | join("x")), (.cluster // [] | join("x")), .max_cluster // "-"] |
		join(",")' | sort
}
# Without clusters and what belongs to them: for GPUs before sm_90.
no_clusters() { sed 's/,64x2x1,2x1x1,-$/,,,-/; s/,4$/,-/'; }
wanted='vprof_cluster,0,0,0:8,8,64x2x1,2x1x1,-
vprof_empty,0,0,,0,,,-
vprof_scale,0,0,0:8 8:8 16:4,20,,,-
vprof_small_cluster,0,0,0:8 8:2 16:8,24,96x1x1,,4
vprof_stack,0,2048,0:8 8:4 12:4,16,,,-
_ZN10vprof_test4turnIfLi1024EEEvPT_4pairc,4096,0,0:8 8:16 24:1,25,128x1x1,,-'
wanted=$(sort <<<"$wanted")
older=$(no_clusters <<<"$wanted")
for file in sm_90 sm_100a cuda_12; do
	is "$file.cubin: what its source says" "$(facts $file.cubin)" "$wanted"
done
is "sm_75.cubin: what its source says" "$(facts sm_75.cubin)" "$older"
for file in plain.fatbin zstd.fatbin lz4.fatbin object.o; do
	is "$file: both cubins" "$(facts $file)" "$(sort <<<"$wanted
$older")"
	is "$file: three images" "$(cubin --json $file | jq -r '.[] | "\(.image) \(.kind) \(.arch)"')" \
		"1 cubin sm_80
2 cubin sm_90
3 ptx sm_90"
done
is "large.cubin: parameters of more than 16 KiB, and no kernel that is none" "$(facts large.cubin)" \
	'vprof_big,0,0,0:20000 20000:8,20008,,,-
vprof_calls,0,32,0:8,8,,,-'
is "the program's constants" "$(cubin --json large.cubin | jq '.[0].constants')" 400
ok "a relocatable cubin says so" grep -q 'relocatable cubin for sm_90, CUDA 13.0' <<<"$(cubin relocatable.cubin)"

# Registers and code as cuobjdump -res-usage and readelf -s tell them.
is "registers and code" "$(cubin --json sm_90.cubin | jq -r '.[0].kernels[] | "\(.registers) \(.code) \(.constant)"' | paste -sd,)" \
	"12 640 553,10 384 552,10 384 536,32 1792 544,10 512 548,4 256 528"
is "who made it" "$(cubin --json sm_90.cubin | jq -r '.[0] | .arch, .toolkit, .tool, .version, .options')" \
	"sm_90
13.0
ptxas
Cuda compilation tools, release 13.0, V13.0.88
-arch sm_90 -m 64 "
is "an architecture's own cubin, both layouts" \
	"$(cubin sm_100a.cubin cuda_12.cubin | sed -n 's/.*cubin for \(.*\), [0-9]* bytes.*/\1/p' | paste -sd';')" \
	"sm_100a, CUDA 13.0, ptxas 13.0.88;sm_90a, CUDA 12.4"

is "one kernel, as a table" "$(cubin --params --kernel 'vprof_test::turn' sm_90.cubin)" \
"sm_90.cubin: cubin for sm_90, CUDA 13.0, ptxas 13.0.88, 14552 bytes, 6 kernels
  CODE  REGS  SHARED  STACK  CONST  PARAMS  BYTES  THREADS  CLUSTER  PARAMETERS     KERNEL
   640    12    4096      0    553       3     25      128        -  0:8 8:16 24:1  void vprof_test::turn<float, 1024>(float*, pair, char)"
ok "a mangled name" grep -q ' _ZN10vprof_test4turn' <<<"$(cubin --raw-names sm_90.cubin)"
is "one architecture" "$(cubin --arch sm_80 zstd.fatbin | grep -c ': image')" 1
ok "nothing that fits" grep -q 'nothing fits' <<<"$(cubin --kernel 'gemm*' sm_90.cubin 2>&1)"
if command -v readelf >/dev/null; then
	is "the sections that readelf sees" \
		"$(cubin --json --sections sm_90.cubin | jq -r '.[0].sections[] | "\(.name) \(.bytes)"')" \
		"$(LC_ALL=C readelf -SW "$TMP/sm_90.cubin" 2>/dev/null | sed -n 's/^ *\[ *[1-9][0-9]*\] *//p' |
			awk '{ bytes = 0; hex = tolower($5); for (i = 1; i <= length(hex); i++)
				bytes = bytes * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1; print $1, bytes }')"
fi
ok "sections as a table" grep -q ' \.nv\.constant0\.vprof_scale$' <<<"$(cubin --sections sm_90.cubin)"

# refused FILE REASON: exit 1, and a message with the file's name.
refused() {
	local out code
	out=$(cubin "$1" 2>&1 >/dev/null)
	code=$?
	is "$1: exit code" $code 1
	ok "$1: '$2'" grep -qF "vprof cubin: $1: $2" <<<"$out"
}
: >"$TMP/empty"
echo hello >"$TMP/text"
head -c 4096 /dev/urandom >"$TMP/noise"
printf '//\n.version 9.0\n.target sm_90\n' >"$TMP/kernels.ptx"
mkdir "$TMP/folder"
mkfifo "$TMP/pipe"
head -c 3000 "$TMP/sm_90.cubin" >"$TMP/cut.cubin"
head -c 64 "$TMP/sm_90.cubin" >"$TMP/head.cubin"
head -c 30 "$TMP/sm_90.cubin" >"$TMP/stub.cubin"
head -c 9000 "$TMP/plain.fatbin" >"$TMP/cut.fatbin"
head -c 9000 "$TMP/object.o" >"$TMP/cut.o"
cp "$TMP/zstd.fatbin" "$TMP/bad.fatbin"
printf 'xxxxxxxx' | dd of="$TMP/bad.fatbin" bs=1 seek=100 conv=notrunc status=none
cp "$TMP/zstd.fatbin" "$TMP/huge.fatbin"
printf '\xff\xff\xff\xff\xff\xff\xff\x7f' | dd of="$TMP/huge.fatbin" bs=1 seek=72 conv=notrunc status=none
cp "$BUILD/vprof" "$TMP/program"
refused empty "is empty"
refused text "is neither a cubin nor a fatbin"
refused noise "is neither a cubin nor a fatbin"
refused kernels.ptx "is PTX text"
refused folder "is no regular file"
refused pipe "is no regular file"
refused gone "No such file"
refused cut.cubin "has no table of sections where it should be"
refused head.cubin "has no table of sections where it should be"
refused stub.cubin "is no ELF file, or cut short"
refused cut.fatbin "has a fatbin that is cut short"
refused cut.o "is a"
refused bad.fatbin "image 1, for sm_80: its packed content is damaged"
refused huge.fatbin "image 1, for sm_80: its sizes contradict each other"
refused program "is an ELF file without GPU code"
is "what is whole beside it is still given" "$(cubin bad.fatbin 2>/dev/null | grep -c ': image')" 2
is "and a file beside it" "$(cubin empty sm_75.cubin 2>/dev/null | grep -c 'sm_75.cubin: cubin for sm_75')" 1
ok "JSON of nothing" test "$(cubin --json empty 2>/dev/null | jq length)" = 0
done_testing
