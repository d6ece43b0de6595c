#!/bin/sh
# Sees that the tools which the fast tests (`make check`) need are there: the shells that modules are tested
# under, and shellcheck on this machine; in target/tools the build of BusyBox that this machine does not have.
# Where all is there, that needs neither root nor a network. What is missing is installed where there is apt,
# by root; the other BusyBox only needs apt. Otherwise it is said what to do.
set -eu
cd "$(dirname "$0")/.."

tools=target/tools

# kind BUSYBOX: prints which package of Debian is of its build: `busybox-static` if its shell takes its own applets
# for commands before it looks into the PATH, `busybox` if not.
kind() {
  if [ "$(PATH=/nonexistent "$1" sh -c 'printf %s there | cat' 2>/dev/null)" = there ]; then
    echo busybox-static
  else
    echo busybox
  fi
}

missing=
for tool in dash bash busybox shellcheck; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ "$missing" ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "setup-check: missing:$missing. Install them as root (apt-get install$missing) and try again." >&2
    exit 1
  fi
  echo "setup-check: installing$missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -y -qq --no-install-recommends $missing >&2
fi

case $(kind "$(command -v busybox)") in
busybox) package=busybox-static ;;
*) package=busybox ;;
esac
there() { [ -x "$tools/busybox" ] && [ "$(kind "$tools/busybox")" = "$package" ]; }
if there; then exit 0; fi
echo "setup-check: fetching $package into $tools, beside this machine's own" >&2
mkdir -p "$tools"
scratch=$(mktemp -d "$PWD/$tools/fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
fetch() (
  cd "$scratch"
  # Quiet about that apt's own user may not write here.
  apt-get download -qq "$package" 2>&1 | grep -v unsandboxed >&2
  dpkg-deb -x "$package"_*.deb .
)
if command -v apt-get >/dev/null 2>&1; then
  # A machine whose lists of packages were never fetched, or are old: only root may fetch them.
  fetch || { [ "$(id -u)" -eq 0 ] && apt-get update -qq && fetch; } || :
fi
for found in "$scratch/bin/busybox" "$scratch/usr/bin/busybox"; do
  [ ! -x "$found" ] || mv "$found" "$tools/busybox"
done
there || {
  echo "setup-check: $package could not be fetched. Run 'apt-get update' as root and try again, or put the program" >&2
  echo "of Debian's package, or one of the same build, at $PWD/$tools/busybox." >&2
  exit 1
}
