# shellcheck shell=sh
# Parts share variables:
# shellcheck disable=SC2034,SC2154
# Modes and owners. Needs `paths`.
#
#   w_wish                reads what is wanted, once: w_opt_mode (arithmetic over w_m, the mode as it
#                         is, w_d, 1 for a folder, and w_u, the umask; several are applied one after
#                         the other), w_opt_owner and w_opt_group (names or numbers). Empty: as it is.
#   w_wished              from w_mode, w_uid, w_gid and w_type (see w_look) works out w_new_mode,
#                         w_new_uid, w_new_gid; sets w_differ to 1 where they are others.
#   w_apply PATH          gives PATH these; a link's own owner is set, never its mode.
#   w_attributes PATH     all of it for what is at PATH; w_opt_check=1: without changing it.
#                         Sets w_differ.

w_user_number() {
  w_number=
  case $1 in
    '') ;;
    *[!0-9]*)
      w_number=$(id -u "$1" 2>/dev/null) || {
        w_number=
        w_nobody user "$1"
      }
      ;;
    *) w_number=$1 ;;
  esac
}

w_group_number() {
  w_number=
  case $1 in
    '') ;;
    *[!0-9]*)
      w_line=
      if [ -r /etc/group ]; then
        w_line=$(grep "^$(printf %s "$1" | sed 's/[.[*^$\\]/\\&/g'):" /etc/group | head -n 1)
      fi
      if [ -z "$w_line" ] && w_has getent; then
        w_line=$(getent group "$1" 2>/dev/null) || w_line=
      fi
      if [ "$w_line" ]; then
        w_number=${w_line#*:*:}
        w_number=${w_number%%:*}
      else
        w_nobody group "$1"
      fi
      ;;
    *) w_number=$1 ;;
  esac
}

# In check mode an earlier task may be about to create it.
w_nobody() {
  if [ "${w_opt_check:-0}" = 1 ]; then
    w_put warning "there is no $1 \`$2\` on the node; the task needs one by the time it runs"
  else
    w_fail "there is no $1 \`$2\` on the node" "create the $1 first, or correct the name"
  fi
}

w_wish() {
  : "${w_opt_mode=}" "${w_opt_owner=}" "${w_opt_group=}"
  w_user_number "$w_opt_owner"
  w_wish_uid=$w_number
  w_group_number "$w_opt_group"
  w_wish_gid=$w_number
  w_u=0
  case $w_opt_mode in
    *w_u*) w_u=$(umask) ;;
  esac
}

w_new_mode_by() {
  w_m=$w_mode w_d=0
  [ "$w_type" != directory ] || w_d=1
  for w_step in $1; do
    # An expression, not a number: dash would not evaluate it without the `$`.
    # shellcheck disable=SC2004
    w_m=$(($w_step))
  done
  w_new_mode=$w_m
}

w_wished() {
  w_new_mode=$w_mode w_new_uid=${w_wish_uid:-$w_uid} w_new_gid=${w_wish_gid:-$w_gid}
  if [ "$w_type" != link ]; then
    w_new_mode_by "$w_opt_mode"
  fi
  w_differ=0
  if [ "$w_new_mode.$w_new_uid.$w_new_gid" != "$w_mode.$w_uid.$w_gid" ]; then
    w_differ=1
  fi
}

w_apply() {
  w_chmod=$w_mode
  if [ "$w_new_uid.$w_new_gid" != "$w_uid.$w_gid" ]; then
    w_do 'cannot change the owner of' "$1" chown -h "$w_new_uid:$w_new_gid" "$1"
    # A change of owner takes these bits away.
    w_chmod=$((w_mode & ~06000))
  fi
  if [ "$w_type" != link ] && [ "$w_new_mode" != "$w_chmod" ]; then
    # Five digits: with fewer, some chmods keep the set-group-ID bit of folders.
    w_do 'cannot change the mode of' "$1" chmod "$(printf '%05o' "$w_new_mode")" "$1"
  fi
}

w_attributes() {
  w_look "$1"
  w_wished
  if [ "$w_differ" = 1 ] && [ "${w_opt_check:-0}" = 0 ]; then
    w_apply "$1"
  fi
}
