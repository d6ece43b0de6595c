# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# What a path is: a file, a folder, a link, nothing. Needs `tree`.
#
#   w_file                makes w_opt_path what w_opt_state says (file, directory, touch, absent, link,
#                         hard; empty: what it is), with mode and owner, and
#     w_opt_target        what a link is to point to
#     w_opt_follow        1: mode, owner and times are those of what a link points to
#     w_opt_force         1: make links to nothing, and in the place of files
#     w_opt_recurse       1: mode and owner for all that is in a folder, too
#     w_opt_access, w_opt_modification   times: preserve, now, or [CC]YYMMDDhhmm.SS
#   It puts `path`, `changed`, `was_…` and `…` for type, target, mode, uid, gid, owner, group, size,
#   and `warning`.

w_file_options() {
  : "${w_opt_path=}" "${w_opt_state=}" "${w_opt_target=}" "${w_opt_follow=1}" "${w_opt_force=0}"
  : "${w_opt_recurse=0}" "${w_opt_access=preserve}" "${w_opt_modification=preserve}"
  w_write_options
  w_opt_dir_mode=$w_opt_mode
}

w_file() {
  w_file_options
  w_guard
  w_changed=0
  w_path=$w_opt_path
  case $w_path in -*) w_path=./$w_path ;; esac
  while [ "$w_path" != / ] && [ "${w_path%/}" != "$w_path" ]; do
    w_path=${w_path%/}
  done
  w_look "$w_path"
  w_file_state
  if [ "$w_type" = 'link' ] && [ "$w_opt_follow" = 1 ]; then
    case $w_opt_state in
      file | directory | touch)
        w_resolve "$w_path"
        w_path=$w_real
        w_look "$w_path"
        ;;
    esac
  fi
  w_put path "$w_path"
  w_was=$w_type
  w_put_look was_
  w_file_put_target was_
  w_wish
  "w_file_$w_opt_state"
  w_put changed "$w_changed"
  if [ "$w_opt_check" = 1 ]; then
    w_file_would
  else
    w_look "$w_path"
    w_put_look ''
    w_file_put_target ''
  fi
}

w_file_state() {
  if [ "$w_opt_state" ]; then
    return 0
  fi
  case $w_type in
    directory | link) w_opt_state=$w_type ;;
    absent)
      w_opt_state='file'
      [ "$w_opt_recurse" = 0 ] || w_opt_state=directory
      ;;
    *) w_opt_state='file' ;;
  esac
}

w_file_put_target() {
  if [ "$w_type" = 'link' ]; then
    w_target "$w_path"
    w_put "$1target" "$w_link"
  fi
}

# In check mode: what there would be. Mode and owner were worked out from what is there.
w_file_would() {
  case $w_opt_state in
    absent)
      w_put type absent
      return 0
      ;;
    link)
      w_put type 'link'
      w_put target "${w_opt_target:-$w_link}"
      return 0
      ;;
    hard | touch) w_put type file ;;
    *) w_put type "$w_opt_state" ;;
  esac
  w_owner='' w_group=''
  w_look "$w_path"
  if [ "$w_type" = absent ]; then
    w_u=$(umask)
    w_mode=$((0666 & ~w_u)) w_type='file'
    if [ "$w_opt_state" = directory ]; then
      w_mode=$((0777 & ~w_u)) w_type=directory
    fi
  else
    w_owner_names "$w_path"
  fi
  w_wished
  w_put mode "$(printf '%04o' "$w_new_mode")"
  w_put uid "$w_new_uid"
  w_put gid "$w_new_gid"
  w_put owner "${w_opt_owner:-$w_owner}"
  w_put group "${w_opt_group:-$w_group}"
}

w_file_attributes() {
  w_attributes "$1"
  [ "$w_differ" = 0 ] || w_changed=1
  w_file_times "$1"
}

w_file_file() {
  case $w_type in
    absent)
      w_fail "$w_path does not exist on the node, and \`state: file\` creates nothing" \
        'use `state: touch` for an empty file, or the module copy'
      ;;
    directory)
      w_fail "$w_path is a directory on the node, not a file" 'say `state: directory`'
      ;;
  esac
  w_file_attributes "$w_path"
}

