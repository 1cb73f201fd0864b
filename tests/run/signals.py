"""signals.py VPROF: what signals.t runs, in an empty folder. TAP."""
import os
import pty
import signal
import subprocess
import sys
import time

VPROF = sys.argv[1]
# Counts the signals it gets, and ends after SIGTERM or when its input does.
COUNTER = """
import os, signal, sys, time
seen = []
for n in (1, 2, 3, 10, 12, 15, 28):
    signal.signal(n, lambda n, _: seen.append(n))
print("ready", os.getpid(), flush=True)
end = time.monotonic() + 20
while 15 not in seen and time.monotonic() < end:
    time.sleep(0.02)
time.sleep(0.2)
print("seen", *seen, flush=True)
sys.exit(5)
"""
tests = failed = 0


def check(name, got, wanted):
    global tests, failed
    tests += 1
    good = got == wanted
    failed += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {name}", flush=True)
    if not good:
        print(f"# got {got!r}, wanted {wanted!r}", flush=True)


def start(**how):
    p = subprocess.Popen([VPROF, "run", "--quiet", sys.executable, "-c", COUNTER], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, **how)
    word, pid = p.stdout.readline().split()
    assert word == "ready"
    return p, int(pid)


def rest(p):
    told = p.stdout.read().split()[1:]
    return [int(n) for n in told], p.wait(timeout=20)


# Sent to vprof run alone: passed on, each once.
p, _ = start(start_new_session=True)
for n in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH):
    p.send_signal(n)
    time.sleep(0.1)
p.send_signal(signal.SIGTERM)
check("each signal is passed on once, and the status comes back", rest(p), ([2, 1, 3, 10, 12, 28, 15], 5))

# Sent to the command alone: ours is no business.
p, pid = start(start_new_session=True)
os.kill(pid, signal.SIGUSR1)
os.kill(pid, signal.SIGTERM)
check("what the command gets itself stays its own", rest(p), ([10, 15], 5))

# The command signals its parent: not handed back.
p = subprocess.run([VPROF, "run", "--quiet", "sh", "-c", "trap 'exit 9' USR1; kill -USR1 $PPID; sleep 0.5; exit 4"],
                   stderr=subprocess.DEVNULL, timeout=20)
check("a signal from the command is not given back to it", p.returncode, 4)

# The terminal's Ctrl-C reaches both at once.
pid, terminal = pty.fork()
if pid == 0:
    os.execv(VPROF, [VPROF, "run", "--quiet", sys.executable, "-c", COUNTER])
text = b""
while b"ready" not in text or not text.endswith(b"\n"):
    text += os.read(terminal, 1000)
os.write(terminal, b"\x03")
time.sleep(0.3)
os.write(terminal, b"\x03")
time.sleep(0.3)
os.kill(int(text.split()[1]), signal.SIGTERM)
text = b""
try:
    while b"seen" not in text or not text.endswith(b"\n"):
        text += os.read(terminal, 1000)
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
check("Ctrl-C twice on a terminal is two", [int(n) for n in text[text.index(b"seen"):].split()[1:]], [2, 2, 15])
check("and the status comes back", os.WEXITSTATUS(status), 5)

# Who started us may have SIGCHLD ignored, and SIGHUP as nohup does.
def ignoring():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


p = subprocess.Popen([VPROF, "run", "--quiet", sys.executable, "-c", "import os, signal, sys; os.kill(os.getpid(), signal.SIGHUP);"
                      "sys.exit(6 if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN else 7)"],
                     stderr=subprocess.DEVNULL, preexec_fn=ignoring)
try:
    code = p.wait(timeout=10)
except subprocess.TimeoutExpired:
    p.kill()
    code = "never ended"
check("SIGCHLD and SIGHUP ignored at the start: by the command as well", code, 6)

# SIGKILL to vprof run: the command goes on, and the manifest says that it runs.
p, pid = start(start_new_session=True)
p.kill()
p.wait()
time.sleep(0.1)
os.kill(pid, signal.SIGTERM)
check("the command outlives a killed vprof run", [int(n) for n in p.stdout.read().split()[1:]], [15])
print(f"1..{tests}")
sys.exit(failed > 0)
