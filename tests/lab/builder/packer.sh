#!/bin/sh
# Runs as root in a container of the base image: installs PACKAGES.
set -eu

apt-get update
# PACKAGES is a list.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $PACKAGES
apt-get clean
rm -rf /var/lib/apt/lists/*
