# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The image that nodes are started from, in two layers: `machine` (Debian with systemd, sshd,
# containerd, and so on; a user may bring another) and `node` (the same with the lab's own files
# and with the images of Kubernetes unpacked).

# What a container needs in order to behave as a machine. Set by node_privileges_find.
node_privileges=

# Finds out what this engine allows: --privileged where it works, else everything that can be
# had without CAP_SYS_RESOURCE, which some machines withhold.
node_privileges_find() {
    [ -z "$node_privileges" ] || return 0
    if docker run --rm --privileged --network none --entrypoint true "$node_try_image" >/dev/null 2>&1; then
        node_privileges=--privileged
    else
        node_privileges='--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined
            --security-opt apparmor=unconfined --security-opt systempaths=unconfined --device /dev/kmsg'
    fi
    # The device rule is for privileged pods, which may use any device. It is a rule of cgroup v1
    # that engines on v2 accept too..
    node_privileges="$node_privileges --cgroupns private --device-cgroup-rule"
}

# The value of the last option above.
node_device_rule='a *:* rwm'

# The programs that a node has instead of Debian's: a newer containerd, and a real crictl.
containerd_pinned=containerd-2.2.9
crictl_pinned=crictl-1.37.0

# Sets node_containerd and node_crictl, each the name of a pinned part or nothing.
node_programs_settle() {
    node_containerd=
    node_crictl=
    for node_version in $lab_kubernetes; do
        node_minor=${node_version#*.}
        node_minor=${node_minor%%.*}
        if [ "$node_minor" -ge 36 ]; then node_containerd=$containerd_pinned; fi
        # With 1.20 there is a stand-in: nothing but Debian is needed for it.
        if [ "$node_minor" -ge 31 ]; then node_crictl=$crictl_pinned; fi
    done
    case $lab_containerd in
        '') ;;
        debian) node_containerd= ;;
        "${containerd_pinned#*-}") node_containerd=$containerd_pinned ;;
        *) die "the lab has no containerd '$lab_containerd'." "WINDLASS_LAB_CONTAINERD is debian or ${containerd_pinned#*-}." ;;
    esac
}

node_image_settle() {
    node_programs_settle
    machine_image=${lab_machine_image:-windlass-lab/machine:$(key "$base_image" "$lab_dir/node/packages.sh")}
    node_key=
    for node_version in $lab_kubernetes; do node_key="$node_key $(kubernetes_stamp "$node_version")"; done
    for node_program in $node_containerd $node_crictl; do node_key="$node_key $(go_part "$node_program")"; done
    node_image=windlass-lab/node:$(key "$machine_image" "$node_key" "$cni_part" "$lab_dir"/node/*)
    node_try_image=$machine_image
}

machine_build() {
    image_exists "$machine_image" && return 0
    if [ -n "$lab_machine_image" ]; then
        step "fetching the machine image $machine_image"
        logged "$lab_cache/log/machine.log" docker pull "$machine_image"
        return 0
    fi
    base_build
    step "installing a node's packages, in a container (log: $lab_cache/log/machine.log)"
    image_from "$base_image" "$machine_image" "$lab_cache/log/machine.log" node/packages.sh
}

# Everything that a lab with these settings starts from. Does nothing when all is there.
node_image_build() {
    for node_version in $lab_kubernetes; do
        kubernetes_build "$node_version"
        kubernetes_images "$node_version"
    done
    cni_build
    if [ -n "$node_containerd" ]; then go_build "$node_containerd" "containerd ${node_containerd#*-}"; fi
    if [ -n "$node_crictl" ]; then go_build "$node_crictl" "crictl ${node_crictl#*-}"; fi
    go_clean
    image_exists "$node_image" && return 0
    machine_build
    node_privileges_find
    node_mounts="--volume $lab_cache/$cni_part:/archives/cni.tar:ro"
    for node_program in $node_containerd $node_crictl; do
        node_mounts="$node_mounts --volume $lab_cache/$(go_part "$node_program"):/programs/$node_program:ro"
    done
    for node_version in $lab_kubernetes; do
        node_mounts="$node_mounts --volume $(kubernetes_archive "$node_version"):/archives/v$node_version.tar:ro"
    done
    step "unpacking the images of Kubernetes $lab_kubernetes once for all nodes (log: $lab_cache/log/node.log)"
    # shellcheck disable=SC2086 # lists of options
    image_from "$machine_image" "$node_image" "$lab_cache/log/node.log" node/store.sh \
        $node_privileges "$node_device_rule" --volume /store $node_mounts \
        --env "SANDBOX_IMAGE=$(kubernetes_pause "${lab_kubernetes%% *}")"
}
