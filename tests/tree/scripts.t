#!/usr/bin/env bash
# Every script parses, and make's own pages are whole.
. tests/tap.sh

scripts=$(git ls-files 2>/dev/null | grep . || find . -type f -not -path './build/*' -not -path './.git/*')
for script in $(grep -E '(\.sh|\.t)$|^\.ci/run$|^tests/(gpu|bench)/run$' <<<"$scripts"); do
	head -1 "$script" | grep -qE 'perl|python' && continue
	bash -n "$script" 2>"$TMP/why" || { ok "$script parses" false; diag "$(cat "$TMP/why")"; }
done
is "every test can be run" "$(find tests -name '*.t' -not -perm -u+x)" ""
is "every test says what runs it" "$(for t in tests/*/*.t; do head -1 "$t" | grep -qE '^#!/usr/bin/env (bash|python3|perl)$' || echo "$t"; done)" ""
if command -v python3 >/dev/null; then
	for script in $(grep '\.py$' <<<"$scripts") $(grep -l '^#!.*python' tests/*/*.t); do
		ok "$script compiles" python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$script"
	done
fi

help=$(MAKEFLAGS= make --no-print-directory help)
for target in setup all check demo install uninstall clean help docs picture; do
	ok "make help names $target" grep -qE "^  $target +[a-z]" <<<"$help"
done
is "what each target does begins in the same column" \
	"$(sed -n '/^options/q; s/^\(  [a-z-]*  *\).*/\1/p' <<<"$help" | awk '{ print length($0) }' | sort -u | wc -l)" 1
is ".ci/run runs the README's test command" "$(grep '^make' .ci/run)" "$(sed -n 's/^    \(make setup check\)$/\1/p' README.md | head -1)"
done_testing
