#!/bin/sh
# Runs as root in a container of the base image and makes the third node image: a Debian as it was just installed, with
# neither a container runtime nor anything of Kubernetes. What it may install comes from the lab's own repository.
set -eu

apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    systemd systemd-sysv dbus libpam-systemd openssh-server sudo iproute2 procps kmod curl ca-certificates busybox-static

# What playbooks install on such a machine, for the repository: exactly what is not there yet.
mkdir -p /repository
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --download-only \
    -o Dir::Cache::archives=/repository/ \
    conntrack socat ethtool ebtables iptables haproxy containerd runc containernetworking-plugins gnupg
rm -rf /repository/partial /repository/lock
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/apt/sources.list /etc/apt/sources.list.d/*

install -D -m 0755 /lab/node/entrypoint /usr/lib/windlass-lab/entrypoint
install -D -m 0755 /lab/node/seed-images /usr/lib/windlass-lab/seed-images
install -D -m 0755 /lab/node/enable-cgroups /usr/lib/windlass-lab/enable-cgroups
install -D -m 0644 /lab/node/lab-cgroups.service /etc/systemd/system/lab-cgroups.service
install -D -m 0644 /lab/node/system.conf /etc/systemd/system.conf.d/lab.conf
install -D -m 0644 /lab/node/sshd.conf /etc/ssh/sshd_config.d/lab.conf
install -D -m 0644 /lab/bare/repository.service /etc/systemd/system/lab-repository.service
systemctl enable ssh lab-cgroups lab-repository
# They need hardware or a console, which a container does not have, or change files at times of their own.
systemctl mask systemd-udevd.service getty.target console-getty.service systemd-logind.service \
    sys-kernel-debug.mount apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
rm -f /etc/ssh/ssh_host_*
sh /lab/node/users.sh
