#!/usr/bin/env bash
# Streams, events, contexts, devices and what kernels need are told, and nobody notices the asking.
. tests/tap.sh
. tests/safety/lib.sh

PROGRAM=$BUILD/tests/shim/objects

# both WHAT ENV...: runs the program plain and traced; the definitions lie in $TMP/defs, the records in $TMP/dump.
both() {
	local what=$1
	shift
	run_both "$@" "$PROGRAM" $what
	"$BUILD/vprof" dump --defs "$OUT"/*.ring >"$TMP/defs"
	"$BUILD/vprof" dump "$OUT"/*.ring >"$TMP/dump"
}
# defs TYPE: their fields.
defs() { awk -v type="$1" '$3 == type { $1 = $2 = $3 = ""; print substr($0, 4) }' "$TMP/defs"; }
# field NAME: of the lines on stdin.
field() { grep -o "\b$1=[^ ]*" | cut -d= -f2 | xargs; }
has() { grep -q -- "$1" <<<"$2" || { echo "no $1 in"; echo "$2"; return 1; }; }
asked() { grep -c 'cuFuncGet\|cuKernelGetAttr\|cuKernelGetParam\|cuDeviceGet\|cuDeviceTotal\|cuThreadExchange\|cuStreamGet\|cuCtxGetDevice\|cuDriverGet' "$TMP/dump"; }

both make
ok "make: the program sees no difference" unchanged
is "functions are loaded by their launch, not by us" "$(head -1 "$TMP/traced.out")" "looked up: not loaded"
is "none of our questions is recorded" "$(asked)" 0
is "streams are numbered" "$(defs stream | field number)" "1 2"
is "streams: flags" "$(defs stream | field flags)" "1 0"
is "streams: the priority that the driver gave" "$(defs stream | field priority)" "0 -5"
is "streams: the device" "$(defs stream | field device)" "0 0"
ok "streams: the context" not has "context=0x0 " "$(defs stream)"
is "events" "$(defs event | sed 's/handle=[^ ]* //')" "- number=1 flags=2"
is "a primary context that is retained twice is one" "$(defs context | sed 's/handle=[^ ]* //')" \
	"- number=1 device=0 kind=2 flags=0"
is "one device" "$(defs device | wc -l)" 1
for want in 'vprof\\x20fake\\x20GPU ' ordinal=0 sm_count=132 warp=32 threads_per_sm=2048 blocks_per_sm=32 \
	registers_per_sm=65536 shared_per_sm=233472 shared_reserved=1024 major=9 driver=13000 \
	uuid=66616b65204750552075756964200000 'memory=[1-9]'; do
	ok "device: $want" has "$want" "$(defs device)"
done
ok "the call that made a stream names it" grep -q 'cuStreamCreate .*made=stream-1\b' "$TMP/dump"

kernel_id() { awk -v name="$1" '$3 == "kernel" && $4 == name { print $2 }' "$TMP/defs" | sed -n "${2:-1}p"; }
facts() { defs facts | grep "kernel=$(kernel_id "$1") "; }
for want in valid=1 registers=64 shared_static=1024 threads_most=1024 ptx=90 binary=90 device=0 param_count=3 \
	param_bytes=40 'params=0:8,8:4,16:24'; do
	ok "facts of a kernel: $want" has "$want" "$(facts regs_64_smem_1024)"
done
ok "facts of a CUkernel" has "registers=40 " "$(facts in_library_regs_40)"
is "facts are asked once for each kernel that was launched" "$(defs facts | wc -l)" 2
is "none of a kernel that was not launched" "$(facts never_launched)" ""
both make VPROF_FACTS=0
is "VPROF_FACTS=0: none" "$(defs facts | wc -l)" 0
is "VPROF_FACTS=0: all launches" "$(grep -c cuLaunchKernel "$TMP/dump")" 7

both capture FAKECUDA_STRICT=1
ok "capture: the program sees no difference" unchanged
ok "no capture was invalidated" not grep -v ': 0$\|was 0$' "$TMP/traced.out"
is "all kernels have facts" "$(defs facts | field valid)" "1 1 1 1 1"

both contexts
ok "contexts: the program sees no difference" unchanged
is "a destroyed context's handle is another one" "$(defs context | field number)" "1 2 3"
is "kinds" "$(defs context | field kind)" "1 1 2"
is "flags" "$(defs context | field flags)" "4 4 0"
is "kernels by their own names" "$(defs kernel | cut -d' ' -f1 | xargs)" "first_regs_48 second_regs_80"
is "and facts" "$(defs facts | field registers)" "48 80"

both reload
ok "reload: the program sees no difference" unchanged
is "the second module comes at the handles of the first" "$(tail -1 "$TMP/traced.out")" "handles: the same"
is "its kernel is another one" "$(defs kernel | cut -d' ' -f1 | xargs)" "same same"
is "and needs other things" "$(defs facts | field param_count)" "1 2"

both "events 200000"
ok "events: the program sees no difference" unchanged
is "an event at an earlier one's handle is told once" "$(defs event | field number)" "1 2"

# ---- modules ----

printf '.version 7.0\n.visible .entry from_file() { ret; }\n' >"$TMP/file.ptx"
images() { defs module | sed 's/handle=[^ ]* //'; }
both "load $TMP/file.ptx"
ok "load: the program sees no difference" unchanged
is "modules: number, kind and size" "$(images | head -7)" "$(cat <<-END
	- number=1 image=3 size=$(images | sed -n 's/^- number=1 image=3 size=//p')
	- number=2 image=1 size=328
	- number=3 image=2 size=64
	- number=4 image=2 size=64
	- number=5 image=0 size=0
	$TMP/file.ptx number=6 image=3 size=$(stat -c %s "$TMP/file.ptx")
	$TMP/file.ptx number=7 image=3 size=$(stat -c %s "$TMP/file.ptx")
END
)"
is "a cubin with its count of sections in the first" "$(images | tail -1)" "- number=15 image=1 size=328"
ok "the record of a load has the size" grep -q 'cuLibraryLoadData.*size=64' "$TMP/dump"
is "nothing is saved unasked" "$(find "$OUT" -name 'module-*' | wc -l) $(defs saved | wc -l)" "0 0"

hash() { python3 -c '
import sys
h = 0xcbf29ce484222325
for b in open(sys.argv[1], "rb").read():
    h = (h ^ b) * 0x100000001b3 % 2**64
print("%016x" % h)' "$1"; }
both "load $TMP/file.ptx" VPROF_SAVE_MODULES=1
ok "saving: the program sees no difference" unchanged
is "each content is one file" "$(cd "$OUT" && ls -A | grep -v ring | sed 's/.*\.//' | sort | xargs)" "cubin cubin fatbin ptx ptx"
is "each load says which" "$(defs saved | wc -l)" 13
for file in "$OUT"/module-*; do
	ok "named by its content: ${file##*/}" has "-$(hash "$file")." "$file"
	is "readable by its owner alone" "$(stat -c %a "$file")" 600
