#!/bin/sh
# Runs in the folder that setup.sh makes. In /srv:
#   key.asc, key.gpg, other.asc, fingerprint   keys of the repositories, armored and not, and one of nobody's
#   kubernetes/v1.N/deb, /rpm                  N = 35, 36, 37: kubeadm, kubelet, kubectl 1.N.0, .2 and .10, kubernetes-cni
#   distribution/deb                           containerd 1.7.24, in apt's lists
#   docker/deb, /rpm                           containerd.io 2.2.9, with the configuration that switches CRI off
#   release                                    v1.36.3 and v1.37.2 as single files, archives, checksums; a bundle too
# The programs only say their version.
set -eu
cd /srv
export GNUPGHOME=/srv/gpg HOME=/srv

mkdir -p -m 700 gpg
gpg --batch --quiet --passphrase '' --quick-generate-key 'Other <other@example.com>' ed25519 sign never
gpg --armor --export other@example.com >other.asc
gpg --batch --quiet --passphrase '' --quick-generate-key 'Repository <repository@example.com>' rsa2048 sign never
gpg --armor --export repository@example.com >key.asc
gpg --export repository@example.com >key.gpg
gpg --with-colons --list-keys repository@example.com | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1 >fingerprint
fingerprint=$(cat fingerprint)

# program NAME VERSION: what it is.
program() {
    echo '#!/bin/sh'
    case $1 in
        kubeadm) echo "case \$1 in version) echo v$2 ;; config) echo registry.k8s.io/pause:3.10.1 ;; esac" ;;
        kubelet) echo "echo Kubernetes v$2" ;;
        kubectl) echo "echo '{\"clientVersion\": {\"gitVersion\": \"v$2\"}}'" ;;
        containerd) echo "echo containerd github.com/containerd/containerd/v2 v$2 abcdef" ;;
        ctr)
            # shellcheck disable=SC2016 # the program's own
            echo 'case $* in *" images ls "*) cat /var/lib/images 2>/dev/null || : ;;'
            # shellcheck disable=SC2016 # the program's own
            echo '*" images import "*) cat "$7" >>/var/lib/images ;; esac'
            ;;
        *) echo "echo $1 version $2" ;;
    esac
}

# deb FOLDER PACKAGE PROGRAM VERSION [DEPENDS]
deb() {
    work=/srv/work/$2-$4
    mkdir -p "$work/DEBIAN" "$work/usr/bin" "$1"
    printf 'Package: %s\nVersion: %s-1.1\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: A\n' "$2" "$4" >"$work/DEBIAN/control"
    if [ $# -gt 4 ]; then echo "Depends: $5" >>"$work/DEBIAN/control"; fi
    if [ "$2" = containerd.io ]; then
        mkdir -p "$work/etc/containerd"
        echo 'disabled_plugins = ["cri"]' >"$work/etc/containerd/config.toml"
        echo /etc/containerd/config.toml >"$work/DEBIAN/conffiles"
        printf 'Provides: containerd\nConflicts: containerd\nReplaces: containerd\n' >>"$work/DEBIAN/control"
    fi
    program "$3" "$4" >"$work/usr/bin/$3"
    chmod 755 "$work/usr/bin/$3"
    dpkg-deb --build --root-owner-group "$work" "$1" >/dev/null
}

# rpm_of FOLDER PACKAGE PROGRAM VERSION [REQUIRES]
rpm_of() {
    mkdir -p /srv/work "$1"
    program "$3" "$4" >/srv/work/program
    {
        printf 'Name: %s\nVersion: %s\nRelease: 150500.1.1\nSummary: A\nLicense: none\nBuildArch: noarch\n' "$2" "$4"
        if [ $# -gt 4 ]; then echo "Requires: $5"; fi
        printf '%%description\nA\n%%install\nmkdir -p %%{buildroot}/usr/bin\ncp /srv/work/program %%{buildroot}/usr/bin/%s\n' "$3"
        printf '%%files\n%%attr(755,root,root) /usr/bin/%s\n' "$3"
    } >/srv/work/spec
    rpmbuild --quiet -bb --define '_topdir /srv/work/top' --define "_rpmdir $1" \
        --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' /srv/work/spec >/srv/work/said 2>&1 || {
        cat /srv/work/said >&2
        exit 1
    }
}

sign_debs() (
    cd "$1"
    apt-ftparchive packages . >Packages
    apt-ftparchive release . >Release
    gpg --batch --yes --quiet --local-user "$fingerprint" --clearsign -o InRelease Release
)
sign_rpms() {
    rpm --define '__gpg /usr/bin/gpg' --define "_gpg_name $fingerprint" --define '_gpg_digest_algo sha256' \
        --addsign "$1"/*.rpm >/dev/null 2>/srv/work/said || {
        cat /srv/work/said >&2
        exit 1
    }
    createrepo_c -q "$1"
}

for minor in 35 36 37; do
    for patch in 0 2 10; do
        for name in kubeadm kubelet kubectl; do
            set -- "$name" "$name" "1.$minor.$patch"
            if [ "$name" = kubelet ]; then set -- "$@" kubernetes-cni; fi
            deb "/srv/kubernetes/v1.$minor/deb" "$@"
            rpm_of "/srv/kubernetes/v1.$minor/rpm" "$@"
        done
    done
    deb "/srv/kubernetes/v1.$minor/deb" kubernetes-cni bridge 1.9.0
    rpm_of "/srv/kubernetes/v1.$minor/rpm" kubernetes-cni bridge 1.9.0
    sign_debs "/srv/kubernetes/v1.$minor/deb"
    sign_rpms "/srv/kubernetes/v1.$minor/rpm"
done
deb /srv/docker/deb containerd.io containerd 2.2.9
rpm_of /srv/docker/rpm containerd.io containerd 2.2.9
deb /srv/distribution/deb containerd containerd 1.7.24~ds1
sign_debs /srv/docker/deb
sign_debs /srv/distribution/deb
echo 'deb [signed-by=/srv/key.asc] file:/srv/distribution/deb /' >/etc/apt/sources.list
sign_rpms /srv/docker/rpm

arch=$(dpkg --print-architecture)
for version in 1.36.3 1.37.2; do
    folder=/srv/release/v$version/bin/linux/$arch
    mkdir -p "$folder"
    for name in kubeadm kubelet kubectl; do
        program "$name" "$version" >"$folder/$name"
        sha256sum "$folder/$name" | cut -d' ' -f1 >"$folder/$name.sha256"
    done
    echo "v$version" >"/srv/release/stable-${version%.*}.txt"
done
echo v1.37.2 >/srv/release/stable.txt
cd /srv/release
mkdir -p ../work/c/bin ../work/n ../work/k
program containerd 2.2.9 >../work/c/bin/containerd
program ctr 2.2.9 >../work/c/bin/ctr
program runc 1.3.0 >"runc.$arch"
program bridge 1.10.0 >../work/n/bridge
echo text >../work/n/README.md
program crictl 1.37.0 >../work/k/crictl
chmod 755 ../work/c/bin/* ../work/n/bridge ../work/k/crictl
tar -C ../work/c -czf "containerd-2.2.9-linux-$arch.tar.gz" bin
tar -C ../work/n -czf "cni-plugins-linux-$arch-v1.10.0.tgz" .
tar -C ../work/k -czf "crictl-v1.37.0-linux-$arch.tar.gz" crictl
sha256sum containerd* >containerd.sha256sum
mkdir images
echo registry.k8s.io/pause:3.10.1 >images/kubernetes.tar
find . -type f -exec sha256sum {} + >../work/sums
mv ../work/sums SHA256SUMS
rm -rf /srv/work
