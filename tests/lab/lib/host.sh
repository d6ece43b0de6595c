# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The machine that the lab runs on: which packages it lacks, and what its apt already knows.
# Nothing here edits its apt sources.

# host_packages WHY COMMAND:PACKAGE...: installs the packages of the commands that are missing,
# after saying which.
host_packages() {
    host_why=$1
    shift
    host_missing=
    for host_pair in "$@"; do
        command -v "${host_pair%%:*}" >/dev/null 2>&1 && continue
        case " $host_missing " in *" ${host_pair#*:} "*) continue ;; esac
        host_missing="$host_missing ${host_pair#*:}"
    done
    [ -n "$host_missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        die "$host_why is missing:$host_missing" \
            "Install these packages, or run this as root on Debian, and it is done for you."
    fi
    step "installing from this machine's own apt sources, for $host_why:$host_missing"
    # A machine that never ran `apt-get update` knows no package at all.
    # shellcheck disable=SC2086 # a list of package names
    apt-get install -s --no-install-recommends $host_missing >/dev/null 2>&1 ||
        logged "$lab_cache/log/apt-update.log" apt-get update
    # Another apt may be at work: wait for its lock, and keep the archives where its clean-up
    # does not reach.
    mkdir -p "$lab_cache/tmp/archives/partial"
    # shellcheck disable=SC2086
    logged "$lab_cache/log/apt-install.log" env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives="$lab_cache/tmp/archives/" \
        install -y --no-install-recommends $host_missing
}

# Prints the sources of Debian 12 (one-line format) on the mirrors that this machine's own apt
# uses. `apt-get indextargets` reads every format of sources for us. Prints nothing on a
# machine that is not Debian.
host_debian_sources() {
    # shellcheck disable=SC2016 # apt's own placeholders
    apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        sort -u | awk '
            $2 == "Debian" && !main { main = $1
                print "deb", main, "bookworm main"; print "deb-src", main, "bookworm main"
                print "deb", main, "bookworm-updates main" }
            $2 == "Debian-Security" && !security { security = $1
                print "deb", security, "bookworm-security main"
                print "deb-src", security, "bookworm-security main" }'
}

# Prints this machine's own settings for how apt fetches (a proxy; a mirror that is a snapshot
# and so looks out of date): what runs in a builder container needs the same.
host_apt_settings() {
    command -v apt-config >/dev/null 2>&1 || return 0
    apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|ForceIPv[46]|Retries)\b' || true
}

# Prints the file with the authorities that this machine trusts, where its distribution or the user put it.
host_authorities() {
    for host_file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        if [ -n "$host_file" ] && [ -f "$host_file" ]; then
            readlink -f "$host_file"
            return 0
        fi
    done
}
