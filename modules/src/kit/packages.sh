# shellcheck shell=sh
# Packages of apt and dnf.
#
#   w_apt CHECK STATE UPDATE VALID TIMEOUT OPTIONS PURGE AUTOREMOVE UPGRADE [PACKAGE…]
#   w_dnf CHECK STATE UPDATE '' TIMEOUT OPTIONS '' AUTOREMOVE '' [PACKAGE…]
#   w_package …                the one of the two that the node has, with the same arguments
#       STATE is present, latest or absent. VALID is how many seconds old lists may be; TIMEOUT how
#       many seconds to wait for another package manager. OPTIONS are words for the tool. PACKAGE may
#       end in `=VERSION`. Puts `manager`, `updated` (lists were fetched), `changed` (packages that
#       are, or in check mode would be, put in or taken out), `output` (what the tool said).

w_package() {
  if w_has apt-get; then
    w_apt "$@"
  elif w_has dnf || w_has dnf5 || w_has yum || w_has microdnf; then
    w_dnf "$@"
  else
    w_fail 'the node has neither apt-get nor dnf (or yum)' \
      'package, apt and dnf manage packages of Debian and Red Hat and what is made of them; use the module command for another package manager'
  fi
}

# Runs a tool. While another one holds the lock, tries again until the time is over.
w_pk_run() {
  w_pk_left=$w_pk_timeout
  while :; do
    if w_pk_said=$("$@" 2>&1 </dev/null); then return 0; else w_pk_status=$?; fi
    case $w_pk_said in
    *'Could not get lock'* | *'Unable to acquire the dpkg frontend lock'* | *'Unable to lock'* | \
      *'is another process using it'* | *'holding the yum lock'* | *'Waiting for process with pid'*) ;;
    *) return "$w_pk_status" ;;
    esac
    if [ "$w_pk_left" -le 0 ]; then
      w_fail "another package manager was still at work after $w_pk_timeout s" \
        'wait until it is done, or give it longer with lock_timeout'
    fi
    sleep 3
    w_pk_left=$((w_pk_left - 3))
  done
}

# Fails with the lines in which the tool says what is wrong.
w_pk_fail() {
  w_pk_why=$(printf '%s\n' "$w_pk_said" | grep -E '^(E:|Error|error:|No match|Unable|dpkg: error)' | head -n 6)
  case $w_pk_said in
  *'Unable to locate package'* | *'No match for argument'* | *'has no installation candidate'* | *'No package '*)
    w_pk_hint='is the name right, and does a repository of the node have it? update_cache: true fetches the lists again'
    ;;
  *'ermission denied'* | *'are you root'* | *'superuser privileges'* | *'user privileges'* | *'be root'*)
    w_pk_hint='it takes root: become: true'
    ;;
  *'No space left'*) w_pk_hint="make room on the node's disk" ;;
  *'Could not resolve'* | *'Failed to fetch'* | *'Could not connect'* | *'Cannot download'* | *'Failed to download'*)
    w_pk_hint='can the node reach its repositories, through the proxy if there is one?'
    ;;
  *'dpkg was interrupted'*) w_pk_hint='run on the node: dpkg --configure -a' ;;
  *) w_pk_hint='run it on the node to see more' ;;
  esac
  w_fail "$1: ${w_pk_why:-$w_pk_said}" "$w_pk_hint"
}

w_apt_get() {
  # shellcheck disable=SC2086 # options are words
  w_pk_run env DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical apt-get -y -q \
    -o DPkg::Lock::Timeout="$w_pk_timeout" -o Dpkg::Options::=--force-confdef \
    -o Dpkg::Options::=--force-confold "$@"
}

# Whether apt's lists are younger than $1 seconds.
w_apt_young() {
  w_pk_lists=${w_root-}/var/lib/apt/periodic/update-success-stamp
  [ -e "$w_pk_lists" ] || w_pk_lists=${w_root-}/var/lib/apt/lists
  [ -e "$w_pk_lists" ] && [ "$(find "$w_pk_lists" -prune -mmin "-$((($1 + 59) / 60))" 2>/dev/null)" ]
}

