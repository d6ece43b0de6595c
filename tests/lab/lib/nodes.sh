# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The nodes of one lab: containers on a network of their own. What exists is read from the
# engine (labels), never from a file of ours.

node_container() { printf '%s-%s' "$lab_name" "$1"; }

# node_address NAME: prints the node's address. It follows from the name, so that an inventory
# can be written down: lbN .N, cpN .1N, etcdN .2N, wN .100+N; any other name from .200 on, by
# its place in the list. .240 to .249 are left for virtual addresses; .254 is the gateway.
node_address() {
    address_number=${1##*[!0-9]}
    case $1 in
        lb[1-9]) printf '%s.%d' "$lab_subnet" "$address_number" ;;
        cp[1-9]) printf '%s.%d' "$lab_subnet" $((10 + address_number)) ;;
        etcd[1-9]) printf '%s.%d' "$lab_subnet" $((20 + address_number)) ;;
        w[1-9] | w[1-9][0-9]) printf '%s.%d' "$lab_subnet" $((100 + address_number)) ;;
        *)
            address_place=0
            for address_name in $lab_nodes; do
                address_place=$((address_place + 1))
                if [ "$address_name" = "$1" ]; then printf '%s.%d' "$lab_subnet" $((199 + address_place)); fi
            done
            ;;
    esac
}

# Prints the names of this lab's nodes that exist, one a line; with a state (running, exited)
# those in that state.
nodes_existing() {
    docker ps --all --filter "label=windlass.lab=$lab_name" ${1:+--filter "status=$1"} \
        --format '{{.Label "windlass.lab.node"}}' | sort
}

# Ends if this lab's name is taken by another checkout's lab on the same engine.
nodes_check_owner() {
    nodes_owner=$(docker ps --all --filter "label=windlass.lab=$lab_name" --format '{{.Label "windlass.lab.checkout"}}' | sort -u)
    if [ -n "$nodes_owner" ] && [ "$nodes_owner" != "$checkout" ]; then
        die "a lab named $lab_name is up already, from another checkout: $nodes_owner" \
            "Take it down there (make lab-down), or give this one another name and subnet:" \
            "WINDLASS_LAB_NAME=lab2 WINDLASS_LAB_SUBNET=172.31.0 make lab-up"
    fi
}

network_need() {
    docker network inspect "$lab_name" >/dev/null 2>&1 && return 0
    if ! network_error=$(docker network create --subnet "$lab_subnet.0/24" --gateway "$lab_subnet.254" \
        --label "windlass.lab=$lab_name" "$lab_name" 2>&1 >/dev/null); then
        die "the network $lab_subnet.0/24 cannot be made: $network_error" \
            "Choose another with WINDLASS_LAB_SUBNET, for example WINDLASS_LAB_SUBNET=172.31.0."
    fi
}

# node_create NAME
node_create() {
    create_kubernetes=${lab_kubernetes%% *}
    case $1 in lb*) create_kubernetes=none ;; esac
    create_modules=
    create_repository=
    if [ "$lab_image" = bare ]; then create_repository=http://$(node_address repo1); fi
    if [ -d /lib/modules ]; then create_modules='--volume /lib/modules:/lib/modules:ro'; fi
    # /var/lib/containerd, kubelet and etcd are volumes because overlayfs cannot be stacked on the
    # overlay that is a container's root, and because etcd waits for its disk.
    create_volumes='--volume /var/lib/containerd --volume /var/lib/kubelet --volume /var/lib/etcd'
    if [ "$lab_image" = python ]; then
        create_kubernetes=none
        create_volumes=
    elif [ "$lab_image" = bare ]; then
        create_kubernetes=none
        case $1 in repo*) create_volumes="--volume $lab_cache/$repository_part:/srv/repository:ro" ;; esac
    else
        create_volumes="$create_volumes $(kubernetes_mounts)"
    fi
    # Forwarding is off, as on a machine that was just installed.
    # shellcheck disable=SC2086 # lists of options
    docker run --detach --name "$(node_container "$1")" --hostname "$1" \
        --network "$lab_name" --ip "$(node_address "$1")" --network-alias "$1" \
        --label "windlass.lab=$lab_name" --label "windlass.lab.node=$1" --label "windlass.lab.checkout=$checkout" \
        $node_privileges "$node_device_rule" --sysctl net.ipv4.ip_forward=0 \
        --tmpfs /run:exec --tmpfs /tmp:exec --stop-signal SIGRTMIN+3 \
        $create_volumes $create_modules \
        --env container=docker --env "LAB_KUBERNETES=$create_kubernetes" --env "LAB_REPOSITORY=$create_repository" \
        --env "LAB_AUTHORIZED_KEY=$(cat "$lab_state/id_ed25519.pub")" \
        --entrypoint /usr/lib/windlass-lab/entrypoint "$node_image"
}

