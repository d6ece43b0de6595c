# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Writing a file: whole or not at all. Needs `attributes`.
#
#   w_write               compares what is at w_opt_dest with what it should be, and makes it so: the
#                         new content goes to a file beside it, gets its mode and owner, is checked,
#                         and is renamed over it. What is wanted is in variables, all optional but
#                         the first (for mode and owner see `attributes`):
#     w_opt_dest          the path; a folder (or a name that ends with /) together with w_opt_base
#     w_opt_base          the name of the file in a folder
#     w_opt_size, w_opt_sha, w_opt_crc   size, SHA-256 and cksum of the content
#     w_opt_have          1: the content is on standard input. 0: only say `need` if it is needed
#     w_opt_src           a file of the node to take the content from, instead
#     w_opt_sha1          what the SHA-1 of w_opt_src must be
#     w_opt_expect        what w_digest must say of the file: one of these words (`absent` is one);
#                         otherwise nothing is done and the record `conflict` is put
#     w_opt_check, w_opt_diff   1: change nothing; 1: hand back the content before
#     w_opt_force         0: a file that exists is left alone
#     w_opt_follow        1: a link at the destination is followed; 0: it is replaced
#     w_opt_parents       1: missing folders are created, with w_opt_dir_mode
#     w_opt_backup        1: keep a copy of the file as it was
#     w_opt_validate      sh source of a command that must succeed; "$w_tmp" is the new file
#     w_opt_validate_text that command as the user wrote it
#     w_opt_unsafe        1: write in place where the file cannot be replaced
#   It puts `dest`, `changed`, `content_changed`, `was_…` and `…` for type, mode, uid, gid, owner,
#   group, size, and `backup_file`, `exists`, `need`, `conflict`, `warning`, `before_big`, `before`.
#   w_edit_read           hands back the file at w_opt_dest so that it can be edited and written back:
#                         as w_read, and `differ`: whether its mode or owner are to be others.
#   w_folders PATH        makes a folder and its missing parents, with w_opt_dir_mode and owner.
#   w_backup PATH         keeps a copy of a file; sets w_backup_file.

w_clean() {
  if [ "${w_tmp-}" ]; then
    rm -f "$w_tmp"
  fi
}

w_guard() {
  w_tmp=''
  trap w_clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# A new, empty file of mode 0600 beside PATH, in w_tmp.
w_new_beside() {
  w_parent "$1"
  w_number=0
  while :; do
    w_name=${w_dir%/}/.windlass-$$-$w_number
    # With `set -C` the file is created by us or not at all, whoever else may write there.
    if w_said=$({ set -C; umask 077; : >"$w_name"; } 2>&1); then
      break
    fi
    w_number=$((w_number + 1))
    if [ "$w_number" -gt 99 ] || { [ ! -e "$w_name" ] && [ ! -L "$w_name" ]; }; then
      w_blame 'cannot write' "$1" "$w_said"
    fi
  done
  w_tmp=$w_name
}

w_backup() {
  w_backup_file=$1.$$.$(date '+%Y-%m-%d@%H:%M:%S')~
  w_do 'cannot keep a copy of' "$1" cp -p "$1" "$w_backup_file"
}

w_folders() {
  w_left=$1 w_here=''
  case $w_left in /*) w_here=/ ;; esac
  while [ "$w_left" ]; do
    w_step=${w_left%%/*}
    case $w_left in
      */*) w_left=${w_left#*/} ;;
      *) w_left='' ;;
    esac
    [ "$w_step" ] || continue
    w_here=$w_here$w_step
    if [ ! -d "$w_here" ]; then
      w_do 'cannot create the folder' "$w_here" mkdir "$w_here"
      w_opt_file_mode=$w_opt_mode
      w_opt_mode=$w_opt_dir_mode
      w_attributes "$w_here"
      w_opt_mode=$w_opt_file_mode
    fi
    w_here=$w_here/
  done
}

# Sets w_path.
w_place() {
  w_path=$w_opt_dest
  case $w_path in
    -*) w_path=./$w_path ;;
    '') w_fail 'the destination is empty' ;;
  esac
  w_into=0
  case $w_path in
    */) w_into=1 ;;
    *) [ ! -d "$w_path" ] || w_into=1 ;;
  esac
  if [ "$w_into" = 1 ]; then
    if [ -z "$w_opt_base" ]; then
      w_fail "$w_path is a folder on the node; the destination must be a file" \
        'name the file in it, too'
    fi
    w_path=${w_path%/}/$w_opt_base
  fi
  if [ "$w_opt_follow" = 1 ]; then
    w_resolve "$w_path"
    w_path=$w_real
  fi
}

