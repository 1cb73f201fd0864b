#!/usr/bin/env bash
# NVTX as its own headers have it: every function arrives, on the right thread, with all that it says.
. tests/tap.sh
. tests/nvtx/lib.sh
command -v jq >/dev/null || skip_all "no jq"
headers=$(nvtx_headers)
[ -n "$headers" ] || skip_all "no NVTX headers: make setup"
diag "headers: $headers"

program=$TMP/scopes
${CC:-cc} -O2 -Wall -Wextra -DWITH_NVTX -Iinclude -isystem "$headers" tests/nvtx/scopes.c -o "$program" -ldl -lpthread || exit 1

# ---- what arrives ----

is "without us NVTX does nothing" "$(plain "$program" cuda nvtx | head -1)" "push -2 -2 -2 -2"
is "with us it gets the levels" "$(traced "$program" cuda nvtx)" "push 0 1 1 0
levels 0 1 0 1 0 0 none
resource made"
merge
is "ranges, marks and pairs" "$(said '[.ph, .name, .args.range // "-"] | join(" / ")' | sort)" "$(sort <<'LIST'
X / plain / -
X / wide ü中😀 / plain
i / quote " and \ and 
 / wide ü中😀
i / wide mark / wide ü中😀
b / ends elsewhere / -
e / ends elsewhere / -
b / ends here / -
e / ends here / -
X / registered / -
X / registered / registered
X / other / registered
i / u64 / -
i / i64 / -
i / f64 / -
i / u32 / -
i / i32 / -
i / f32 / -
LIST
)"
is "a pair has one id" "$(said 'select(.name == "ends elsewhere") | .id2.local' | uniq | wc -l)" 1
is "and lies on the tracks of both threads" "$(said 'select(.name == "ends elsewhere") | .tid' | uniq | wc -l)" 2
is "domain, category, colour" "$(said 'select(.name == "registered") | .args | [.domain, .category, .color] | join(" ")' | uniq)" \
	"lib.one seven #8000ff"
is "a domain's name that is wide" "$(said 'select(.name == "other") | .args.domain')" "libé"
is "payloads of all types" "$("$BUILD/vprof" dump --json "$OUT" | jq -r 'select(.payload) | .name + " " + .payload')" \
	"u64 18446744073709551615
i64 -5
f64 0.25
u32 4000000000
i32 -7
f32 1.5"
is "names of things" "$(labels label)" "named by nvtx
stream of nvtx
event 事
context of nvtx
device of nvtx
resource"
is "the thread's on its track" "$(jq -r '.traceEvents[] | select(.name == "thread_name") | .args.name' "$TMP/t.json" | head -1)" "named by nvtx"
is "a range of another domain is left in its own order" "$(said 'select(.name == "other") | .dur > 0')" true
ok "vprof-merge has nothing to say" test ! -s "$TMP/merge.err"

# ---- an injection that the program was linked with ----

cat >"$TMP/own.c" <<'C'
#include <stdio.h>
static int own(void *get_table) { (void)get_table; puts("its own"); return 1; }
int (*InitializeInjectionNvtx2_fnptr)(void *get_table) = own;
C
printf '#include <nvtx3/nvToolsExt.h>\nint main(void) { nvtxMarkA("mark"); return 0; }\n' >"$TMP/main.c"
${CC:-cc} -isystem "$headers" "$TMP/own.c" "$TMP/main.c" -o "$TMP/own" -ldl || exit 1
is "without us it is asked" "$(plain "$TMP/own")" "its own"
is "with VPROF_NVTX=0 it is asked" "$(traced VPROF_NVTX=0 "$TMP/own")" "its own"

# ---- scopes of an engine ----

traced "$program" cuda engine
merge
is "a launch is in the scope in which it was made" "$(launches)" "100 gpu_model_runner: forward
50 gpu_model_runner: sample"
is "vprof top --by-range" "$("$BUILD/vprof" top --by-range "$OUT" | awk 'NR > 1 { print $1, $8, $9 }')" \
	"100 gpu_model_runner: forward
50 gpu_model_runner: sample"
is "likewise as JSON" "$("$BUILD/vprof" top --by-range --json "$OUT" | jq -r '.ranges[] | [.launches, .range] | join(" ")')" \
	"100 gpu_model_runner: forward
