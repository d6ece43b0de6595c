# shellcheck shell=sh
# Handing results back, as records that may hold any bytes (NUL only in the last one).
#
#   w_put KEY VALUE         one record: the key, how many bytes, the bytes. KEY is letters and `_`.
#                           The same key more than once makes a list. VALUE is best short.
#   w_rest KEY              the last record: all that is printed from now on (`cat file`).
#   w_fail MESSAGE [HINT]   ends the script; the task fails with this. Records put before are kept.
#   w_need TOOL WHY         fails with a plain sentence unless TOOL is there. WHY completes
#                           "it is needed …": `w_need systemctl 'to manage services'`.
#   w_has TOOL              whether a tool is there.

w_put() {
  # The length is in bytes in the C locale only.
  if [ "${LC_ALL+set}" ]; then
    w_put_locale=$LC_ALL
    LC_ALL=C
    printf '%s %s\n%s\n' "$1" "${#2}" "$2"
    LC_ALL=$w_put_locale
  else
    LC_ALL=C
    printf '%s %s\n%s\n' "$1" "${#2}" "$2"
    unset LC_ALL
  fi
}

w_rest() {
  printf '%s -\n' "$1"
}

w_fail() {
  w_put error "$1"
  if [ "${2-}" ]; then
    w_put hint "$2"
  fi
  exit 1
}

w_has() {
  command -v "$1" >/dev/null 2>&1
}

w_need() {
  w_has "$1" || w_fail "\`$1\` is missing on the node; it is needed $2" \
    "install what provides \`$1\` on the node, or see that it is on the PATH of the task's user"
}
