# shellcheck shell=sh
# Finds certificates; changes nothing. For each place of one: the records `file`, `path`, `pem`; for each
# server: `server`, `path`, and `pem` or `why`. No private key is read into a variable or printed.

w_put now "$(date +%s)"

certificates_in() { sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' "$@"; }

# A file with certificates.
pem() {
  w_put file 1
  w_put path "$1"
  [ -r "$1" ] || w_fail "$1 cannot be read" 'run the task as root: become: true'
  w_put pem "$(certificates_in "$1")"
}

# A kubeconfig: its clients' certificates are in it in Base64, or in a file that it names. The kubelet's
# is such a file, and is found there whatever the kubeconfig's name.
kubeconfig() {
  [ -r "$1" ] || w_fail "$1 cannot be read" 'run the task as root: become: true'
  # shellcheck disable=SC2013 # Base64 is one word
  for word in $(sed -n 's/^ *client-certificate-data: *"\{0,1\}\([^" ]*\).*/\1/p' "$1"); do
    w_put file 1
    w_put path "$1"
    w_put pem "$word"
  done
  sed -n 's/^ *client-certificate: *"\{0,1\}\([^"]*[^" ]\).*/\1/p' "$1" | while IFS= read -r named; do
    if [ -e "$named" ]; then pem "$named"; fi
  done
}

look() {
  if [ -d "$1" ]; then
    for inside in "$1"/*.conf "$1"/*.crt; do
      if [ -f "$inside" ]; then look "$inside"; fi
    done
  elif [ -e "$1" ]; then
    case $1 in
      *.conf) kubeconfig "$1" ;;
      *) pem "$1" ;;
    esac
  fi
}

ask() {
  w_put server 1
  w_put path "$1"
  if ! w_has openssl; then
    w_put why 'there is no openssl on the node to ask with'
  elif said=$(openssl s_client -connect "$1" </dev/null 2>&1); then
    w_put pem "$(printf '%s\n' "$said" | certificates_in)"
  else
    case $said in
      # One that wants a certificate of ours has shown its own before it hung up.
      *'BEGIN CERTIFICATE'*) w_put pem "$(printf '%s\n' "$said" | certificates_in)" ;;
      *) w_put why "$(printf '%s\n' "$said" | head -n 1)" ;;
    esac
  fi
}
