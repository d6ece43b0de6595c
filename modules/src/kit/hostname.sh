# shellcheck shell=sh
# The name of the node.
#
#   w_hostname CHECK NAME
#       Puts `before` and, when it is (or would be) another, `changed`. Where paths begin: w_root,
#       which only tests set.

w_hostname() {
  w_hn_now=$(uname -n)
  w_hn_boot=
  if [ -f "${w_root-}/etc/hostname" ]; then
    IFS= read -r w_hn_boot <"${w_root-}/etc/hostname" || :
  fi
  w_put before "$w_hn_now"
  if [ "$w_hn_now" = "$2" ] && [ "$w_hn_boot" = "$2" ]; then return 0; fi
  w_put changed 1
  [ -z "$1" ] || return 0
  # Where hostnamectl has nobody to talk to (a container, a rescue system), the rest does its work.
  if [ -d "${w_root-}/run/systemd/system" ] && w_has hostnamectl &&
    hostnamectl --no-ask-password set-hostname "$2" >/dev/null 2>&1; then
    return 0
  fi
  # In place: in a container the file is a mount, which cannot be replaced.
  w_hn_said=$( (printf '%s\n' "$2" >"${w_root-}/etc/hostname") 2>&1) ||
    w_fail "cannot write /etc/hostname: $w_hn_said" 'it takes root: become: true'
  if [ "$w_hn_now" = "$2" ]; then return 0; fi
  w_need hostname "to set the node's name (or hostnamectl, where systemd runs)"
  w_hn_said=$(hostname "$2" 2>&1) ||
    w_fail "cannot set the node's name: $w_hn_said" \
      'it takes root (become: true); a container may not be allowed to'
}
