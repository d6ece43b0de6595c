# shellcheck shell=sh disable=SC2154 # what is set before is said below
# Runs kubeadm with a configuration from standard input that no one else can read, and prints what
# it says without secrets. Set before: kubeadm. Called after: w_kubeadm ARGUMENTS, with CONFIG
# standing for the file. Ends with kubeadm's status.

w_private_folder() {
  # In memory where possible: what is in it must not reach a disk.
  for w_base in /run /dev/shm "${TMPDIR:-/tmp}"; do
    if [ -d "$w_base" ] && [ -w "$w_base" ]; then break; fi
  done
  w_dir=$(umask 077 && mktemp -d "$w_base/windlass.XXXXXX") || exit 70
  trap 'rm -rf "$w_dir"' EXIT
  trap 'exit 143' HUP INT TERM
}

# Join commands and keys that kubeadm prints for people; Windlass creates its own when it needs them.
w_without_secrets() {
  while IFS= read -r w_line || [ "$w_line" ]; do
    case $w_line in
      # What follows tells a person what to do next, with a token in it.
      "To start using your cluster"* | "To start administering your cluster"* | "Run 'kubectl get nodes'"*)
        cat >/dev/null
        return
        ;;
      *--token* | *--certificate-key* | *--discovery-token* | *bootstrap\ token:*)
        w_line='    (not shown: a command with a token)'
        ;;
      *[!0-9a-f]*) ;;
      *) if [ "${#w_line}" -eq 64 ]; then w_line='(not shown: a key)'; fi ;;
    esac
    printf '%s\n' "$w_line"
  done
}

w_kubeadm() {
  (umask 077 && cat >"$w_dir/config.yaml")
  {
    "$kubeadm" "$@" 2>&1 </dev/null
    echo "$?" >"$w_dir/status"
  } | w_without_secrets
  read -r w_status <"$w_dir/status"
  exit "$w_status"
}
