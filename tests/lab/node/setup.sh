#!/bin/sh
# Runs as root in a container of the machine image: adds what is the lab's own, and nothing that
# a playbook is meant to do.
set -eu

install -D -m 0755 /lab/node/entrypoint /usr/lib/windlass-lab/entrypoint
install -D -m 0755 /lab/node/seed-images /usr/lib/windlass-lab/seed-images
install -D -m 0755 /lab/node/enable-cgroups /usr/lib/windlass-lab/enable-cgroups
install -m 0755 /lab/node/crictl /usr/bin/crictl
install -D -m 0644 /lab/node/lab-cgroups.service /etc/systemd/system/lab-cgroups.service
# kubelet's two unit files are where the upstream packages put them.
install -D -m 0644 /lab/node/kubelet.service /lib/systemd/system/kubelet.service
install -D -m 0644 /lab/node/10-kubeadm.conf /etc/systemd/system/kubelet.service.d/10-kubeadm.conf
install -D -m 0644 /lab/node/system.conf /etc/systemd/system.conf.d/lab.conf
install -D -m 0644 /lab/node/config.toml /etc/containerd/config.toml
install -D -m 0644 /lab/node/sshd.conf /etc/ssh/sshd_config.d/lab.conf

# kubeadm and CNI manifests expect the plugins where upstream puts them.
mkdir -p /opt/cni /etc/cni/net.d
[ -e /opt/cni/bin ] || ln -s /usr/lib/cni /opt/cni/bin

systemctl enable kubelet containerd lab-cgroups
systemctl enable ssh || systemctl enable sshd
# A balancer is a playbook's work: it is installed, because nodes reach no mirror, but not set up.
systemctl disable haproxy keepalived || true
# They need hardware or a console, which a container does not have, or manage cgroups or mounts
# of the machine that it runs on.
systemctl mask systemd-udevd.service getty.target console-getty.service systemd-logind.service \
    sys-kernel-debug.mount

# Each node makes its own host key when it first starts.
rm -f /etc/ssh/ssh_host_*

sh /lab/node/users.sh