w_file_directory() {
  case $w_type in
    directory) ;;
    absent)
      w_changed=1
      if [ "$w_opt_check" = 0 ]; then
        w_folders "$w_path"
        w_file_times "$w_path"
      fi
      return 0
      ;;
    *)
      w_fail "$w_path is a $w_type on the node, and should be a directory" \
        'remove it first (`state: absent`), or correct the path'
      ;;
  esac
  w_file_attributes "$w_path"
  [ "$w_opt_recurse" = 0 ] || w_recurse "$w_path"
}

w_file_touch() {
  case $w_type in
    absent)
      w_changed=1
      if [ "$w_opt_check" = 0 ]; then
        w_parent "$w_path"
        [ -d "$w_dir" ] || w_fail "the folder $w_dir does not exist on the node" \
          "create it first: \`file: path=$w_dir state=directory\`"
        w_do 'cannot create' "$w_path" touch "$w_path"
        w_file_attributes "$w_path"
      fi
      ;;
    *) w_file_attributes "$w_path" ;;
  esac
}

w_file_absent() {
  [ "$w_type" != absent ] || return 0
  if [ "$w_path" = / ]; then
    w_fail 'this would remove everything on the node (/)' 'correct the path'
  fi
  w_changed=1
  [ "$w_opt_check" = 1 ] || w_do 'cannot remove' "$w_path" rm -rf "$w_path"
}

# Fails unless what is at w_path may make way for a link.
w_file_make_way() {
  case $w_type in
    absent | link) return 0 ;;
  esac
  if [ "$w_opt_force" = 0 ]; then
    w_fail "$w_path is a $w_type on the node; it is not replaced by a link" \
      'remove it first (`state: absent`), or set `force: true`'
  fi
  if [ "$w_type" = directory ]; then
    if [ "$(ls -A "$w_path")" ]; then
      w_fail "the directory $w_path is not empty; it is not replaced by a link" \
        'remove it first (`state: absent`)'
    fi
    [ "$w_opt_check" = 1 ] || w_do 'cannot remove' "$w_path" rmdir "$w_path"
  fi
}

