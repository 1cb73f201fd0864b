#!/usr/bin/env bash
# vprof ps: every state that a traced process may be in, its role, rate, past and last call.
. tests/tap.sh
. tests/control/loopers.sh

one() { "$vprof" ps --json "${@:2}" "$1" >"$TMP/json" && json "$TMP/json" "$field"; }
# shows PATTERN PID: vprof ps says that of the process
shows() { "$vprof" ps "$2" | grep -qE "$1"; }
rate_is_between() { awk -v got="$(field=rate one "$1")" -v least="$2" -v most="$3" 'BEGIN { exit !(got >= least && got <= most) }'; }

begin VLLM::EngineCore 500; engine=$last
begin VLLM::Worker_TP1_PP0 500; worker=$last
RANK=7 LOCAL_RANK=3 begin looper 500; seven=$last
begin "ray::Actor.step" 500; actor=$last
begin quiet idle; idle=$last
FAKECUDA_HANG=cuCtxSynchronize:1 begin hangs wait; hangs=$last

until_true shows 'cuCtxSynchronize IN FLIGHT [0-9.]* m?s' "$hangs"
"$vprof" ps --json >"$TMP/json"
is "roles" "$(json "$TMP/json" role)" "EngineCore Worker_TP1_PP0 hangs looper quiet ray::Actor"
is "ranks" "$(json "$TMP/json" rank_text | xargs)" "TP1 PP0 7"
is "states" "$(json "$TMP/json" state | tr ' ' '\n' | sort -u)" alive
is "devices" "$(python3 -c 'import json, sys; print(*[[d["ordinal"] for d in p["devices"]] for p in json.load(open(sys.argv[1]))])' "$TMP/json")" "[0] [0] [0] [0] [] [0]"
is "a call in flight" "$(python3 - "$TMP/json" "$hangs" <<'END'
import json, sys
call = [p for p in json.load(open(sys.argv[1])) if p["pid"] == int(sys.argv[2])][0]["last_call"]
print(call["name"], call["in_flight"])
END
)" "cuCtxSynchronize True"
is "threads" "$(json "$TMP/json" threads)" "1 1 2 1 1 1"
is "a rank as a number" "$(field=rank one "$seven")" 7
ok "and for how long" shows 'cuCtxSynchronize IN FLIGHT [0-9.]* m?s' "$hangs"
ok "the rate is that of the program" until_true rate_is_between "$engine" 200 2200
is "of one that does nothing" "$(field=rate one "$idle")" 0.0
is "nothing is overwritten" "$(field=whole one "$engine")" True
is "recording" "$(field=recording one "$engine")" True
ok "the window" shows ' on #1 begin ' "$engine"

"$vprof" stop --wait 60s "$engine" >/dev/null
is "not recording" "$(field=recording one "$engine")" False
is "then the rate is 0" "$(field=rate one "$engine")" 0.0
ok "why" shows ' off #1 request ' "$engine"
"$vprof" start --wait 60s --launches 20 "$engine" >/dev/null
ok "a limit that was reached" until_true shows ' off #2 launches ' "$engine"
"$vprof" start --wait 60s --at 100s "$engine" >/dev/null
ok "a start that is yet to come" shows ' off #2 .*, switches in ([5-9][0-9]|100)' "$engine"

kill -STOP "$worker"
is "stopped" "$(field=state one "$worker")" stopped
kill -CONT "$worker"
kill -9 "$seven"; wait "$seven" 2>/dev/null
is "dead" "$(field=state one "$seven")" dead
is "whose rate is not known" "$(field=rate one "$seven")" None
kill -TERM "$actor"; wait "$actor" 2>/dev/null
is "closed" "$(field=state one "$actor")" closed
is "only the living" "$("$vprof" ps --json --living >"$TMP/json"; json "$TMP/json" role)" "EngineCore Worker_TP1_PP0 hangs quiet"
kill -9 "$hangs"; wait "$hangs" 2>/dev/null
ok "the call that it died in" shows 'cuCtxSynchronize never returned' "$hangs"

# A ring that has come round: only part of the past is there.
VPROF_RING_MB=1 begin small 0; small=$last
is_whole() { field=whole one "$1"; }
becomes "a ring that has come round" False is_whole "$small"
ok "it reaches back less than it is old" python3 - "$TMP/json" <<'END'
import json, sys
(p,) = json.load(open(sys.argv[1]))
assert 0 < p["back_ns"] < p["age_ns"], p
END

