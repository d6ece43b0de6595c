#!/bin/sh
# Stops, starts and renews the static pods that kubeadm made on a node, by way of their manifests: the
# kubelet does the rest, whatever the runtime is. Runs as root. What is waited for are the programs
# themselves, so it works where no API server does.
#
#   static-pods.sh stop SECONDS NAME…          takes manifests aside; waits until the programs have ended
#   static-pods.sh start SECONDS NAME…         puts them back; waits until the programs run
#   static-pods.sh renew SECONDS STAMP NAME…   writes STAMP into the manifests as an annotation, if another
#                                              is there; waits until all programs are younger than that
#   static-pods.sh settled SECONDS NAME…       waits until all programs are younger than their manifests: after
#                                              something else has written one
#   static-pods.sh api SECONDS                 waits until this node's own API server is ready
#   static-pods.sh ready SECONDS STAMP NODE NAME…
#                                              waits until that API server says that the pods with this STAMP are
#                                              ready, on the Node NODE
#   static-pods.sh vip SECONDS                 restarts kube-vip if it is older than the kubeconfig that it reads when it
#                                              starts; waits until it runs as its manifest says, and until the API
#                                              answers under the address that admin.conf names
#
# Prints `changed` if a manifest was touched. NAME is etcd, kube-apiserver, kube-controller-manager or
# kube-scheduler; one that the node has not (etcd, where it is external; kube-vip) is passed over.
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
  file=$manifests/$1.yaml
  [ -e "$file" ] || file=$aside/$1.yaml
  told=cmdline
  case $1 in
    etcd) flag=data-dir ;;
    kube-apiserver) flag=advertise-address ;;
    *) flag=kubeconfig ;;
  esac
  given=$(sed -n "s/^ *- \(--$flag=.*\)/\1/p" "$file" | head -n 1)
  # It has no flags: it is told everything in its environment.
  if [ "$1" = kube-vip ]; then
    told=environ
    given=address=$(vip_address "$file")
  fi
  # The kernel keeps 15 characters of a name.
  short=$(printf '%.15s' "$1")
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = "$short" ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/$told" | grep -qxF -e "$given"; then echo "${process#/proc/}"; fi
  done
}

# The address that a manifest has kube-vip announce, as our template writes it or with a line for the value.
vip_address() {
  sed -n 's/^ *- *{name: address, value: "\{0,1\}\([^"}]*\)"\{0,1\}}.*/\1/p
    /^ *- *name: address *$/{n;s/^ *value: *"\{0,1\}\([^" ]*\)"\{0,1\} *$/\1/p;}' "$1" | head -n 1
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
young() { younger "$1" "$manifests/$1.yaml"; }

# Whether the program $1 runs, and no process of it is older than the file $2.
younger() {
  all=$(processes "$1")
  [ "$all" ] || return 1
  touched=$(($(date +%s) - $(date -r "$2" +%s)))
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
      annotated "$file" "$stamp" >"$new" || die "$file is not a manifest of kubeadm's: it has no line \`metadata:\`"
      mv "$new" "$file"
      echo changed
    fi
    # One after another: the next one needs this one.
    until_all young "$limit" "$name"
  done
}

# kubectl, which asks this node's own API server.
api_kubectl() {
  file=$manifests/kube-apiserver.yaml
  address=$(sed -n 's/^ *- --advertise-address=//p' "$file" | head -n 1)
  port=$(sed -n 's/^ *- --secure-port=//p' "$file" | head -n 1)
  case $address in *:*) address="[$address]" ;; esac
  kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=8s --server "https://$address:${port:-6443}" "$@"
}

# /readyz came in 1.16.
api() {
  end=$(($(date +%s) + $1))
  until said=$(api_kubectl get --raw /readyz 2>&1) ||
    { case $said in *NotFound* | *'could not find'*) true ;; *) false ;; esac && api_kubectl get --raw /healthz >/dev/null 2>&1; }; do
    [ "$(date +%s)" -lt "$end" ] || die "the API server of $(uname -n) is not ready in time: $said"
    sleep 1
  done
}

settled() {
  limit=$1
  shift
  until_all young "$limit" "$@"
}

# A mirror pod has the annotations of the manifest that it was made from: that of an older one says nothing.
ready() {
  end=$(($(date +%s) + $1))
  stamp=$2
  node=$3
  shift 3
  for name in "$@"; do
    [ -e "$manifests/$name.yaml" ] || continue
    until said=$(api_kubectl --namespace=kube-system get pod "$name-$node" \
      --output='jsonpath={.metadata.annotations.windlass/renewed} {.status.conditions[?(@.type=="Ready")].status}' 2>&1) &&
      [ "$said" = "$stamp True" ]; do
      [ "$(date +%s)" -lt "$end" ] ||
        die "the pod $name-$node is not ready in time. Its stamp and whether it is ready: $said." \
          "\`kubectl --namespace=kube-system describe pod $name-$node\` shows why"
      sleep 1
    done
  done
}

# What it shows the API server is what it read when it started: certificates that were renewed since are not in it.
# Another annotation would do, but then the manifest would not be what the template says it is.
vip() {
  limit=$1
  name=kube-vip
  if [ -e "$manifests/$name.yaml" ] && [ ! -e "$aside/$name.yaml" ]; then
    file=$(sed -n 's|^ *path: *"\{0,1\}\(/etc/kubernetes/[^" ]*conf\)"\{0,1\} *$|\1|p' "$manifests/$name.yaml" | head -n 1)
    # The kubelet sees to it that it is no older than its manifest; one that is not running yet it starts.
    until_all young "$limit" "$name"
    if [ -z "$file" ] || [ ! -e "$file" ] || younger "$name" "$file"; then
      answers "$limit"
      return
    fi
    stop "$limit" "$name"
  fi
  [ -e "$aside/$name.yaml" ] || return 0
  start "$limit" "$name"
  answers "$limit"
}

# Waits until the API answers where admin.conf leads, twice: the address may be with one that is about to give it up.
answers() {
  end=$(($(date +%s) + $1))
  good=0
  until [ "$good" -ge 2 ]; do
    if said=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get --raw /healthz 2>&1); then
      good=$((good + 1))
    else
      good=0
      [ "$(date +%s)" -lt "$end" ] ||
        die "the API does not answer under the address that kube-vip announces ($(vip_address "$manifests/kube-vip.yaml")): $said"
    fi
    sleep 1
  done
}

case ${1-} in
  stop | start | renew | settled | api | ready | vip)
    verb=$1
    shift
    ;;
  *) die "usage: static-pods.sh stop | start | renew | settled | api | ready | vip SECONDS …" ;;
esac
"$verb" "$@"
