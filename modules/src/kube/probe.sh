# shellcheck shell=sh disable=SC2154 # what is set before is said below
# Looks at what a node shows of having been initialised or joined; changes nothing.
# Set before: k (/etc/kubernetes), etcd_dir, kubelet_dir, node, kubeadm, kubectl.

w_need "$kubeadm" 'to build Kubernetes clusters'
if version=$("$kubeadm" version -o short 2>&1); then
  w_put version "$version"
else
  w_fail "\`$kubeadm version\` failed: $version"
fi
[ "$node" ] || node=$(uname -n | tr '[:upper:]' '[:lower:]')
w_put node_name "$node"

for file in kubelet.conf bootstrap-kubelet.conf admin.conf controller-manager.conf scheduler.conf \
  manifests/kube-apiserver.yaml manifests/kube-controller-manager.yaml \
  manifests/kube-scheduler.yaml manifests/etcd.yaml pki/ca.crt; do
  if [ -e "$k/$file" ]; then w_put file "$file"; fi
done
if [ -e "$etcd_dir/member" ]; then w_put file 'etcd data'; fi
if [ -e "$kubelet_dir/kubeadm-flags.env" ]; then w_put file kubeadm-flags.env; fi

# The first `- --NAME=` of a static pod's manifest.
flag() { sed -n "s/^ *- --$2=//p" "$k/manifests/$1.yaml" 2>/dev/null | head -n 1; }

if [ -e "$k/manifests/etcd.yaml" ]; then
  w_put peer_url "$(flag etcd initial-advertise-peer-urls)"
fi

if [ -e "$k/kubelet.conf" ]; then
  [ -r "$k/kubelet.conf" ] ||
    w_fail "$k/kubelet.conf cannot be read" 'this module needs root: set become: true'
  w_need "$kubectl" 'to ask the cluster about its node'
  if grep -q 'client-certificate: ' "$k/kubelet.conf"; then w_put finalized 1; fi
  if w_has systemctl; then w_put kubelet "$(systemctl is-active kubelet 2>/dev/null)"; fi

  # --raw asks one question only, where `get nodes` would first ask what the server can do.
  ask() { "$kubectl" --kubeconfig "$k/kubelet.conf" --request-timeout=8s "$@" 2>&1; }
  local_api=
  address=$(flag kube-apiserver advertise-address)
  port=$(flag kube-apiserver secure-port)
  if [ "$address" ]; then
    case $address in *:*) address="[$address]" ;; esac
    local_api="https://$address:${port:-6443}"
  fi

  # Through the endpoint first, and where that does not answer directly: a balancer that is down is no sign of the
  # node's. Nor is the node's own API server: from 1.33 the kubelet of a control plane asks that one alone, and the
  # endpoint is what admin.conf names.
  own=$(sed -n 's/^ *server: *//p' "$k/kubelet.conf" | head -n 1)
  endpoint=$(sed -n 's/^ *server: *//p' "$k/admin.conf" 2>/dev/null | head -n 1)
  if [ "$endpoint" = "$own" ]; then endpoint=; fi
  asked=$own
  for server in "${endpoint:-none}" own "${local_api:-none}"; do
    case $server in
      none | "$asked") continue ;;
      own) answer=$(ask get --raw "/api/v1/nodes/$node") ;;
      *) answer=$(ask --server "$server" get --raw "/api/v1/nodes/$node") ;;
    esac && w_put node "$answer" && break
    w_put node_error "$answer"
    case $answer in *NotFound*) break ;; esac
  done

  # An API server is ready only when the etcd member beside it, a voter, answers: a learner or a
  # member that has not started does not. `/readyz` came in 1.16.
  if [ "$local_api" ]; then
    if answer=$(ask --server "$local_api" get --raw /readyz); then
      w_put api ok
    elif case $answer in *NotFound* | *'could not find'*) true ;; *) false ;; esac &&
      ask --server "$local_api" get --raw /healthz >/dev/null; then
      w_put api ok
    else
      w_put api "$answer"
    fi
  fi
fi
