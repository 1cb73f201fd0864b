#!/usr/bin/env bash
# Progress is for people who wait: on a terminal, after a second, and gone when the work is done.
#
# The work takes long since nobody reads the trace for a while; it costs no time of the processor.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

"$forge" a.ring <<'SCRIPT'
ring pid=100 lanes=4 chunks=200
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
fill lanes=4
SCRIPT
cat > watch.py <<'PYTHON'
import hashlib, os, pty, subprocess, sys, threading, time

merge, kind, wait = sys.argv[1], sys.argv[2], float(sys.argv[3])
if kind == "terminal":
    ours, theirs = pty.openpty()
else:
    ours, theirs = None, os.open("stderr", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
child = subprocess.Popen([merge, "a.ring"], stdout=subprocess.PIPE, stderr=theirs)
os.close(theirs)
said = b""

def listen():
    global said
    try:
        while more := os.read(ours, 4096):
            said += more
    except OSError:
        pass  # EIO: the last one that had the terminal open has ended

if ours is not None:
    listener = threading.Thread(target=listen)
    listener.start()
time.sleep(wait)
trace = child.stdout.read()
code = child.wait()
if ours is not None:
    listener.join()
else:
    said = open("stderr", "rb").read()
open("said", "wb").write(said)
print(code, hashlib.sha256(trace).hexdigest())
PYTHON
wanted="0 $("$merge" a.ring | sha256sum | cut -d' ' -f1)"

is "a terminal, slow: the trace is whole" "$(python3 watch.py "$merge" terminal 1.5)" "$wanted"
ok "a terminal, slow: progress in per cent" grep -qaE $'^\rmerging: [ 0-9]{3} %\e\\[K' said
ok "a terminal, slow: the line is wiped at the end, then comes the summary" \
	grep -qaE $'%\e\\[K\r\e\\[Kvprof-merge: 51000 records ' said
is "a terminal, quick: the trace is whole" "$(python3 watch.py "$merge" terminal 0)" "$wanted"
ok "a terminal, quick: no progress" not grep -qaE $'merging|\e' said
ok "a terminal, quick: the summary" grep -qa '^vprof-merge: 51000 records ' said
is "a file, slow: the trace is whole" "$(python3 watch.py "$merge" file 1.5)" "$wanted"
is "a file, slow: not a byte" "$(wc -c < said)" 0

done_testing
