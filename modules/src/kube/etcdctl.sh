# shellcheck shell=sh disable=SC2034,SC2015,SC2016 # `here` is for who includes this; both ends of && lead on; quoted commands are text
# How a member of etcd on this node is asked: w_etcdctl ARGUMENTS, with the certificate that kubeadm makes
# for health checks. What it says of errors is in its output.

pki=/etc/kubernetes/pki/etcd
# kubeadm writes the loopback's first, which is ::1 where the node has an IPv6 address.
here=$(sed -n 's/^ *- --listen-client-urls=//p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null | head -n 1)
here=${here%%,*}
here=${here:-https://127.0.0.1:2379}
[ -r $pki/healthcheck-client.key ] || w_fail "$pki/healthcheck-client.key cannot be read" \
  'run the task on a node with a member of etcd, as root (become: true)'

# The process of kubeadm's etcd: a node may have others of the name.
w_etcd_process() {
  flag=$(sed -n 's/^ *- \(--data-dir=.*\)/\1/p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null | head -n 1)
  for process in "${w_root-}"/proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = etcd ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -e "${flag:---data-dir=}"; then
      echo "$process" && return
    fi
  done
}

# The id of the etcd container that runs.
w_etcd_container() {
  case $1 in
    crictl) crictl ps -q --name '^etcd$' --state Running 2>/dev/null | head -n 1 ;;
    ctr)
      for id in $(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' 2>/dev/null); do
        if ctr -n k8s.io tasks ls 2>/dev/null | grep -q "^$id .*RUNNING"; then echo "$id" && return; fi
      done
      ;;
    docker) docker ps -q -f label=io.kubernetes.container.name=etcd 2>/dev/null | head -n 1 ;;
    process) w_etcd_process ;;
    kubectl) [ -r /etc/kubernetes/admin.conf ] && echo "etcd-$(uname -n | tr '[:upper:]' '[:lower:]')" ;;
  esac
}

# Runs a program of the etcd container, by way of $route.
w_inside() {
  case $route in
    crictl) crictl exec "$container" "$@" ;;
    ctr) ctr -n k8s.io tasks exec --exec-id "windlass-$$-$((count += 1))" "$container" "$@" ;;
    docker) docker exec "$container" "$@" ;;
    # The container's own files, as the kernel has them: where no runtime's program is there, as under CRI-O without
    # crictl. Its network is the node's.
    process) PATH="/usr/local/bin:$PATH" chroot "$container/root" "$@" ;;
    kubectl) kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system exec "$container" -- "$@" ;;
  esac
}

# The node's own etcdctl if it is of etcd's minor version, or else the container's, whichever way leads there: a
# distribution's is often versions behind (Debian's is 3.4). Where the container cannot be reached, one of the version
# before or after has to do. Before etcd 3.4 version 3 of its API has to be asked for; images of later ones have no `env`.
route=
old=
count=0
own=
if w_has etcdctl; then
  own=$(ETCDCTL_API=3 etcdctl version 2>/dev/null | sed -n 's/^etcdctl version: \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
fi
minor=$(sed -n 's/^ *image: .*:v\{0,1\}\([0-9]*\.[0-9]*\)\..*/\1/p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null | head -n 1)
if [ -z "$own" ] || [ "$own" != "${minor:-$own}" ]; then
  for route in crictl ctr docker process kubectl; do
    case $route in process) ;; *) w_has "$route" ;; esac && container=$(w_etcd_container "$route") && [ "$container" ] || continue
    w_inside etcdctl version >/dev/null 2>&1 && break
    w_inside env ETCDCTL_API=3 etcdctl version >/dev/null 2>&1 && old=1 && break
    container=
  done
  if [ -z "$container" ]; then
    [ "$own" ] || w_fail 'there is no etcdctl on the node, and no etcd container runs that has one' \
      'does etcd run? `journalctl -u kubelet` and the logs in /var/log/pods tell'
    apart=$((${own#*.} - ${minor#*.}))
    if [ "${own%%.*}" != "${minor%%.*}" ] || [ "$apart" -lt -1 ] || [ "$apart" -gt 1 ]; then
      w_fail "the etcdctl of the node is $own and its etcd is $minor, and no etcd container runs that has another" \
        'does etcd run? `journalctl -u kubelet` and the logs in /var/log/pods tell'
    fi
    route=
  fi
fi

w_etcdctl() {
  set -- --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key "$@"
  if [ "$route" ]; then
    if [ "$old" ]; then set -- env ETCDCTL_API=3 etcdctl "$@"; else set -- etcdctl "$@"; fi
    w_inside "$@" 2>&1
  else
    case $own in
      3.[0-3]) ETCDCTL_API=3 etcdctl "$@" 2>&1 ;;
      *) etcdctl "$@" 2>&1 ;;
    esac
  fi
}
