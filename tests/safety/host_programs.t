#!/usr/bin/env bash
# Large programs under the preload do what they do without it: C++ exceptions across
# libraries and threads, git's and bash's ordinary use, CPython's own tests.
#
# CPython's tests run without the preload only when one fails with it: what fails in both
# is named and does not count. CPYTHON_TESTS=... chooses others, an empty one none.
. tests/tap.sh
. tests/safety/lib.sh

run_both "$PROGRAMS/throws" "$PROGRAMS/libthrow.so"
ok "exceptions: output and exit status" unchanged
ok "exceptions: they were thrown through 500 frames" grep -q 'unwound 501$' "$TMP/traced.out"
is "exceptions: it ended in terminate()" "$(cat "$TMP/traced.rc")" 3
ok "exceptions: nothing on stderr" diff "$TMP/plain.err" "$TMP/traced.err"
ok "the library brings no unwinder" not grep -q 'libgcc\|unwind\|libstdc' <(ldd "$LIBRARY")
new_out

# ---- git ----

cat >"$TMP/git.sh" <<'EOF'
export HOME=$1/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
mkdir -p "$HOME" && cd "$1" || exit
git init -q -b main one && cd one || exit
for i in 1 2 3 4 5 6 7 8; do seq "$i" 2000 >"file$i"; git add . && git commit -q -m "commit $i"; done
git checkout -q -b side HEAD~3 && seq 5 >side && git add side && git commit -q -m side
git merge -q -m merged main; git log --graph --oneline; git diff --stat HEAD~2
git gc -q --prune=now; git fsck 2>&1; git count-objects -v | grep -v size
git clone -q . ../two 2>&1; cd ../two && git log --oneline | wc -l
git archive HEAD | tar t; git stash list; git rebase -q main 2>&1; git status --short --branch
git -c alias.say='!echo said' say; git hash-object file1; git no-such-command 2>&1; echo $?
EOF
for arm in plain traced; do
	rm -rf "$TMP/git"
	mkdir "$TMP/git"
	$arm bash "$TMP/git.sh" "$TMP/git" >"$TMP/$arm.out" 2>&1
	echo $? >"$TMP/$arm.rc"
done
ok "git: output and exit status" unchanged
ok "git: it did its work" grep -q 'merged$' "$TMP/traced.out"

# ---- bash ----

cat >"$TMP/bash.sh" <<'EOF'
set -m
seq 1000 | sort -r | head -3; echo "${PIPESTATUS[@]}"
x=$(printf '%s\n' a b c | while read -r l; do echo "<$l>"; done); echo "$x"
(exit 5); echo $?; (kill -KILL $BASHPID) 2>/dev/null; echo $?
sleep 0.1 & sleep 0.2 & jobs | sed 's/[0-9]* *Running/Running/'; wait; echo waited
sleep 5 & kill -STOP %1; kill %1; kill -CONT %1 2>/dev/null; wait %1; echo "stopped $?"
trap 'echo trapped' USR1; kill -USR1 $$; trap 'echo end' EXIT
coproc cat; echo to >&"${COPROC[1]}"; read -r back <&"${COPROC[0]}"; echo "$back"
diff <(seq 3) <(seq 4); echo $?
exec 7<<<here; cat <&7; ulimit -n 64; ulimit -n
no_such_command 2>/dev/null; echo $?
for i in {1..50}; do (:) ; done; echo {a..e}
timeout 0.1 sleep 5; echo $?
env -u LD_PRELOAD true; echo $?; unset LD_PRELOAD; echo "${LD_PRELOAD-unset}"
EOF
for arm in plain traced; do
	$arm bash "$TMP/bash.sh" >"$TMP/$arm.out" 2>"$TMP/$arm.err" </dev/null
	echo $? >"$TMP/$arm.rc"
done
ok "bash: output and exit status" unchanged
sed -i -E 's|: +[0-9]+ Killed|: PID Killed|' "$TMP/plain.err" "$TMP/traced.err"
ok "bash: stderr" diff "$TMP/plain.err" "$TMP/traced.err"
is "neither makes a ring" "$(rings)" 0

# ---- CPython's own tests ----

tests=${CPYTHON_TESTS-test_subprocess test_multiprocessing_spawn test_multiprocessing_fork test_threading}
python=/usr/bin/python3
if ! $python -c 'import test.test_subprocess' 2>/dev/null; then
	ok "CPython's tests # SKIP they are not installed" true
	done_testing
fi
# cpython ARM TESTS: prints those that fail. -W shows each failure of a test that has several. What
# starts us in the background ignores SIGINT, which some tests wait for.
cpython() {
	local arm=$1
	shift
	$arm env -u VPROF_OUT --default-signal=INT TMPDIR="$TMP" $python -m test -j2 -W --timeout 1200 "$@" >"$TMP/cpython.$arm" 2>&1 </dev/null
	# One test a line, indented, behind "N tests failed:".
	awk '/^[0-9]+ tests? failed:/ { list = 1; next } list && /^ / { print; next } { list = 0 }' "$TMP/cpython.$arm" |
		tr -s ' ' '\n' | grep -v '^$'
	grep -q '^Total duration\|^Tests result' "$TMP/cpython.$arm" || echo "no result at all"
}
# failures ARM: what failed, one a line. The loader says ERROR too, where a test goes on as a user who
# may not read the library.
failures() { grep -E '^(FAIL|ERROR): ' "$TMP/cpython.$1" | grep -v '^ERROR: ld\.so: ' | sort -u; }
[ -n "$tests" ] || done_testing
failed=$(cpython traced $tests)
cp "$TMP/cpython.traced" "$TMP/cpython.all"
if [ -n "$failed" ]; then
	# What fails without the preload as well does not count, but is named; nor does what a busy machine fails only once.
	[ "$failed" = "no result at all" ] || failed=$(cpython traced $failed)
	failures traced >"$TMP/failed.traced"
	[ -z "$failed" ] || ok "CPython: it is known what failed" test -s "$TMP/failed.traced"
	cpython plain $failed >/dev/null
	failures plain >"$TMP/failed.plain"
	diag "fail without the preload as well:" "$(cat "$TMP/failed.plain")"
	ok "CPython: no test fails that passes without the preload" test -z "$(comm -13 "$TMP/failed.plain" "$TMP/failed.traced")"
	diag "$(comm -13 "$TMP/failed.plain" "$TMP/failed.traced")" "$(tail -n 40 "$TMP/cpython.traced")"
fi
for name in $tests; do
	ok "CPython: $name ran" grep -q "$name \(passed\|failed\)\|$name$" "$TMP/cpython.all"
done
ok "CPython: $(grep -o 'Total duration.*' "$TMP/cpython.all"), failed: ${failed:-none}" grep -q '^Total duration' "$TMP/cpython.all"

done_testing
