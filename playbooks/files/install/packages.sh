#!/bin/sh
# Brings packages of one repository onto a node, through apt or dnf: the repository with its key, the versions, the hold.
# Prints a line for each thing that it changes, "changed WHAT"; nothing where there is nothing to do.
#
# usage: packages.sh install NAME REPOSITORY FINGERPRINTS HOLD PROXY PACKAGE...
#        packages.sh check   … the same: says what it would change, and changes nothing
#        packages.sh newest  … the same, with one PACKAGE=MINOR: prints "newest VERSION", of what the repository offers
#   NAME          of the repository's files on the node; "kubernetes" is upstream's own name for them
#   REPOSITORY    apt: what follows `deb` in a list: URL SUITE COMPONENT…, or a URL alone for a flat one; dnf: a URL.
#                 Empty: the repositories that the node has
#   FINGERPRINTS  those that the keys may have, with spaces between; any where it is empty
#   HOLD          names of packages that are held at their versions, with spaces between
#   PROXY         dnf: for this repository; _none_ for none. Empty: as dnf is configured
#   PACKAGE       NAME; NAME=VERSION (whatever the revision); ?NAME: only where it is offered
# and in the environment REPOSITORY_KEY, the repository's public keys in base64 (over the armor, if there is any)
set -u
umask 022
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND

act=$1 name=$2 repository=$3 fingerprints=$4 hold=$5 proxy=$6 key=${REPOSITORY_KEY:-}
shift 6
mark='# Written by Windlass: kubernetes_repository and containerd_repository say what is in it.'

fail() {
    echo "$*" >&2
    exit 1
}

if command -v apt-get >/dev/null 2>&1; then
    manager=apt
elif manager=$(command -v dnf || command -v yum); then
    dnf=$manager
    manager=dnf
else
    fail "this node has neither apt-get nor dnf: write \`binaries\` for kubernetes_install and container_runtime_install," \
        "or bring the programs yourself and write \`none\`"
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
# apt fetches as a user of its own.
chmod 755 "$scratch"

# bytes FILE AT COUNT: as decimal numbers.
bytes() { tail -c "+$(($2 + 1))" "$1" | head -c "$3" | od -An -v -tu1; }

# Prints the fingerprints of the primary keys in a file of OpenPGP packets (RFC 4880, 4.2 and 12.2).
prints_of() {
    prints_file=$1 prints_at=0 prints_size=$(($(wc -c <"$1")))
    while [ "$prints_at" -lt "$prints_size" ]; do
        # shellcheck disable=SC2046 # numbers
        set -- $(bytes "$prints_file" "$prints_at" 6) 0 0 0 0 0 0
        if [ "$1" -lt 128 ]; then return 1; fi
        if [ "$1" -ge 192 ]; then
            prints_tag=$(($1 - 192))
            if [ "$2" -lt 192 ]; then
                prints_head=2 prints_length=$2
            elif [ "$2" -lt 224 ]; then
                prints_head=3 prints_length=$((($2 - 192) * 256 + $3 + 192))
            elif [ "$2" -eq 255 ]; then
                prints_head=6 prints_length=$(($3 * 16777216 + $4 * 65536 + $5 * 256 + $6))
            else
                return 1
            fi
        else
            prints_tag=$((($1 / 4) % 16))
            case $(($1 % 4)) in
                0) prints_head=2 prints_length=$2 ;;
                1) prints_head=3 prints_length=$(($2 * 256 + $3)) ;;
                2) prints_head=5 prints_length=$(($2 * 16777216 + $3 * 65536 + $4 * 256 + $5)) ;;
                *) return 1 ;;
            esac
        fi
        prints_at=$((prints_at + prints_head))
        if [ "$prints_tag" -eq 6 ]; then
            # Of version 4, whose fingerprint is a SHA-1 over this.
            if [ $(($(bytes "$prints_file" "$prints_at" 1))) -ne 4 ]; then return 1; fi
            {
                # shellcheck disable=SC2059 # made of numbers
                printf "\\231\\$(printf %03o $((prints_length / 256)))\\$(printf %03o $((prints_length % 256)))"
                tail -c "+$((prints_at + 1))" "$prints_file" | head -c "$prints_length"
            } | sha1sum | cut -d' ' -f1 | tr a-f A-F
        fi
        prints_at=$((prints_at + prints_length))
    done
}

# unarmored FILE: the packets of every block in it, one after another, as they are written to standard output.
unarmored() {
    armored_in='' armored_text=''
    while IFS= read -r line || [ "$line" ]; do
        line=$(printf '%s' "$line" | tr -d '\r')
        case $armored_in:$line in
            *:-----BEGIN*) armored_in=head armored_text='' ;;
            *:-----END*) printf '%s' "$armored_text" | base64 -d || return 1 && armored_in='' ;;
            head:) armored_in=body ;;
            body:=*) ;;
            body:*) armored_text=$armored_text$line ;;
        esac
    done <"$1"
}