w_source() {
  w_look "$w_opt_src"
  if [ "$w_type" = 'link' ]; then
    w_resolve "$w_opt_src"
    w_look "$w_real"
  fi
  case $w_type in
    file) ;;
    absent) w_fail "the source $w_opt_src does not exist on the node" ;;
    *) w_fail "the source $w_opt_src is a $w_type on the node, not a file" ;;
  esac
  w_source_mode=$w_mode
  w_opt_size=$w_size
  if [ "$w_opt_mode" = preserve ]; then
    w_opt_mode=$w_source_mode
  fi
  w_digest "$w_opt_src"
  w_opt_sha=${w_sum#*:} w_opt_crc=${w_sum#*:}
  if [ "$w_opt_sha1" ]; then
    w_need sha1sum 'to compare the source with `checksum`'
    w_said=$(sha1sum <"$w_opt_src")
    if [ "${w_said%% *}" != "$w_opt_sha1" ]; then
      w_fail "the source $w_opt_src has the checksum ${w_said%% *}, not $w_opt_sha1 as \`checksum\` says"
    fi
  fi
}

w_is_wanted() {
  case $w_sum in
    sha256:*) [ "${w_sum#*:}" = "$w_opt_sha" ] ;;
    *) [ "${w_sum#*:}" = "$w_opt_crc" ] ;;
  esac
}

# Sets w_same; w_path was looked at.
w_compare() {
  w_same=0 w_sum=''
  if [ "$w_type" = file ]; then
    if [ "$w_opt_expect" ] || [ "$w_size" = "$w_opt_size" ]; then
      w_digest "$w_path"
      if [ "$w_size" = "$w_opt_size" ] && w_is_wanted; then
        w_same=1
      fi
    fi
  else
    w_sum=absent
  fi
}

w_fill() {
  if [ "$w_opt_src" ]; then
    w_said=$(cat "$w_opt_src" 2>&1 >"$w_tmp" </dev/null) || w_blame 'cannot write' "$w_path" "$w_said"
  else
    w_said=$(cat 2>&1 >"$w_tmp") || w_blame 'cannot write' "$w_path" "$w_said"
  fi
  # A link that broke in the middle looks like the end of the content.
  w_look "$w_tmp"
  if [ "$w_size" != "$w_opt_size" ]; then
    w_fail "only $w_size of $w_opt_size bytes of $w_path arrived on the node; it was left as it was"
  fi
  w_digest "$w_tmp"
  w_is_wanted ||
    w_fail "the bytes of $w_path that arrived on the node are not those that were sent; it was left as it was"
}

# Gives w_tmp, which was looked at, the mode and owner that the file is to have.
w_dress() {
  w_tmp_mode=$w_mode w_tmp_uid=$w_uid w_tmp_gid=$w_gid
  if [ "$w_old_type" = file ]; then
    w_mode=$w_old_mode w_uid=$w_old_uid w_gid=$w_old_gid
  else
    w_u=$(umask)
    w_mode=$((0666 & ~w_u))
  fi
  if [ "$w_opt_src" ]; then
    w_mode=$w_source_mode
  fi
  w_wished
  w_mode=$w_tmp_mode w_uid=$w_tmp_uid w_gid=$w_tmp_gid
  if [ -z "$w_wish_uid$w_wish_gid" ] && [ "$w_new_uid.$w_new_gid" != "$w_uid.$w_gid" ]; then
    # Nobody asked for an owner: keeping the one it had is as good as it goes.
    if chown "$w_new_uid:$w_new_gid" "$w_tmp" 2>/dev/null; then
      w_uid=$w_new_uid w_gid=$w_new_gid
    else
      w_put warning "$w_path now belongs to user $(id -un); only root could keep its owner"
      w_new_uid=$w_uid w_new_gid=$w_gid
    fi
  fi
  w_apply "$w_tmp"
  if [ -e /sys/fs/selinux/enforce ] && [ "$w_old_type" = file ] && w_has chcon; then
    chcon --reference="$w_path" "$w_tmp" 2>/dev/null || :
  fi
}

w_validate() {
  [ "$w_opt_validate" ] || return 0
  w_status=0
  w_said=$(eval "$w_opt_validate" 2>&1 </dev/null) || w_status=$?
  if [ "$w_status" -ne 0 ]; then
    w_fail "\`$w_opt_validate_text\` refused the new $w_path (status $w_status): $w_said" \
      'correct the content; the file was left as it was'
  fi
}

w_rename() {
  if w_said=$(mv -f "$w_tmp" "$w_path" 2>&1); then
    w_tmp=''
    if [ -e /sys/fs/selinux/enforce ] && [ "$w_old_type" != file ] && w_has restorecon; then
      restorecon "$w_path" >/dev/null 2>&1 || :
    fi
    return 0
  fi
  case $w_said in
    *busy*) [ "$w_opt_unsafe" = 1 ] || w_blame 'cannot replace' "$w_path" "$w_said" ;;
    *) w_blame 'cannot replace' "$w_path" "$w_said" ;;
  esac
  w_said=$(cat "$w_tmp" 2>&1 >"$w_path") || w_blame 'cannot write' "$w_path" "$w_said"
  w_attributes "$w_path"
}

w_replace() {
  w_new_beside "$w_path"
  w_fill
  w_dress
  w_validate
  if [ "$w_opt_backup" = 1 ] && [ "$w_old_type" = file ]; then
    w_backup "$w_path"
    w_put backup_file "$w_backup_file"
  fi
  w_rename
}

