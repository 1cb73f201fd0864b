#!/usr/bin/env bash
# What the trace says of streams, events, contexts, modules, devices and of what kernels need.
. tests/tap.sh
. tests/safety/lib.sh
command -v python3 >/dev/null || skip_all "no python3"

PROGRAM=$BUILD/tests/shim/objects

# trace ARGUMENT...: the program's trace is $TMP/trace.json.
trace() {
	new_out
	traced "$PROGRAM" "$@" >/dev/null
	"$BUILD/vprof-merge" "$OUT"/*.ring >"$TMP/trace.json"
}

# args CALL NAME...: of each slice of the call the arguments with these names, one line each.
args() {
	python3 - "$TMP/trace.json" "$@" <<-'END'
		import json, sys
		call, names = sys.argv[2], sys.argv[3:]
		for e in json.load(open(sys.argv[1]))["traceEvents"]:
		    if e["ph"] == "X" and e["args"]["call"] == call:
		        print(*[e["args"].get(n, "-") for n in names])
	END
}

trace make
is "a new stream's number, priority and device" "$(args cuStreamCreate "stream number" priority "stream flags" device)" "1 0 1 0"
is "a stream with a priority" "$(args cuStreamCreateWithPriority "stream number" priority)" "2 -5"
is "launches have the stream's number, and never the name that readers take for the GPU's" \
	"$(args cuLaunchKernel "stream number" stream | sort | uniq -c | xargs)" "4 1 - 3 2 -"
is "a stream that is destroyed" "$(args cuStreamDestroy_v2 "stream number" | sort -u)" 1
is "and an event" "$(args cuEventDestroy_v2 "event number" "stream number" | sort -u)" "1 -"
is "a stream that waits for an event" "$(args cuStreamWaitEvent "stream number" "event number" | sort -u)" "2 1"
is "an event" "$(args cuEventCreate "event number" "event flags")" "1 2"
is "a context" "$(args cuDevicePrimaryCtxRetain "context number" device | sort -u)" "1 0"
is "modules" "$(args cuModuleLoadData "module number" image)" "1 PTX"
is "what a launch needs" \
	"$(args cuLaunchKernel "registers per thread" "static shared memory" | sort | uniq -c | xargs)" "1 - - 3 40 0 3 64 1024"
# 256 threads of 64 registers: 4 blocks of 8 warps, half of 64. 132 blocks on 132 multiprocessors: one each.
is "occupancy" "$(args cuLaunchKernel "registers per thread" "theoretical occupancy %" "occupancy limit" \
	"est. achieved occupancy %" | sort -u)" "$(printf '%s\n' "- - - -" "40 75 registers 13" "64 50 registers 13")"
is "a failed call stands out" "$(python3 -c '
import json, sys
for e in json.load(open(sys.argv[1]))["traceEvents"]:
    if e["ph"] == "X" and e["args"].get("error"):
        print(e["cname"], e["args"]["error"], e["args"]["error name"])' "$TMP/trace.json")" "terrible 1 CUDA_ERROR_INVALID_VALUE"
is "deviceProperties" "$(python3 -c '
import json, sys
for d in json.load(open(sys.argv[1]))["deviceProperties"]:
    print(d["id"], d["name"], d["uuid"], d["numSms"], d["warpSize"], d["maxThreadsPerMultiprocessor"], d["regsPerBlock"],
          d["sharedMemPerBlock"], d["computeMajor"], d["computeMinor"], d["totalGlobalMem"] > 0)' "$TMP/trace.json")" \
	"0 vprof fake GPU 66616b65-2047-5055-2075-756964200000 132 32 2048 65536 49152 9 0 True"

ok "vprof info says which device" grep -q 'device *0: vprof fake GPU, 132 multiprocessors, .*, compute capability 9.0, driver of CUDA 13.0' \
	<("$BUILD/vprof" info "$OUT"/*.ring)
is "and --json too" "$("$BUILD/vprof" info --json "$OUT"/*.ring | python3 -c '
import json, sys
for d in json.load(sys.stdin)[0]["devices"]:
    print(d["ordinal"], d["name"], d["uuid"], d["multiprocessors"], d["capability"], d["driver"])')" \
	"0 vprof fake GPU 66616b65-2047-5055-2075-756964200000 132 9.0 13000"

printf '.version 7.0\n.visible .entry from_file() { ret; }\n' >"$TMP/file.ptx"
trace load "$TMP/file.ptx"
is "each load's module, by the moment" "$(args cuModuleLoad "module number" image size)" \
	"$(printf '%s\n' "6 PTX $(stat -c %s "$TMP/file.ptx")" "13 PTX $(stat -c %s "$TMP/file.ptx")" "- - -")"
is "images of a library" "$(args cuLibraryLoadData image size | sort -u)" "fatbin 64"

trace contexts
is "contexts at one handle" "$(args cuCtxCreate_v2 "context number" | xargs)" "1 2"

new_out
FAKECUDA_DEVICES=2 traced "$BUILD/fakecuda/client" --copies 3 >/dev/null
FAKECUDA_DEVICES=2 traced "$BUILD/fakecuda/client" --copies 3 >/dev/null
"$BUILD/vprof-merge" "$OUT"/*.ring >"$TMP/trace.json"
is "a device that two processes use is told once" "$(grep -c totalGlobalMem "$TMP/trace.json")" 1
is "a synchronous copy has its pace" "$(python3 -c '
import json, sys
for e in json.load(open(sys.argv[1]))["traceEvents"]:
    if e["ph"] == "X" and e["args"]["call"].startswith("cuMemcpyHtoD"):
        a = e["args"]
        print(abs(a["GB/s"] - a["bytes"] / e["dur"] / 1e3) <= 0.002 + a["GB/s"] / 50)' "$TMP/trace.json" | sort | uniq -c | xargs)" "6 True"
is "an asynchronous one has none" "$(args cuMemcpyDtoHAsync_v2 "GB/s" | sort -u)" -
done_testing