w_apt_update() {
  if [ "$2" ] && w_apt_young "$2"; then return 0; fi
  [ "$1$2" ] || return 0
  w_put updated 1
  if [ "$w_pk_check" ]; then w_pk_old=1; return 0; fi
  w_apt_get update || w_pk_fail 'cannot fetch the lists of packages'
  # apt-get calls it a success when some lists are missing.
  case $w_pk_said in
  *'Failed to fetch'*) w_pk_fail 'cannot fetch all lists of packages' ;;
  esac
}

# Whether dpkg has a package installed (in a version, which may end in *).
w_apt_installed() {
  w_pk_have=$(dpkg-query -W -f '${Status} ${Version}\n' "${1%%=*}" 2>/dev/null) || return 1
  case $w_pk_have in
  *' installed '*) ;;
  *) return 1 ;;
  esac
  case $1 in
  *=*)
    # shellcheck disable=SC2254 # a pattern, on purpose
    case ${w_pk_have##* } in
    ${1#*=}) ;;
    *) return 1 ;;
    esac
    ;;
  esac
}

# Has apt-get try, and puts what it would do; status 1 when that is nothing. $1 is what it is for
# messages, the rest are words for apt-get.
w_apt_plan() {
  w_pk_what=$1
  shift
  if ! w_apt_get -s "$@"; then
    # In check mode, lists that would have been fetched first may have it.
    case $w_pk_old:$w_pk_said in
    1:*'Unable to locate package'* | 1:*'has no installation candidate'*) ;;
    *) w_pk_fail "cannot $w_pk_what" ;;
    esac
    w_pk_plan=${w_pk_what#install }
    return 0
  fi
  w_pk_plan=$(printf '%s\n' "$w_pk_said" | awk '/^(Inst|Remv|Purg) / { print $2 }')
  [ "$w_pk_plan" ]
}

w_apt_do() {
  if w_apt_plan "$@"; then
    w_put changed "$w_pk_plan"
    shift
    if [ "$w_pk_check" ]; then
      w_put output "$w_pk_said"
      return 0
    fi
    w_apt_get "$@" || w_pk_fail "cannot $w_pk_what"
    w_put output "$w_pk_said"
  fi
}

w_apt() {
  w_put manager apt
  w_need apt-get 'to manage packages'
  w_pk_check=$1 w_pk_state=$2 w_pk_timeout=$5 w_pk_options=$6 w_pk_purge=$7 w_pk_auto=$8 w_pk_upgrade=$9 w_pk_old=''
  w_apt_update "$3" "$4"
  shift 9
  # shellcheck disable=SC2086 # options are words, here and below
  case $w_pk_upgrade in
  '') ;;
  dist | full) w_apt_do 'upgrade the node' dist-upgrade $w_pk_options ;;
  *) w_apt_do 'upgrade the node' upgrade --with-new-pkgs $w_pk_options ;;
  esac
  case $w_pk_state in
  absent) w_apt_absent "$@" ;;
  latest) if [ $# -gt 0 ]; then w_apt_install "$@"; fi ;;
  *)
    # What is installed needs no look at apt's lists, which takes a second.
    for w_pk_name; do
      if ! w_apt_installed "$w_pk_name"; then
        w_apt_install "$@"
        break
      fi
    done
    ;;
  esac
  if [ "$w_pk_auto" ]; then w_apt_do 'remove what nothing needs' autoremove ${w_pk_purge:+--purge}; fi
}

w_apt_install() {
  # shellcheck disable=SC2086
  w_apt_do "install $*" install $w_pk_options "$@"
}

# Only what is there: apt-get fails for a name that it does not know.
w_apt_absent() {
  w_pk_count=$#
  while [ "$w_pk_count" -gt 0 ]; do
    w_pk_name=${1%%=*}
    shift
    w_pk_count=$((w_pk_count - 1))
    w_pk_have=$(dpkg-query -W -f '${Status} ' "$w_pk_name" 2>/dev/null) || :
    case $w_pk_purge:$w_pk_have in
    *' installed '* | purge:*' config-files '*) set -- "$@" "$w_pk_name" ;;
    esac
  done
  if [ $# -gt 0 ]; then w_apt_do "remove $*" "${w_pk_purge:-remove}" "$@"; fi
}

