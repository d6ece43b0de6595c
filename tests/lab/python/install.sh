#!/bin/sh
# Runs as root in a container of the base image and makes the second node image: an ordinary Debian server with
# Python, systemd and what the published-style roles set up (tests/published), and no Kubernetes.
set -eu

apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    systemd systemd-sysv dbus libpam-systemd openssh-server sudo iproute2 procps kmod \
    python3 python3-apt cron logrotate rsyslog haproxy chrony locales tzdata ca-certificates openssl \
    inetutils-telnet
apt-get clean
rm -rf /var/lib/apt/lists/*

install -D -m 0755 /lab/node/entrypoint /usr/lib/windlass-lab/entrypoint
install -D -m 0755 /lab/node/seed-images /usr/lib/windlass-lab/seed-images
install -D -m 0644 /lab/node/system.conf /etc/systemd/system.conf.d/lab.conf
install -D -m 0644 /lab/node/sshd.conf /etc/ssh/sshd_config.d/lab.conf
systemctl enable ssh cron rsyslog
# A container may not set the clock; a role gives chrony the option for that.
systemctl disable chrony
# They need hardware or a console, which a container does not have, or change files at times of their own.
systemctl mask systemd-udevd.service getty.target console-getty.service systemd-logind.service \
    sys-kernel-debug.mount apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer logrotate.timer \
    e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer

# As on a machine that was installed with swap; there is none, so it is not turned on at the start.
printf '/swapfile none swap sw,noauto 0 0\n' >>/etc/fstab

# Each node makes its own host key when it first starts.
rm -f /etc/ssh/ssh_host_*

sh /lab/node/users.sh
