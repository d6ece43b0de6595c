#!/bin/sh
# Runs in the packer: makes the folder $OUT that the lab's repository serves, as the projects publish what they have.
#
#   debian/            Debian's own packages, those of $DEBIAN
#   kubernetes/v1.37/  kubeadm, kubelet, kubectl, cri-tools, kubernetes-cni; a folder for each minor version
#   docker/            containerd.io
#   release/, *.tar.gz the same as archives and single programs, with their checksums
#   lab.asc            the key that all indexes are signed with, made here
#
# $KUBERNETES are versions, each with its programs in /kubernetes/VERSION; $CONTAINERD and $CRICTL folders with those.
set -eu

architecture=$(dpkg --print-architecture)
work=$(mktemp -d)
GNUPGHOME=$work/gpg
export GNUPGHOME
mkdir -m 0700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'Windlass lab <lab@lab.invalid>' ed25519 sign never
mkdir -p "$OUT"
gpg --batch --armor --export >"$OUT/lab.asc"

# package NAME VERSION FOLDER DEPENDS DESCRIPTION [SCRIPT]: packs what is in FOLDER into $to.
package() {
    mkdir -p "$3/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Windlass lab <lab@lab.invalid>\n' "$1" "$2" "$architecture"
        [ -z "$4" ] || printf '%s\n' "$4"
        printf 'Description: %s\n' "$5"
    } >"$3/DEBIAN/control"
    if [ -n "${6:-}" ]; then install -m 0755 "$6" "$3/DEBIAN/postinst"; fi
    dpkg-deb --root-owner-group -Zgzip -z1 --build "$3" "$to/$1_${2}_$architecture.deb" >/dev/null
    rm -rf "$3"
}

# index: writes the signed index of the packages in $to.
index() (
    cd "$to"
    apt-ftparchive packages . >Packages
    gzip --keep --force Packages
    apt-ftparchive -o "APT::FTPArchive::Release::Architectures=$architecture" release . >"$work/Release"
    mv "$work/Release" Release
    gpg --batch --yes --clear-sign --output InRelease Release
)

kubernetes() {
    to=$OUT/kubernetes/v${1%.*}
    mkdir -p "$to"
    for program in kubeadm kubectl; do
        install -D "/kubernetes/$1/$program" "$work/$program/usr/bin/$program"
    done
    install -D -m 0644 /lab/node/10-kubeadm.conf "$work/kubeadm/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
    package kubeadm "$1-1.1" "$work/kubeadm" 'Depends: cri-tools (>= 1.30.0)' 'Kubernetes, as upstream packs it: kubeadm'
    package kubectl "$1-1.1" "$work/kubectl" '' 'Kubernetes, as upstream packs it: kubectl'
    install -D "/kubernetes/$1/kubelet" "$work/kubelet/usr/bin/kubelet"
    install -D -m 0644 /lab/node/kubelet.service "$work/kubelet/usr/lib/systemd/system/kubelet.service"
    printf '#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl enable --now kubelet || true\n' >"$work/postinst"
    package kubelet "$1-1.1" "$work/kubelet" 'Depends: kubernetes-cni (>= 1.2.0)' 'Kubernetes, as upstream packs it: kubelet' "$work/postinst"
    install -D "$CRICTL/crictl" "$work/cri-tools/usr/bin/crictl"
    package cri-tools "${1%.*}.0-1.1" "$work/cri-tools" '' 'crictl'
    mkdir -p "$work/cni/opt/cni/bin"
    cp /usr/lib/cni/* "$work/cni/opt/cni/bin/"
    package kubernetes-cni 1.6.0-1.1 "$work/cni" '' 'plugins for networks of pods'
    index

    release=$OUT/release/v$1/bin/linux/$architecture
    mkdir -p "$release"
    for program in kubeadm kubelet kubectl; do
        ln "/kubernetes/$1/$program" "$release/$program" 2>/dev/null || cp "/kubernetes/$1/$program" "$release/$program"
        sha256sum "$release/$program" | cut -d ' ' -f 1 | tr -d '\n' >"$release/$program.sha256"
    done
    echo "v$1" >"$OUT/release/stable-${1%.*}.txt"
    echo "v$1" >"$OUT/release/stable.txt"
}

for version in $KUBERNETES; do
    echo "packing Kubernetes $version"
    kubernetes "$version"
done

echo "packing containerd"
to=$OUT/docker
mkdir -p "$to"
for program in containerd containerd-shim-runc-v2 ctr; do install -D "$CONTAINERD/$program" "$work/containerd/usr/bin/$program"; done
install -D /usr/sbin/runc "$work/containerd/usr/bin/runc"
install -D -m 0644 /lab/bare/containerd.service "$work/containerd/usr/lib/systemd/system/containerd.service"
# Docker's package comes with a configuration that turns off what kubelet talks to.
mkdir -p "$work/containerd/etc/containerd"
printf 'disabled_plugins = ["cri"]\n' >"$work/containerd/etc/containerd/config.toml"
printf '#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl enable --now containerd || true\n' >"$work/postinst"
package containerd.io 2.2.9-1 "$work/containerd" 'Provides: containerd, runc
Conflicts: containerd, runc
Replaces: containerd, runc' 'containerd, as Docker packs it' "$work/postinst"
index

echo "packing archives"
tar -C "$CONTAINERD" --transform 's#^\./#bin/#' -czf "$OUT/containerd-2.2.9-linux-$architecture.tar.gz" ./containerd ./containerd-shim-runc-v2 ./ctr
cp /usr/sbin/runc "$OUT/runc.$architecture"
tar -C /usr/lib/cni -czf "$OUT/cni-plugins-linux-$architecture-v1.6.0.tgz" .
tar -C "$CRICTL" -czf "$OUT/crictl-v1.37.0-linux-$architecture.tar.gz" ./crictl
(cd "$OUT" && sha256sum -- *.tar.gz *.tgz "runc.$architecture" >SHA256SUMS)

echo "indexing Debian's packages"
to=$OUT/debian
mkdir -p "$to"
cp "$DEBIAN"/*.deb "$to/"
index
rm -rf "$work"
