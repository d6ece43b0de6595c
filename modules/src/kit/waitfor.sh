# shellcheck shell=sh
# Waiting for a port, a file, or the end of connections.
#
#   w_wait STATE HOST PORT PATH PATTERN TIMEOUT CONNECT DELAY SLEEP CODES
#       STATE is started, stopped, drained or reachable; PORT or PATH is empty. PATTERN is an extended
#       regular expression to be found in the file, or in what the port says at first. CODES are the
#       kernel's numbers of the states in which a connection counts for drained. Puts `elapsed`,
#       `probe` (for a port: open, refused, timeout, unreachable, unresolved or closed), and
#       `late` when the time was over. w_root: where paths begin, which only tests set.

# Runs a command with a time limit, where the node has a tool for that.
w_wf_limited() {
  if w_has timeout; then
    timeout "$@"
  else
    shift
    "$@"
  fi
}

# Finds out what to connect with.
w_wf_choose() {
  if w_has bash && w_has timeout; then
    w_wf_tool=bash
  elif w_has nc; then
    w_wf_tool=nc
    # BusyBox has no -z everywhere. It has -e, after which all is the program's.
    case $(nc --help 2>&1) in
    *BusyBox*) w_wf_tool=busybox ;;
    esac
  elif w_has socat; then
    w_wf_tool=socat
  elif w_has curl; then
    w_wf_tool=curl
  elif w_has bash; then
    w_wf_tool=bash
  else
    case $1 in
    127.* | localhost | ::1 | 0.0.0.0) w_wf_tool=proc ;;
    *)
      w_fail "the node has nothing to open a connection to $1 with" \
        'wait_for needs one of bash, nc, socat or curl there; for a port of the node itself it needs none'
      ;;
    esac
  fi
}

w_wf_connect() {
  # shellcheck disable=SC2016 # bash expands these
  case $w_wf_tool in
  bash) w_wf_limited "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" ;;
  nc) nc -z -v -w "$3" "$1" "$2" ;;
  busybox) w_wf_limited "$3" nc -w "$3" "$1" "$2" -e true ;;
  socat) socat -u /dev/null "TCP:$1:$2,connect-timeout=$3" ;;
  curl)
    w_wf_out=$(curl -sS -o /dev/null --connect-timeout "$3" -m "$3" -w '%{time_connect}' "http://$1:$2/")
    w_wf_code=$?
    # Connected, whatever became of the request.
    case $w_wf_out in
    0 | 0.0 | 0.000000 | 0,000000 | '') return "$w_wf_code" ;;
    esac
    ;;
  proc) w_wf_listens "$2" || { echo refused && return 1; } ;;
  esac
}

# Whether something on the node listens on a port.
w_wf_listens() {
  w_wf_hex=$(printf '%04X' "$1")
  cat "${w_root-}/proc/net/tcp" "${w_root-}/proc/net/tcp6" 2>/dev/null |
    awk -v port="$w_wf_hex" '$4 == "0A" && $2 ~ ":" port "$" { found = 1 } END { exit !found }'
}

# Sets w_wf_probe to what a connection meets.
w_wf_look() {
  w_wf_said=$(w_wf_connect "$1" "$2" "$3" 2>&1 </dev/null)
  case $?:$w_wf_said in
  0:*) w_wf_probe=open ;;
  *refused*) w_wf_probe=refused ;;
  *'not known'* | *'esolve'* | *'ad address'* | *'name resolution'* | *'getaddrinfo'* | *'nvalid host'*)
    w_wf_probe=unresolved
    ;;
  *'o route to host'* | *nreachable*) w_wf_probe=unreachable ;;
  124:* | 143:* | 28:* | *'timed out'* | *imeout* | *TIMEOUT*) w_wf_probe=timeout ;;
  *) w_wf_probe=closed ;;
  esac
}

# Whether what the port says matches. It says it unasked, or the time is up.
w_wf_says() {
  # shellcheck disable=SC2016
  case $w_wf_tool in
  bash) w_wf_limited "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat <&3' "$1" "$2" ;;
  nc) w_wf_limited "$3" nc -w "$3" "$1" "$2" ;;
  busybox) w_wf_limited "$3" nc -w "$3" "$1" "$2" ;;
  socat) w_wf_limited "$3" socat -u "TCP:$1:$2,connect-timeout=$3" - ;;
  *)
    w_fail "the node has nothing to read from a port with" \
      'wait_for with port and search_regex needs one of bash, nc or socat there'
    ;;
  esac </dev/null 2>/dev/null | grep -Eq -e "$4"
}

# How many connections to a port there are in states that count.
w_wf_connections() {
  w_wf_hex=$(printf '%04X' "$1")
  cat "${w_root-}/proc/net/tcp" "${w_root-}/proc/net/tcp6" 2>/dev/null |
    awk -v port="$w_wf_hex" -v states=" $2 " \
      '$2 ~ ":" port "$" && index(states, " " $4 " ") { count++ } END { print count + 0 }'
}

# Whether what is waited for is there: w_wf_there STATE HOST PORT PATH PATTERN CONNECT CODES.
w_wf_there() {
  if [ "$4" ]; then
    if [ "$5" ]; then
      w_wf_found=0
      grep -Eq -e "$5" "$4" 2>/dev/null || w_wf_found=1
    else
      w_wf_found=0
      [ -e "$4" ] || w_wf_found=1
    fi
    case $1 in
    stopped) [ "$w_wf_found" = 1 ] ;;
    *) [ "$w_wf_found" = 0 ] ;;
    esac
    return
  fi
  case $1 in
  drained)
    [ "$(w_wf_connections "$3" "$7")" = 0 ]
    return
    ;;
  esac
  w_wf_look "$2" "$3" "$6"
  case $1:$w_wf_probe in
  started:open) [ -z "$5" ] || w_wf_says "$2" "$3" "$6" "$5" ;;
  stopped:open) return 1 ;;
  stopped:* | reachable:open | reachable:refused) return 0 ;;
  *) return 1 ;;
  esac
}

w_wait() {
  w_wf_probe='' w_wf_begun=$(date +%s) w_wf_limit=$6 w_wf_pause=$9
  case $w_wf_begun in
  '' | *[!0-9]*) w_fail "the node's clock cannot be read: date +%s gives no number" \
    'without it nobody knows when the time is over' ;;
  esac
  if [ "$3" ] && [ "$1" != drained ]; then w_wf_choose "$2"; fi
  if [ "$8" -gt 0 ]; then sleep "$8"; fi
  w_wf_codes=${10}
  while :; do
    if w_wf_there "$1" "$2" "$3" "$4" "$5" "$7" "$w_wf_codes"; then break; fi
    if [ $(($(date +%s) - w_wf_begun)) -ge "$w_wf_limit" ]; then
      w_put late 1
      break
    fi
    sleep "$w_wf_pause"
  done
  w_put elapsed "$(($(date +%s) - w_wf_begun))"
  w_put probe "$w_wf_probe"
}
