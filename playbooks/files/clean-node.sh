#!/bin/sh
# Takes away what `kubeadm reset` leaves on a node, and prints what it took away, a line each. It prints
# nothing when there is nothing. With --check it only says what it would take away.
#
#     clean-node.sh [--check] [--no-cni] [--no-iptables] [--interfaces "NAME…"] [--keep-cni "PATTERN…"] [--ca SHA256]
#                   [--cri SOCKET]
#
# docs/playbooks/reset.md lists all that it touches. It touches nothing of which it cannot know that it was
# the cluster's: chains of iptables by their prefixes, and no rule of others; interfaces by their names.
set -eu

check='' cni=yes iptables=yes interfaces='' keep_cni='' ca='' cri=''
while [ $# -gt 0 ]; do
  case $1 in
    --check) check=yes ;;
    --no-cni) cni='' ;;
    --no-iptables) iptables='' ;;
    --interfaces) interfaces=$2 && shift ;;
    --keep-cni) keep_cni=$2 && shift ;;
    --ca) ca=$2 && shift ;;
    --cri) cri=$2 && shift ;;
    *) echo "clean-node.sh: $1 is not an option" >&2 && exit 64 ;;
  esac
  shift
done

has() { command -v "$1" >/dev/null 2>&1; }

# did WHAT COMMAND...: does it, unless this is only a check, and says so.
did() {
  what=$1
  shift
  if [ -z "$check" ]; then "$@"; fi
  printf '%s\n' "$what"
}

# kept NAME: whether one of the patterns of --keep-cni matches.
kept() {
  set -f
  # A list of patterns, which must not become names of files here.
  # shellcheck disable=SC2086
  set -- "$1" $keep_cni
  set +f
  kept_name=$1
  shift
  for kept_pattern in "$@"; do
    # It is a pattern.
    # shellcheck disable=SC2254
    case $kept_name in $kept_pattern) return 0 ;; esac
  done
  return 1
}

# packaged FILE: whether a package of the system has brought it.
packaged() {
  if has dpkg-query && dpkg-query -S "$1" >/dev/null 2>&1; then return 0; fi
  if has rpm && rpm -qf "$1" >/dev/null 2>&1; then return 0; fi
  return 1
}

# What kubeadm puts aside when it upgrades a control plane, etcd's data with every Secret among it, and what a run
# that was stopped halfway has noted. Folders of their own: nobody else's files are in them.
clean_backups() {
  for path in /etc/kubernetes/tmp/kubeadm-* /etc/kubernetes/windlass-*; do
    if [ -e "$path" ]; then did "$path" rm -rf -- "$path"; fi
  done
}

# Pods that `kubeadm reset` could not end in its time: it only warns of that. A kubelet that runs, or is about to,
# has pods of its own, and where nobody can tell they stay.
clean_pods() {
  has crictl || return 0
  case $(systemctl is-active kubelet 2>/dev/null || true) in inactive | failed) ;; *) return 0 ;; esac
  set -- ${cri:+--runtime-endpoint "$cri"}
  for pod in $(crictl "$@" pods --quiet 2>/dev/null); do
    did "pod $pod" end_pod "$pod" "$@"
  done
}

end_pod() {
  pod=$1
  shift
  crictl "$@" stopp "$pod" >/dev/null && crictl "$@" rmp "$pod" >/dev/null
}

# Configurations of networks, their addresses that were given out, and credentials that a CNI left there.
clean_cni_files() {
  for path in /etc/cni/net.d/* /var/lib/cni/networks/*; do
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
    if kept "${path##*/}" || packaged "$path"; then continue; fi
    did "$path" rm -rf -- "$path"
  done
}

