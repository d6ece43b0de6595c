# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Folders and links. Needs `write`, whose options it takes.
#
#   w_tree_folder PATH    a folder with w_opt_dir_mode and owner, its parents too. Puts `changed`.
#   w_tree_link LINK TARGET
#                         a link to TARGET; another link there is replaced. Puts `changed`.
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