# Which package manager of Red Hat the node has.
w_dnf_tool() {
  for w_pk_tool in dnf dnf5 yum microdnf; do
    if w_has "$w_pk_tool"; then return 0; fi
  done
  w_need dnf 'to manage packages (or yum)'
}

# Runs dnf. In check mode, it says what it would do and is answered no.
w_dnf_do() {
  w_pk_what=$1
  shift
  w_pk_answer=-y
  if [ "$w_pk_check" ]; then w_pk_answer=--assumeno; fi
  # shellcheck disable=SC2086 # options are words
  if ! w_pk_run "$w_pk_tool" $w_pk_answer $w_pk_options "$@"; then
    case $w_pk_check$w_pk_said in
    1*'Operation aborted'* | 1*'Exiting on user command'* | 1*'Is this ok'*) ;;
    *) w_pk_fail "cannot $w_pk_what" ;;
    esac
  fi
  case $w_pk_said in
  *'Nothing to do'* | *'No packages marked for'* | *'othing to do.'*) return 0 ;;
  esac
  w_put changed "$w_pk_what"
  w_put output "$w_pk_said"
}

# Whether rpm has a package installed: by name, name and version, file, or what it provides.
w_dnf_installed() {
  case $1 in
  @* | *.rpm | *\**) return 1 ;;
  esac
  rpm -q --quiet "$1" >/dev/null 2>&1 || rpm -q --quiet --whatprovides "$1" >/dev/null 2>&1
}

w_dnf() {
  w_put manager dnf
  w_dnf_tool
  w_need rpm 'to manage packages'
  w_pk_check=$1 w_pk_state=$2 w_pk_timeout=$5 w_pk_options=$6 w_pk_auto=$8
  if [ "$3" ]; then
    w_put updated 1
    # shellcheck disable=SC2086
    [ "$1" ] || w_pk_run "$w_pk_tool" -y $w_pk_options makecache || w_pk_fail 'cannot fetch the lists of packages'
  fi
  shift 9
  # The names again, as dnf wants them, without those that are as they should be.
  w_pk_count=$# w_pk_all=
  while [ "$w_pk_count" -gt 0 ]; do
    w_pk_name=$1
    shift
    w_pk_count=$((w_pk_count - 1))
    case $w_pk_name in
    *=*) w_pk_name=${w_pk_name%%=*}-${w_pk_name#*=} ;;
    esac
    if [ "$w_pk_name" = '*' ]; then w_pk_all=1; continue; fi
    w_pk_there=
    if w_dnf_installed "$w_pk_name"; then w_pk_there=1; fi
    case $w_pk_state$w_pk_there in
    present1 | absent) case $w_pk_name in @* | *\**) set -- "$@" "$w_pk_name" ;; esac ;;
    *) set -- "$@" "$w_pk_name" ;;
    esac
  done
  case $w_pk_state in
  latest)
    if [ "$w_pk_all" ]; then w_dnf_do 'upgrade the node' upgrade; fi
    if [ $# -gt 0 ]; then w_dnf_latest "$@"; fi
    ;;
  present) if [ $# -gt 0 ]; then w_dnf_do "install $*" install "$@"; fi ;;
  absent) if [ $# -gt 0 ]; then w_dnf_do "remove $*" remove "$@"; fi ;;
  esac
  if [ "$w_pk_auto" ]; then w_dnf_do 'remove what nothing needs' autoremove; fi
}

# `install` leaves an installed package as it is with some versions of dnf, and `upgrade` does not
# install one: each gets its own.
w_dnf_latest() {
  w_pk_count=$# w_pk_old=
  while [ "$w_pk_count" -gt 0 ]; do
    w_pk_name=$1
    shift
    w_pk_count=$((w_pk_count - 1))
    if w_dnf_installed "$w_pk_name"; then
      w_pk_old="$w_pk_old $w_pk_name"
    else
      set -- "$@" "$w_pk_name"
    fi
  done
  if [ $# -gt 0 ]; then w_dnf_do "install $*" install "$@"; fi
  # shellcheck disable=SC2086 # names are words
  if [ "$w_pk_old" ]; then w_dnf_do "upgrade$w_pk_old" upgrade $w_pk_old; fi
}
