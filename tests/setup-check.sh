#!/bin/sh
# Sees that the tools which the fast tests (`make check`) need are on this machine: the shells that
# modules are tested under, and shellcheck. Installs what is missing where apt and root are at hand.
set -eu

missing=
for tool in dash bash busybox shellcheck; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "setup-check: missing:$missing. Install them (apt-get install$missing) and try again." >&2
  exit 1
fi
echo "setup-check: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of package names
apt-get install -y -qq --no-install-recommends $missing >&2
