# shellcheck shell=sh
# Services of whatever starts them: systemd, OpenRC, or scripts in /etc/init.d.
#
#   w_service CHECK NAME STATE ENABLED RUNLEVEL WAIT ARGUMENTS
#       STATE and ENABLED as for w_systemd. WAIT is how many seconds pass between stop and start of a
#       restart; ARGUMENTS are words for the init script. Puts `manager`, and what w_systemd puts, or
#       `changed` alone.

w_service() {
  if [ -d "${w_root-}/run/systemd/system" ]; then
    w_put manager systemd
    w_systemd system "$1" "$2" "$3" "$4" '' '' '' ''
  elif w_has rc-service; then
    w_put manager openrc
    w_sv_openrc "$@"
  elif [ -x "${w_root-}/etc/init.d/$2" ]; then
    w_put manager sysv
    w_sv_sysv "$@"
  elif w_has systemctl && ! [ -d "${w_root-}/etc/init.d" ]; then
    w_fail "cannot manage the service $2: systemctl is there, but systemd does not run on the node"
  else
    w_fail "there is no service $2 on the node" \
      'is what brings it installed? systemd, rc-service (OpenRC) and scripts in /etc/init.d were looked for'
  fi
}

# Runs what follows the first two words, or in check mode nothing; $1 is what it is, $2 the service.
w_sv_act() {
  w_put changed "$1"
  [ -z "$w_sv_check" ] || return 0
  w_sv_what=$1 w_sv_name=$2
  shift 2
  w_sv_said=$("$@" 2>&1 </dev/null) ||
    w_fail "cannot $w_sv_what $w_sv_name: $w_sv_said" "run on the node: $*"
}

w_sv_openrc() {
  w_sv_check=$1
  rc-service --exists "$2" || w_fail "there is no service $2 on the node" \
    'is what brings it installed? See on the node: rc-service --list'
  w_sv_level=${5:-default}
  if [ "$4" ]; then
    w_need rc-update 'to enable services of OpenRC'
    w_sv_on=0
    if rc-update show "$w_sv_level" 2>/dev/null | grep -q "^ *$2 |"; then w_sv_on=1; fi
    case $w_sv_on$4 in
    01) w_sv_act enable "$2" rc-update add "$2" "$w_sv_level" ;;
    10) w_sv_act disable "$2" rc-update delete "$2" "$w_sv_level" ;;
    esac
  fi
  w_sv_state "$2" "$3" "$6" "$7" rc-service
}

w_sv_script() {
  w_sv_file=${w_root-}/etc/init.d/$1
  shift
  "$w_sv_file" "$@"
}

w_sv_sysv() {
  w_sv_check=$1
  if [ "$4" ]; then
    w_sv_on=0
    for w_sv_link in "${w_root-}"/etc/rc[2345].d/S??"$2"; do
      if [ -e "$w_sv_link" ]; then w_sv_on=1; fi
    done
    if [ "$w_sv_on" != "$4" ]; then w_sv_boot "$2" "$4"; fi
  fi
  w_sv_state "$2" "$3" "$6" "$7" w_sv_script
}

w_sv_boot() {
  w_sv_verb=enable
  [ "$2" = 1 ] || w_sv_verb=disable
  if w_has update-rc.d; then
    [ "$2" = 0 ] || [ "$w_sv_check" ] || update-rc.d "$1" defaults >/dev/null 2>&1 || :
    w_sv_act "$w_sv_verb" "$1" update-rc.d "$1" "$w_sv_verb"
  else
    w_need chkconfig "to $w_sv_verb the service $1 (or update-rc.d, which is missing too)"
    w_sv_switch=on
    [ "$2" = 1 ] || w_sv_switch=off
    w_sv_act "$w_sv_verb" "$1" chkconfig "$1" "$w_sv_switch"
  fi
}

# w_sv_state NAME STATE WAIT ARGUMENTS RUNNER: starts or stops by `RUNNER NAME VERB`.
w_sv_state() {
  [ "$2" ] || return 0
  w_sv_running=0
  if "$5" "$1" status >/dev/null 2>&1 </dev/null; then w_sv_running=1; fi
  case $2$w_sv_running in
  started1 | stopped0) return 0 ;;
  started0 | reloaded0) w_sv_verb=start ;;
  stopped1) w_sv_verb=stop ;;
  reloaded1) w_sv_verb=reload ;;
  *)
    w_sv_verb=restart
    if [ "$3" ] && [ "$w_sv_running" = 1 ]; then
      w_sv_act stop "$1" "$5" "$1" stop
      [ "$w_sv_check" ] || sleep "$3"
      w_sv_verb=start
    fi
    ;;
  esac
  # shellcheck disable=SC2086 # words of their own, on purpose
  w_sv_act "$w_sv_verb" "$1" "$5" "$1" "$w_sv_verb" $4
}
