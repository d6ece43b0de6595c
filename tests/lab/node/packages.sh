#!/bin/sh
# Runs as root in a container of the base image: installs what a machine has before
# Kubernetes comes to it. Another image with the same things can take its place: README.md.
set -eu

# No Python: nothing may lean on it. mtr, vim and the like are left out for the same reason.
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    systemd systemd-sysv dbus libpam-systemd openssh-server sudo iproute2 iptables conntrack \
    socat ebtables ethtool containerd runc containernetworking-plugins etcd-client haproxy \
    curl ca-certificates procps kmod iputils-ping netcat-openbsd keepalived
apt-get clean
rm -rf /var/lib/apt/lists/*
if command -v python3 >/dev/null; then
    echo "Python has come in with some package: nodes must not have it" >&2
    exit 1
fi
