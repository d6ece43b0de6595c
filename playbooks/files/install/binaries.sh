#!/bin/sh
# Brings programs onto this node from where they are published or from files that were copied here, each compared with its
# checksum before any of it takes its place. Prints "changed DEST" for each; in check mode, what it would bring.
#
# usage: binaries.sh install|check [DEST KIND SOURCE CHECKSUM]...
#   DEST      the file, or for an archive the folder that its files go to
#   KIND      file, or tar:PREFIX: what is below PREFIX in a .tar.gz, or the one file that it names; everything where it is empty
#   SOURCE    a URL, or the absolute path of a file on this node, which is removed when all is in place
#   CHECKSUM  sha256:HEX (or sha512), or sha256:URL of a file that has it: alone, first, or in the line with the source's name.
#             Empty: not compared, for a file that was copied here
set -u
umask 022

act=$1
shift
fail() {
    echo "$*" >&2
    exit 1
}

if [ "$act" = check ]; then
    while [ $# -ge 4 ]; do
        echo "changed $1 (from $3)"
        shift 4
    done
    exit 0
fi

# Beside the programs, so that they take their places by a rename.
scratch=$(mktemp -d /usr/bin/.windlass.XXXXXX) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 143' HUP INT TERM

# fetch URL FILE
fetch() {
    if command -v curl >/dev/null 2>&1; then
        said=$(curl -fsSL --retry 3 --connect-timeout 20 --speed-limit 1 --speed-time 60 -o "$2" "$1" 2>&1)
    elif command -v wget >/dev/null 2>&1; then
        said=$(wget -q -T 60 -O "$2" "$1" 2>&1)
    else
        fail "this node has neither curl nor wget to fetch $1 with: install one of them, or have the file on the control host" \
            "(\`file\` in place of \`url\`, or \`bundle\`)"
    fi || fail "$1 could not be fetched: $(printf '%s' "${said:-no reason was given}" | tail -n 2)"
}

# compare FILE SOURCE CHECKSUM
compare() {
    if [ -z "$3" ]; then return; fi
    algorithm=${3%%:*} wanted=${3#*:}
    case $algorithm in
        sha224 | sha256 | sha384 | sha512) ;;
        *) fail "the checksum of $2 is not of the form sha256:…: $3" ;;
    esac
    case $wanted in
        *:*)
            fetch "$wanted" "$scratch/sums"
            found=$(grep -F "${2##*/}" "$scratch/sums" | head -n 1)
            if [ -z "$found" ]; then found=$(head -n 1 "$scratch/sums"); fi
            from=$wanted wanted=${found%%[!0-9a-fA-F]*}
            if [ ${#wanted} -lt 56 ]; then fail "$from has no checksum of ${2##*/}: $(head -c 100 "$scratch/sums" | tr -cd '[:print:]')"; fi
            ;;
    esac
    wanted=$(printf '%s' "$wanted" | tr A-F a-f)
    is=$("${algorithm}sum" "$1" | cut -d' ' -f1)
    if [ "$is" != "$wanted" ]; then
        fail "$2 has the checksum $algorithm:$is, and $algorithm:$wanted is expected. Nothing was installed. Is it another version, or damaged?"
    fi
}

# place FILE DEST: by a rename: what runs goes on with the old one.
place() {
    mkdir -p "${2%/*}" && chmod 755 "$1" && mv -f "$1" "$2" || exit 1
    command -v restorecon >/dev/null 2>&1 && restorecon "$2" 2>/dev/null
    echo "changed $2"
}

# All of them are here and as they are meant to be before the first takes its place.
number=0
for_each() {
    for_each_do=$1
    shift
    number=0
    while [ $# -ge 4 ]; do
        number=$((number + 1))
        "$for_each_do" "$@" || exit 1
        shift 4
    done
}

bring() {
    case $3 in
        /*)
            file=$3
            if [ ! -f "$file" ]; then fail "$3 is not on this node"; fi
            ;;
        *) file=$scratch/$number && fetch "$3" "$file" ;;
    esac
    compare "$file" "$3" "$4"
    case $2 in
        tar:*)
            mkdir "$scratch/$number.d"
            gzip -dc "$file" 2>/dev/null | tar -xf - -C "$scratch/$number.d" || fail "$3 is not an archive (.tar.gz)"
            below=$scratch/$number.d/${2#tar:}
            [ -e "$below" ] || fail "$3 is not what it should be: it has no ${2#tar:}"
            ;;
    esac
}

put() {
    case $2 in
        file)
            case $3 in
                /*) cp "$3" "$scratch/$number" || exit 1 ;;
            esac
            place "$scratch/$number" "$1"
            ;;
        tar:*)
            below=$scratch/$number.d/${2#tar:}
            if [ -f "$below" ]; then
                place "$below" "$1/${below##*/}"
            else
                for file in "${below%/}"/*; do
                    if [ -f "$file" ] && [ -x "$file" ]; then place "$file" "$1/${file##*/}"; fi
                done
            fi
            ;;
    esac
}

tidy() {
    case $3 in /*) rm -f "$3" ;; esac
}

for_each bring "$@"
for_each put "$@"
for_each tidy "$@"