50 gpu_model_runner: sample"
is "a scope in its step" "$(said 'select(.name == "gpu_model_runner: forward") | .args.range' | sort -u | wc -l)" 50
is "names that come again are kept once" "$(labels text | sort | grep -c '^gpu_model_runner')" 2

# ---- names without end ----

traced VPROF_RING_MB=1 "$program" cuda flood
merge
room=$("$BUILD/vprof" dump --defs --json "$OUT" | jq -r 'select(.type == "text") | .name' | wc -c)
quarter=$(("$("$BUILD/vprof" info --json "$OUT" | jq '.[0].defs_size')" / 4))
ok "new names take at most a quarter of the definitions ($room of $quarter bytes)" test "$room" -le "$quarter"
ok "and they do take some" test "$room" -ge $((quarter / 8))
is "the others go with their records" "$(said .name | grep -cvE '^request [0-9]+$')" 0
ok "the newest of them too" grep -q '"request 99999"' "$TMP/t.json"
is "and nothing is lost but what was overwritten" "$(grep -o 'lost:.*' "$TMP/merge.err" | sed 's/[0-9]* overwritten//')" "lost: "

# ---- which ----

chosen() { traced VPROF_NVTX="$1" "$program" cuda nvtx >"$TMP/words"; merge && said .name | sort -u | paste -sd, -; }
is "VPROF_NVTX=0: none" "$(chosen 0)" ""
is "and NVTX is as without us" "$(head -1 "$TMP/words")" "push -2 -2 -2 -2"
is "by name" "$(chosen 'plain')" "plain"
is "the levels stay" "$(head -1 "$TMP/words")" "push 0 1 1 0"
is "by pattern" "$(chosen 'q*64*,ends ?ere,w*mark')" "ends here,wide mark"
is "by domain" "$(chosen 'lib.one/u*,lib.o*/registered')" "registered,u32,u64"
is "one that fits nothing" "$(chosen 'x')" ""

traced VPROF_TRACE=launch "$program" cuda nvtx >"$TMP/words"
merge
is "VPROF_TRACE without range: none, and the levels stay" "$(head -1 "$TMP/words") $(said .name | wc -l)" "push 0 1 1 0 0"
traced VPROF_TRACE=range "$program" cuda nvtx >"$TMP/words"
is "VPROF_TRACE=range alone: ranges make no ring" "$(ls "$OUT" 2>/dev/null)" ""

# ---- the announcement ----

is "the user's own library is left alone" \
	"$(NVTX_INJECTION64_PATH=/no/such.so traced "$program" cuda nvtx | head -1; merge; said .name | wc -l)" "push -2 -2 -2 -2
0"
is "one that was ours, of a process before, is replaced" \
	"$(NVTX_INJECTION64_PATH=/no/such/libvprof.so traced "$program" cuda nvtx | head -1)" "push 0 1 1 0"
# A child that has the variable and not the preload: NVTX loads us, and we decline.
drop "$OUT"
is "not preloaded, we decline" "$(NVTX_INJECTION64_PATH=$LIBRARY plain "$program" cuda nvtx | head -1)" "push -2 -2 -2 -2"
is "and leave no ring" "$(ls "$OUT" 2>/dev/null)" ""
is "a relative path works" "$(cd "$BUILD" && LD_PRELOAD=./libvprof.so LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_OUT=$OUT \
	sh -c 'cd / && exec "$0" cuda nvtx' "$program" 2>/dev/null | head -1)" "push -2 -2 -2 -2"
is "where the program stays" "$(cd "$BUILD" && LD_PRELOAD=./libvprof.so LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_OUT=$OUT "$program" cuda nvtx | head -1)" \
	"push 0 1 1 0"

# ---- several copies of NVTX in one process: each finds us ----

