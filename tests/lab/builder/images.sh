#!/bin/sh
# Runs in the packer: packs the binaries in $BIN, and what else a control plane needs, into the
# archive $OUT, under exactly the names that this kubeadm asks for. $ETCD and $COREDNS are folders with these; for 1.20,
# without them, etcd is Debian's and CoreDNS a stand-in.
set -eu

# shellcheck source=pack.sh
. /lab/builder/pack.sh

libraries=/usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)

kube_component() {
    root=$work/$1
    install -D "$BIN/$1" "$root/usr/local/bin/$1"
    image "$2" "$root" '"Env":["PATH=/usr/local/bin"]'
}

kube_proxy() {
    root=$work/kube-proxy
    install -D "$BIN/kube-proxy" "$root/usr/local/bin/kube-proxy"
    for program in xtables-nft-multi conntrack ipset; do copy_program "$root" "/usr/sbin/$program"; done
    mkdir -p "$root$libraries"
    cp -a "$libraries/xtables" "$root$libraries/"
    for module in "$root$libraries"/xtables/*.so; do copy_libraries "$root" "$module"; done
    for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        ln -sf xtables-nft-multi "$root/usr/sbin/$name"
    done
    copy_busybox "$root" sh mount umount ip cat ls modprobe sleep nsenter
    image "$1" "$root" '"Env":["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
}

# Upstream's image has no etcdutl.
etcd() {
    root=$work/etcd
    for program in etcd etcdctl; do
        copy_program "$root" "${ETCD:-/usr/bin}/$program" "/usr/local/bin/$program"
    done
    image "$1" "$root" '"Env":["PATH=/usr/local/bin"]'
}

coredns() {
    root=$work/coredns
    mkdir -p "$root"
    if [ -n "${COREDNS:-}" ]; then
        cp "$COREDNS/coredns" "$root/coredns"
    else
        echo "compiling the stand-in for CoreDNS"
        # Kubernetes' own compiler cache holds the standard library already.
        GO111MODULE=off CGO_ENABLED=0 GOCACHE=$TREE/gocache /usr/lib/go-1.19/bin/go build -trimpath -ldflags '-s -w' \
            -o "$root/coredns" /lab/images/dns.go
    fi
    image "$1" "$root" '"Entrypoint":["/coredns"]'
}

pause() {
    root=$work/pause
    mkdir -p "$root"
    source=$BIN/pause.c
    [ -e "$source" ] || source=$TREE/src/k8s.io/kubernetes/build/pause/linux/pause.c
    gcc -Os -static -s -DVERSION="${1##*:}" -o "$root/pause" "$source"
    image "$1" "$root" '"Entrypoint":["/pause"]'
}

names=$("$BIN/kubeadm" config images list --kubernetes-version "v$VERSION")
for name in $names; do
    case $name in
        */kube-proxy:*) kube_proxy "$name" ;;
        */kube-*) component=${name##*/} && kube_component "${component%%:*}" "$name" ;;
        */etcd:*) etcd "$name" ;;
        */coredns*:*) coredns "$name" ;;
        */pause:*) pause "$name" ;;
        *)
            echo "kubeadm $VERSION asks for an image that the lab cannot make: $name" >&2
            exit 1
            ;;
    esac
done
finish "$OUT"
