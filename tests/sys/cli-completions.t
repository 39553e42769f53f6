#!/bin/sh
# SPDX-License-Identifier: MIT
# The completions of bash, zsh and fish know every option, and offer what can stand there.
. "${top_srcdir:-.}/tests/sys/cli-lib.sh"
plan 22

scripts=$(cd "$top_srcdir/cli/completions" && pwd)
mkdir -p "$RELIB_DIR/demo.4321" "$work/bin"
: >"$RELIB_DIR/demo.4321/session"
printf '#!/bin/sh\n' >"$work/bin/somehost"
chmod +x "$work/bin/somehost"
: >"$work/plugin.so"
PATH=$work/bin:$PATH
HOME=$work XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data
export PATH HOME XDG_CONFIG_HOME XDG_DATA_HOME
cd "$work" || exit 99

# options SCRIPT: each long option that some --help tells of is in the script
options() {
	missing=
	for command in run test 'leaks report' 'leaks diff' check; do
		# shellcheck disable=SC2086
		for option in $("$relib" $command --help | sed -n 's/^ .*[ ,]--\([a-z-]*\).*/\1/p'); do
			grep -Eq -- "(--|-l )$option\b" "$scripts/$1" || missing="$missing $option"
		done
	done
	[ -z "$missing" ] || echo "missing:$missing"
	[ -z "$missing" ]
}
for script in relib _relib relib.fish; do
	check "$script has all options" options $script
done

# with_bash LINE: what is offered, a line each
with_bash() {
	bash --norc --noprofile -c '
		. "$1"
		# as readline does: = is a word of its own
		line=${2//=/ = }
		read -ra COMP_WORDS <<<"$line"
		case $2 in *[\ =]) COMP_WORDS+=("") ;; esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_relib
		printf "%s\n" "${COMPREPLY[@]}"' bash "$scripts/relib" "$1"
}

with_fish() {
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$scripts/relib.fish" "$1" | cut -f1
}

# In a terminal of its own: TAB, and then a key that says what stands there and that it is all.
cat >start.zsh <<'Z'
unset HISTFILE
PS1='' LISTMAX=10000
setopt no_list_ambiguous no_beep
fpath=($scripts $fpath)
autoload -Uz compinit
compinit -u -D
show() { zle -I; print -r -- "<$BUFFER>"; print 'en''d' }
zle -N show
bindkey '^X' show
precmd() { print 'rea''dy' }
Z
cat >zsh.zsh <<'Z'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "scripts=$1; . ./start.zsh"
zpty -r shell answer '*ready*'
zpty -w -n shell "$2"$'\t\x18'
zpty -r shell answer '*end*'
print -r -- $answer
zpty -d shell
Z
with_zsh() {
	timeout 20 zsh -f zsh.zsh "$scripts" "$1" | sed 's/\x1b\[[0-9;?]*[a-zA-Z]/\n/g' |
		tr -s ' \r' '\n\n'
}

# offers SHELL LINE WORD...: one test, each word is among what is offered
offers() {
	shell=$1 line=$2 wrong=
	shift 2
	if ! command -v "$shell" >/dev/null 2>&1; then
		skip "$shell: '$line'" "$shell is not installed"
		return
	fi
	"with_$shell" "$line" >offered 2>&1 </dev/null
	for word; do
		grep -Eq -- "(^|[<=,])$word>?/?\$" offered || wrong="$wrong $word"
	done
	[ -z "$wrong" ]
	result $? "$shell: '$line'"
	[ -z "$wrong" ] || { echo "# not offered:$wrong"; sed 's/^/# offered: /' offered; }
}

for shell in bash zsh fish; do
	offers $shell 'relib ' run test leaks check help
	offers $shell 'relib leaks ' report diff
	offers $shell 'relib run some' somehost
	offers $shell 'relib run --fds=' report close
	offers $shell 'relib test --format ' text tap junit json
	offers $shell 'relib leaks report --kind descriptors,' '(descriptors,)?locks'
done
offers fish 'relib run -n 3 -- plug' plugin.so
exit $test_failed
