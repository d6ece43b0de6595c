# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Reading files, and all that is known about a path. Needs `paths`.
#
#   w_read PATH           the file at PATH, links followed: puts `path`, `type` (absent, file or
#                         directory; others fail), and for a file `size`, `mode` and, last, `content`.
#   w_compare_with PATH SIZE SHA256 CKSUM SMALL
#                         as w_read, with the record `sum`; `content` only if the file differs from
#                         what is given and has at most SMALL bytes; `same` if it does not.
#   w_stat PATH FOLLOW    puts `type` (see w_look), and unless that is absent `stat` (all numbers;
#                         nodes without `stat -c` put `partly`: what `ls` knows), `target` and
#                         `source` of a link, `access` (letters of r, w, x).
#   w_stat_sum FILE ALGORITHM, w_stat_mime FILE, w_stat_flags PATH
#                         put `checksum`; `mime`; `flags`, where the node has the tools.

w_read_look() {
  w_path=$1
  case $w_path in -*) w_path=./$w_path ;; esac
  w_resolve "$w_path"
  w_look "$w_real"
  w_put path "$w_path"
  w_put type "$w_type"
  case $w_type in
    file)
      [ -r "$w_real" ] || w_blame 'cannot read' "$w_path" 'Permission denied'
      w_put size "$w_size"
      w_put mode "$(printf '%04o' "$w_mode")"
      ;;
    absent | directory) ;;
    *) w_fail "$w_path is a $w_type on the node, not a file" ;;
  esac
}

w_read() {
  w_read_look "$1"
  if [ "$w_type" = file ]; then
    w_rest content
    cat "$w_real"
  fi
}

w_compare_with() {
  w_read_look "$1"
  [ "$w_type" = file ] || return 0
  w_digest "$w_real"
  w_put sum "$w_sum"
  if [ "$w_size" = "$2" ]; then
    case $w_sum in
      "sha256:$3" | "cksum:$4")
        w_put same 1
        return 0
        ;;
    esac
  fi
  if [ "$w_size" -le "$5" ]; then
    w_rest content
    cat "$w_real"
  fi
}

w_stat() {
  w_path=$1
  case $w_path in -*) w_path=./$w_path ;; esac
  w_look "$w_path"
  w_put path "$w_path"
  if [ "$w_type" = 'link' ]; then
    w_target "$w_path"
    w_resolve "$w_path"
    if [ "$2" = 1 ]; then
      # A link to nothing is there all the same, but there is nothing to follow it to.
      w_path=$w_real
      w_look "$w_path"
    else
      w_put target "$w_link"
      if w_has readlink && w_line=$(readlink -f "$w_path" 2>/dev/null); then
        w_real=$w_line
      fi
      w_put source "$w_real"
    fi
  fi
  w_put type "$w_type"
  [ "$w_type" != absent ] || return 0
  w_put mode "$(printf '%04o' "$w_mode")"
  w_stat_numbers
  w_access=''
  [ ! -r "$w_path" ] || w_access=r
  [ ! -w "$w_path" ] || w_access=${w_access}w
  [ ! -x "$w_path" ] || w_access=${w_access}x
  w_put access "$w_access"
}

w_stat_numbers() {
  # GNU with fractions of seconds, then BusyBox, then what every ls knows.
  w_line=$(stat -c '%i %d %h %u %g %s %o %b %t %T %.9X %.9Y %.9Z %U:%G' "$w_path" 2>/dev/null) || w_line=
  case $w_line in
    *[0-9].[0-9]*) w_put stat "$w_line" && return 0 ;;
  esac
  w_line=$(stat -c '%i %d %h %u %g %s %o %b %t %T %X %Y %Z %U:%G' "$w_path" 2>/dev/null) || w_line=
  case $w_line in
    [0-9]*) w_put stat "$w_line" && return 0 ;;
  esac
  w_owner_names "$w_path"
  w_put partly "$w_links $w_uid $w_gid $w_size $w_owner:$w_group"
}

w_stat_sum() {
  if w_has "${2}sum"; then
    w_line=$("${2}sum" 2>&1 <"$1") || w_blame 'cannot read' "$1" "$w_line"
    w_put checksum "${w_line%% *}"
  else
    w_put warning "the node has no \`${2}sum\`, so there is no checksum; \`get_checksum: false\` asks for none"
  fi
}

w_stat_mime() {
  if w_has file && w_line=$(file --brief --mime-type --mime-encoding "$1" 2>/dev/null); then
    w_put mime "$w_line"
  fi
}

w_stat_flags() {
  if w_has lsattr && w_line=$(lsattr -vd "$1" 2>/dev/null); then
    w_put flags "$w_line"
  fi
}
