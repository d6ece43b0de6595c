#!/bin/sh
# Stops, starts and renews the static pods that kubeadm made on a node, by way of their manifests: the
# kubelet does the rest, whatever the runtime is. Runs as root. What is waited for are the programs
# themselves, so it works where no API server does.
#
#   static-pods.sh stop SECONDS NAME…          takes manifests aside; waits until the programs have ended
#   static-pods.sh start SECONDS NAME…         puts them back; waits until the programs run
#   static-pods.sh renew SECONDS STAMP NAME…   writes STAMP into the manifests as an annotation, if another
#                                              is there; waits until all programs are younger than that
#   static-pods.sh api SECONDS                 waits until this node's own API server is ready
#
# Prints `changed` if a manifest was touched. NAME is etcd, kube-apiserver, kube-controller-manager or
# kube-scheduler; one that the node has not (etcd, where it is external) is passed over.
set -eu
umask 077
LC_ALL=C
export LC_ALL

manifests=/etc/kubernetes/manifests
aside=/etc/kubernetes/windlass-aside
annotation=windlass/renewed

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The ids of the processes of a pod's program. Other programs of the same name are told from it by a flag
# that only this one has: a node may well run another etcd, in a pod.
processes() {
  case $1 in
    etcd) flag=data-dir ;;
    kube-apiserver) flag=advertise-address ;;
    *) flag=kubeconfig ;;
  esac
  file=$manifests/$1.yaml
  [ -e "$file" ] || file=$aside/$1.yaml
  given=$(sed -n "s/^ *- \(--$flag=.*\)/\1/p" "$file" | head -n 1)
  # The kernel keeps 15 characters of a name.
  short=$(printf '%.15s' "$1")
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = "$short" ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -e "$given"; then echo "${process#/proc/}"; fi
  done
}

# How many seconds ago a process began.
age() {
  awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    FILENAME ~ /uptime$/ { up = $1; next }
    { sub(/.*\) /, ""); print int(up - $20 / hz) }' /proc/uptime "/proc/$1/stat" 2>/dev/null
}

ended() { [ -z "$(processes "$1")" ]; }
runs() { [ "$(processes "$1")" ]; }

# Whether the program runs, and no process of it is older than its manifest.
young() {
  all=$(processes "$1")
  [ "$all" ] || return 1
  touched=$(($(date +%s) - $(date -r "$manifests/$1.yaml" +%s)))
  for one in $all; do
    old=$(age "$one")
    [ "$old" ] && [ "$old" -le "$touched" ] || return 1
  done
}

# until_all WHAT SECONDS NAME…: waits until `WHAT NAME` is true of each.
until_all() {
  what=$1
  end=$(($(date +%s) + $2))
  shift 2
  for name in "$@"; do
    [ -e "$manifests/$name.yaml" ] || [ -e "$aside/$name.yaml" ] || continue
    until "$what" "$name"; do
      [ "$(date +%s)" -lt "$end" ] ||
        die "$name on $(uname -n) did not get there in time. Is its kubelet healthy (journalctl -u kubelet)?"
      sleep 1
    done
  done
}

stop() {
  limit=$1
  shift
  mkdir -p "$aside"
  for name in "$@"; do
    if [ -e "$manifests/$name.yaml" ]; then
      mv "$manifests/$name.yaml" "$aside/$name.yaml"
      echo changed
    fi
  done
  until_all ended "$limit" "$@"
}

start() {
  limit=$1
  shift
  for name in "$@"; do
    if [ -e "$aside/$name.yaml" ]; then
      # What someone put there since then is newer.
      [ ! -e "$manifests/$name.yaml" ] || die "$manifests/$name.yaml and $aside/$name.yaml are both there:" \
        "which one is right, only you can know; remove the other"
      mv "$aside/$name.yaml" "$manifests/$name.yaml"
      echo changed
    fi
  done
  rmdir "$aside" 2>/dev/null || true
  until_all runs "$limit" "$@"
}

# The manifest $1, with the annotation.
annotated() {
  awk -v line="    $annotation: \"$2\"" -v old="    $annotation:" \
    -v has="$(grep -cx '  annotations:' "$1" || true)" '
    index($0, old) == 1 { next }
    { print }
    !done && !has && $0 == "metadata:" { print "  annotations:"; print line; done = 1 }
    !done && has && $0 == "  annotations:" { print line; done = 1 }
    END { exit !done }' "$1"
}

renew() {
  limit=$1
  stamp=$2
  shift 2
  for name in "$@"; do
    file=$manifests/$name.yaml
    [ -e "$file" ] || continue
    if ! grep -qxF "    $annotation: \"$stamp\"" "$file"; then
      # A name that begins with a dot is nothing to the kubelet.
      new=$manifests/.$name.windlass
      annotated "$file" "$stamp" >"$new" || die "$file is no manifest of kubeadm's: it has no line \`metadata:\`"
      mv "$new" "$file"
      echo changed
    fi
    # One after another: the next one needs this one.
    until_all young "$limit" "$name"
  done
}

# /readyz came in 1.16.
api() {
  file=$manifests/kube-apiserver.yaml
  address=$(sed -n 's/^ *- --advertise-address=//p' "$file" | head -n 1)
  port=$(sed -n 's/^ *- --secure-port=//p' "$file" | head -n 1)
  case $address in *:*) address="[$address]" ;; esac
  end=$(($(date +%s) + $1))
  set -- --kubeconfig /etc/kubernetes/admin.conf --request-timeout=8s --server "https://$address:${port:-6443}"
  until said=$(kubectl "$@" get --raw /readyz 2>&1) ||
    { case $said in *NotFound* | *'could not find'*) true ;; *) false ;; esac && kubectl "$@" get --raw /healthz >/dev/null 2>&1; }; do
    [ "$(date +%s)" -lt "$end" ] || die "the API server of $(uname -n) is not ready in time: $said"
    sleep 1
  done
}

case ${1-} in
  stop | start | renew | api)
    verb=$1
    shift
    ;;
  *) die "usage: static-pods.sh stop | start | renew | api SECONDS …" ;;
esac
"$verb" "$@"