cat >"$TMP/copy.c" <<'C'
#include <nvtx3/nvToolsExt.h>
int copy_push(void) { return nvtxRangePushA("by a library"); }
C
cat >"$TMP/two.c" <<'C'
#include <nvtx3/nvToolsExt.h>
#include <stdio.h>
int copy_push(void);
int main(void) { printf("%d", nvtxRangePushA("by the program")); printf(" %d\n", copy_push()); return 0; }
C
${CC:-cc} -fPIC -shared -isystem "$headers" "$TMP/copy.c" -o "$TMP/libcopy.so" -Wl,-Bsymbolic -ldl &&
	${CC:-cc} -isystem "$headers" "$TMP/two.c" -o "$TMP/two" -L"$TMP" -lcopy -Wl,-rpath,"$TMP" -ldl || exit 1
is "two copies share the thread's stack" "$(traced "$TMP/two")" "0 1"

# ---- Python's module ----

# ---- more than we keep ----

cat >"$TMP/many.c" <<'C'
#include <stdio.h>
#include <nvtx3/nvToolsExt.h>
int cuInit(unsigned), cuCtxCreate_v2(void **, unsigned, int), cuEventCreate(void **, unsigned);
int main(void)
{
	static nvtxRangeId_t ids[200];
	nvtxDomainHandle_t other = nvtxDomainCreateA("other");
	char name[128];
	void *p;
	int level = 0;
	for (int i = 0; i < 70; i++)
		nvtxRangePushA("deep");
	nvtxDomainRangePop(other);
	for (int i = 0; i < 7; i++)
		level = nvtxRangePop();
	printf("%d\n", level);
	for (int i = 0; i < 63; i++)
		nvtxRangePop();
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "open from the beginning, number %d", i);
		ids[i] = nvtxRangeStartA(name);
	}
	snprintf(name, sizeof(name), "%0120d", 7);
	nvtxRangePushA(name);
	cuInit(0);
	cuCtxCreate_v2(&p, 0, 0);
	for (int i = 0; i < 2000; i++)
		cuEventCreate(&p, 0);
	for (int i = 0; i < 200; i++)
		nvtxRangeEnd(ids[i]);
	return 0;
}
C
${CC:-cc} -isystem "$headers" "$TMP/many.c" -o "$TMP/many" -L"$BUILD/fakecuda" -l:libcuda.so.1 -ldl || exit 1
is "a pop of an empty domain takes nothing from another" "$(traced "$TMP/many")" 63
merge
is "200 ranges from before the ring are all told" \
	"$(said 'select(.ph == "b" and (.name | startswith("open from"))) | .name' | sort -u | wc -l)" 200
is "and end" "$(said 'select(.ph == "e" and (.name | startswith("open from"))) | .name' | sort -u | wc -l)" 200
ok "a name that was cut says so" grep -q 'flags=.*cut' <("$BUILD/vprof" dump "$OUT")

python=$VENV/bin/python
"$python" -c 'import nvtx' 2>/dev/null || { ok "the Python module # SKIP no nvtx: make setup" true; done_testing; }
cat >"$TMP/scopes.py" <<'PY'
import ctypes, threading
import nvtx

cuda = ctypes.CDLL("libcuda.so.1")

@nvtx.annotate("step", color="green", domain="app", category="train")
def step(number):
    with nvtx.annotate(f"layer {number}", domain="app"):
        cuda.cuCtxSynchronize()

with nvtx.annotate("open before the first call"):
    cuda.cuInit(0)
    for i in range(3):
        step(i)
    worker = threading.Thread(target=step, args=(9,))
    worker.start()
    worker.join()
nvtx.mark("done", domain="app", payload=5)
PY
ok "a Python program with scopes" traced "$python" "$TMP/scopes.py"
merge
is "its scopes" "$(said '[.ph, .name, .args.domain // "-", .args.category // "-", .args.range // "-"] | join(" / ")' | sort)" "$(sort <<'LIST'
X / open before the first call / - / - / -
X / step / app / train / open before the first call
X / layer 0 / app / - / step
X / step / app / train / open before the first call
X / layer 1 / app / - / step
X / step / app / train / open before the first call
X / layer 2 / app / - / step
X / step / app / train / -
X / layer 9 / app / - / step
i / done / app / - / -
LIST
)"
is "on two threads" "$(said 'select(.name == "step") | .tid' | sort | uniq -c | awk '{ print $1 }' | sort | xargs)" "1 3"
done_testing
