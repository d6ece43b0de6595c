# shellcheck shell=sh disable=SC2154
# Getting what a durable request printed whose link was lost, through another shell.

# _w_collect ID MARK PID: in another shell, waits until the request with MARK has ended, and gives
# what it printed after a line `done STATUS`; its own status is another than 0 where it could not. The line
# is `lost` if its shell, PID, did not live to see its end, or if nobody can tell; `unbegun` if it never
# began, and now never will.
_w_collect() {
	for _w_dir in "${TMPDIR:-/tmp}" /var/tmp /dev/shm /run ''; do
		_w_dir=$_w_dir/.windlass-$1
		[ ! -d "$_w_dir" ] || break
	done
	[ -d "$_w_dir" ] || {
		echo lost
		return
	}
	_w_left=15
	until _w_settled "$2" "$3"; do sleep 0.2 2>/dev/null || sleep 1; done
	if [ "$_w_found" = cut ]; then
		echo lost
	elif [ "$_w_found" != "$2" ]; then
		kill -KILL "$3" 2>/dev/null
		echo unbegun
	elif [ -z "$_w_status" ]; then
		echo lost
	else
		echo "done $_w_status"
		{ cat "$_w_dir/out" && cat "$_w_dir/err" >&2; } || _w_status=x
	fi
	rm -rf "$_w_dir"
	[ "$_w_status" != x ]
}

# _w_settled MARK PID: whether there is nothing more to wait for. Leaves what was found in _w_found and
# _w_status.
_w_settled() {
	# Asked first: what the shell wrote before it ended is seen after.
	_w_alive=1 _w_found='' _w_status=''
	kill -0 "$2" 2>/dev/null || _w_alive=''
	read -r _w_found <"$_w_dir/mark"
	read -r _w_status <"$_w_dir/status"
	[ "$_w_found" != cut ] || return 0
	if [ "$_w_found" != "$1" ]; then
		# It may be about to begin: what was sent may still lie in its pipe.
		_w_left=$((_w_left - 1))
		[ "$_w_left" -gt 0 ] || return 0
	elif [ -n "$_w_status" ]; then
		return 0
	fi
	[ -z "$_w_alive" ]
}