VPROF_SPILL=1 VPROF_RING_MB=1 begin kept 0; kept=$last
becomes "one that keeps what it overwrites has come round too" False is_whole "$kept"
# It has been there for a while before its first call.
reaches_back() {
	is_whole "$1" >/dev/null
	python3 -c 'import json, sys
(p,) = json.load(open(sys.argv[1]))
assert 0.8 * p["age_ns"] < p["back_ns"] <= p["age_ns"], p' "$TMP/json"
}
ok "and reaches back to its beginning, nearly" until_true reaches_back "$kept"

# Tables
is "columns" "$("$vprof" ps | head -1 | xargs)" "PID ROLE RANK GPU THREADS STATE RECORDING RATE BACK LOST LAST CALL"
# Two looks are 200 ms apart; a busy machine may take as long for one, but not each time.
is_quick() { local s; s=$(date +%s%N); "$@" >/dev/null; [ $((($(date +%s%N) - s) / 1000000)) -lt 100 ]; }
ok "--once is one look" until_true is_quick "$vprof" ps --once
"$vprof" ps --watch=100ms >"$TMP/watch" & watch=$!
tables() { grep -c '^ *PID' "$TMP/watch"; }
has_tables() { [ "$(tables)" -ge "$1" ]; }
ok "--watch: tables one after the other" until_true has_tables 3
kill -INT "$watch"; wait "$watch"
is "without a terminal: no escapes" "$(grep -c $'\033' "$TMP/watch")" 0
ok "on a terminal: the second screen, and back" python3 - "$vprof" <<'END'
import fcntl, os, pty, re, signal, struct, sys, termios, time
sized, size = os.pipe()
pid, terminal = pty.fork()
if not pid:
    os.read(sized, 1)
    os.execv(sys.argv[1], ["vprof", "ps", "--watch=100ms"])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 4, 40, 0, 0))
os.write(size, b"x")
data, end = b"", time.time() + 60
while data.count(b"\033[H") < 4 and time.time() < end:
    data += os.read(terminal, 65536)
os.kill(pid, signal.SIGINT)
try:
    while more := os.read(terminal, 65536):
        data += more
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
text = data.decode(errors="replace").replace("\r", "")
assert status == 0, status
assert "\033[?1049h" in text and text.index("\033[?1049h") < text.rindex("\033[?1049l"), text[-200:]
frames = text.split("\033[H")[1:]
assert len(frames) >= 3, len(frames)
for frame in frames:
    lines = frame.split("\033[J")[0].split("\n")
    assert len(lines) <= 4, lines
    assert all(len(re.sub(r"\033\[[0-9?]*[a-zA-Z]|\r", "", line)) <= 40 for line in lines), lines
END

is "no rings" "$(mkdir "$TMP/empty"; code "$vprof" ps "$TMP/empty")" 1
head -c 4096 "$(ring "$engine")" >"$TMP/head.ring"
ok "a header alone is a ring of which nothing else is known" sh -c "'$vprof' ps '$TMP/head.ring' | grep -q ' EngineCore\| looper'"
LD_LIBRARY_PATH=$BUILD/fakecuda VPROF_OUT=$TMP/ended LD_PRELOAD=$BUILD/libvprof.so "$BUILD/safety/launcher" "$TMP/progress" 2 5 1
"$vprof" ps --json "$TMP/ended" >"$TMP/json"
is "the last call of a thread that has ended is the process's last" \
	"$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["last_call"]["name"])' "$TMP/json")" cuLaunchKernel
ok "and how long that was before its end" grep -qE ' cu[A-Za-z0-9]+, [0-9.]+ [mu]?s before its end$' <("$vprof" ps "$TMP/ended")

# What the GPU did is no call: where it fills a thread's newest chunk, the call is in one before.
last_call() { "$vprof" ps --once --json "$1" | jq -r '.[0].last_call.name'; }
python3 tests/gputime/made.py --replays 400 --every 1 --alone --ended 2 "$TMP/some.ring" >/dev/null
is "the last call stands before times of the GPU" "$(last_call "$TMP/some.ring")" cuMemcpyHtoDAsync_v2
python3 tests/gputime/made.py --replays 400 --every 1 --alone --ended 300 "$TMP/many.ring" >/dev/null
is "and before a chunk of them" "$(last_call "$TMP/many.ring")" cuMemcpyHtoDAsync_v2
done_testing
