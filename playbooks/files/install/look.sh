#!/bin/sh
# Says what this node has of a container runtime and of Kubernetes, and changes nothing. Prints one line for each thing:
#
#   name NAME                      its host name
#   manager apt|dnf|none           what brings packages
#   system ID VERSION CODENAME     as /etc/os-release has it; "unknown" for what it does not say
#   arch amd64|arm64|…             as Kubernetes calls it
#   have PROGRAM VERSION           kubeadm, kubelet, kubectl, crictl, containerd, runc; "there" of another runtime, curl and wget
#   socket PATH                    of a container runtime that runs
#   cluster yes|no                 whether a cluster's files are on it
#   ours WHAT                      what Windlass wrote: runtime, kubernetes (programs alone), repository, proxies, or mirror NAME
#   upstream FILE                  a list of apt's or dnf's with the repository of Kubernetes, written by another
#   pause IMAGE                    the image of sandboxes that kubeadm would have, where the runtime is ours or with --pause
#
# usage: look.sh [--pause] SOCKETS [IMAGE-REPOSITORY]
set -u

pause=
if [ "$1" = --pause ]; then pause=yes && shift; fi
sockets=$1 repository=${2:-}
mark='Written by Windlass'

# one WORD: only the first, and nothing but what versions and names are made of.
one() {
    one_is=$(printf '%s' "$1" | tr -cd 'A-Za-z0-9.:/@_~+-' | cut -c1-200)
    printf '%s\n' "${one_is:-unknown}"
}

# have PROGRAM COMMAND...: the first version that the command prints.
have() {
    have_what=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then return; fi
    have_is=$("$@" 2>/dev/null | sed -n 's/.*[^0-9.]\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9A-Za-z.+~-]*\).*/\1/p;s/^v\{0,1\}\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9A-Za-z.+~-]*\).*/\1/p' | head -n 1)
    echo "have $have_what $(one "$have_is")"
}

ours() { head -n 3 "$2" 2>/dev/null | grep -q "$mark" && echo "ours $1"; }

echo "name $(one "$(uname -n | tr '[:upper:]' '[:lower:]')")"
if command -v apt-get >/dev/null 2>&1; then
    echo "manager apt"
elif command -v dnf >/dev/null 2>&1 || command -v yum >/dev/null 2>&1; then
    echo "manager dnf"
else
    echo "manager none"
fi
# shellcheck disable=SC1091 # a file of the node's
system=$(ID='' VERSION_ID='' VERSION_CODENAME='' && . /etc/os-release 2>/dev/null &&
    printf '%s %s %s\n' "$(one "$ID")" "$(one "$VERSION_ID")" "$(one "$VERSION_CODENAME")")
echo "system ${system:-unknown unknown unknown}"
case $(uname -m) in
    x86_64) echo "arch amd64" ;;
    aarch64) echo "arch arm64" ;;
    armv7*) echo "arch arm" ;;
    *) echo "arch $(one "$(uname -m)")" ;;
esac

have kubeadm kubeadm version -o short
have kubelet kubelet --version
have kubectl kubectl version --client -o json
have crictl crictl --version
have containerd containerd --version
have runc runc --version
for other in crio dockerd cri-dockerd curl wget; do
    if command -v "$other" >/dev/null 2>&1; then echo "have $other there"; fi
done
for one in $sockets; do
    if [ -S "$one" ]; then echo "socket $one"; fi
done

in_cluster=no
for file in /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests/*.yaml; do
    if [ -e "$file" ]; then in_cluster=yes; fi
done
echo "cluster $in_cluster"

for file in /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/yum.repos.d/*.repo; do
    if [ "${file##*/}" = kubernetes.list ] || [ "${file##*/}" = kubernetes.repo ]; then ours repository "$file" && continue; fi
    grep -qs '^[^#]*/core:/stable:/v1\.[0-9]' "$file" && echo "upstream $file"
done
ours kubernetes /usr/lib/systemd/system/kubelet.service
if ours runtime /etc/containerd/config.toml; then pause=yes; fi
for file in /etc/systemd/system/containerd.service.d/50-proxies.conf /etc/systemd/system/kubelet.service.d/50-proxies.conf \
    /etc/apt/apt.conf.d/50windlass-proxies; do
    if ours proxies "$file"; then break; fi
done
for file in /etc/containerd/certs.d/*/hosts.toml; do
    name=${file%/hosts.toml}
    ours "mirror $(one "${name##*/}")" "$file"
done

if [ "$pause" ] && command -v kubeadm >/dev/null 2>&1; then
    # Of its own version: without one it would ask the internet for the newest.
    set -- config images list --kubernetes-version "$(kubeadm version -o short 2>/dev/null)"
    if [ "$repository" ]; then set -- "$@" --image-repository "$repository"; fi
    image=$(kubeadm "$@" 2>/dev/null | grep '/pause:' | head -n 1)
    if [ "$image" ]; then echo "pause $(one "$image")"; fi
fi
exit 0
