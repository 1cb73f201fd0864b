#!/usr/bin/env python3
"""
compare.py TRUTH LIST ERROR: is every event of the truth in the list and no other, with its raw time to a step, its
length to a step of the clock on either side, and its place within ERROR ns? Silent when it is.
"""
import sys

truth_file, list_file, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
STEP = 64


def read(path):
    rows = {}
    for line in open(path):
        cells = line.rstrip("\n").split("\t")
        if len(cells) >= 9:
            key = (cells[0], cells[1], cells[2], cells[3], cells[7])
            if key in rows:
                print("twice:", line)
            rows[key] = cells
    return rows


truth, found = read(truth_file), read(list_file)
for key in sorted(set(truth) - set(found)):
    print("missing:", *key)
for key in sorted(set(found) - set(truth)):
    print("not true:", *key)
for key in sorted(set(truth) & set(found)):
    t, f = truth[key], found[key]
    if abs(int(t[6]) - int(f[6])) > STEP:
        print("raw:", *key, t[6], f[6])
    if key[0] != "graph" and abs((int(t[5]) - int(t[4])) - (int(f[5]) - int(f[4]))) > STEP:
        print("length:", *key, int(t[5]) - int(t[4]), int(f[5]) - int(f[4]))
    if abs(int(t[5]) - int(f[5])) > most:
        print("end:", *key, int(f[5]) - int(t[5]))
    if t[8] != f[8]:
        print("beside:", *key, t[8], f[8])
