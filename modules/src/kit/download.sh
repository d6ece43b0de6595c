# shellcheck shell=sh
# Parts share variables, and messages quote with backticks:
# shellcheck disable=SC2016,SC2034,SC2154
# Downloading a file. Needs `write`.
#
#   w_download URL ALGORITHM SUM TIMEOUT INSECURE REQUEST
#                         makes the file at w_opt_dest what URL serves, if it is not that already: see
#                         `w_write` for w_opt_… (dest, base, mode, owner, group, check, force, backup).
#                         With ALGORITHM and SUM a file that has this checksum is left alone,
#                         whatever URL serves; what is downloaded and has it not is thrown away.
#                         Without: a file that exists is left, or compared where w_opt_force is 1.
#                         Standard input is a configuration for curl, with URL and what else must not be
#                         seen in the list of processes. REQUEST 1: there is more in it than URL; `user`: URL
#                         has a user's name or password in it.
#                         Puts what `w_write` puts, `status` (HTTP's, where curl says it) and `elapsed`.

# Sets w_has_sum to the checksum of FILE.
w_checksum_of() {
  w_need "${2}sum" 'to compare the checksum'
  w_has_sum=$("${2}sum" 2>&1 <"$1") || w_blame 'cannot read' "$1" "$w_has_sum"
  w_has_sum=${w_has_sum%% *}
}

# Whether what is at w_path, which was looked at, needs no download.
w_download_has() {
  [ "$w_type" = file ] || return 1
  if [ "$w_dl_sum" ]; then
    w_checksum_of "$w_path" "$w_dl_algorithm"
    [ "$w_has_sum" = "$w_dl_sum" ]
  else
    [ "$w_opt_force" = 0 ]
  fi
}

w_download_curl() {
  set --
  [ "$w_dl_insecure" = 0 ] || set -- "$@" --insecure
  # A server that sends nothing for so long has stopped; a slow one may take its time.
  # The configuration stays on standard input: the arguments of a program can be seen by everybody.
  w_said=$(curl --silent --show-error --fail --location --connect-timeout "$w_dl_timeout" \
    --speed-limit 1 --speed-time "$w_dl_timeout" --output "$w_tmp" --write-out '%{http_code}' "$@" \
    --config - 2>&1)
  w_code=$?
  [ "$w_code" != 0 ] || w_put status "$w_said"
  # The status stands before, or after, what curl says of an error.
  w_said=${w_said#[0-9][0-9][0-9]}
  w_said=${w_said%[0-9][0-9][0-9]}
  return "$w_code"
}

w_download_gnu() {
  wget -nv --tries=1 --timeout="$w_dl_timeout" "$@" -O "$w_tmp" -i - <<EOF
$w_dl_url
EOF
}

w_download_wget() {
  [ "$w_dl_request" != 1 ] || w_fail '`headers` and `url_username` need curl, which is missing on the node' \
    "install curl: with wget they would be seen in the node's list of processes"
  set --
  [ "$w_dl_insecure" = 0 ] || set -- --no-check-certificate
  case $(wget --help 2>&1) in
    *BusyBox*)
      # It takes URLs as arguments only, for everybody to see.
      [ "$w_dl_request" = 0 ] || w_fail 'a URL with a password in it needs curl or GNU wget, and the node has neither' \
        "install curl: with BusyBox's wget it would be seen in the node's list of processes"
      # Its -T ends in a segmentation fault in Debian 12: its own limit of a quarter of an hour must do.
      w_said=$(wget -q "$@" -O "$w_tmp" "$w_dl_url" 2>&1)
      ;;
    *)
      w_said=$(w_download_gnu "$@" 2>&1)
      ;;
  esac
}

# Fills w_tmp.
w_download_fetch() {
  w_status=0
  if w_has curl; then
    w_download_curl || w_status=$?
  elif w_has wget; then
    w_download_wget || w_status=$?
  else
    w_fail 'neither `curl` nor `wget` is on the node, and one is needed to download' 'install one of them'
  fi
  [ "$w_status" != 0 ] || return 0
  w_file_system "$w_path"
  if [ "$w_free" = 0 ]; then
    w_blame 'cannot write' "$w_path" 'No space left on device'
  fi
  w_fail "cannot download $w_dl_url: ${w_said:-status $w_status}" \
    'can the host that runs the task reach that address? A proxy is told with `environment: {https_proxy: …}`'
}

w_download_check() {
  [ "$w_dl_sum" ] || return 0
  w_checksum_of "$w_tmp" "$w_dl_algorithm"
  if [ "$w_has_sum" != "$w_dl_sum" ]; then
    w_look "$w_tmp"
    w_fail "$w_dl_url has the $w_dl_algorithm checksum $w_has_sum, and not $w_dl_sum as \`checksum\` says; $w_size bytes were thrown away" \
      'the file was changed at its source or on the way, or the checksum is of another version: find out which before you correct it'
  fi
}

# Puts what was downloaded in its place. Sets w_same to 1 if it was there already.
w_download_place() {
  w_look "$w_tmp"
  w_opt_size=$w_size w_same=0
  if [ "$w_old_type" = file ] && cmp -s "$w_tmp" "$w_path"; then
    w_clean
    w_tmp='' w_same=1
    return 0
  fi
  w_dress
  if [ "$w_opt_backup" = 1 ] && [ "$w_old_type" = file ]; then
    w_backup "$w_path"
    w_put backup_file "$w_backup_file"
  fi
  w_rename
}

w_download() {
  w_dl_url=$1 w_dl_algorithm=$2 w_dl_sum=$3 w_dl_timeout=$4 w_dl_insecure=$5 w_dl_request=$6
  w_write_options
  w_guard
  w_place
  w_put dest "$w_path"
  w_look "$w_path"
  w_old_type=$w_type w_old_mode=$w_mode w_old_uid=$w_uid w_old_gid=$w_gid
  w_put_look was_
  case $w_type in
    absent | file | link) ;;
    *) w_fail "$w_path is a $w_type on the node, not a file" ;;
  esac
  w_wish
  w_begun=$(date +%s)
  if w_download_has; then
    w_same=1
  else
    w_see_folder
    w_same=0
    if [ "$w_opt_check" = 0 ]; then
      w_new_beside "$w_path"
      w_download_fetch
      w_download_check
      w_download_place
    fi
  fi
  if [ "$w_same" = 1 ]; then
    w_attributes "$w_path"
    w_put changed "$w_differ"
  else
    w_put changed 1
  fi
  w_put elapsed "$(($(date +%s) - w_begun))"
  if [ "$w_opt_check" = 1 ]; then
    w_put would 1
  else
    w_look "$w_path"
    w_put_look ''
  fi
}