# empty_ports BRIDGE: ends the network namespaces that are plugged into it and have no process any more, such as
# those of pods that were killed before their network was taken down.
empty_ports() {
  for port in "/sys/class/net/$1/brif"/*; do
    [ -e "$port" ] || continue
    namespace=$(ip -o link show "${port##*/}" | sed -n 's/.* link-netns \([^ ]*\).*/\1/p')
    case $namespace in '' | */*) continue ;; esac
    if [ -n "$(ip netns pids "$namespace" 2>/dev/null)" ]; then continue; fi
    did "network namespace $namespace" ip netns delete "$namespace"
  done
}

# Bridges and tunnels of well-known networks. A bridge that something is still plugged into is in use.
clean_interfaces() {
  has ip || return 0
  for interface in $interfaces; do
    [ -e "/sys/class/net/$interface" ] || continue
    empty_ports "$interface"
    # The kernel takes its time to end a namespace.
    tries=5
    while [ "$tries" -gt 0 ] && [ -n "$(ls "/sys/class/net/$interface/brif" 2>/dev/null)" ]; do
      tries=$((tries - 1))
      sleep 1
    done
    if [ -n "$(ls "/sys/class/net/$interface/brif" 2>/dev/null)" ]; then continue; fi
    did "interface $interface" ip link delete "$interface"
  done
}

# What iptables-restore must be told so that the chains of Kubernetes and of its networks go, and no other
# rule changes. Reads what iptables-save prints. First rules of other chains that jump to them go, by
# their own words; then the chains are emptied; then they go.
chains_away() {
  awk -v ours="$1" '
    /^\*/ { table = $0; drop = flush = remove = ""; next }
    /^:/ {
      name = substr($1, 2)
      if (name ~ ours) { flush = flush "-F " name "\n"; remove = remove "-X " name "\n" }
      next
    }
    /^-A / {
      if ($2 ~ ours) next
      for (i = 3; i < NF; i++)
        if (($i == "-j" || $i == "-g") && $(i + 1) ~ ours) { drop = drop "-D" substr($0, 3) "\n"; break }
      next
    }
    /^COMMIT/ { if (drop flush != "") printf "%s\n%s%s%sCOMMIT\n", table, drop, flush, remove }
  '
}

clean_iptables() {
  ours='^(KUBE-|FLANNEL-|CILIUM_|OLD_CILIUM_|WEAVE|cali-|cali[0-9])'
  # Other users of CNI (podman, nerdctl) have such chains as well. Where none is left, they are the cluster's.
  if [ -z "$(ls -A /etc/cni/net.d 2>/dev/null)" ]; then ours='^(KUBE-|CNI-|FLANNEL-|CILIUM_|OLD_CILIUM_|WEAVE|cali-|cali[0-9])'; fi
  # A node may have rules in both of the kernel's tables of rules; a program that is there twice finds nothing
  # the second time.
  for program in iptables iptables-legacy iptables-nft ip6tables ip6tables-legacy ip6tables-nft; do
    if ! has "$program-save" || ! has "$program-restore"; then continue; fi
    orders=$("$program-save" 2>/dev/null | chains_away "$ours") || continue
    [ -n "$orders" ] || continue
    if [ -z "$check" ]; then
      # All of a table or nothing. Old ones know no --wait.
      printf '%s\n' "$orders" | "$program-restore" --noflush --wait 2>/dev/null ||
        printf '%s\n' "$orders" | "$program-restore" --noflush
    fi
    printf '%s: %s chains\n' "$program" "$(printf '%s\n' "$orders" | grep -c '^-X')"
  done
  if has nft; then
    for family in ip ip6; do
      if nft list table "$family" kube-proxy >/dev/null 2>&1; then
        did "nftables: table $family kube-proxy" nft delete table "$family" kube-proxy
      fi
    done
  fi
}

# The administrator's kubeconfig, where it is of this cluster and of no other.
clean_kubeconfig() {
  [ -n "$ca" ] || return 0
  login=${SUDO_USER:-}
  case $login in '' | *[!A-Za-z0-9._-]*) login=root ;; esac
  for home in /root "$(getent passwd "$login" | cut -d : -f 6)"; do
    config=$home/.kube/config
    [ -f "$config" ] || continue
    data=$(sed -n 's/^ *certificate-authority-data: *//p' "$config")
    # One cluster only: a second line would be a second one.
    case $data in *[!A-Za-z0-9+/=]* | '') continue ;; esac
    [ "$(printf '%s' "$data" | base64 -d 2>/dev/null | sha256sum | cut -d ' ' -f 1)" = "$ca" ] || continue
    did "$config" rm -f -- "$config"
  done
}

clean_backups
clean_pods
if [ "$cni" ]; then
  clean_cni_files
  clean_interfaces
fi
if [ "$iptables" ]; then clean_iptables; fi
clean_kubeconfig
