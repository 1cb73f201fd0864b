#!/usr/bin/env bash
# examples/capture_region: a process records while its region is open, and nothing else.
. tests/tap.sh
BUILD=$(realpath "$BUILD")
unset "${!VPROF_@}" LD_PRELOAD
export LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_RING_MB=2 VPROF_QUIET=1
folder=$PWD/examples/capture_region

launches() { "$BUILD/vprof" top --json "$1" | python3 -c '
import json, sys
print(*sorted("%(kernel)s:%(launches)d" % row for row in json.load(sys.stdin)["kernels"]))'; }

ok "the worker works without vprof" "$folder/worker.py"
"$BUILD/vprof" run -o "$TMP/all" "$folder/worker.py" >/dev/null
is "always: everything is recorded" "$(launches "$TMP/all")" "decode:20 load_weights:130 train_step:10"
"$BUILD/vprof" run -o "$TMP/region" --capture range:llm "$folder/worker.py" >/dev/null
is "range: what happened in the region, and no more" "$(launches "$TMP/region")" "decode:20 train_step:4"
"$BUILD/vprof" run -o "$TMP/other" --capture range:other "$folder/worker.py" >/dev/null
is "another region: nothing" "$(launches "$TMP/other")" ""
is "the region itself is recorded as a range" "$("$BUILD/vprof" dump --json "$TMP/all" | python3 -c '
import json, sys
print(sum("llm" in line for line in sys.stdin) > 2)')" True

# The class alone: schedules, decorators, exceptions. A stand-in for vprof writes down what is called.
is "schedules, decorators and exceptions" "$(PYTHONPATH=$folder PYTHONDONTWRITEBYTECODE=1 python3 - <<'PY'
import sys, types
told = []
sys.modules["vprof"] = types.SimpleNamespace(range_begin=lambda name: told.append(name), range_end=lambda: told.append("end"))
from profile_region import profile_region, schedule

def steps(count, **how):
    told.clear()
    with profile_region("r", schedule=schedule(**how)) as region:
        for i in range(count):
            told.append(i)
            region.step()
    return " ".join(map(str, told))

print(steps(6, wait=2, active=1, repeat=1))
print(steps(5, wait=1, active=2))
print(steps(2))
told.clear()
@profile_region("f")
def f(n):
    return f(n - 1) if n else told.append("in")
f(1)
print(*told)
told.clear()
try:
    with profile_region("x"):
        raise KeyError
except KeyError:
    print(*told)
PY
)" "0 1 r 2 end 3 4 5
0 r 1 2 end 3 r 4 end
r 0 1 end
f f in end end
x end"
done_testing
