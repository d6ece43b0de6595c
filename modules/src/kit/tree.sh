# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Folders and links. Needs `write`, whose options it takes.
#
#   w_tree_folder PATH    a folder with w_opt_dir_mode and owner, its parents too. Puts `changed`.
#   w_tree_link LINK TARGET
#                         a link to TARGET; another link there is replaced. Puts `changed`.
#   w_copy_there          copies w_opt_src, a path of the node, to w_opt_dest: a file as w_write does;
#                         a folder with all that is in it, links followed if w_opt_src_follow is 1.
#                         For a folder it puts `tree`, then what w_write and the above put.
#   w_make_link LINK TARGET
#                         makes or replaces a link at once: never is there none.

w_tree_folder() {
  if [ -d "$1" ]; then
    w_put changed 0
    return 0
  fi
  w_look "$1"
  case $w_type in
    absent) ;;
    *) w_fail "$1 is a $w_type on the node, and should be a folder" 'remove it first' ;;
  esac
  w_put changed 1
  [ "$w_opt_check" = 1 ] || w_folders "$1"
}

w_make_link() {
  w_new_beside "$1"
  # The name is ours now; a link cannot be made over a file.
  rm -f "$w_tmp"
  w_do 'cannot create the link' "$1" ln -s "$2" "$w_tmp"
  if [ -L "$1" ] && [ -d "$1" ]; then
    # Many an `mv` would move into the folder that the link points to.
    if ! mv -T "$w_tmp" "$1" 2>/dev/null; then
      w_do 'cannot replace the link' "$1" rm -f "$1"
      w_do 'cannot create the link' "$1" mv -f "$w_tmp" "$1"
    fi
  else
    w_do 'cannot create the link' "$1" mv -f "$w_tmp" "$1"
  fi
  w_tmp=''
}

w_tree_link() {
  w_guard
  w_look "$1"
  case $w_type in
    absent) ;;
    link)
      w_target "$1"
      if [ "$w_link" = "$2" ]; then
        w_put changed 0
        return 0
      fi
      ;;
    *) w_fail "$1 is a $w_type on the node, and should be a link to $2" 'remove it first' ;;
  esac
  w_put changed 1
  [ "$w_opt_check" = 1 ] || w_make_link "$1" "$2"
}

w_copy_there() {
  w_write_options
  if [ ! -d "$w_opt_src" ]; then
    w_write
    return 0
  fi
  : "${w_opt_src_follow=1}"
  w_guard
  w_put tree 1
  w_opt_diff=0 w_opt_parents=1 w_opt_base=''
  w_asked_mode=$w_opt_mode
  w_opt_mode=''
  w_wish
  w_into=${w_opt_dest%/}
  case $w_opt_src in
    */) ;;
    *) w_into=$w_into/${w_opt_src##*/} ;;
  esac
  w_tree_folder "$w_into"
  w_copy_entries "${w_opt_src%/}" "$w_into"
}

# Folder by folder; only the arguments of a function are its own when it calls itself.
w_copy_entries() {
  for w_entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -L "$w_entry" ] && [ "$w_opt_src_follow" = 0 ]; then
      w_target "$w_entry"
      w_tree_link "$2/${w_entry##*/}" "$w_link"
    elif [ -d "$w_entry" ]; then
      w_tree_folder "$2/${w_entry##*/}"
      w_copy_entries "$w_entry" "$2/${w_entry##*/}"
    elif [ -e "$w_entry" ]; then
      w_opt_src=$w_entry w_opt_dest=$2/${w_entry##*/} w_opt_mode=$w_asked_mode
      w_write
      w_opt_mode=''
    fi
  done
}
