# shellcheck shell=sh
# Loopback hosts to measure on, for the scripts beside it: sourced, from the repository's folder. Needs root.
#
#   loopback_start         Starts an sshd on a free port of 127.0.0.0/8. It ends with the script. Sets:
#                            dir    a folder that goes with it, with keys and known_hosts
#                            port   the port
#   loopback_hosts N       Prints an inventory of the first N hosts.
#   loopback_cold          Ends every kept connection.
#   loopback_play NAME N   Prints a playbook of N tasks: `cmd`, all `command: /bin/true`; or `mix`, in turn
#                          command with register, copy of content with what was registered, template, stat.

loopback_start() {
    [ "$(id -u)" = 0 ] || { echo "bench: starting an sshd needs root" >&2; exit 1; }
    tests/fleet/setup.sh
    dir=$(mktemp -d)
    port=$((20000 + $$ % 20000))
    loopback_serve=
    trap loopback_end EXIT INT TERM
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
    chmod 755 "$dir"
    : >"$dir/more_users"
    : >"$dir/more_sshd"
    # The fleet's sshd: its users have a plain sh and no start-up files, which would be measured too.
    unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
        tests/fleet/serve.sh "$dir" "$port" 1000 100 >"$dir/serve.log" 2>&1 &
    loopback_serve=$!
    loopback_tries=0
    until ssh-keyscan -p "$port" 127.0.0.1 >/dev/null 2>&1; do
        loopback_tries=$((loopback_tries + 1))
        [ "$loopback_tries" -lt 50 ] || {
            echo "bench: sshd did not start:" >&2
            cat "$dir/serve.log" >&2
            exit 1
        }
        sleep 0.2
    done
    printf '[127.0.*]:%s %s\n' "$port" "$(cat "$dir/host.pub")" >"$dir/known_hosts"
}

loopback_end() {
    [ -z "$loopback_serve" ] || kill "$loopback_serve" 2>/dev/null || :
    rm -rf "$dir"
}

loopback_address() { # NUMBER
    echo "127.0.$(($1 / 250 + 1)).$(($1 % 250 + 1))"
}

loopback_hosts() {
    echo "[bench]"
    loopback_n=1
    while [ "$loopback_n" -le "$1" ]; do
        echo "node$loopback_n ansible_host=$(loopback_address "$loopback_n")"
        loopback_n=$((loopback_n + 1))
    done
    echo "[bench:vars]"
    echo "ansible_port=$port"
    echo "ansible_user=dash"
    echo "ansible_ssh_private_key_file=$dir/user"
    echo "ansible_ssh_common_args=\"-o UserKnownHostsFile=$dir/known_hosts -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes\""
}

loopback_cold() {
    pkill -f "^ssh .*$dir/known_hosts" 2>/dev/null || :
    pkill -f '^ssh: .*/volant-cm-.*\[mux\]' 2>/dev/null || :
    sleep 1
}

loopback_play() { # NAME TASKS
    echo "- hosts: bench"
    echo "  gather_facts: false"
    echo "  tasks:"
    loopback_n=0
    while [ "$loopback_n" -lt "$2" ]; do
        case $1:$((loopback_n % 4)) in
        cmd:*) echo "    - command: /bin/true" ;;
        *:0)
            echo "    - command: echo $loopback_n {{ inventory_hostname }}"
            echo "      register: said"
            ;;
        *:1) echo "    - copy: {content: '{{ said.stdout }}', dest: '/tmp/{{ inventory_hostname }}.copy'}" ;;
        *:2) echo "    - template: {src: mix.j2, dest: '/tmp/{{ inventory_hostname }}.template'}" ;;
        *:3) echo "    - stat: {path: '/tmp/{{ inventory_hostname }}.template'}" ;;
        esac
        loopback_n=$((loopback_n + 1))
    done
}
