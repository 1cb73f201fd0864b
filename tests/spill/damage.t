#!/usr/bin/env bash
# Spills that are cut, changed, another ring's, or alone: what is whole is read, the rest is counted, nothing breaks.
. tests/tap.sh
. tests/spill/lib.sh
command -v python3 >/dev/null || skip_all "no python3"

loop 1 30000 1000 20000
RING=$(ring)
SPILL=${RING%.ring}.spill.0
cp -L "$RING" "$TMP/ring"
cp "$SPILL" "$TMP/spill"
look 30000
all=$(seen chunks) frames=$(seen frames)

# The ring as it was, and a spill made by python code from FILE's bytes d, its frames' places in f.
changed() {
	python3 - "$TMP/spill" "$SPILL" "$1" <<'END'
import struct, sys
d = bytearray(open(sys.argv[1], "rb").read())
f, at = [], struct.unpack_from("<I", d, 16)[0]
while at < len(d):
    f.append(at)
    n, codec, packed = struct.unpack_from("<III", d, at + 8)
    at += (128 + 64 * n + packed + 7) & ~7
exec(sys.argv[3])
open(sys.argv[2], "wb").write(d)
END
	look 30000
}
whole_rest() { [ "$(show twice order open odd torn)" = "twice=0 order=0 open=0 odd=0 torn=0" ] && [ $(($(seen present) + $(seen overwritten))) = "$(seen reserved)" ]; }

changed "pass"
is "as it was" "$(show frames chunks bad_frames)" "frames=$frames chunks=$all bad_frames=0"

# The last frame cut at any byte, as by a kill in the middle of it.
cat >"$TMP/cut.py" <<'END'
import struct, subprocess, sys
check, ring, spill, source, frames = sys.argv[1:]
d = open(source, "rb").read()
at = struct.unpack_from("<I", d, 16)[0]
while True:
    n, codec, packed = struct.unpack_from("<III", d, at + 8)
    end = at + ((128 + 64 * n + packed + 7) & ~7)
    if end >= len(d): break
    at = end
cuts = list(range(at, min(at + 160, len(d)))) + list(range(at + 160, len(d), 97)) + list(range(len(d) - 20, len(d)))
bad = 0
for cut in cuts:
    open(spill, "wb").write(d[:cut])
    got = dict(l.split() for l in subprocess.run([check, ring, "30000"], capture_output=True, text=True).stdout.splitlines())
    good = got and got["frames"] == str(int(frames) - 1) and int(got["torn_bytes"]) == cut - at and got["bad_frames"] == "0" \
        and got["twice"] == got["order"] == got["open"] == got["odd"] == "0"
    bad += not good
    if not good: print(cut - at, got)
print(len(cuts), "cuts,", bad, "bad")
sys.exit(bad != 0)
END
ok "cut anywhere in its last frame, it lacks that frame" python3 "$TMP/cut.py" "$BUILD/spill/check" "$RING" "$SPILL" "$TMP/spill" "$frames"

changed "d[f[1] + 40] ^= 1"
is "a changed header costs a frame" "$(show frames bad_frames)" "frames=$((frames - 1)) bad_frames=1"
ok "and is counted" whole_rest
changed "d[f[1] + 130] ^= 1"
is "a changed chunk header too" "$(show frames bad_frames)" "frames=$((frames - 1)) bad_frames=1"
changed "d[f[2] - 60] ^= 1"
is "and changed data, when they are read" "$(show frames bad_frames)" "frames=$frames bad_frames=1"
ok "and are counted" whole_rest
changed "d[f[1]:f[1] + 8] = bytes(8)"
is "a lost magic" "$(show frames bad_frames)" "frames=$((frames - 1)) bad_frames=1"
changed "d[f[1]:f[3]] = bytes(f[3] - f[1])"
is "a hole over two frames" "$(show frames bad_frames)" "frames=$((frames - 2)) bad_frames=1"
changed "d[f[1]:f[2]] = d[f[2]:f[3]]"
ok "the same frame twice counts once" whole_rest

changed "d[32] ^= 1"
is "another ring's is left alone" "$(show files bad_files frames)" "files=0 bad_files=1 frames=0"
ok "and the ring is read" whole_rest
ok "vprof info says so" grep -q 'no spill of this ring' <("$BUILD/vprof" info "$RING")
changed "d[:] = b'x'"
is "a file that is too short" "$(show files bad_files)" "files=0 bad_files=1"
changed "d[:] = b''"
is "an empty one is about to be written" "$(show files bad_files)" "files=0 bad_files=0"
rm "$SPILL"
mkfifo "$SPILL"
ok "a pipe by that name does not hold us up" timeout 60 "$BUILD/vprof" info "$RING"
rm "$SPILL"

cp "$TMP/spill" "$SPILL"
look 30000 "$(readlink -f "$RING")"
is "a ring that is named where it lies has its spill too" "$(show frames)" "frames=$frames"
mkdir "$TMP/copy"
cp "$SPILL" "$TMP/copy"
ok "a spill without its ring says what to do" grep -q 'is a spill.*name that' <("$BUILD/vprof" info "$TMP"/copy/*.spill.0 2>&1)
cp "$TMP/ring" "$TMP/copy/$(basename "$RING")"
look 30000 "$TMP/copy/$(basename "$RING")"
is "copied together they are whole" "$(show launches) $(whole)" "launches=30000 $WHOLE"
done_testing
