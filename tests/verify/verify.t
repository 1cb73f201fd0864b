#!/usr/bin/env bash
# vprof verify on the fake driver, beside a libcupti whose activities are those of a file.
. tests/tap.sh
. tests/run/lib.sh
export CUPTI_LIB=$BUILD/verify/libcupti.so FAKE_CUPTI=$here/activities TMPDIR=$TMP/tmp
mkdir "$TMPDIR"

cat >activities <<'LIST'
kernel _Z3addPii 7 0 0 1000 3000
kernel _Z3addPii 7 0 0 4000 6100
kernel spin_9us 7 3 8589934593 7000 16000 132 2 3 256 4 1
copy 4096 7 0 0 20000 21000
peer 64 7 0 0 22000 22500
set 128 8 3 8589934594 23000 23400
kernel never_ended 7 0 0 24000 0
LIST

status() { "$@" >"$TMP/out" 2>"$TMP/err"; echo $?; }
verify() { status "$vprof" verify "$@"; }
recorded() { grep -v '^#' "$1"/cupti/*.tsv | tr '\t' ' '; }

# The recorder.
verify -k kept "$client" --launches 5 >/dev/null
is "a line an execution: kernels and their shapes, copies and sets, on streams and in graphs" "$(recorded kept)" "kernel _Z3addPii 0 7 7 0 0 1000 3000 0 0 0 0 0 0
kernel _Z3addPii 0 7 7 0 0 4000 6100 0 0 0 0 0 0
kernel spin_9us 0 7 7 3 8589934593 7000 16000 132 2 3 256 4 1
copy 4096 0 7 7 0 0 20000 21000 0 0 0 0 0 0
copy 64 0 7 7 0 0 22000 22500 0 0 0 0 0 0
set 128 0 8 7 3 8589934594 23000 23400 0 0 0 0 0 0"
is "and each run's output" "$(grep -c cuLaunchKernel kept/cupti.log kept/vprof.log)" "kept/cupti.log:1
kept/vprof.log:1"
is "a ring of the run under vprof, and of no other" "$(ls kept/vprof | grep -c '\.ring$')" 1
is "the other run has no library of ours at work" "$("$vprof" verify -k env sh -c 'env; exit 3' 2>/dev/null; grep -c '^VPROF_OUT' env/cupti.log)" 0
is "a folder of an earlier run is refused" "$(verify -k kept true)" 1
ok "and says so" grep -q "kept/cupti is of an earlier run" "$TMP/err"
is "two processes leave two files" "$(verify -k two "$client" --launches 2 --procs 2 >/dev/null; ls two/cupti | wc -l)" 2
is "one that ends by _exit() leaves what was handed over" \
	"$(verify -k brief "$client" --launches 2 --exit _exit >/dev/null; cat brief/cupti/*.tsv)" "# recorded by $CUPTI_LIB"
is "a forked child does not write for its parent" \
	"$(verify -k forked "$client" --launches 2 --fork --when after --keep-errors >/dev/null; recorded forked | grep -c spin_9us)" 1

# What goes wrong.
is "no CUPTI: 1" "$(CUPTI_LIB= verify --cupti /nonesuch/libcupti.so "$client" --launches 1)" 1
ok "and the paths that were tried" grep -q "no CUPTI that can be loaded; tried /nonesuch/libcupti.so;" "$TMP/err"
is "CUPTI fails: 1" "$(FAKE_CUPTI_FAIL=cuptiActivityEnable verify "$client" --launches 1)" 1
ok "with its reason" grep -q "beside CUPTI: cuptiActivityEnable: CUPTI_ERROR_UNKNOWN (999)" "$TMP/err"
is "no CUDA: 1" "$(verify true)" 1
ok "which is said" grep -q "beside CUPTI no process recorded anything" "$TMP/err"
: >empty
is "CUPTI saw nothing: 1" "$(FAKE_CUPTI=$here/empty verify "$client" --launches 1)" 1
ok "which is said too" grep -q "CUPTI saw nothing run on the GPU" "$TMP/err"
is "the command fails: 1" "$(verify sh -c 'echo first; echo last word; exit 3')" 1
ok "with how it ended" grep -q "beside CUPTI sh ended with exit code 3" "$TMP/err"
ok "and what it printed last" grep -q "^  last word$" "$TMP/err"
is "it dies: 1" "$(verify sh -c 'kill -9 $$')" 1
ok "with the signal" grep -q "died of signal 9" "$TMP/err"
is "it fails under vprof alone: 1" "$(verify sh -c '[ -n "$CUPTI_TIMES" ] && exec "$0" --launches 1; exit 4' "$client")" 1
ok "which is said" grep -q "under vprof sh ended with exit code 4" "$TMP/err"
is "no such command: 1" "$(verify nonesuch)" 1
ok "named" grep -q "nonesuch: No such file" "$TMP/err"
is "no recorder: 1" "$(verify --recorder /nonesuch.so true)" 1
ok "named" grep -q "/nonesuch.so: No such file" "$TMP/err"
is "no command: 2" "$(verify)" 2
is "an unknown option: 2" "$(verify --nonesuch true)" 2
is "more than the whole: 2" "$(verify --share 101 true)" 2
is "a value that the library would not take: 2" "$(verify --ring-mb x true)" 2
is "standard input is nobody's" "$(echo word | "$vprof" verify -k in sh -c 'cat; exit 1' 2>/dev/null; cat in/cupti.log)" ""
"$vprof" verify sleep 300 2>"$TMP/err" &
verify=$!
until_true pgrep -P $verify sleep
pgrep -P $verify sleep >"$TMP/sleep"
kill $verify
wait $verify
is "a signal goes to the command, whose end is ours" "$? $(grep -c "died of signal 15" "$TMP/err"; kill -0 "$(cat "$TMP/sleep")" 2>&1 | grep -c such)" "1 1
1"
is "nothing is left of what was not kept" "$(ls "$TMPDIR")" ""

# What was kept is compared again.
is "a torn line and lines that are none" "$(
	mkdir -p torn/cupti torn/vprof
	printf 'kernel\tk\t0\t7\t1\t0\t0\t10\t20\t%b\n' '1\t1\t1\t1\t1' '1\t1\t1\t1\t1\tx' >torn/cupti/0.tsv
	printf 'kernel\tk\t0\t7\t1\t0\t0\t10\t20\nnonsense\nkernel\tk\t0\t7\t1\t0\t0\t30\t20\nkernel\tk\t0\t7\t1\t0\tkern' >torn/cupti/1.tsv
	verify --again torn)" 1
ok "are counted" grep -q "torn/cupti/1.tsv: 2 lines that are no execution" "$TMP/err"
ok "as are those whose shape is none" grep -q "torn/cupti/0.tsv: 2 lines that are no execution" "$TMP/err"
ok "and the rest is read" grep -q "under vprof there is no ring" "$TMP/err"
is "a folder that is none: 1" "$(verify --again /nonesuch)" 1
ok "named" grep -q "/nonesuch/cupti: No such file" "$TMP/err"
is "--again runs no command: 2" "$(verify --again kept true)" 2
done_testing
