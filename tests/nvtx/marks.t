#!/usr/bin/env bash
# A program's marks by vprof.h: in the trace, nested, in every chunk; and nothing at all without us.
. tests/tap.sh
. tests/nvtx/lib.sh
command -v jq >/dev/null || skip_all "no jq"

program=$TMP/scopes
${CC:-cc} -O2 -Wall -Wextra -Werror -Iinclude tests/nvtx/scopes.c -o "$program" -ldl -lpthread || exit 1

# ---- without the library ----

is "without the preload nothing happens" "$(plain "$program" early cuda marks deep threads; echo $?)" 0
is "ends without a beginning are let pass" "$(traced "$program" extra cuda marks extra; echo $?)" 0
is "nothing is linked" "$(readelf -dW "$program" | grep -c vprof)" 0
is "what it refers to is weak" "$(nm -D "$program" | grep vprof_ | awk '{print $1}' | sort -u)" w
cat >"$TMP/use.c" <<'C'
#include <vprof/vprof.h>
int use(void) { vprof_range_begin("x"); vprof_counter("c", 1); vprof_mark("m"); vprof_name_thread("t");
	vprof_name_stream(0, "s"); vprof_range_end(); return 0; }
C
echo '#include <vprof/vprof.h>
int use(void);
int main(void) { return use(); }' >"$TMP/main.c"
for flags in "-O0" "-O2" "-O2 -fno-pie -no-pie" "-O2 -static" "-O2 -std=c99 -pedantic" "-O2 -std=c89 -pedantic" "-ansi -pedantic" "-x c++ -O2" "-x c++ -O0 -std=c++98"; do
	ok "$flags: compiles, links and runs without us" sh -c "${CC:-cc} $flags -Wall -Wextra -Werror -Iinclude '$TMP/use.c' '$TMP/main.c' -o '$TMP/use' && '$TMP/use'"
done
ok "in a shared library" sh -c "${CC:-cc} -shared -fPIC -Iinclude '$TMP/use.c' -o '$TMP/libuse.so' -Wl,-z,defs,--unresolved-symbols=report-all &&
	${CC:-cc} -Iinclude '$TMP/main.c' -o '$TMP/use' -L'$TMP' -luse -Wl,-rpath,'$TMP' && '$TMP/use'"

# ---- with it ----

traced "$program" early extra
is "without a driver call there is no ring" "$(ls "$OUT" 2>/dev/null)" ""

traced "$program" early cuda marks
merge
is "ranges, a moment, a counter" "$(said '[.ph, .name, .args.range // "-"] | join(" ")' | sort)" "$(sort <<'LIST'
X [in flight] from the start -
X outer from the start
X inner outer
i now inner
C queue -
C queue -
LIST
)"
is "each launch knows the innermost range" "$(launches)" "1 from the start
1 inner
1 outer"
is "the counter's values" "$(said 'select(.ph == "C") | .args.value' | xargs)" "2.5 -1"
is "the thread has its name" "$(jq -r '.traceEvents[] | select(.name == "thread_name") | .args.name' "$TMP/t.json")" "the boss"
is "and the stream" "$(labels label | xargs)" "the boss copies"
is "a range lies within the one around it" "$(said 'select(.name == "inner" or .name == "outer") | [.ts, .ts + .dur] | join(" ")' |
	sort -n | awk 'NR == 1 { a = $1; b = $2 } NR == 2 { print ($1 >= a && $2 <= b + 0.0015) }')" 1
is "vprof info counts no range as a call in flight" "$("$BUILD/vprof" info "$OUT" | grep -o '[0-9]* in flight')" "0 in flight"

traced "$program" cuda objects
merge
is "a launch tells the name of its stream" \
	"$(jq -r '.traceEvents[] | select(.cat == "launch") | .args["stream name"] // "-"' "$TMP/t.json")" 'the "copy" stream'
ok "memory is known by the range in which it was taken" grep -q '"allocate weights"' \
	<("$BUILD/vprof" memory --json "$OUT")

traced "$program" cuda chunks
merge
is "a range across the ends of chunks is drawn once" "$(said 'select(.name == "spans chunks") | .ph')" X
is "with all that was in it" "$(said 'select(.args.range == "spans chunks") | .name' | sort -u | wc -l)" 400
is "each step's launch is in that step" "$(launches | awk '{ print $1 }' | sort | uniq -c | xargs)" "400 1"
is "its first telling has its end" \
	"$("$BUILD/vprof" dump "$OUT" | awk '$5 == "(range)" && /spans/ && !/again/ { print $6 == "open" ? "no" : "yes" }')" yes
