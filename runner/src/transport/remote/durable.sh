# shellcheck shell=sh disable=SC2154
# Requests that go on when the link is lost. What they print goes to files in a private folder, made
# once for a shell and used again, and from there to us: at the end, or as it is written. While all
# succeeds, that costs no process more, but a `cat` where there was output.

# Makes the folder, where there is room for one.
_w_spool() {
	[ -z "$_w_dir" ] || return 0
	for _w_dir in "${TMPDIR:-/tmp}" /var/tmp /dev/shm /run; do
		_w_dir=$_w_dir/.windlass-$_w_id
		(umask 077 && mkdir "$_w_dir") 2>/dev/null && _w_files '' && return 0
		rm -rf "$_w_dir" 2>/dev/null
	done
	_w_dir=''
	return 1
}

# Makes new files for the request with mark $1, if there is room. The status is written over
# these blanks later, which takes no room then; `room` stays empty until it shows whether there is any.
# The mark comes last: who finds it takes the rest for this request's.
_w_files() {
	{
		true >"$_w_dir/out" && true >"$_w_dir/err" && true >"$_w_dir/room" &&
			echo '          ' >"$_w_dir/status" && echo "$1" >"$_w_dir/mark"
	} 2>/dev/null
}

# _w_keep MARK LINES BYTES SMALL STREAM: a request that goes on. BYTES and SMALL as for _w_feed; no
# BYTES: no input. The files are held open: they may be deleted meanwhile.
_w_keep() {
	[ -z "$3" ] || [ -n "$_w_exact" ] || _w_probe
	_w_begin "$1" "$2"
	if _w_spool && _w_files "$1"; then
		exec 5<"$_w_dir/out" 6<"$_w_dir/err" 7>"$_w_dir/room"
		[ -z "$5" ] || _w_follow
		_w_source "$3" "$4" 3>&1 >"$_w_dir/out" 2>"$_w_dir/err"
		_w_kept=$?
		_w_late='' _w_lost=''
		[ -z "$_w_limit" ] || _w_unwatch
		{ echo room >&7; } 2>/dev/null || _w_full
		{ echo "$_w_kept$_w_late${_w_lost:+f$_w_lost}" 1<>"$_w_dir/status"; } 2>/dev/null
		[ -z "$5" ] || _w_unfollow
		{ _w_give out 5 && _w_give err 6 >&2; } || _w_lost='what it printed cannot be read back'
		exec 5<&- 6<&- 7>&-
		_w_end "$_w_kept$_w_late${_w_lost:+f$_w_lost}"
	else
		# Unkept. A folder without this mark would say that it never began.
		rm -rf "$_w_dir"
		_w_dir=''
		_w_source "$3" "$4" 3>&1
		_w_end "$?"
	fi
}

# _w_give NAME NUMBER: prints what is left of a file that is open. None is worth a process if it is empty.
_w_give() {
	[ -s "$_w_dir/$1" ] || [ ! -e "$_w_dir/$1" ] || return 0
	cat <&"$2"
}

# There is no room: what was printed may not all be there. Puts into _w_lost which disk it is, in so many
# bytes as a marker's line has room for, and nothing that `echo` or `read` would take for more than text.
_w_full() {
	_w_lost="the disk with ${_w_dir%/*} is full"
	set -f
	# shellcheck disable=SC2046
	set -- $(df -Pk "${_w_dir%/*}" 2>/dev/null | tail -n 1)
	set +f
	[ "$#" -lt 6 ] || _w_lost="$_w_lost ($1, $5 used, $4 KiB free)"
	_w_lost=${_w_lost%%[\\"$_w_nl"]*}
	_w_lost=$(LC_ALL=C && printf %.150s "$_w_lost")
}

# Runs the source, deaf to the hang-up of a lost terminal.
_w_source() {
	_w_text="trap '' HUP; exec 5<&- 6<&- 7>&-; $_w_text"
	if [ -n "$1" ]; then
		_w_pour "$1" "$2"
	else
		(
			exec 3>&-
			set --
			eval "$_w_text"
		) </dev/null
	fi
}

# Prints what is added to the files, until it is told to stop. The loop reads on from the same place.
_w_follow() {
	(
		_w_go=1
		trap '_w_go=' TERM
		while [ -n "$_w_go" ]; do
			{ sleep 0.2 2>/dev/null || sleep 1; } &
			wait "$!"
			cat <&5
			cat <&6 >&2
		done
	) </dev/null 7>&- &
	_w_follower=$!
}

_w_unfollow() {
	kill "$_w_follower" 2>/dev/null
	wait "$_w_follower" 2>/dev/null
}

# The other side has all that was kept, and leaves.
_w_bye() {
	[ -z "$_w_dir" ] || rm -rf "$_w_dir"
	exit 0
}

# The link is lost: waits a quarter of an hour for someone to collect.
_w_wait() {
	exec </dev/null >/dev/null 2>&1
	_w_left=90
	while [ -d "$_w_dir" ] && [ "$_w_left" -gt 0 ]; do
		sleep 10
		_w_left=$((_w_left - 1))
	done
	rm -rf "$_w_dir"
}
