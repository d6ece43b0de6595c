# shellcheck shell=sh disable=SC2154
# The loop that the shell of a host runs: it reads requests from standard input, and answers on
# standard output and standard error.
#
# A request is a line `KEY CALL`, where KEY is this shell's own random word and CALL one of the
# functions here, followed by counted lines and counted bytes. Anything else means that the two sides
# no longer agree on where they are: the shell ends before it could take data for a command.
#
# Set before this is read: _w_key, and _w_nl (a newline). Names begin with _w_, away from scripts' own.

# A lost link must not end a command that goes on. Children get the signal as usual.
trap : PIPE
_w_exact='' _w_limit='' _w_dir=''

# Reads $1 lines into _w_text.
_w_lines() {
	_w_text='' _w_left=$1
	while [ "$_w_left" -gt 0 ]; do
		IFS= read -r _w_line || exit 70
		_w_text=$_w_text$_w_line$_w_nl
		_w_left=$((_w_left - 1))
	done
}

# Reads $1 lines of functions and defines them.
_w_define() {
	_w_lines "$1"
	eval "$_w_text"
}

# Takes mark $1 and $2 lines of source, and says on both streams that what follows is this request's.
# Where nobody is there any more to hear that, nothing begins.
_w_begin() {
	_w_mark=$1
	_w_lines "$2"
	echo "${_w_mark}b$$" 2>/dev/null || exit 70
	echo "${_w_mark}b" >&2
	[ -z "$_w_limit" ] || _w_watch
}

# Says on both streams that the request has ended with status $1.
_w_end() {
	_w_late=''
	[ -z "$_w_limit" ] || _w_unwatch
	echo "${_w_mark}e$1$_w_late"
	echo "${_w_mark}e" >&2
}

# _w_run MARK LINES: a request without input.
_w_run() {
	_w_begin "$@"
	(
		set --
		eval "$_w_text"
	) </dev/null
	_w_end "$?"
}

# _w_feed MARK LINES BYTES SMALL: a request with BYTES of input, which follow the source and are
# followed by a line of key and mark. With SMALL, input that the script leaves is read here.
_w_feed() {
	[ -n "$_w_exact" ] || _w_probe
	_w_begin "$@"
	_w_pour "$3" "$4" 3>&1
	_w_end "$?"
}

# Runs the source with $1 bytes of input. Descriptor 3 is the way back. The parentheses around the
# reader cost no process; without them, bash does not run an EXIT trap that the source sets.
_w_pour() {
	{
		_w_take "$1"
		IFS= read -r _w_line
		[ "$_w_line" = "$_w_key$_w_mark" ] || _w_cut
	} | (
		if [ -n "$2" ]; then
			(
				exec 3>&-
				set --
				eval "$_w_text"
			)
			_w_status=$?
			while IFS= read -r _w_line; do :; done
			exit "$_w_status"
		else
			exec 3>&-
			set --
			eval "$_w_text"
		fi
	)
}

# Copies exactly $1 bytes: what follows them is not for the same reader.
_w_take() {
	case $_w_exact in
	head) head -c "$1" ;;
	dd)
		[ "$1" -lt 65536 ] || dd bs=65536 count=$(($1 / 65536)) iflag=fullblock 2>/dev/null
		[ $(($1 % 65536)) = 0 ] || dd bs=$(($1 % 65536)) count=1 iflag=fullblock 2>/dev/null
		;;
	*) dd bs=1 count="$1" 2>/dev/null ;;
	esac
}

# Finds out which tool takes exactly what it is told to: some read ahead.
_w_probe() {
	for _w_exact in head dd slow; do
		echo xy | {
			_w_take 1
			IFS= read -r _w_line
			[ "$_w_line" = y ]
		} >/dev/null 2>&1 && return
	done
}

# The input was cut off, or the script left some of it. Nothing may take a part for the whole: the
# script ends before its input does. Then says that this shell is of no more use.
_w_cut() {
	_w_self='' _w_kids=''
	{
		read -r _w_self _w_line </proc/self/stat
		read -r _w_kids </proc/$$/task/$$/children
	} 2>/dev/null
	[ -z "$_w_dir" ] || echo cut >"$_w_dir/mark"
	[ -n "$_w_kids" ] || kill -KILL 0
	for _w_pid in $_w_kids; do
		[ "$_w_pid" = "$_w_self" ] || _w_fell "$_w_pid"
	done
	# Last: without the link, this is the end of this process.
	echo "${_w_mark}d" >&3
}

# Kills process $1 and those below it.
_w_fell() {
	_w_kids=''
	{ read -r _w_kids </proc/"$1"/task/"$1"/children; } 2>/dev/null
	kill -KILL "$1" 2>/dev/null
	for _w_pid in $_w_kids; do _w_fell "$_w_pid"; done
}

while IFS= read -r _w_line; do
	case $_w_line in
	"$_w_key "*) eval "${_w_line#* }" ;;
	*) exit 70 ;;
	esac
done
# The end of the input without a word: the link is lost. What was kept is there to be asked for.
[ -z "$_w_dir" ] || _w_wait