# Has the key as a file of the scratch folder, `key.asc` or `key.gpg`, and its fingerprints compared.
key_file=
take_key() {
    if [ -z "$key" ]; then return; fi
    printf '%s' "$key" | base64 -d >"$scratch/key" || fail "the key of the repository $name did not come through"
    if grep -q -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' "$scratch/key"; then
        ending=asc
        unarmored "$scratch/key" >"$scratch/packets" || fail "the key of the repository $name is damaged: its armor is not base64"
    elif grep -q -i '<html\|<!doctype\|^error\|not found' "$scratch/key"; then
        fail "the key of the repository $name is not a key, but a page: $(head -c 200 "$scratch/key" | tr -cd '[:print:] ')"
    else
        ending=gpg
        cp "$scratch/key" "$scratch/packets"
    fi
    mv "$scratch/key" "$scratch/key.$ending"
    chmod 644 "$scratch/key.$ending"
    key_file=$scratch/key.$ending
    if [ -z "$fingerprints" ]; then return; fi
    if ! found=$(prints_of "$scratch/packets") || [ -z "$found" ]; then
        fail "the key of the repository $name cannot be read as a key of OpenPGP, version 4, so its fingerprint cannot be compared"
    fi
    wanted=$(printf '%s' "$fingerprints" | tr a-f A-F)
    for print in $found; do
        case " $wanted " in
            *" $print "*) ;;
            *) fail "the key of the repository $name has the fingerprint $print, and $wanted is expected." \
                "If you know the new one to be right, write it as \`fingerprint\` of the repository" ;;
        esac
    done
}

# same FILE: whether the node's has what standard input has. put FILE: makes it so.
same() { cmp -s - "$1"; }
put() {
    cat >"$scratch/new"
    if same "$1" <"$scratch/new"; then return; fi
    echo "changed $1"
    if [ "$act" = check ]; then return; fi
    mkdir -p "${1%/*}" && cp "$scratch/new" "$1.windlass" && chmod 644 "$1.windlass" && mv -f "$1.windlass" "$1"
    command -v restorecon >/dev/null 2>&1 && restorecon "$1" 2>/dev/null
    return 0
}

# One word each, with a revision or without: what is offered, the newest first.
newest_first() { sort -t. -k1,1rn -k2,2rn -k3,3rn; }
first_of() {
    if [ -z "$1" ]; then head -n 1 && return; fi
    grep -E "^([0-9]+:)?$(printf '%s' "$1" | sed 's/[.+]/\\&/g')([-.+~]|\$)" | head -n 1
}

apt_line() {
    case $repository in
        *' '*) echo "deb [${1:+signed-by=$1}] $repository" ;;
        *) echo "deb [${1:+signed-by=$1}] $repository /" ;;
    esac | sed 's/ \[\]//'
}
# What a node knows servers of https by; the smallest of systems have none.
authorities=/etc/ssl/certs/ca-certificates.crt
apt_options='-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3'

apt_offers() {
    # shellcheck disable=SC2086 # options
    apt-cache $from madison "$1" 2>/dev/null | sed -n "s/^ *$1 *| *\([^ |]*\).*/\1/p"
}

apt_update() {
    # shellcheck disable=SC2086 # options
    apt-get $from $apt_options update >"$scratch/said" 2>&1 ||
        fail "apt-get update: $(grep '^[EW]:' "$scratch/said" | head -n 8)" \
            "$(case $repository in https:*) [ -s $authorities ] || echo '(This node has no ca-certificates, and knows nobody by https: install that package.)' ;; esac)"
}

dnf_repo() {
    printf '%s\n[%s]\nname=%s\nbaseurl=%s\nenabled=1\n' "$mark" "$name" "$name" "$repository"
    if [ "$1" ]; then printf 'gpgcheck=1\ngpgkey=file://%s\n' "$1"; else echo gpgcheck=1; fi
    if [ "$proxy" ]; then echo "proxy=$proxy"; fi
    if [ "$hold" ]; then echo "exclude=$hold"; fi
}

dnf_run() {
    # shellcheck disable=SC2086 # options
    "$dnf" -y $from --setopt=install_weak_deps=False "$@"
}
# Upstream has its packages excluded in the repository, which holds them.
case $manager in
    dnf)
        case $("$dnf" --version 2>/dev/null | head -n 1) in
            dnf5*) unexclude=--setopt=disable_excludes=$name ;;
            *) unexclude=--disableexcludes=$name ;;
        esac
        ;;
esac
dnf_offers() {
    dnf_run "$unexclude" -q list --showduplicates "$1" 2>"$scratch/said" | sed -n "s/^$1\.[a-z0-9_]*  *\([^ ]*\).*/\1/p" | sort -u
}

# offers PACKAGE
offers() {
    if [ $manager = apt ]; then apt_offers "$1"; else dnf_offers "$1"; fi | newest_first
}