# What is at w_path, each key with PREFIX before it; from the variables of w_look.
w_put_look() {
  w_put "$1type" "$w_type"
  [ "$w_type" != absent ] || return 0
  w_put "$1mode" "$(printf '%04o' "$w_mode")"
  w_put "$1uid" "$w_uid"
  w_put "$1gid" "$w_gid"
  w_put "$1size" "$w_size"
  w_owner_names "$w_path"
  w_put "$1owner" "$w_owner"
  w_put "$1group" "$w_group"
}

# Check mode: what it would be.
w_put_would() {
  if [ "$w_old_type" = file ]; then
    w_look "$w_path"
    w_wished
    w_owner_names "$w_path"
  else
    w_u=$(umask)
    w_mode=$((0666 & ~w_u)) w_uid='' w_gid='' w_type='file' w_owner='' w_group=''
    [ -z "$w_opt_src" ] || w_mode=$w_source_mode
    w_wished
  fi
  [ -z "$w_opt_owner" ] || w_owner=$w_opt_owner
  [ -z "$w_opt_group" ] || w_group=$w_opt_group
  w_put type file
  w_put mode "$(printf '%04o' "$w_new_mode")"
  w_put size "$w_opt_size"
  w_put uid "$w_new_uid"
  w_put gid "$w_new_gid"
  w_put owner "$w_owner"
  w_put group "$w_group"
}

# The folder in which the file is to be.
w_see_folder() {
  w_parent "$w_path"
  if [ -d "$w_dir" ]; then
    return 0
  fi
  if [ "$w_opt_parents" = 1 ]; then
    w_folder_made=1
    if [ "$w_opt_check" = 0 ] && [ "$w_opt_have$w_opt_src" != 0 ]; then
      w_folders "$w_dir"
    fi
  elif [ "$w_opt_check" = 1 ]; then
    # An earlier task, which changed nothing either, may be the one that makes it.
    w_folder_made=1
    w_put warning "the destination folder $w_dir does not exist yet; unless an earlier task makes it, this fails"
  else
    w_fail "the destination folder $w_dir does not exist on the node" \
      "create it first: \`file: path=$w_dir state=directory\`"
  fi
}

w_write_options() {
  : "${w_opt_dest=}" "${w_opt_base=}" "${w_opt_size=0}" "${w_opt_sha=}" "${w_opt_crc=}"
  : "${w_opt_have=1}" "${w_opt_src=}" "${w_opt_sha1=}" "${w_opt_expect=}" "${w_opt_check=0}"
  : "${w_opt_diff=0}" "${w_opt_force=1}" "${w_opt_follow=0}" "${w_opt_parents=0}" "${w_opt_dir_mode=}"
  : "${w_opt_backup=0}" "${w_opt_validate=}" "${w_opt_validate_text=}" "${w_opt_unsafe=0}"
  : "${w_opt_mode=}" "${w_opt_owner=}" "${w_opt_group=}"
}

w_write() {
  w_write_options
  w_guard
  [ -z "$w_opt_src" ] || w_source
  w_place
  w_put dest "$w_path"
  w_look "$w_path"
  w_old_type=$w_type w_old_mode=$w_mode w_old_uid=$w_uid w_old_gid=$w_gid w_old_size=$w_size
  w_put_look was_
  case $w_type in
    absent | file | link) ;;
    *) w_fail "$w_path is a $w_type on the node, not a file" ;;
  esac
  if [ "$w_opt_force" = 0 ] && [ "$w_type" != absent ]; then
    w_put exists 1
    return 0
  fi
  w_compare
  case " ${w_opt_expect:-$w_sum} " in
    *" $w_sum "*) ;;
    *)
      w_put conflict 1
      return 0
      ;;
  esac
  w_wish
  w_folder_made=0
  [ "$w_type" != absent ] || w_see_folder
  if [ "$w_same" = 1 ]; then
    w_attributes "$w_path"
    w_put changed "$w_differ"
    w_put content_changed 0
  elif [ "$w_opt_check" = 0 ] && [ "$w_opt_have$w_opt_src" = 0 ]; then
    w_put need 1
    return 0
  else
    w_before=0
    if [ "$w_opt_diff" = 1 ] && [ "$w_old_type" = file ]; then
      if [ "$w_old_size" -gt 102400 ]; then
        w_put before_big 1
      elif [ -r "$w_path" ]; then
        # Opened now: after the renaming it could not be read any more.
        exec 9<"$w_path"
        w_before=1
      fi
    fi
    [ "$w_opt_check" = 1 ] || w_replace
    w_put changed 1
    w_put content_changed 1
  fi
  if [ "$w_opt_check" = 1 ]; then
    w_put_would
  else
    w_look "$w_path"
    w_put_look ''
  fi
  if [ "$w_same" = 0 ] && [ "$w_before" = 1 ]; then
    w_rest before
    cat <&9
  fi
}

w_edit_read() {
  w_write_options
  w_read_look "$w_opt_dest"
  [ "$w_type" = file ] || return 0
  w_wish
  w_wished
  w_put differ "$w_differ"
  w_rest content
  cat "$w_real"
}
