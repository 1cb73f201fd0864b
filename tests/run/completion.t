#!/usr/bin/env bash
# Completion in bash and zsh: verbs, options and operands as the commands themselves have them.
. tests/tap.sh
root=$PWD
. tests/run/lib.sh
export PATH=$BUILD:$PATH
mkdir rings deep
touch one.ring other.txt rings/two.ring

# complete WORDS...: what bash offers for the last of them, sorted; bash parts words at "=".
"$vprof" help completion bash >complete.bash
complete() {
	bash --norc -c '. ./complete.bash
		compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_vprof
		printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$@" | paste -sd' '
}
verbs=$("$vprof" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' | sort | paste -sd' ')
is "every verb" "$(complete vprof "")" "$verbs"
is "verbs that begin so" "$(complete vprof st)" "$(tr ' ' '\n' <<<"$verbs" | grep ^st | paste -sd' ')"
options() { $1 --help | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort | paste -sd' '; }
missing=
for verb in $verbs; do
	[ "$(complete vprof "$verb" --)" = "$(options "vprof $verb")" ] || missing+=" $verb"
done
is "every option of every verb" "$missing" ""
is "every option of vprof-merge" "$(complete vprof-merge --)" "$(options vprof-merge)"
ok "which are the library's variables as well" grep -q -- "--ring-mb" <<<"$(complete vprof run --)"
is "short options" "$(complete vprof info -)" "$("$vprof" info --help | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE -- '-(-[a-z-]+|[a-z]\b)' | sort -u | paste -sd' ')"
is "rings and folders" "$(complete vprof info "")" "deep one.ring rings"
is "in a folder" "$(complete vprof info rings/)" "rings/two.ring"
is "a folder for -o" "$(complete vprof run -o r)" "rings"
is "a file behind =" "$(complete vprof run --merge = ot)" "other.txt"
is "the same, nothing typed" "$(complete vprof run --out =)" "deep one.ring rings"
is "what an option takes" "$(complete vprof top --by "")" "gpu host launches"
is "by its letter, one that begins so" "$(complete vprof top -b h)" "host"
is "of the library's variables too, behind =" "$(complete vprof run --gpu = "")" "all off sample"
is "groups of calls" "$(complete vprof run --trace m)" "memory module"
is "nothing where it is no word" "$(complete vprof run --ring-mb "")" ""
is "of vprof-merge" "$(complete vprof-merge --format "")" "chrome kineto"
is "help: verbs and more" "$(complete vprof help c)" "completion coverage cubin"
is "help completion: shells" "$(complete vprof help completion "")" "bash zsh"
is "an option of the program that is run is none of ours" "$(complete vprof run ls --ap)" ""
is "run: a command" "$(complete vprof run vprof-mer)" "vprof-merge"
is "behind its own option's argument too" "$(complete vprof run --ring-mb 4 vprof-mer)" "vprof-merge"
is "behind --" "$(complete vprof run -- vprof-mer)" "vprof-merge"
is "then files" "$(complete vprof run -- cat oth)" "other.txt"
is "an option's word is no command" "$(complete vprof run -o r --ap)" "--append"
is "all words of the program are printed to scripts alone" "$("$vprof" info --help | grep -c completion-words)" 0

if command -v zsh >/dev/null; then
	mkdir functions
	"$vprof" help completion zsh >functions/_vprof
	python3 "$root/tests/run/zsh_complete.py" "$here/functions" >zsh.out 2>&1 <<'KEYS'
vprof cove	|vprof coverage
vprof run --ring-m	|vprof run --ring-mb
vprof info one	|vprof info one.ring
vprof run -o rin	|vprof run -o rings/
vprof run --ring-mb 4 vprof-mer	|vprof run --ring-mb 4 vprof-merge
vprof run cat oth	|vprof run cat other.txt
vprof help completion z	|vprof help completion zsh
vprof-merge --expand	|vprof-merge --expand-graphs
vprof top --per ro	|vprof top --per role
vprof run --ring-at=sh	|vprof run --ring-at=shm
KEYS
	is "zsh completes likewise" "$(cat zsh.out)" ""
fi
done_testing