w_file_link() {
  w_link=''
  [ "$w_type" != 'link' ] || w_target "$w_path"
  if [ -z "$w_opt_target" ]; then
    [ "$w_type" = 'link' ] || w_fail "$w_path is not a link; \`src\` must say what a new one points to"
    w_opt_target=$w_link
  fi
  w_parent "$w_path"
  case $w_opt_target in
    /*) w_real=$w_opt_target ;;
    *) w_real=${w_dir%/}/$w_opt_target ;;
  esac
  if [ "$w_opt_force" = 0 ] && [ ! -e "$w_real" ]; then
    w_fail "$w_real, which $w_path should point to, does not exist on the node" \
      'set `force: true` to make the link all the same'
  fi
  if [ "$w_type" != 'link' ] || [ "$w_link" != "$w_opt_target" ]; then
    w_changed=1
    w_file_make_way
    [ "$w_opt_check" = 1 ] || w_make_link "$w_path" "$w_opt_target"
  fi
  [ -L "$w_path" ] || return 0
  if [ "$w_opt_follow" = 0 ]; then
    w_file_attributes "$w_path"
  elif [ -e "$w_path" ]; then
    w_resolve "$w_path"
    w_file_attributes "$w_real"
  elif [ "$w_opt_mode$w_opt_owner$w_opt_group" ]; then
    w_put warning "$w_path points to nothing: there is no mode or owner to set (\`follow: false\` is for the link itself)"
  fi
}

w_file_hard() {
  if [ -z "$w_opt_target" ]; then
    w_fail "\`src\` must say which file $w_path is to be another name of"
  fi
  [ -e "$w_opt_target" ] || w_fail "$w_opt_target, the source of a hard link, does not exist on the node"
  # shellcheck disable=SC3013 # in POSIX since 2024, and in these shells for decades
  if [ "$w_type" = absent ] || [ "$w_type" = 'link' ] || [ ! "$w_path" -ef "$w_opt_target" ]; then
    w_changed=1
    w_file_make_way
    if [ "$w_opt_check" = 0 ]; then
      w_new_beside "$w_path"
      rm -f "$w_tmp"
      w_do 'cannot create the hard link' "$w_path" ln "$w_opt_target" "$w_tmp"
      w_do 'cannot create the hard link' "$w_path" mv -f "$w_tmp" "$w_path"
      w_tmp=''
    fi
  fi
  [ ! -e "$w_path" ] || w_file_attributes "$w_path"
}

w_file_times() {
  [ "$w_opt_access.$w_opt_modification" != preserve.preserve ] || return 0
  if [ "$w_was.$w_opt_state.$w_opt_access.$w_opt_modification" = absent.touch.now.now ]; then
    return 0
  fi
  w_file_time "$1" -a "$w_opt_access"
  w_file_time "$1" -m "$w_opt_modification"
}

# PATH, -a or -m, and the time.
w_file_time() {
  case $3 in
    preserve) return 0 ;;
    now)
      w_changed=1
      [ "$w_opt_check" = 1 ] || w_do 'cannot set the time of' "$1" touch "$2" "$1"
      return 0
      ;;
  esac
  if ! w_file_has_time "$1" "$2" "$3"; then
    w_changed=1
    [ "$w_opt_check" = 1 ] || w_do 'cannot set the time of' "$1" touch "$2" -t "$3" "$1"
  fi
}

w_file_has_time() {
  w_new_beside "${TMPDIR:-/tmp}/x"
  w_do 'cannot set the time of' "$w_tmp" touch -t "$3" "$w_tmp"
  w_same=1
  if [ "$2" = -m ]; then
    # shellcheck disable=SC3013 # in POSIX since 2024, and in these shells for decades
    if [ "$1" -nt "$w_tmp" ] || [ "$1" -ot "$w_tmp" ]; then
      w_same=0
    fi
  else
    # POSIX has no way to compare these; where there is no stat they are set each time.
    w_line=$(stat -c %X "$1" 2>/dev/null) && [ "$w_line" = "$(stat -c %X "$w_tmp")" ] || w_same=0
  fi
  rm -f "$w_tmp"
  w_tmp=''
  [ "$w_same" = 1 ]
}

# Mode and owner of all that is in a folder; links are not followed.
w_recurse() {
  w_top=$1
  if [ "$w_wish_uid" ]; then
    w_recurse_owner -user "$w_wish_uid" "$w_wish_uid"
  fi
  if [ "$w_wish_gid" ]; then
    w_recurse_owner -group "$w_wish_gid" ":$w_wish_gid"
  fi
  [ "$w_opt_mode" ] || return 0
  # Each kind of mode that occurs is looked at once, however many files have it.
  w_kinds=$(find "$w_top" ! -type l -exec ls -ldn {} + 2>/dev/null | cut -c 1-10 | sort -u |
    grep '^[-dpcbs][-r][-w][-xsS][-r][-w][-xsS][-r][-w][-xtT]$')
  for w_kind in $w_kinds; do
    w_permissions "$w_kind"
    w_letter=${w_kind%?????????}
    w_type='file'
    case $w_letter in
      -) w_letter=f ;;
      d) w_type=directory ;;
    esac
    w_new_mode_by "$w_opt_mode"
    if [ "$w_new_mode" != "$w_mode" ]; then
      w_changed=1
      [ "$w_opt_check" = 1 ] || w_do 'cannot change modes in' "$w_top" \
        find "$w_top" -depth -type "$w_letter" -perm "$(printf '%04o' "$w_mode")" \
        -exec chmod "$(printf '%05o' "$w_new_mode")" {} +
    fi
  done
}

# -user or -group, the number, and what chown calls it.
w_recurse_owner() {
  w_line=$(find "$w_top" ! "$1" "$2" -print 2>/dev/null | head -n 1)
  if [ "$w_line" ]; then
    w_changed=1
    [ "$w_opt_check" = 1 ] || w_do 'cannot change owners in' "$w_top" \
      find "$w_top" ! "$1" "$2" -exec chown -h "$3" {} +
  fi
}
