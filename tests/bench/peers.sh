#!/bin/sh
# Times 20 tasks of `command: /bin/true` on many loopback hosts, Windlass beside its peers, in turn
# and in one run. Quote the ratios: seconds depend on the machine and on what else it does.
#
# usage: tests/bench/peers.sh [HOSTS [ROUNDS]]     (50 hosts, 3 rounds)
#
# Peers that are not installed are left out, and that is said. They are looked for here:
#   VOLANT   the program `volant`, its agent beside it; VOLANT_PYTHON as it wants it
#   PYINFRA  the program `pyinfra`
#
# Needs root (it starts an sshd of its own on a free port of 127.0.0.0/8) and `make build`.
set -eu
cd "$(dirname "$0")/../.."

hosts=${1:-50}
rounds=${2:-3}
windlass=$PWD/target/release/windlass

[ -x "$windlass" ] || { echo "bench: there is no $windlass; run: make build" >&2; exit 1; }
. tests/bench/loopback.sh
loopback_start

loopback_hosts "$hosts" >"$dir/hosts.ini"
loopback_play cmd 20 >"$dir/site.yml"
n=1
while [ "$n" -le "$hosts" ]; do
    # Not every peer understands patterns in known_hosts.
    echo "[$(loopback_address "$n")]:$port $(cat "$dir/host.pub")" >>"$dir/known_hosts.each"
    n=$((n + 1))
done
cat >"$dir/inventory.py" <<EOF
bench = [
    (f"127.0.{n // 250 + 1}.{n % 250 + 1}", {
        "ssh_port": $port, "ssh_user": "dash", "ssh_key": "$dir/user",
        "ssh_known_hosts_file": "$dir/known_hosts.each", "ssh_strict_host_key_checking": "yes",
    })
    for n in range(1, $hosts + 1)
]
EOF
cat >"$dir/deploy.py" <<'EOF'
from pyinfra.operations import server

for n in range(20):
    server.shell(name=f"task {n}", commands=["/bin/true"])
EOF

now() { date +%s%N; }

# timed LABEL COMMAND…: runs it, and prints how long it took, or that it failed.
timed() {
    label=$1
    shift
    began=$(now)
    if "$@" >"$dir/out" 2>&1; then
        awk -v label="$label" -v ns="$(($(now) - began))" 'BEGIN { printf "  %-16s %7.2f s\n", label, ns / 1e9 }'
    else
        printf '  %-16s failed:\n' "$label"
        tail -n 5 "$dir/out"
    fi
}

echo "20 × command: /bin/true on $hosts loopback hosts, $rounds rounds, all peers in turn"
round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round"
    loopback_cold
    timed "windlass, cold" "$windlass" run "$dir/site.yml" -i "$dir/hosts.ini" -f 50
    timed "windlass, warm" "$windlass" run "$dir/site.yml" -i "$dir/hosts.ini" -f 50
    if [ -n "${VOLANT-}" ]; then
        loopback_cold
        timed "volant, cold" "$VOLANT" playbook -i "$dir/hosts.ini" -f 50 "$dir/site.yml"
        timed "volant, warm" "$VOLANT" playbook -i "$dir/hosts.ini" -f 50 "$dir/site.yml"
    fi
    if [ -n "${PYINFRA-}" ]; then
        loopback_cold
        timed "pyinfra" "$PYINFRA" -y "$dir/inventory.py" "$dir/deploy.py"
    fi
    round=$((round + 1))
done
[ -n "${VOLANT-}" ] || echo "volant was left out: VOLANT is not set"
[ -n "${PYINFRA-}" ] || echo "pyinfra was left out: PYINFRA is not set"