# The files of the repository; `in` is the folder that stands for the node's /etc.
configure() {
    if [ -z "$repository" ]; then return; fi
    if [ $manager = apt ]; then
        kept=
        if [ "$key_file" ]; then
            kept=$1/apt/keyrings/$name-apt-keyring.${key_file##*.}
            put "$kept" <"$key_file"
        fi
        { echo "$mark" && apt_line "$kept"; } | put "$in/apt/sources.list.d/$name.list"
    else
        kept=
        if [ "$key_file" ]; then
            kept=$1/pki/rpm-gpg/RPM-GPG-KEY-$name
            put "$kept" <"$key_file"
        fi
        dnf_repo "$kept" | put "$in/yum.repos.d/$name.repo"
    fi
}

# Without the node's own configuration, so that asking changes nothing.
apart() {
    in=$scratch/etc
    act=install configure "$in" >/dev/null
    if [ $manager = apt ]; then
        mkdir -p "$scratch/lists/partial"
        from="-o Dir::Etc::sourcelist=$in/apt/sources.list.d/$name.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$scratch/lists"
        from="$from -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
    else
        from="--setopt=reposdir=$in/yum.repos.d --setopt=cachedir=$scratch/cache"
    fi
}

# The same with the repositories that the node has.
aside() {
    if [ $manager = apt ]; then
        mkdir -p "$scratch/lists/partial"
        from="-o Dir::State::lists=$scratch/lists -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
    else
        from="--setopt=cachedir=$scratch/cache"
    fi
}

# asked PACKAGE...: what the installer is told, one a line; fails where something is not offered.
asked() {
    for package; do
        optional=
        case $package in \?*) optional=yes && package=${package#\?} ;; esac
        case $package in
            *=*)
                version=$(offers "${package%%=*}" | first_of "${package#*=}")
                if [ -z "$version" ]; then
                    all=$(offers "${package%%=*}" | head -n 5 | tr '\n' ' ')
                    echo "${repository:-the repositories of this node} offer no ${package%%=*} ${package#*=}; they have" \
                        "${all:-no version of it at all} $(grep -h '^[EW]:\|rror' "$scratch/said" 2>/dev/null | head -n 4)" >&2
                    return 1
                fi
                case $manager in apt) echo "${package%%=*}=$version" ;; dnf) echo "${package%%=*}-$version" ;; esac
                ;;
            *) if [ -z "$optional" ] || [ "$(offers "$package" | head -n 1)" ]; then echo "$package"; fi ;;
        esac
    done
}

from=''
: >"$scratch/said"
take_key
case $act in
    newest)
        if [ "$repository" ]; then apart; else aside; fi
        if [ $manager = apt ]; then apt_update; fi
        version=$(offers "${1%%=*}" | first_of "${1#*=}")
        if [ -z "$version" ]; then
            fail "${repository:-the repositories of this node} offer no ${1%%=*} ${1#*=}; they have" \
                "$(offers "${1%%=*}" | head -n 5 | tr '\n' ' ') $(head -n 5 "$scratch/said")"
        fi
        version=${version#*:}
        echo "newest ${version%%-*}"
        ;;
    check)
        in=/etc
        configure /etc
        for package; do
            case $package in \?*) ;; *) echo "changed $package" ;; esac
        done
        ;;
    install)
        in=/etc
        case $manager:$repository in
            apt:https:*)
                if [ ! -s $authorities ]; then
                    apt_update
                    # shellcheck disable=SC2086 # options
                    apt-get $apt_options install -y --no-install-recommends ca-certificates >"$scratch/said" 2>&1 ||
                        fail "ca-certificates, which apt needs for https, cannot be installed: $(tail -n 5 "$scratch/said")"
                    echo "changed ca-certificates"
                fi
                ;;
        esac
        configure /etc
        case $manager:$repository in
            apt:*) apt_update ;;
            dnf:?*) dnf_run --disablerepo='*' --enablerepo="$name" makecache --refresh >/dev/null 2>&1 ;;
        esac
        wanted=$(asked "$@") || exit 1
        # shellcheck disable=SC2086 # a list
        set -- $wanted
        status=0
        if [ $manager = apt ]; then
            held=
            if [ "$hold" ]; then
                # shellcheck disable=SC2086 # a list
                held=$(apt-mark showhold $hold 2>/dev/null | tr "\n" " ")
                # shellcheck disable=SC2086 # a list
                apt-mark unhold $hold >/dev/null 2>&1
            fi
            # shellcheck disable=SC2086 # options
            apt-get $apt_options install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >"$scratch/said" 2>&1 || status=$?
            # Held again whatever came: a node must not be upgraded by its daily updates. What was held, and what was asked for;
            # and only what is there: a hold on what is not keeps it from ever coming.
            for package in $hold; do
                case " $held $* " in *" $package "* | *" $package="*) ;; *) continue ;; esac
                if dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$'; then apt-mark hold "$package" >/dev/null; fi
            done
        else
            dnf_run "$unexclude" install "$@" >"$scratch/said" 2>&1 || status=$?
        fi
        if [ "$status" -ne 0 ]; then
            tail -n 25 "$scratch/said" >&2
            exit "$status"
        fi
        for package; do echo "changed $package"; done
        ;;
esac
exit 0
