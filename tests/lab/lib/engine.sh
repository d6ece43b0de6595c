# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The Docker engine. One that runs is used as it is and left alone. Where none runs and we are
# root, we start one of our own: its data and its socket are in the cache, and `lab down`
# stops it.

engine_dir=$lab_cache/engine
# Run-time files of our engine. Not in the cache: they should not outlive a reboot. One engine a
# cache, so each has its own.
engine_run=/run/windlass-lab-$(printf '%s' "$lab_cache" | sha256sum | cut -c 1-8)
engine_own_socket=$engine_dir/docker.sock

# Prints nothing; true when the engine that DOCKER_HOST (or Docker's default) names answers.
engine_answers() { docker version >/dev/null 2>&1; }

engine_own_runs() { DOCKER_HOST=unix://$engine_own_socket docker version >/dev/null 2>&1; }

# Points DOCKER_HOST at an engine that runs, without starting any. False when none does.
engine_find() {
    command -v docker >/dev/null 2>&1 || return 1
    if [ -S "$engine_own_socket" ] && engine_own_runs; then
        DOCKER_HOST=unix://$engine_own_socket
        export DOCKER_HOST
        unset DOCKER_CONTEXT
        return 0
    fi
    engine_answers
}

engine_is_own() { [ "${DOCKER_HOST:-}" = "unix://$engine_own_socket" ]; }

# Finds an engine or starts one.
engine_need() {
    if engine_find; then return 0; fi
    if [ "$(id -u)" -ne 0 ]; then
        die "no Docker engine answers, and only root can start one." \
            "Start Docker, or add yourself to the group docker, or run this as root."
    fi
    host_packages "a Docker engine" dockerd:docker.io iptables:iptables docker:docker.io
    # Debian's package starts its service where there is a systemd to start it.
    if engine_find; then return 0; fi
    engine_start
}

# Each node has a systemd, a kubelet and more that watch files; the kernel's 128 watchers are used up by ten nodes.
engine_inotify=/proc/sys/fs/inotify/max_user_instances
engine_raise_inotify() {
    engine_watchers=$(cat "$engine_inotify" 2>/dev/null) || return 0
    [ "$engine_watchers" -lt 1024 ] || return 0
    say "Raising fs.inotify.max_user_instances from $engine_watchers to 1024, until the engine is stopped."
    echo 1024 >"$engine_inotify" || true
}

engine_start() {
    step "starting a Docker engine of our own (data: $engine_dir; log: $engine_dir/dockerd.log)"
    mkdir -p "$engine_dir/data" "$engine_run"
    if [ ! -e "$engine_run/before" ]; then
        # What dockerd changes on the machine and does not undo: noted, to be undone.
        {
            echo "ip_forward=$(cat /proc/sys/net/ipv4/ip_forward)"
            echo "forward_policy=$(iptables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p')"
            if iptables -S DOCKER >/dev/null 2>&1; then echo chains=others; fi
            echo "inotify=$(cat "$engine_inotify" 2>/dev/null)"
        } >"$engine_run/before"
    fi
    engine_raise_inotify
    # No default bridge: the lab has networks of its own, and a docker0 would stay behind.
    # In a session of its own: it outlives the terminal from which the lab was started.
    setsid nohup dockerd --data-root "$engine_dir/data" --exec-root "$engine_run/exec" \
        --pidfile "$engine_run/dockerd.pid" --host "unix://$engine_own_socket" --bridge none \
        >"$engine_dir/dockerd.log" 2>&1 </dev/null 9>&- &
    engine_tries=0
    until engine_own_runs; do
        engine_tries=$((engine_tries + 1))
        if [ "$engine_tries" -gt 60 ]; then
            tail -n 15 "$engine_dir/dockerd.log" | sed 's/^/      | /' >&2
            die "our Docker engine does not answer after 30 seconds." "Its log: $engine_dir/dockerd.log"
        fi
        sleep 0.5
    done
    engine_find
    if [ "$(docker info --format '{{.Driver}}')" = vfs ]; then
        die "the cache folder $lab_cache is on a file system on which Docker's overlay2 does not work." \
            "Set WINDLASS_LAB_CACHE to a folder on ext4, xfs or btrfs."
    fi
}

# Stops the engine that we started and undoes what it did to the machine. An engine that is
# not ours is not touched.
engine_stop() {
    [ -s "$engine_run/dockerd.pid" ] || return 0
    engine_pid=$(cat "$engine_run/dockerd.pid")
    case $(tr '\0' ' ' <"/proc/$engine_pid/cmdline" 2>/dev/null || true) in
        *dockerd*"$engine_dir/data"*) ;;
        *) return 0 ;;
    esac
    kill "$engine_pid" 2>/dev/null || true
    engine_tries=0
    while [ -e "/proc/$engine_pid" ] && [ "$engine_tries" -lt 60 ]; do
        engine_tries=$((engine_tries + 1))
        sleep 0.5
    done
    if [ -e "/proc/$engine_pid" ]; then
        die "our Docker engine (process $engine_pid) did not stop within 30 seconds." "Its log: $engine_dir/dockerd.log"
    fi
    engine_undo
    engine_unmount "$engine_run" "$engine_dir/data"
    rm -rf "$engine_run" "$engine_own_socket"
    # Empty cgroups stay behind it. Those that are not empty are not ours.
    rmdir /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker 2>/dev/null || true
}

# Unmounts what the engine leaves mounted in the folders named: the network namespace of the host,
# and its data folder on itself. The innermost come first.
engine_unmount() {
    for engine_folder in "$@"; do
        awk -v folder="$engine_folder" '$2 == folder || index($2, folder "/") == 1 { print $2 }' /proc/mounts |
            sort -r | while IFS= read -r engine_mount; do
            umount "$engine_mount" 2>/dev/null || umount --lazy "$engine_mount" || true
        done
    done
}

# Takes Docker's chains out of the packet filter again, and restores the two settings that it
# changes and the one that we change; not where another engine uses them.
engine_undo() {
    [ -e "$engine_run/before" ] || return 0
    engine_watchers=$(sed -n 's/^inotify=//p' "$engine_run/before")
    if [ -n "$engine_watchers" ] && ! pgrep -x dockerd >/dev/null; then
        echo "$engine_watchers" >"$engine_inotify" 2>/dev/null || true
    fi
    if grep -q chains=others "$engine_run/before" || pgrep -x dockerd >/dev/null; then return 0; fi
    for engine_table in filter nat; do
        iptables -t "$engine_table" -S 2>/dev/null | grep -E '^-A (FORWARD|PREROUTING|OUTPUT|POSTROUTING) .*(DOCKER|docker)' |
            sed 's/^-A/-D/' | while read -r engine_rule; do
            # The rule is a list of words by construction.
            # shellcheck disable=SC2086
            iptables -t "$engine_table" $engine_rule 2>/dev/null || true
        done
        for engine_verb in -F -X; do
            iptables -t "$engine_table" -S 2>/dev/null | sed -n 's/^-N \(DOCKER.*\)/\1/p' | while read -r engine_chain; do
                iptables -t "$engine_table" "$engine_verb" "$engine_chain" 2>/dev/null || true
            done
        done
    done
    engine_policy=$(sed -n 's/^forward_policy=//p' "$engine_run/before")
    if [ -n "$engine_policy" ]; then iptables -P FORWARD "$engine_policy" 2>/dev/null || true; fi
    sed -n 's/^ip_forward=//p' "$engine_run/before" >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
}
