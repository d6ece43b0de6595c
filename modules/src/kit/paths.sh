# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Looking at paths, and saying what is wrong with them. Needs `records`.
#
#   w_look PATH           what is there, links not followed. Sets w_type (absent, file, directory,
#                         link, char, block, fifo, socket), w_mode (a number), w_uid, w_gid, w_size,
#                         w_links. Uses nothing but `ls -ldn`, which every node has.
#   w_owner_names PATH    sets w_owner and w_group.
#   w_resolve PATH        sets w_real: PATH, or where its chain of links ends.
#   w_target LINK         sets w_link: what a link points to.
#   w_parent PATH         sets w_dir: the folder that PATH is in.
#   w_digest FILE         sets w_sum: `sha256:…`, or `cksum:…` on nodes without sha256sum.
#   w_do WHAT PATH COMMAND…
#                         runs a command; if it fails, so does the task: "WHAT PATH: …", with the
#                         reason in full (disk full: which file system, and how full) and a hint.
#   w_blame WHAT PATH SAID
#                         the failing part of w_do, for a command whose error output is SAID.

w_permissions() {
  w_mode=0
  case $1 in ?r*) w_mode=$((w_mode | 0400)) ;; esac
  case $1 in ??w*) w_mode=$((w_mode | 0200)) ;; esac
  case $1 in ???[xs]*) w_mode=$((w_mode | 0100)) ;; esac
  case $1 in ???[sS]*) w_mode=$((w_mode | 04000)) ;; esac
  case $1 in ????r*) w_mode=$((w_mode | 0040)) ;; esac
  case $1 in ?????w*) w_mode=$((w_mode | 0020)) ;; esac
  case $1 in ??????[xs]*) w_mode=$((w_mode | 0010)) ;; esac
  case $1 in ??????[sS]*) w_mode=$((w_mode | 02000)) ;; esac
  case $1 in ???????r*) w_mode=$((w_mode | 0004)) ;; esac
  case $1 in ????????w*) w_mode=$((w_mode | 0002)) ;; esac
  case $1 in ?????????[xt]*) w_mode=$((w_mode | 0001)) ;; esac
  case $1 in ?????????[tT]*) w_mode=$((w_mode | 01000)) ;; esac
}

w_look() {
  w_type=absent w_mode=0 w_uid='' w_gid='' w_size=0 w_links=0
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then
    w_see "$1"
    return 0
  fi
  w_line=$(ls -ldn "$1" 2>&1) || w_blame 'cannot look at' "$1" "$w_line"
  # Names are not looked at here, so it does no harm that they are split as well.
  set -f
  # shellcheck disable=SC2086
  set -- $w_line
  set +f
  case $1 in
    -*) w_type='file' ;;
    d*) w_type=directory ;;
    l*) w_type='link' ;;
    c*) w_type=char ;;
    b*) w_type=block ;;
    p*) w_type=fifo ;;
    s*) w_type=socket ;;
    *) w_type=other ;;
  esac
  w_permissions "$1"
  w_links=$2 w_uid=$3 w_gid=$4
  case $w_type in
    char | block) ;;
    *) w_size=$5 ;;
  esac
}

# That nothing is found must not be for want of permission.
w_see() {
  w_seen=${w_dir-}
  w_parent "$1"
  while [ ! -d "$w_dir" ] && [ "$w_dir" != / ] && [ "$w_dir" != . ]; do
    w_parent "$w_dir"
  done
  [ -x "$w_dir" ] || w_blame 'cannot look at' "$1" 'Permission denied'
  w_dir=$w_seen
}

w_owner_names() {
  w_owner='' w_group=''
  w_line=$(ls -ld "$1" 2>/dev/null) || return 0
  set -f
  # shellcheck disable=SC2086
  set -- $w_line
  set +f
  w_owner=$3 w_group=$4
}

