#!/bin/sh
# Tries connections to other nodes, all at once, and changes nothing. Prints a line for each:
# ADDRESS PORT open|refused|filtered|unresolved|unknown.
#
# A refused connection has been there and back: no firewall swallowed it. Silence, and "no route", mean that
# one did. Uses what the node has of bash, nc (any), socat and curl.
#
# usage: reach.sh SECONDS ADDRESS:PORT...
set -u

limit=$1
shift

# verdict STATUS TEXT: what became of a try, by what the program said. English: LC_ALL=C.
verdict() {
    case $2 in
        *[Rr]efused*) echo refused ;;
        *[Tt]imed\ out* | *[Nn]o\ route* | *[Uu]nreachable* | *timeout* | *[Pp]rohibited*) echo filtered ;;
        *known* | *resolv* | *resolution*) echo unresolved ;;
        *) case $1 in 0) echo open ;; 124 | 143) echo filtered ;; *) echo unknown ;; esac ;;
    esac
}

# bracketed ADDRESS: as it is written before a colon and a port.
bracketed() {
    case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac
}

try_bash() {
    # shellcheck disable=SC2016 # bash is to expand them
    said=$(timeout "$limit" bash -c ': </dev/tcp/"$1"/"$2"' bash "$1" "$2" 2>&1)
    verdict $? "$said"
}
try_nc() {
    said=$(nc -z -v -w "$limit" "$1" "$2" 2>&1 </dev/null)
    verdict $? "$said"
}
try_socat() {
    said=$(socat -u /dev/null "TCP:$(bracketed "$1"):$2,connect-timeout=$limit" 2>&1)
    verdict $? "$said"
}
try_curl() {
    # 7: could not connect; 28: too late; anything else came after connecting. It may have to wait for an
    # answer to a question that the other side does not understand: then it is connected.
    said=$(curl -sS -v --connect-timeout "$limit" -m $((limit + 1)) -o /dev/null "http://$(bracketed "$1"):$2/" 2>&1)
    status=$?
    case $said in
        *"* Connected to "*) echo open ;;
        *) if [ "$status" = 0 ]; then echo open; else verdict "$status" "$said"; fi ;;
    esac
}

LC_ALL=C
export LC_ALL
with=none
if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    with=bash
elif command -v nc >/dev/null 2>&1; then
    with=nc
elif command -v socat >/dev/null 2>&1; then
    with=socat
elif command -v curl >/dev/null 2>&1; then
    with=curl
fi

for target in "$@"; do
    (
        address=${target%:*} port=${target##*:}
        case $address in '['*']') address=${address#?} address=${address%?} ;; esac
        if [ "$with" = none ]; then result=unknown; else result=$("try_$with" "$address" "$port"); fi
        echo "$address $port $result"
    ) &
done
wait