done
ok "a file is saved as it is" cmp "$TMP/file.ptx" "$OUT/module-$(hash "$TMP/file.ptx").ptx"
ok "a definition says name, size and hash" has \
	"^module-$(hash "$TMP/file.ptx").ptx module=.* size=$(stat -c %s "$TMP/file.ptx") hash=0x$(hash "$TMP/file.ptx" | sed 's/^0*//')" \
	"$(defs saved)"
is "what could not be saved is counted" "$("$BUILD/vprof" info "$OUT"/*.ring | grep -o 'saved [0-9]*\|[0-9]* saved\|saved=[0-9]*' | tr -dc 0-9)" 2

# The folder of a later process: its files are there already, but for a link in their place.
link=$OUT/module-$(hash "$TMP/file.ptx").ptx
echo precious >"$TMP/precious"
ln -sf "$TMP/precious" "$link"
traced VPROF_SAVE_MODULES=1 "$PROGRAM" load "$TMP/file.ptx" >/dev/null 2>"$TMP/err"
is "a link is not followed" "$(cat "$TMP/precious")" precious
ok "but replaced" cmp "$TMP/file.ptx" "$link"
is "still one file for each content" "$(find "$OUT" -name 'module-*' | wc -l)" 5
is "no drafts are left" "$(find "$OUT" -name '.module-*' | wc -l)" 0

new_out
traced "$BUILD/fakecuda/client" --threads 16 --launches 60 --kernel a --kernel b --kernel c >/dev/null
"$BUILD/vprof" dump --defs "$OUT"/*.ring >"$TMP/defs"
is "threads that launch a kernel for the first time at once: facts of each are told once" \
	"$(defs facts | field valid)" "1 1 1"

# A question would hang.
for setting in VPROF_ENABLE=0 VPROF_OUT=/dev/null; do
	is "$setting: nothing is asked" "$(traced $setting VPROF_QUIET=1 FAKECUDA_HANG=cuThreadExchangeStreamCaptureMode:1 \
		timeout 10 "$BUILD/fakecuda/client-plt" --launches 2 | grep cuLaunchKernel)" "cuLaunchKernel 2"
done

for symbol in cuFuncGetAttribute cuFuncGetParamInfo cuDeviceGetAttribute cuDeviceGetUuid_v2 cuDeviceGetName \
	cuCtxGetDevice cuThreadExchangeStreamCaptureMode cuDevicePrimaryCtxGetState cuStreamGetPriority; do
	both make FAKECUDA_FAIL=$symbol:0:1
	is "$symbol fails: all launches are there" "$(grep -c cuLaunchKernel "$TMP/dump")" 7
	ok "$symbol fails: the program sees no difference" unchanged
done
done_testing
