#!/bin/sh
# Says what this node lacks that would have to be fetched, and changes nothing. Prints a line for each:
# "image NAME", "tool NAME" (or NAME|NAME: any of them would do), or "unknown WHAT".
#
# usage: missing.sh SOCKETS VERSION REPOSITORY PATTERN TOOLS IMAGE...
#   SOCKETS     container runtimes' sockets to look for, with spaces between
#   VERSION     of Kubernetes, like v1.31.4
#   REPOSITORY  of kubeadm's images; kubeadm's own where it is empty
#   PATTERN     of those of kubeadm's images that this node needs (an extended regular expression); none where empty
#   TOOLS       programs, with spaces between
#   IMAGE       further images
set -u

sockets=$1 version=$2 repository=$3 pattern=$4 tools=$5
shift 5

for tool in $tools; do
    found=
    for name in $(printf '%s' "$tool" | tr '|' ' '); do
        if command -v "$name" >/dev/null 2>&1; then found=yes; fi
    done
    if [ -z "$found" ]; then echo "tool $tool"; fi
done
if [ -z "$pattern" ] && [ $# -eq 0 ]; then exit 0; fi

# full NAME: the name as containerd has it: with its registry and its tag.
full() {
    full_name=$1
    case $full_name in
        */*)
            case ${full_name%%/*} in
                *.* | *:* | localhost) ;;
                *) full_name=docker.io/$full_name ;;
            esac
            ;;
        *) full_name=docker.io/library/$full_name ;;
    esac
    case ${full_name##*/} in
        *:* | *@*) ;;
        *) full_name=$full_name:latest ;;
    esac
    printf '%s\n' "$full_name"
}

# The runtime's own program first: it needs no configuration to find its socket.
socket=
for one in $sockets; do
    if [ -S "$one" ]; then socket=$one && break; fi
done
with=
case $socket in
    '') ;;
    */docker.sock | */cri-dockerd.sock) if docker info >/dev/null 2>&1; then with=docker; fi ;;
    *)
        case $socket in
            */containerd.sock)
                if listed=$(ctr --address "$socket" --namespace k8s.io images ls -q 2>/dev/null); then
                    with=ctr
                elif nerdctl --address "$socket" --namespace k8s.io info >/dev/null 2>&1; then
                    with=nerdctl
                fi
                ;;
            */crio.sock) if command -v podman >/dev/null 2>&1; then with=podman; fi ;;
        esac
        if [ -z "$with" ] && crictl --runtime-endpoint "unix://$socket" version >/dev/null 2>&1; then with=crictl; fi
        ;;
esac

# here IMAGE: whether the node has it.
here() {
    case $with in
        ctr) printf '%s\n' "$listed" | grep -qxF "$(full "$1")" ;;
        nerdctl) nerdctl --address "$socket" --namespace k8s.io image inspect "$1" >/dev/null 2>&1 ;;
        podman) podman image exists "$1" ;;
        docker) docker image inspect "$1" >/dev/null 2>&1 ;;
        crictl) crictl --runtime-endpoint "unix://$socket" inspecti "$1" >/dev/null 2>&1 ;;
    esac
}

kubeadms() {
    if [ -z "$pattern" ]; then return 0; fi
    set -- config images list --kubernetes-version "$version"
    if [ -n "$repository" ]; then set -- "$@" --image-repository "$repository"; fi
    if ! listed_by_kubeadm=$(kubeadm "$@" 2>/dev/null); then
        echo "unknown which images kubeadm needs (kubeadm config images list)" >&3
        return 0
    fi
    printf '%s\n' "$listed_by_kubeadm" | grep -E "$pattern"
}

# containerd makes every pod's sandbox from an image of its own choice.
sandbox() {
    case $socket in
        */containerd.sock) containerd config dump 2>/dev/null |
            sed -n "s/^ *sandbox\(_image\)\{0,1\} *= *[\"']\([^\"']*\)[\"'].*/\2/p" | head -n 1 ;;
    esac
}

{
    if [ -z "$with" ]; then
        echo "unknown which images the node has: ${socket:-no container runtime} cannot be asked (by ctr, nerdctl, crictl, podman or docker)" >&3
    else
        {
            kubeadms
            if [ -n "$pattern" ]; then sandbox; fi
            for image in "$@"; do printf '%s\n' "$image"; done
        } | sort -u | while read -r image; do
            if ! here "$image"; then echo "image $image" >&3; fi
        done
    fi
} 3>&1 1>/dev/null
