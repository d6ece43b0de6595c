#!/bin/sh
# Runs as root in a container that becomes an image of nodes: the users that playbooks come as.
set -eu

# One user whose sudo asks nothing and one whose sudo asks for the password. Debian has a group
# `operator` already.
id ubuntu >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ubuntu
getent group operator >/dev/null || groupadd --system operator
useradd --create-home --shell /bin/bash --gid operator operator
echo 'operator:windlass' | chpasswd
printf 'ubuntu ALL=(ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/ubuntu
printf 'operator ALL=(ALL) ALL\n' >/etc/sudoers.d/operator
chmod 0440 /etc/sudoers.d/ubuntu /etc/sudoers.d/operator
