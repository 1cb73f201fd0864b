"""What a ring has of graph launches and of their twins, from its bytes: one `name value` a line."""
import struct
import sys

data = open(sys.argv[1], "rb").read()
def at(offset, form):
    return struct.unpack_from("<" + form, data, offset)

LAUNCH, REPLAY, STAMPS, CLOCK, TWIN, GPU = 2, 19, 20, 22, 19, 20
SLOT, CHUNK, TWIN_FLAG = 64, 16384, 32
launches, replays, stamps, ties = [], [], 0, 0
count, (chunks,) = at(36, "I")[0], at(40, "Q")
for chunk in range(count):
    start = chunks + chunk * CHUNK
    (base,) = at(start, "Q")
    for i in range(1, CHUNK // SLOT) if base else ():
        seq, t0, done, kind, call, object_ = at(start + i * SLOT, "QQQHHI")
        if seq != base + i:
            continue
        if kind == LAUNCH:
            launches.append((t0, at(start + i * SLOT + 32, "QQQ")))
        if kind == REPLAY:
            replays.append((t0, object_, at(start + i * SLOT + 32, "QQIIQ")))
        if kind == STAMPS:
            stamps += sum(1 for ns in at(start + i * SLOT + 32, "8I") if ns)
        ties += kind == CLOCK
launches.sort()
stamped = [i for i, (_, words) in enumerate(launches) if words[2] & TWIN_FLAG]
gaps = sorted({b - a for a, b in zip(stamped, stamped[1:])})
by_t0 = {t0: words for t0, words in launches}
twins, refused, offset = 0, [], at(64, "Q")[0] + 8
while at(offset, "I")[0]:
    size, type_, _ = at(offset, "IHH")
    if type_ == TWIN:
        why, error = at(offset + 16, "HH")
        first, here, total = at(offset + 24, "III")
        twins += why == 0 and first == 0
        refused += [str(why)] * (why != 0)
    if type_ == GPU:
        print("measured", *(str(i) for i in range(16) if at(offset + 32 + 8 * i, "II")[1] != 0xffffffff))
    offset += size
wrong = sum(1 for t0, _, words in replays
            if t0 not in by_t0 or not by_t0[t0][2] & TWIN_FLAG or by_t0[t0][0] != words[1])
print("launches", len(launches))
print("stamped", len(stamped))
print("gaps", *gaps)
print("since", len(launches) - 1 - stamped[-1] if stamped else -1)
print("replays", len(replays))
print("stamps", stamps)
print("wrong", wrong)
print("twins", twins)
print("refused", *sorted(set(refused), key=int))
print("lost", at(8192 + 64 + 14 * 8, "Q")[0])
print("ties", ties)
print("execs", len({words[1] for _, words in launches if words[2] & TWIN_FLAG}))
