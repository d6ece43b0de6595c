# shellcheck shell=sh
# Kernel parameters, in a file and in force.
#
#   w_sysctl CHECK KEY VALUE STATE FILE RELOAD SET IGNORE
#       STATE is present or absent; CHECK, RELOAD, SET and IGNORE are 1 or empty. RELOAD puts VALUE in
#       force when the file changed, SET whenever it is not. Puts `changed`, and `before`: the value
#       in the file until now. Where paths begin: w_root, which only tests set.

# Prints the file $1 as it is wanted, given w_sc_key, w_sc_value and w_sc_state. Status 10: as it is.
w_sysctl_edit() {
  W_KEY=$w_sc_key W_VALUE=$w_sc_value W_STATE=$w_sc_state awk '
    function trim(text) {
      gsub(/[ \t\r]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
      return text
    }
    BEGIN { key = ENVIRON["W_KEY"]; value = ENVIRON["W_VALUE"]; present = ENVIRON["W_STATE"] == "present" }
    {
      text = trim($0); cut = index(text, "=")
      if (cut && text !~ /^[#;]/) {
        name = trim(substr(text, 1, cut - 1)); sub(/^-/, "", name)
        if (name == key) {
          if (!present || seen++) { changed = 1; next }
          if (trim(substr(text, cut + 1)) != trim(value)) { changed = 1; print key "=" value; next }
        }
      }
      print
    }
    END {
      if (present && !seen) { changed = 1; print key "=" value }
      exit changed ? 0 : 10
    }' "$1"
}

# Prints the value that w_sc_key has in the file $1.
w_sysctl_entry() {
  [ -f "$1" ] || return 0
  W_KEY=$w_sc_key awk '
    { line = $0; sub(/^[ \t-]+/, "", line); cut = index(line, "=") }
    cut && line !~ /^[#;]/ {
      name = substr(line, 1, cut - 1); sub(/[ \t]+$/, "", name)
      if (name == ENVIRON["W_KEY"]) { value = substr(line, cut + 1); sub(/^[ \t]+/, "", value) }
    }
    END { print value }' "$1"
}

# Replaces the file $1 by the text $2: whole, or not at all; with its owner and mode.
w_sysctl_write() {
  w_sc_new=$1.windlass-$$
  {
    mkdir -p "${1%/*}"
    rm -f "$w_sc_new"
    if [ -f "$1" ]; then cp -p "$1" "$w_sc_new"; fi
    printf '%s' "${2:+$2
}" >"$w_sc_new" && mv -f "$w_sc_new" "$1"
  } 2>/dev/null || {
    rm -f "$w_sc_new"
    w_fail "cannot write $1" \
      'it takes root (become: true), a file system that is not read-only, and room on it'
  }
}

# Puts VALUE in force, unless it is.
w_sysctl_live() {
  # As sysctl has it: a name that is first divided by a slash is a path; otherwise dots divide it, and
  # slashes stand for dots.
  case ${w_sc_key#"${w_sc_key%%[./]*}"} in
  /*) w_sc_path=$w_sc_key ;;
  *) w_sc_path=$(printf '%s\n' "$w_sc_key" | tr ./ /.) ;;
  esac
  w_sc_path=${w_root-}/proc/sys/$w_sc_path
  if ! [ -e "$w_sc_path" ]; then
    [ -z "$w_sc_check$w_sc_ignore" ] || return 0
    w_fail "the node's kernel knows no parameter $w_sc_key" \
      'is the name right? Some come with a kernel module: net.bridge.* with br_netfilter (module: modprobe)'
  fi
  set -f
  # shellcheck disable=SC2046 # words, joined by single spaces
  set -- $(cat "$w_sc_path" 2>/dev/null)
  w_sc_live=$*
  # shellcheck disable=SC2086
  set -- $w_sc_value
  set +f
  if [ "$w_sc_live" = "$*" ]; then return 0; fi
  w_put live "$w_sc_live"
  [ -z "$w_sc_check" ] || return 0
  w_sc_said=$( (printf '%s\n' "$w_sc_value" >"$w_sc_path") 2>&1) || [ "$w_sc_ignore" ] ||
    w_fail "cannot set $w_sc_key to $w_sc_value: $w_sc_said" \
      'it takes root (become: true); a container may not change every parameter'
}

w_sysctl() {
  w_sc_check=$1 w_sc_key=$2 w_sc_value=$3 w_sc_state=$4 w_sc_ignore=$8 w_sc_changed=''
  w_sc_file=${w_root-}$5
  if [ -L "$w_sc_file" ] && w_has readlink; then w_sc_file=$(readlink -f "$w_sc_file"); fi
  w_put before "$(w_sysctl_entry "$w_sc_file")"
  w_sc_text=$(if [ -f "$w_sc_file" ]; then w_sysctl_edit "$w_sc_file"; else w_sysctl_edit /dev/null; fi)
  case $? in
  0) w_sc_changed=1 ;;
  10) ;;
  *) w_fail "cannot read $w_sc_file" ;;
  esac
  if [ "$w_sc_changed" ]; then w_put changed 1; fi
  if [ "$w_sc_state" = present ] && { [ "$7" ] || [ "$6$w_sc_changed" = 11 ]; }; then w_sysctl_live; fi
  if [ "$w_sc_changed" ] && [ -z "$w_sc_check" ]; then w_sysctl_write "$w_sc_file" "$w_sc_text"; fi
}
