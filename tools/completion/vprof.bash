# Completion of vprof and vprof-merge for bash; `vprof help completion bash` prints it.
#
# What there is to complete the program itself tells: PROGRAM [VERB] --completion-words prints a line
# for each verb or option, with its argument and its help, tabs between. So a new option needs
# nothing here.

# Sets words from the candidates on stdin that begin with cur.
_vprof_words() {
	local word
	while IFS= read -r word; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# What an argument or operand is, by its name in --help.
_vprof_value() {
	case $1 in
	*RING* | *DIR*)
		compopt -o filenames
		_vprof_words < <(compgen -d -- "$cur"; compgen -f -X '!*.ring' -- "$cur")
		;;
	*FILE*)
		compopt -o filenames
		_vprof_words < <(compgen -f -- "$cur")
		;;
	*COMMAND* | *ACTION*)
		_vprof_words < <(compgen -c -- "$cur" | sort -u)
		;;
	*VERB*)
		_vprof_words < <("$program" --completion-words 2>/dev/null | cut -f1; tr -s '[]| ' '\n' <<<"$1" | grep '^[a-z]')
		;;
	*[A-Z]*) ;; # a number, a time, a pattern
	*'|'*) _vprof_words < <(tr -s '[]=| ' '\n' <<<"$1") ;;
	esac
}

_vprof() {
	local cur=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]/#\~/$HOME}
	local verb= first=1 word argument help operands= options=() takes=" " i
	COMPREPLY=()

	case $program in *vprof-merge) first=0 ;; *) verb=${COMP_WORDS[1]} ;; esac
	if [[ -n $verb || $first = 1 ]] && ((COMP_CWORD == 1)); then
		_vprof_words < <("$program" --completion-words 2>/dev/null | cut -f1)
		return
	fi
	# bash parts words at "=".
	if [[ $cur = "=" ]]; then
		cur=
	elif [[ $last = "=" ]]; then
		last=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	local value=
	while IFS=$'\t' read -r word argument help; do
		case $word in
		-*)
			options+=("$word")
			[[ $argument = - || $argument = '[='* ]] || takes+="$word "
			[[ $word != "$last" || $argument = - ]] || value=$argument
			;;
		*) operands=$argument ;;
		esac
	done < <("$program" $verb --completion-words 2>/dev/null)

	# Behind the first word that is no option stands another program's command line.
	if [[ $operands = *COMMAND* ]]; then
		for ((i = first + 1; i < COMP_CWORD; i++)); do
			word=${COMP_WORDS[i]}
			if [[ $takes = *" $word "* ]]; then
				((i++))
				[[ ${COMP_WORDS[i]} != "=" ]] || ((i++))
			elif [[ $word != -* || $word = -- ]]; then
				[[ $word != -- ]] || ((i++))
				((i < COMP_CWORD)) || break
				if declare -F _command_offset >/dev/null; then
					_command_offset $i
				else
					compopt -o filenames
					_vprof_words < <(compgen -f -- "$cur")
				fi
				return
			fi
		done
	fi
	if [[ -n $value && ($takes = *" $last "* || ${COMP_WORDS[COMP_CWORD]} = "=" || ${COMP_WORDS[COMP_CWORD - 1]} = "=") ]]; then
		_vprof_value "$value"
	elif [[ $cur = -* ]]; then
		_vprof_words < <(printf '%s\n' "${options[@]}")
	elif [[ $verb = help && $last = completion ]]; then
		_vprof_words < <(printf '%s\n' bash zsh)
	else
		_vprof_value "$operands"
	fi
}

complete -F _vprof vprof vprof-merge
