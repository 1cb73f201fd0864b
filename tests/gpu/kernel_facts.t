#!/usr/bin/env bash
# What `vprof kernels` says that kernels need, and the occupancy that it computes, against the driver's own answers.
. tests/gpu/lib.sh
need_gpu
program=$BUILD/gpu/kernel_facts
[ -x "$program" ] || skip_all "$program is not built: make check-gpu does it"
dir=$OUT/kernel_facts
mkdir -p "$dir"

rm -rf "$dir/out"
LD_PRELOAD=$LIBVPROF VPROF_OUT=$dir/out timeout 60 "$program" >"$dir/wanted.jsonl" 2>"$dir/program.err"
ok "kernels of several shapes run" test $? = 0
[ ! -s "$dir/program.err" ] || diag "$(tail -3 "$dir/program.err")"
"$VPROF" kernels --json --raw-names "$dir/out" >"$dir/kernels.json" 2>"$dir/kernels.err"
ok "vprof kernels" test $? = 0
python3 - "$dir/wanted.jsonl" "$dir/kernels.json" >"$dir/results" 2>"$dir/err" <<'END'
import json, sys

wanted = [json.loads(line) for line in open(sys.argv[1])]
kernels = {k["symbol"]: k for k in json.load(open(sys.argv[2]))["kernels"]}
for want in wanted:
    name = want["kernel"]
    got = kernels.get(name, {})
    facts = {key: got.get(key) for key in ("registers", "shared_static", "local")}
    same = all(facts[key] == want[key] for key in facts)
    print(f"{'ok' if same else 'not ok'} {name}: {', '.join(f'{key} {want[key]}' for key in facts)}")
    if not same:
        print(f"# {name}: vprof has {facts}")
    shape = [{"block": [want["block"], 1, 1], "dynamic": want["dynamic"], "runs": 1}]
    occupancy = got.get("occupancy", {})
    most = occupancy.get("max_warps") or 1
    percent = 100 * want["blocks"] * -(-want["block"] // 32) / most
    same = (got.get("shapes") == shape and occupancy.get("blocks") == want["blocks"]
            and abs(occupancy["percent"] - percent) < 0.01)
    print(f"{'ok' if same else 'not ok'} {name}: {want['blocks']} blocks of {want['block']} threads "
          f"and {want['dynamic']} bytes on a multiprocessor, {percent:.2f} %")
    if not same:
        print(f"# {name}: vprof has {occupancy}, shapes {got.get('shapes')}")
limits = {k["occupancy"].get("limit") for k in kernels.values() if "occupancy" in k}
print(f"{'ok' if len(limits) >= 3 else 'not ok'} among them are several limits: {', '.join(sorted(map(str, limits)))}")
END
ok "the comparison ran" test $? = 0
[ ! -s "$dir/err" ] || diag "$(tail -3 "$dir/err")"
tap_from "$dir/results"
done_testing
