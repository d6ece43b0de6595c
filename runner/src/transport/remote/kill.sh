# shellcheck shell=sh disable=SC2086,SC2154
# Ending a request on the host: all of its processes, and none of those that earlier ones left behind.
#
# POSIX sh cannot give a command a process group of its own without a terminal or one more program
# started for each request. All requests of a shell share its group, which sshd gives each session;
# those of the running request are its shell's children and all below them, and what was orphaned of
# them: members of the group that are no older than the request and whose parent is outside the group.
# Its leader is none, however little older: it may be the sudo that the shell runs under, and starts are
# told in hundredths of a second.

# Puts "PID PPID PGRP START ..." of all processes into _w_table. Without /proc, every start is 0.
_w_processes() {
	_w_table=''
	if [ -r /proc/self/stat ]; then
		for _w_file in /proc/[0-9]*/stat; do
			{ IFS= read -r _w_line <"$_w_file"; } 2>/dev/null || continue
			_w_pid=${_w_line%% *}
			set -- ${_w_line##*) }
			[ "$1" = Z ] || _w_table="$_w_table $_w_pid $2 $3 ${20}"
		done
	else
		_w_table=$(ps -A -o pid= -o ppid= -o pgid= | while read -r _w_pid _w_line; do
			echo "$_w_pid $_w_line 0"
		done)
	fi
}

# _w_find LOOP KEEP: puts the processes of LOOP's running request into _w_found. KEEP, and what is
# below it, is not one of them.
_w_find() {
	_w_loop=$1 _w_keep=$2 _w_found=' ' _w_group=' ' _w_pgrp=''
	_w_processes
	set -- $_w_table
	while [ "$#" -gt 0 ]; do
		[ "$1" != "$_w_loop" ] || _w_pgrp=$3
		shift 4
	done
	set -- $_w_table
	while [ "$#" -gt 0 ]; do
		[ "$3" != "$_w_pgrp" ] || _w_group="$_w_group$1 "
		shift 4
	done
	_w_before=''
	while [ "$_w_before" != "$_w_found" ]; do
		_w_before=$_w_found
		set -- $_w_table
		while [ "$#" -gt 0 ]; do
			! _w_belongs "$1" "$2" "$3" "$4" || _w_found="$_w_found$1 "
			shift 4
		done
	done
}

# _w_belongs PID PPID PGRP START: whether it is one of the running request.
_w_belongs() {
	case " $_w_loop $_w_keep $_w_found" in *" $1 "*) return 1 ;; esac
	case $2 in
	"$_w_keep") return 1 ;;
	"$_w_loop")
		[ -n "$_w_since" ] || _w_since=$4
		return 0
		;;
	esac
	case $_w_found in *" $2 "*) return 0 ;; esac
	[ -n "$_w_since" ] && [ "$3" = "$_w_pgrp" ] && [ "$1" != "$3" ] && [ "$4" -ge "$_w_since" ] || return 1
	case $_w_group in *" $2 "*) return 1 ;; esac
}

# _w_kill LOOP KEEP ROUNDS: asks them to end, waits ROUNDS tenths of a second at least, makes them end.
_w_kill() {
	_w_since='' _w_rounds=$3
	_w_find "$1" "$2"
	[ "$_w_found" = ' ' ] || kill -TERM $_w_found 2>/dev/null
	while [ "$_w_found" != ' ' ] && [ "$_w_rounds" -gt 0 ]; do
		sleep 0.1 2>/dev/null || sleep 1
		_w_rounds=$((_w_rounds - 1))
		_w_find "$1" "$2"
	done
	_w_rounds=20
	while [ "$_w_found" != ' ' ] && [ "$_w_rounds" -gt 0 ]; do
		kill -KILL $_w_found 2>/dev/null
		_w_rounds=$((_w_rounds - 1))
		_w_find "$1" "$2"
	done
}

# Ends the request after _w_limit seconds. It runs on the host, so that it holds without the link.
_w_watch() {
	(
		_w_earlier=$!
		trap '[ "$!" = "$_w_earlier" ] || kill "$!" 2>/dev/null; exit 0' TERM
		sleep "$_w_limit" &
		wait "$!"
		trap '' TERM
		{ read -r _w_self _w_line </proc/self/stat; } 2>/dev/null || _w_self=$(exec sh -c 'echo $PPID')
		_w_kill $$ "$_w_self" "$_w_grace"
		exit 99
	) </dev/null >/dev/null 2>&1 &
	_w_watcher=$!
}

_w_unwatch() {
	kill "$_w_watcher" 2>/dev/null
	wait "$_w_watcher" 2>/dev/null
	[ "$?" != 99 ] || _w_late=t
	_w_limit=''
}
