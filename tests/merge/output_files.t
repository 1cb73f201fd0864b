#!/usr/bin/env bash
# Where the trace goes: standard output, files, compressed forms; what a failure leaves behind.
. tests/tap.sh
merge=$(realpath "$BUILD/vprof-merge")
forge=$(realpath "$BUILD/tests/forge")
cd "$TMP" || exit

"$forge" a.ring <<'SCRIPT'
ring pid=100 lanes=4 chunks=400
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
kernel name=_Z3barPf
fill lanes=4
SCRIPT
"$merge" a.ring > plain.json
ok "the trace on standard output is JSON" python3 -m json.tool plain.json /dev/null

ok "-o FILE" "$merge" -o out.json a.ring
ok "-o FILE has the same bytes" cmp plain.json out.json
ok "nothing is left beside it" not test -e out.json.part
"$merge" -o - a.ring > dash.json
ok "-o - is standard output" cmp plain.json dash.json
"$merge" a.ring | cat > pipe.json
ok "through a pipe" cmp plain.json pipe.json
"$merge" -j1 a.ring > one.json
"$merge" -j7 a.ring > seven.json
ok "one worker writes the same" cmp plain.json one.json
ok "seven workers write the same" cmp plain.json seven.json

for form in gz zst; do
	unpack=(gzip -dc)
	[ $form = zst ] && unpack=(zstd -qdc)
	ok "-o FILE.$form" "$merge" -o out.json.$form a.ring
	"${unpack[@]}" out.json.$form > back.json
	ok ".$form unpacks to the same bytes" cmp plain.json back.json
	ok ".$form is smaller" test $((5 * $(stat -c %s out.json.$form))) -lt "$(stat -c %s plain.json)"
	"$merge" -z $form a.ring | "${unpack[@]}" > back.json
	ok "-z $form to a pipe" cmp plain.json back.json
	ok "compressed data does not go to a terminal" \
		not script -qec "'$merge' -z $form a.ring" /dev/null
	script -qec "'$merge' -z $form a.ring" /dev/null > message < /dev/null
	ok "... and the message says so" grep -q "not written to a terminal" message
done
ok "gzip is one member: a reader that stops after the first has all" python3 -c '
import zlib
d = zlib.decompressobj(31)
text = d.decompress(open("out.json.gz", "rb").read())
assert d.eof and not d.unused_data and text == open("plain.json", "rb").read()'
"$merge" -z none -o plain.gz a.ring
ok "-z none is stronger than the name" cmp plain.json plain.gz
for name in out.json.bz2 out.xz; do
	"$merge" -o "$name" a.ring 2>stderr
	is "$name: 2" $? 2
	is "... which form cannot be written is said" "$(head -1 stderr)" \
		"vprof-merge: -o $name: only .gz and .zst can be written (--compress: whatever the name)"
	ok "... and nothing was" not test -e "$name"
done
"$merge" -z none -o out.xz a.ring
ok "unless the form is named" cmp plain.json out.xz

# Failures. Each leaves what was there, says why, and ends with 1.
fails() {
	local name=$1 message=$2
	shift 2
	"$@" > stdout 2> stderr
	is "$name: exit 1" $? 1
	ok "$name: message" grep -q "$message" stderr
	is "$name: one line" "$(grep -vc 'lost:' stderr)" 1
}
echo precious > kept.json
fails "full device" "/dev/full: No space left on device" "$merge" -o /dev/full a.ring
fails "full standard output" "standard output: No space" bash -c "'$merge' a.ring > /dev/full"
fails "missing folder" "nowhere/x.json: cannot be written: No such file" "$merge" -o nowhere/x.json a.ring
fails "a folder" "cannot be written: Is a directory" "$merge" -o . a.ring
fails "file size limit" "kept.json: File too large" \
	bash -c "ulimit -f 16; '$merge' -o kept.json a.ring"
is "the old file is still there" "$(cat kept.json)" precious
ok "and no part file" not test -e kept.json.part
fails "no ring" "missing.ring" "$merge" -o kept.json missing.ring
is "the old file is still there without a ring" "$(cat kept.json)" precious
( flock -n 9 && fails "another program writes it" "another program" "$merge" -o busy.json a.ring ) \
	9> busy.json.part > busy.tap
ok "a part file in use is left alone" not grep -q '^not ok' busy.tap
rm -f busy.json.part

# A signal in the middle removes the part file.
"$forge" big.ring <<'SCRIPT'
ring pid=100 lanes=4 chunks=4000
call id=1 family=1 name=cuLaunchKernel
kernel name=_Z3foov
fill lanes=4
SCRIPT
"$merge" -o kept.json big.ring big.ring a.ring 2> /dev/null & pid=$!
while kill -0 $pid 2> /dev/null && [ ! -s kept.json.part ]; do :; done
kill -TERM $pid 2> /dev/null
wait $pid
is "SIGTERM ends it" $? 143
is "the old file is still there after a signal" "$(cat kept.json)" precious
ok "no part file after a signal" not test -e kept.json.part

# What replaces a file keeps its mode and follows links.
chmod 640 kept.json
ln -s kept.json link.json
ok "-o LINK" "$merge" -o link.json a.ring
ok "the link is still one" test -L link.json
ok "what it leads to is new" cmp plain.json kept.json
is "and has its old mode" "$(stat -c %a kept.json)" 640
ok "a device stays a device" "$merge" -o /dev/null a.ring
ok "... really" test -c /dev/null

# The first bytes of a compressed form go out before there is any other message.
for form in none gz zst; do
	"$merge" -z $form a.ring 2> err > /dev/full
	is "-z $form to a full disk: exit 1" $? 1
	is "-z $form to a full disk: it says so" "$(cat err)" "vprof-merge: standard output: No space left on device"
done

# A part file that another program has locked, one that a crash left behind, one that is no file.
exec 9> out.json.part
flock 9
"$merge" -o out.json a.ring 2> err
is "a file that another program is writing: exit 1" $? 1
ok "... and it says so" grep -q "out.json: another program is writing it" err
ok "... and its part file stays" test -e out.json.part
exec 9>&-
ok "what a crash left behind is taken over" "$merge" -o out.json a.ring
ok "... and is the whole trace" cmp plain.json out.json
rm -f fresh.json
mkfifo fresh.json.part
"$merge" -o fresh.json a.ring 2> err
is "a pipe in the place of the part file does not make it wait" $? 1

done_testing