ok "it was told again in each chunk" test "$(dumped '(range)' | grep -c 'spans.*flags=again')" -ge 4

traced VPROF_RING_MB=1 "$program" cuda longer
merge
is "ranges longer than the ring are known" "$(launches | sort -n | tail -1 | cut -d' ' -f2)" second
is "with their whole names, once" "$(said '[.name, .args["began before the first record kept"]] | @csv')" \
	'"a long range with a name that is given once and takes more than two texts",true
"second",true'
is "and end" "$(said '.args.in_flight // "no"' | sort -u)" no

traced "$program" cuda deep
merge
is "64 deep" "$(said 'select(.name == "deep") | .name' | wc -l)" 64
is "what lies deeper is counted" "$(grep -o '[0-9]* text' "$TMP/merge.err")" "16 text"
is "and the stack is whole again" "$(launches)" "1 after"

traced "$program" cuda deep_child
merge
is "a forked child that goes too deep counts nothing in its parent's ring" "$(grep -o '[0-9]* text' "$TMP/merge.err")" ""

VPROF_RING_MB=4 traced "$program" cuda many_names
is "names without end leave room for the names of new kernels" "$(labels kernel | tail -1)" newcomer
merge
is "and for other texts" "$(grep -o '[0-9]* text' "$TMP/merge.err")" ""

traced "$program" cuda threads
merge
is "each thread has its own ranges" "$(launches)" "300 worker 0
300 worker 1
300 worker 2
300 worker 3"
is "on its own track, which has its name" "$(jq -r '(.traceEvents | map(select(.name == "thread_name") | {key: (.tid | tostring), value: .args.name}) | from_entries) as $names
	| .traceEvents[] | select(.cat == "user_annotation") | select($names[.tid | tostring] != .name) | .name' "$TMP/t.json")" ""

traced "$program" early cuda forks
merge
is "a child's ring tells the ranges it was born into" \
	"$(said '[.name, .args.range // "-", .args.in_flight // "ended"] | join(" / ")' | sort | uniq -c | awk '{$1 = $1; print}')" \
	"2 [in flight] from the start / - / true
1 child / parent / ended
2 parent / from the start / ended"

# A process that is killed leaves its ranges open.
drop "$OUT"
mkfifo "$TMP/ready"
run=exec added "$program" cuda hangs >"$TMP/ready" &
read -r _ <"$TMP/ready"
{ kill -9 $!; wait; } 2>/dev/null
merge
is "killed in a range: drawn open to the end" "$(said '[.name, .args.range // "-"] | join(" / ")')" \
	"[in flight] never ends / -
[in flight] nor this / never ends"
is "and nothing else is in flight" "$("$BUILD/vprof" top --json "$OUT" | jq '.in_flight | length')" 0

is "VPROF_ENABLE=0: nothing" "$(traced VPROF_ENABLE=0 "$program" early cuda marks; ls "$OUT" 2>/dev/null)" ""

# ---- from Python ----

command -v python3 >/dev/null || done_testing
cat >"$TMP/marks.py" <<'PY'
import ctypes, threading
import vprof

@vprof.range("in a function")
def function():
    vprof.mark("reached")

vprof.name_thread("pythonist")
with vprof.range("outer é"):
    cuda = ctypes.CDLL("libcuda.so.1")
    cuda.cuInit(0)
    cuda.cuCtxSynchronize()
    function()
    function()
    vprof.counter("queue", 3)
    vprof.name_stream(0x10, "a stream")
    try:
        with vprof.range("raises"):
            raise ValueError
    except ValueError:
        pass
print(vprof.active)
PY
is "python/vprof.py without the preload does nothing" "$(PYTHONPATH=python PYTHONDONTWRITEBYTECODE=1 plain python3 "$TMP/marks.py")" False
is "and with it is heard" "$(PYTHONPATH=python PYTHONDONTWRITEBYTECODE=1 traced python3 "$TMP/marks.py")" True
merge
is "ranges, marks, counters of Python" "$(said '[.ph, .name, .args.range // "-"] | join(" ")' | sort)" "$(sort <<'LIST'
X outer é -
X in a function outer é
X in a function outer é
i reached in a function
i reached in a function
C queue -
X raises outer é
LIST
)"
done_testing
