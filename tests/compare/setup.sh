#!/bin/sh
# Prints the path of an ansible-playbook to compare with: the one that ANSIBLE_PLAYBOOK names, or that of a virtual
# environment in the cache with the versions of requirements.txt, which is made where it is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if [ "${ANSIBLE_PLAYBOOK:-}" ]; then
    printf '%s\n' "$ANSIBLE_PLAYBOOK"
    exit 0
fi

say() { printf 'compare: %s\n' "$*" >&2; }

# usable PROGRAM: whether it is a Python that this ansible-core runs on.
usable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

python=
for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if usable "$candidate"; then
        python=$candidate
        break
    fi
done
[ "$python" ] || {
    say "ansible-core needs a Python from 3.11 to 3.13; install one, or name an ansible-playbook in ANSIBLE_PLAYBOOK"
    exit 1
}

# Debian has the modules that make environments in a package of their own.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        say "$python cannot make environments: install python3-venv"
        exit 1
    fi
    say "installing python3-venv"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >&2
fi

cache=${WINDLASS_COMPARE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/windlass-compare}
environment=$cache/ansible-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-$(sha256sum "$here/requirements.txt" | cut -c 1-12)

if [ ! -x "$environment/bin/ansible-playbook" ]; then
    mkdir -p "$cache"
    # Two that start at once make one.
    exec 9>"$cache/lock"
    flock 9
    if [ ! -x "$environment/bin/ansible-playbook" ]; then
        say "installing ansible-core in $environment"
        rm -rf "$environment"
        "$python" -m venv "$environment"
        if ! "$environment/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$here/requirements.txt" >&2; then
            rm -rf "$environment"
            exit 1
        fi
    fi
fi
printf '%s\n' "$environment/bin/ansible-playbook"
