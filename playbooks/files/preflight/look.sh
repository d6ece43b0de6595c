#!/bin/sh
# Looks at a node and changes nothing. Prints one line for each thing found: a word for what it is, then the
# values. What cannot be found out is printed as "unknown", so that it never counts as passed.
#
# usage: look.sh SOCKETS ENDPOINT-HOST ETCD-DATA PORT...
#   SOCKETS        container runtimes' sockets to look for, with spaces between
#   ENDPOINT-HOST  a name to resolve; nothing is resolved where it is empty
#   ETCD-DATA      the folder in which etcd has its data on such a host
#   PORT           ports that must be free, unless the node is in a cluster
#
# Where paths begin: w_root, which only tests set.
set -u

root=${w_root-}

sockets=$1
endpoint=$2
etcd_data=$3
shift 3

cpus() {
    echo "cpus $(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo unknown)"
}

# A node that is in a cluster, or half in one, has its own processes on the ports.
cluster() {
    for file in "$root"/etc/kubernetes/kubelet.conf "$root"/etc/kubernetes/manifests/*.yaml; do
        if [ -e "$file" ]; then echo yes && return; fi
    done
    echo no
}

# version PROGRAM COMMAND...: the first vX.Y.Z that the command prints.
version() {
    version_of=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then echo "version $version_of missing" && return; fi
    version_is=$("$@" 2>/dev/null | sed -n 's/.*\(v[0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9A-Za-z.+-]*\).*/\1/p' | head -n 1)
    echo "version $version_of ${version_is:-unknown}"
}

# module NAME FILE: FILE exists when the kernel has it, whether as a module or built in.
module() {
    if [ -e "$2" ] || [ -d "/sys/module/$1" ] || grep -qw "$1" /proc/filesystems 2>/dev/null; then
        echo "module $1 loaded"
    elif ! command -v modprobe >/dev/null 2>&1; then
        echo "module $1 unknown"
    elif modprobe -n -q "$1" 2>/dev/null; then
        echo "module $1 loadable"
    else
        echo "module $1 missing"
    fi
}

# What is in force, and what the next start of the machine makes of it: the last file that has the name wins. Files
# of one name hide each other. `sysctl --system` reads /etc/sysctl.conf after all others.
sysctls() {
    for name in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables net/ipv6/conf/all/forwarding; do
        echo "sysctl $name $(cat "$root/proc/sys/$name" 2>/dev/null || echo missing)"
        for file in $(sysctl_files); do
            sysctl_line "$file" "$name"
        done | tail -n 1 | sed "s|^|sysctl_start $name |"
        sysctl_line "$root/etc/sysctl.conf" "$name" | sed "s|^|sysctl_conf $name |"
    done
}

# The files of sysctl.d in their order.
sysctl_files() {
    for folder in /etc /run /usr/local/lib /usr/lib; do
        for file in "$root$folder"/sysctl.d/*.conf; do
            case $file in *[[:space:]]*) continue ;; esac
            if [ -f "$file" ]; then echo "${file##*/} $file"; fi
        done
    done | LC_ALL=C sort -s -k 1,1 | awk '$1 != last { print $2 } { last = $1 }'
}

# sysctl_line FILE NAME: the value that a file has for it, and the file.
sysctl_line() {
    [ -f "$1" ] || return 0
    sysctl_is=$(tr '.' '/' <"$1" | sed -n "s|^[[:space:]]*-\{0,1\}$2[[:space:]]*=[[:space:]]*\([0-9]*\).*|\1|p" | tail -n 1)
    if [ -n "$sysctl_is" ]; then echo "$sysctl_is ${1#"$root"}"; fi
}

# holder INODE: the process that has the socket open, as "name (process N)". One ls for all: a node may have
# tens of thousands of open files.
holder() {
    # shellcheck disable=SC2012 # the names are numbers, and not every find knows where links lead
    ls -l /proc/[0-9]*/fd 2>/dev/null | while read -r line; do
        case $line in
            /proc/*:) process=${line%/fd:} ;;
            *" socket:[$1]")
                echo "$(cat "$process/comm" 2>/dev/null || echo a process) (process ${process#/proc/})"
                break
                ;;
        esac
    done
}

# port NUMBER: who listens on it. /proc has it on every Linux; ss and netstat need not be there.
port() {
    if [ ! -r /proc/net/tcp ]; then echo "port $1 unknown" && return; fi
    port_hex=$(printf '%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ address _ state _ _ _ _ _ inode _; do
        # 0A: it listens.
        if [ "$state" = 0A ] && [ "${address##*:}" = "$port_hex" ]; then
            port_holder=$(holder "$inode")
            echo "port $1 taken ${port_holder:-a process that cannot be seen}"
            break
        fi
    done
}

# Where the first runtime that is there keeps its images.
runtime_disk() {
    for socket in $sockets; do
        [ -S "$socket" ] || continue
        case $socket in
            */crio.sock) disk /var/lib/containers ;;
            */containerd.sock) disk /var/lib/containerd ;;
            */docker.sock | */cri-dockerd.sock) disk /var/lib/docker ;;
        esac
        return
    done
    disk /var/lib/containerd
}

# Whether SELinux is there and keeps HAProxy from ports of its own choice.
selinux() {
    [ -e "$root/sys/fs/selinux/enforce" ] || return 0
    case $(getsebool haproxy_connect_any 2>/dev/null) in *' off') echo "selinux haproxy" ;; esac
}

# disk FOLDER: free megabytes, and free per cent, where it is or will be.
disk() {
    disk_at=$1
    while [ ! -d "$disk_at" ]; do disk_at=$(dirname "$disk_at"); done
    # The last line: a long device name takes a line of its own in some.
    disk_is=$(df -Pk "$disk_at" 2>/dev/null | tail -n 1)
    # Blocks, used, available: the 2nd, 3rd and 4th word.
    # shellcheck disable=SC2086
    set -- "$1" $disk_is
    case ${5:-} in
        '' | *[!0-9]*) echo "disk $1 unknown unknown" ;;
        *) if [ "$3" -gt 0 ]; then echo "disk $1 $(($5 / 1024)) $(($5 * 100 / $3))"; else echo "disk $1 unknown unknown"; fi ;;
    esac
}

resolve() {
    if [ -z "$endpoint" ]; then return; fi
    if ! command -v getent >/dev/null 2>&1; then echo "resolve unknown" && return; fi
    addresses=$(getent ahosts "$endpoint" 2>/dev/null | while read -r address _; do echo "$address"; done | sort -u)
    # As one line.
    # shellcheck disable=SC2086
    if [ -n "$addresses" ]; then echo "resolve to" $addresses; else echo "resolve nothing"; fi
}

# Data that no cluster of the node's, and no run that has begun one, knows of.
leftover_etcd() {
    [ "$in_cluster" = no ] && [ ! -e "$root/etc/kubernetes/etcd-kubeadm.yml" ] || return 0
    for folder in /var/lib/etcd "$etcd_data"; do
        if [ -e "$root$folder/member" ]; then echo "etcd_data $folder" && return; fi
    done
}

cpus
in_cluster=$(cluster)
echo "cluster $in_cluster"
version kubeadm kubeadm version -o short
version kubelet kubelet --version
version kubectl kubectl version --client -o json
module overlay /sys/module/overlay
module br_netfilter /proc/sys/net/bridge
sysctls
runtime_disk
disk /var/lib/kubelet
disk /var/lib/etcd
leftover_etcd
resolve
selinux
if [ "$in_cluster" = no ]; then
    for number in "$@"; do port "$number"; done
fi
