#compdef vprof vprof-merge
# Completion of vprof and vprof-merge for zsh; `vprof help completion zsh` prints it.
#
# As for bash: PROGRAM [VERB] --completion-words tells what there is to complete.

_vprof_value() {
	case $1 in
	*RING*|*DIR*) _files -g '*.ring(-.)' || _files -/ ;;
	*FILE*) _files ;;
	*COMMAND*|*ACTION*) _command_names -e ;;
	*VERB*) _vprof_verbs; compadd -- ${(M)${(s: :)${1//[\[\]|]/ }}:#[a-z]*} ;;
	*[A-Z]*) ;;
	*\|*) compadd -- ${(s:|:)${1//[\[\]=]/}} ;;
	esac
}

_vprof_verbs() {
	local -a verbs
	local word argument help
	while IFS=$'\t' read -r word argument help; do
		verbs+=("$word:$help")
	done < <($program --completion-words 2>/dev/null)
	_describe verb verbs
}

_vprof() {
	local program=${(e)words[1]} verb= first=1 word argument help operands= value= i
	local last=$words[CURRENT-1]
	local -a options takes
	program=${program/#\~/$HOME}

	[[ $program == *vprof-merge ]] && first=0 || verb=$words[2]
	if ((first && CURRENT == 2)); then
		_vprof_verbs
		return
	fi
	if [[ $PREFIX == --*=* ]]; then
		last=${PREFIX%%=*}
		compset -P 1 '*='
		value=-
	fi
	while IFS=$'\t' read -r word argument help; do
		if [[ $word != -* ]]; then
			operands=$argument
			continue
		fi
		options+=("$word:$help")
		[[ $argument == - || $argument == '[='* ]] || takes+=($word)
		if [[ $word == $last && $argument != - && ($value == - || $argument != '[='*) ]]; then
			value=$argument
		fi
	done < <($program $verb --completion-words 2>/dev/null)

	if [[ $operands == *COMMAND* ]]; then
		for ((i = first + 2; i < CURRENT; i++)); do
			word=$words[i]
			if ((${takes[(Ie)$word]})); then
				((i++))
			elif [[ $word != -* || $word == -- ]]; then
				[[ $word == -- ]] && ((i++))
				((i < CURRENT)) || break
				shift $((i - 1)) words
				((CURRENT -= i - 1))
				_normal
				return
			fi
		done
	fi
	if [[ -n $value ]]; then
		_vprof_value $value
	elif [[ $PREFIX == -* ]]; then
		_describe -o option options
	elif [[ $verb == help && $last == completion ]]; then
		compadd bash zsh
	else
		_vprof_value $operands
	fi
}

_vprof "$@"
