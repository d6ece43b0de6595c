#!/bin/sh
# Makes target/tools/install-root, a Debian or Ubuntu of this machine's release in a folder, with apt, dnf, rpm and createrepo_c,
# and in its /srv signed repositories and releases of programs that only say their version. Tests copy it, and install in the
# copies. Where it is there, that is all. It needs root and apt; mmdebstrap is installed on this machine where it is missing.
set -eu
cd "$(dirname "$0")/../.."

root=$PWD/target/tools/install-root
stamp=$(cat tests/install/*.sh | cksum | tr ' ' -)
if [ "$(cat "$root.stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "tests/install/setup.sh: this needs root, and apt" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
if ! command -v mmdebstrap >/dev/null 2>&1; then
    echo "tests/install/setup.sh: installing mmdebstrap" >&2
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends mmdebstrap >&2
fi
echo "tests/install/setup.sh: making a small system in $root (it takes minutes, once)" >&2
rm -rf "$root" "$root.stamp"
mkdir -p "$root"
# shellcheck disable=SC1091 # a file of the machine's
. /etc/os-release
components=main
if [ "$ID" = ubuntu ]; then components=main,universe; fi
mmdebstrap --quiet --variant=apt --components="$components" \
    --include=gnupg,apt-utils,curl,dnf,rpm,createrepo-c "$VERSION_CODENAME" "$root.tar" >&2
tar -C "$root" -xf "$root.tar"
rm -f "$root.tar"
# Nothing from the net: what is installed comes from the repositories in it.
: >"$root/etc/apt/sources.list"
rm -rf "$root"/etc/apt/sources.list.d/*
cp tests/install/systemctl.sh "$root/usr/local/bin/systemctl"
chmod 755 "$root/usr/local/bin/systemctl"
cp tests/install/repositories.sh "$root/srv/"
chroot "$root" sh /srv/repositories.sh
echo "$stamp" >"$root.stamp"