# nodes_each FUNCTION NAME...: runs the function for all at once, shows what it wrote to standard
# error, and ends if one failed.
nodes_each() {
    each_function=$1
    shift
    each_folder=$(mktemp -d)
    each_waiting=
    for each_node in "$@"; do
        "$each_function" "$each_node" >/dev/null 2>"$each_folder/$each_node" 9>&- &
        each_waiting="$each_waiting $!:$each_node"
    done
    each_failed=
    for each_pair in $each_waiting; do
        if ! wait "${each_pair%%:*}"; then each_failed="$each_failed ${each_pair#*:}"; fi
        sed "s/^/      | ${each_pair#*:}: /" "$each_folder/${each_pair#*:}" >&2
    done
    rm -rf "$each_folder"
    if [ -n "$each_failed" ]; then die "failed for:$each_failed"; fi
}

# node_wait NAME: until its sshd lets us in and its systemd has started everything. Asks over SSH
# and not by `docker exec`: with cgroup v2 that would put a process where systemd allows none.
# Prints the units that did not start, which need not be a reason to stop.
node_wait() {
    wait_tries=0
    while :; do
        wait_system=$(ssh_to "$1" systemctl is-system-running 2>&1) || true
        case $wait_system in
            running) return 0 ;;
            degraded)
                echo "these units failed:" >&2
                ssh_to "$1" systemctl --failed --no-legend >&2
                return 0
                ;;
        esac
        wait_tries=$((wait_tries + 1))
        if [ "$wait_tries" -ge 120 ]; then
            echo "not ready after a minute or more: $wait_system" >&2
            docker logs --tail 10 "$(node_container "$1")" >&2 || true
            return 1
        fi
        sleep 0.5
    done
}

# node_host_key NAME: prints the node's public host key, by way of the engine.
node_host_key() {
    docker cp "$(node_container "$1"):/etc/ssh/ssh_host_ed25519_key.pub" - 2>/dev/null | tar -xO 2>/dev/null | cut -d ' ' -f 1,2
}

# Writes down the host keys, which we have from the nodes themselves by way of the engine.
known_hosts_write() {
    for known_node in $(nodes_existing running); do
        known_tries=0
        until known_key=$(node_host_key "$known_node") && [ -n "$known_key" ]; do
            known_tries=$((known_tries + 1))
            if [ "$known_tries" -ge 100 ]; then
                docker logs --tail 10 "$(node_container "$known_node")" >&2 || true
                die "the node $known_node made no host key within 20 seconds."
            fi
            sleep 0.2
        done
        printf '%s,%s %s\n' "$(node_address "$known_node")" "$known_node" "$known_key"
    done >"$lab_state/known_hosts.new"
    mv "$lab_state/known_hosts.new" "$lab_state/known_hosts"
}

# ssh_to NAME COMMAND...
ssh_to() {
    ssh_node=$1
    shift
    ssh -i "$lab_state/id_ed25519" -o IdentitiesOnly=yes -o UserKnownHostsFile="$lab_state/known_hosts" \
        -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o ConnectTimeout=5 -o LogLevel=ERROR \
        "ubuntu@$(node_address "$ssh_node")" "$@"
}

state_need() {
    mkdir -p "$lab_state"
    chmod 0700 "$lab_state"
    # The inventory of the lab reads it: some settings of kubelet are for some versions only.
    printf '%s\n' "${lab_kubernetes%% *}" >"$lab_state/kubernetes"
    if [ "$lab_image" = bare ]; then cp "$lab_cache/$repository_part/lab.asc" "$lab_state/"; fi
    [ -e "$lab_state/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C "windlass lab $lab_name" -f "$lab_state/id_ed25519"
}

# inotify_told NAME...: says so where the kernel's limit is too low for these nodes beside those that
# run. One that meets it hangs half started, without a word about why.
inotify_told() {
    inotify_limit=$(cat /proc/sys/fs/inotify/max_user_instances 2>/dev/null) || return 0
    # Seven for systemd and its services; kubelet, containerd and pods come on top.
    inotify_need=$((($(docker ps --quiet | wc -l) + $#) * 12))
    [ "$inotify_need" -gt "$inotify_limit" ] || return 0
    say "With these nodes about $inotify_need inotify instances are in use, and the limit is $inotify_limit: some may not start." \
        "Take another lab down, or raise it: sysctl -w fs.inotify.max_user_instances=1024"
}

# nodes_up NAME...: makes these nodes and waits until they can be used.
nodes_up() {
    node_try_image=$node_image
    node_privileges_find
    state_need
    network_need
    inotify_told "$@"
    step "starting $*"
    nodes_each node_create "$@"
    known_hosts_write
    nodes_each node_wait "$@"
}

# node_remove NAME: with its volumes.
node_remove() { docker rm --force --volumes "$(node_container "$1")"; }
