# shellcheck shell=sh
# Units of systemd.
#
#   w_systemd SCOPE CHECK UNIT STATE ENABLED MASKED RELOAD REEXEC NOBLOCK
#       Brings a unit into a state: started, stopped, restarted, reloaded. ENABLED and MASKED are 1, 0
#       or empty; CHECK, RELOAD, REEXEC and NOBLOCK are 1 or empty; an empty UNIT is none.
#       Puts `changed` (once for each thing that changed: what it was), `status` (all that systemctl
#       show says in the end), `unitfile` (what is-enabled says in the end).

w_ctl() {
  systemctl "$w_sd_scope" --no-pager --no-ask-password "$@"
}

# Does something to the unit, or in check mode nothing; fails with what systemctl and the journal say.
w_ctl_act() {
  w_put changed "$1"
  w_sd_acted=1
  [ -z "$w_sd_check" ] || return 0
  w_ctl_run "$@"
}

w_ctl_run() {
  if w_sd_said=$(w_ctl ${w_sd_block:+"$w_sd_block"} "$@" 2>&1 </dev/null); then
    return 0
  fi
  case $w_sd_said in
  *"not been booted with systemd"* | *"Failed to connect to bus"* | *"Failed to get D-Bus"*)
    w_fail "systemd does not run on the node: $w_sd_said" \
      'units can only be managed where systemd is process 1 (and --user ones while their user is logged in)'
    ;;
  *"ccess denied"* | *"uthentication required"* | *"ermission denied"*)
    w_fail "the task's user may not $1 ${2-units}: $w_sd_said" 'become root: become: true'
    ;;
  esac
  w_sd_log=
  if w_has journalctl && [ "${2-}" ]; then
    w_sd_log=$(journalctl "$w_sd_scope" --no-pager -q -o cat -n 15 -u "$2" 2>/dev/null)
  fi
  w_fail "cannot $1 ${2-}: $w_sd_said${w_sd_log:+
The last lines of its journal:
$w_sd_log}" "see on the node: systemctl status ${2-}; journalctl -u ${2-}"
}

w_ctl_show() {
  w_sd_show=$(w_ctl show -- "$1" 2>&1) || w_fail "cannot ask systemd about $1: $w_sd_show" \
    'units can only be managed where systemd is process 1'
}

# The value of a property of what was shown last.
w_ctl_property() {
  w_sd_rest="
$w_sd_show"
  case $w_sd_rest in
  *"
$1="*)
    w_sd_rest=${w_sd_rest#*"
$1="}
    w_sd_value=${w_sd_rest%%"
"*}
    ;;
  *) w_sd_value= ;;
  esac
}

w_ctl_masked() {
  [ "$1" ] || return 0
  w_ctl_property LoadState
  case $1$w_sd_value in
  1masked | 0[!m]*) return 0 ;;
  1*) w_ctl_act mask "$2" ;;
  *)
    w_ctl_act unmask "$2"
    [ "$w_sd_check" ] || w_ctl_show "$2"
    ;;
  esac
}

# What cannot be enabled or disabled counts as both: nothing would change from run to run.
w_ctl_enabled() {
  [ "$1" ] || return 0
  w_sd_file=$(w_ctl is-enabled -- "$2" 2>/dev/null)
  case $1$w_sd_file in
  1enabled | ?static | ?indirect | ?generated | ?transient | ?alias) ;;
  0disabled | 0masked | 0masked-runtime | 0linked | 0linked-runtime | 0bad | 0not-found | 0) ;;
  1*) w_ctl_act enable "$2" ;;
  *) w_ctl_act disable "$2" ;;
  esac
}

w_ctl_state() {
  w_ctl_property ActiveState
  case $1:$w_sd_value in
  : | started:active | started:reloading | started:activating) ;;
  stopped:inactive | stopped:failed | stopped:deactivating) ;;
  started:* | reloaded:inactive | reloaded:failed) w_ctl_act start "$2" ;;
  stopped:*) w_ctl_act stop "$2" ;;
  restarted:*) w_ctl_act restart "$2" ;;
  reloaded:*) w_ctl_act reload "$2" ;;
  esac
}

w_systemd() {
  w_need systemctl 'to manage units of systemd'
  w_sd_scope=--$1 w_sd_check=$2 w_sd_acted='' w_sd_block=''
  if [ "$1" = user ] && [ -z "${XDG_RUNTIME_DIR-}" ]; then
    XDG_RUNTIME_DIR=/run/user/$(id -u)
    export XDG_RUNTIME_DIR
  fi
  if [ "$8" ] && [ -z "$2" ]; then w_ctl_run daemon-reexec; fi
  if [ "$7" ] && [ -z "$2" ]; then w_ctl_run daemon-reload; fi
  [ "$3" ] || return 0
  w_ctl_show "$3"
  w_ctl_property LoadState
  case $w_sd_value in
  not-found)
    w_fail "there is no unit $3 on the node" \
      "is what brings it installed? A unit file that was just written needs daemon_reload: true"
    ;;
  error | bad-setting)
    w_ctl_property LoadError
    w_fail "the unit $3 cannot be loaded: $w_sd_value" "see on the node: systemctl status $3"
    ;;
  esac
  w_ctl_masked "$6" "$3"
  w_ctl_enabled "$5" "$3"
  w_sd_block=${9:+--no-block}
  w_ctl_state "$4" "$3"
  if [ "$w_sd_acted" ] && [ -z "$w_sd_check" ]; then w_ctl_show "$3"; fi
  w_put status "$w_sd_show"
  w_put unitfile "$(w_ctl is-enabled -- "$3" 2>/dev/null)"
}