w_parent() {
  case $1 in
    /*/*) w_dir=${1%/*} ;;
    /*) w_dir=/ ;;
    */*) w_dir=${1%/*} ;;
    *) w_dir=. ;;
  esac
}

w_target() {
  if w_has readlink; then
    w_link=$(readlink "$1") || w_blame 'cannot read the link' "$1" "$w_link"
  else
    w_link=$(ls -ldn "$1") || w_fail "cannot read the link $1"
    w_link=${w_link#*"$1 -> "}
  fi
}

w_resolve() {
  w_real=$1
  w_hops=0
  while [ -L "$w_real" ]; do
    w_hops=$((w_hops + 1))
    if [ "$w_hops" -gt 40 ]; then
      w_fail "$1 is a link in a circle of links"
    fi
    w_target "$w_real"
    case $w_link in
      /*) w_real=$w_link ;;
      *)
        w_parent "$w_real"
        w_real=${w_dir%/}/$w_link
        ;;
    esac
  done
}

w_digest() {
  if w_has sha256sum; then
    w_sum=$(sha256sum 2>&1 <"$1") || w_blame 'cannot read' "$1" "$w_sum"
    w_sum=sha256:${w_sum%% *}
  else
    w_sum=$(cksum 2>&1 <"$1") || w_blame 'cannot read' "$1" "$w_sum"
    w_sum=cksum:${w_sum%% *}
  fi
}

w_do() {
  w_do_what=$1 w_do_path=$2
  shift 2
  w_said=$("$@" 2>&1 >/dev/null </dev/null) || w_blame "$w_do_what" "$w_do_path" "$w_said"
}

# Sets w_mount, w_device, w_used (per cent) and w_free (KiB) of the file system that PATH is on.
w_file_system() {
  w_parent "$1"
  while [ ! -d "$w_dir" ] && [ "$w_dir" != / ] && [ "$w_dir" != . ]; do
    w_parent "$w_dir"
  done
  w_mount=$w_dir w_device='its file system' w_used='?' w_free='?'
  w_line=$(df -Pk "$w_dir" 2>/dev/null | tail -n 1) || return 0
  set -f
  # shellcheck disable=SC2086
  set -- $w_line
  set +f
  if [ $# -ge 6 ]; then
    w_device=$1 w_free=$4 w_used=$5
    shift 5
    w_mount=$*
  fi
}

w_blame() {
  case $3 in
    *'No space left'*)
      w_file_system "$2"
      if [ "$w_free" = 0 ] || [ "$w_used" = 100% ]; then
        w_blame_how="$w_device on $w_mount is $w_used full, $w_free KiB are free"
      else
        w_blame_how="$w_device on $w_mount is $w_used full; it may have run out of inodes (df -i)"
      fi
      w_fail "$1 $2: the disk is full: $w_blame_how" \
        "free space under $w_mount on the node, then run again; nothing was left half written"
      ;;
    *'quota exceeded'*)
      w_fail "$1 $2: the disk quota of user $(id -un) is used up" \
        "free space or raise the quota on the node, then run again"
      ;;
    *'Read-only file system'*)
      w_file_system "$2"
      w_fail "$1 $2: the file system is read-only: $w_device on $w_mount" \
        "make it writable on the node (mount -o remount,rw $w_mount); if it became read-only by itself, look at dmesg for disk errors first"
      ;;
    *'ermission denied'*)
      w_fail "$1 $2: permission denied for user $(id -un)" \
        'add `become: true` to the task, or a `become_user` who may do this'
      ;;
    *'peration not permitted'*)
      w_fail "$1 $2: the system does not permit it to user $(id -un)" \
        'if that is not root, add `become: true`; else see whether the file is immutable (lsattr), or the node a container that may not do this'
      ;;
    *'busy'*)
      w_fail "$1 $2: it is busy: $3" \
        'a mount point (as /etc/hosts is in a container) cannot be replaced: set `unsafe_writes: true` to write into it in place'
      ;;
  esac
  w_fail "$1 $2: $3"
}
