# shellcheck shell=sh
# Kernel modules, now and at boot.
#
#   w_modprobe CHECK NAME STATE PARAMETERS PERSISTENT
#       STATE is present or absent, PERSISTENT present, absent or disabled; CHECK is 1 or empty. Puts
#       `changed`, once for each thing that changed. Where paths begin: w_root, which only tests set.

# Whether the module is there: loaded, or built into the kernel.
w_mod_there() {
  w_mod_loaded "$1" || [ -d "${w_root-}/sys/module/$w_mod_under" ] ||
    grep -q "	$1\$" "${w_root-}/proc/filesystems" 2>/dev/null ||
    grep -q "/$w_mod_pattern\\.ko" "${w_root-}/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null
}

w_mod_loaded() {
  grep -q "^$w_mod_under " "${w_root-}/proc/modules" 2>/dev/null
}

# Replaces the file $1 by standard input.
w_mod_write() {
  {
    mkdir -p "${1%/*}" && cat >"$1.windlass-$$" && mv -f "$1.windlass-$$" "$1"
  } 2>/dev/null || {
    rm -f "$1.windlass-$$"
    w_fail "cannot write $1" \
      'it takes root (become: true), a file system that is not read-only, and room on it'
  }
}

# Whether a file of the folder $1 has a line that matches $2.
w_mod_listed() {
  grep -Eqs "$2" "$1"/*.conf
}

# Takes lines that match $2 out of the files of the folder $1.
w_mod_unlist() {
  w_mod_listed "$1" "$2" || return 0
  w_put changed "$1"
  [ -z "$w_mod_check" ] || return 0
  for w_mod_file in "$1"/*.conf; do
    if grep -Eqs "$2" "$w_mod_file"; then
      sed -E "s/$2/# &/" "$w_mod_file" | w_mod_write "$w_mod_file"
    fi
  done
}

# Sees that a file of the folder $1 has the line $3, by the pattern $2.
w_mod_list() {
  if w_mod_listed "$1" "$2"; then return 0; fi
  w_put changed "$1"
  [ -z "$w_mod_check" ] || return 0
  printf '%s\n' "$3" | w_mod_write "$1/$w_mod_name.conf"
}

w_mod_persist() {
  w_mod_load=${w_root-}/etc/modules-load.d w_mod_options=${w_root-}/etc/modprobe.d
  w_mod_line="^[[:space:]]*${w_mod_pattern}[[:space:]]*\$"
  w_mod_option="^[[:space:]]*options[[:space:]]+${w_mod_pattern}[[:space:]].*\$"
  case $1 in
  present)
    w_mod_list "$w_mod_load" "$w_mod_line" "$w_mod_name"
    if [ "$2" ] && ! grep -qsx "options $w_mod_name $2" "$w_mod_options"/*.conf; then
      w_mod_unlist "$w_mod_options" "$w_mod_option"
      w_mod_list "$w_mod_options" "^options $w_mod_name $2\$" "options $w_mod_name $2"
    fi
    ;;
  absent)
    w_mod_unlist "$w_mod_load" "$w_mod_line"
    w_mod_unlist "$w_mod_options" "$w_mod_option"
    ;;
  esac
}

w_modprobe() {
  w_mod_check=$1 w_mod_name=$2
  # The kernel writes _ for -, and takes either.
  w_mod_under=$(printf '%s' "$2" | tr - _)
  w_mod_pattern=$(printf '%s' "$2" | sed 's/[-_]/[-_]/g')
  case $3 in
  present)
    if ! w_mod_there "$2"; then
      w_put changed loaded
      w_need modprobe "to load the kernel module $2"
      # shellcheck disable=SC2086 # parameters are words of their own
      [ "$1" ] || w_mod_said=$(modprobe "$2" $4 2>&1) ||
        w_fail "cannot load the kernel module $2: $w_mod_said" \
          "does the node's kernel ($(uname -r)) have it? It takes root (become: true); inside a container, load it on the machine that the container runs on"
    fi
    ;;
  absent)
    if w_mod_loaded "$2"; then
      w_put changed unloaded
      w_need modprobe "to unload the kernel module $2"
      [ "$1" ] || w_mod_said=$(modprobe -r "$2" 2>&1) ||
        w_fail "cannot unload the kernel module $2: $w_mod_said" \
          'what uses it must stop first; it takes root (become: true)'
    fi
    ;;
  esac
  w_mod_persist "$5" "$4"
}
