"""zsh_complete.py FUNCTIONS: types into zsh with completion from that folder; says where it went wrong.

Lines on stdin: KEYS|WANTED, what is typed and what must then stand on the line.
"""
import os
import pty
import re
import select
import sys
import time

pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", PS1="", ZDOTDIR="/nonexistent")
    os.execvp("zsh", ["zsh", "-f", "-i"])


def read(until, limit=15):
    """What zsh prints up to the word `until`."""
    text, end = "", time.monotonic() + limit
    while until not in text and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            text += os.read(terminal, 4096).decode(errors="replace")
    return text


def say(text):
    os.write(terminal, text.encode())


# Ctrl-X shows the line in a form that is easy to find.
say(f"unsetopt zle_bracketed_paste; PS1=; fpath=({sys.argv[1]} $fpath); autoload -Uz compinit; compinit -u -D; "
    "setopt no_beep no_list_ambiguous; show() { print -r -- \"<<$BUFFER>>\"; BUFFER=; }; zle -N show; "
    "bindkey '^X' show; bindkey '\t' complete-word; print rea'dy'\n")
if "ready" not in read("ready"):
    sys.exit("zsh does not begin")
for line in sys.stdin:
    keys, wanted = line.rstrip("\n").split("|")
    say(keys)
    time.sleep(0.4)
    say("\x18")
    got = re.search(r"<<(.*?)>>", read(">>"), re.S)
    got = re.sub(r"\s+", " ", got[1]).strip() if got else None
    if got != wanted:
        print(f"{keys!r}: got {got!r}, wanted {wanted!r}")
say("exit\n")
