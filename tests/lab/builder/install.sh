#!/bin/sh
# Runs as root in a container of the base image: installs PACKAGES and puts the source package
# SOURCE, as it was published, in /usr/src/kubernetes.
set -eu

# An image from a registry may lack source entries; the mirror is whichever it names already.
for list in /etc/apt/sources.list.d/*.sources; do
    if [ -f "$list" ]; then sed -i 's/^Types: deb$/Types: deb deb-src/' "$list"; fi
done

apt-get update
# PACKAGES is a list.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
mkdir -p /usr/src/kubernetes
cd /usr/src/kubernetes
apt-get source --download-only "$SOURCE"
# `apt-get source` checked the signed index; only the upstream tree is used.
mv kubernetes_*.orig.tar.* upstream.tar
rm -f kubernetes_*
chmod -R a+rX /usr/src/kubernetes
apt-get clean
