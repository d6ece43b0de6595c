#!/bin/sh
# Sees that what the fleet tests need is on this machine, and installs what is missing, saying so.
# The tests change nothing else here: their sshd and its users live in namespaces of their own.
set -eu

[ "$(id -u)" -eq 0 ] || {
  echo "fleet: these tests start an sshd with users of its own, which needs root; run them as root" >&2
  exit 1
}

missing=
need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need ssh openssh-client
need sshd openssh-server
need sudo sudo
need dash dash
need bash bash
need busybox busybox
need unshare util-linux
if [ "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || {
    echo "fleet: missing:$missing. Install them and try again." >&2
    exit 1
  }
  echo "fleet: installing$missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  # No sshd of the machine's own is to start because of us.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -y -qq --no-install-recommends $missing >&2
fi

unshare --mount --pid --fork true 2>/dev/null || {
  echo "fleet: this machine does not let root make mount and process namespaces (a container?)" >&2
  exit 1
}
