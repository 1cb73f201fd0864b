#!/usr/bin/env bash
# Pages that are made from tables agree with them, and pages name only files that exist.
. tests/tap.sh

is "docs/environment.md is what make docs makes" "$(docs/environment.sh | diff - docs/environment.md)" ""
is "docs/coverage.md is what make docs makes" "$(docs/coverage.sh | diff - docs/coverage.md)" ""
rows=$(sed -n 's/^VPROF_ENV(\([A-Z_]*\),.*/\1/p' include/vprof/env.def)
ok "env.def has rows" test "$(wc -w <<<"$rows")" -ge 5
for page in docs/environment.md docs/man/libvprof.7; do
	is "$page has every variable" "$(for name in $rows; do grep -q "$name" "$page" || echo "$name"; done)" ""
done
is "vprof help env has every variable" \
	"$("$BUILD/vprof" help env >"$TMP/env"; for name in $rows; do grep -q "^$name " "$TMP/env" || echo "$name"; done)" ""

# Paths in backquotes: those that begin with a folder of the tree. Names with * are patterns.
pages=$(ls README.md docs/*.md docs/howto/*.md)
is "pages name files that exist" "$(
	grep -ohE '`(include|preload|shim|tools|tests|examples|docs|setup|\.ci)/[^` ]*`' $pages | tr -d '`' | grep -vE 'FOLDER|NAME' | sort -u |
	while read -r path; do compgen -G "$path" >/dev/null || echo "$path"; done)" ""
is "links between pages lead somewhere" "$(
	for page in $pages; do
		grep -oE '\]\([^)#:]+' "$page" | cut -c3- | grep -v "^https\{0,1\}$" | while read -r link; do
			[ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
		done
	done)" ""
is "every option of the tools is in its man page" "$(
	{ echo vprof-merge; "$BUILD/vprof" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z]*\) .*/vprof \1/p' | grep -v help; } |
	while read -r tool; do
		page=docs/man/${tool// /-}.1 # a verb's own page, or the command's
		[ -e "$page" ] || page=docs/man/${tool%% *}.1
		$BUILD/${tool} --help | grep -oE -- '--[a-z][a-z-]+' | sort -u | while read -r option; do
			sed 's/\\-/-/g' "$page" | grep -q -- "$option" && continue
			# vprof run, env and verify have an option for each variable, which that page describes.
			name=${option#--} name=VPROF_${name//-/_}
			case $tool in "vprof run" | "vprof env" | "vprof verify") grep -q "${name^^}" docs/man/libvprof.7 && continue ;; esac
			echo "$page: $option of $tool"
		done
	done)" ""

is "and no page describes one that its tool has not" "$(
	for page in docs/man/vprof-*.1; do
		tool=${page#docs/man/} tool=${tool%.1}
		[ "$tool" = vprof-merge ] || tool=${tool/-/ }
		$BUILD/$tool --help >"$TMP/help"
		sed 's/\\-/-/g' "$page" | awk '/^\.S[HS]/ { in_ = /OPTIONS/ } in_ && after && /^\.B/; { after = /^\.TP/ }' |
			grep -oE -- '--[a-z][a-z-]+' | sort -u | while read -r option; do
			grep -qE -- "$option([^a-z-]|$)" "$TMP/help" || echo "$page: $option"
		done
	done)" ""

is "no help is wider than a terminal" "$(
	{ echo vprof; echo vprof-merge; "$BUILD/vprof" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z]*\) .*/vprof \1/p'; } |
	while read -r tool; do
		$BUILD/$tool --help | awk -v tool="$tool" 'length > 80 { print tool ": " $0 }'
	done)" ""

if command -v mandoc >/dev/null; then
	is "mandoc finds nothing wrong with the man pages" "$(mandoc -Tlint -Wwarning docs/man/* 2>&1)" ""
elif command -v man >/dev/null; then
	is "man finds nothing wrong with the man pages" "$(for f in docs/man/*; do man --warnings -l "$f" 2>&1 >/dev/null; done)" ""
fi
done_testing
