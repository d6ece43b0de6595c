# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The third image that nodes can be started from: Debian as it was just installed, with neither a container runtime nor
# Kubernetes. A node named repo1 serves what the others may install. WINDLASS_LAB_IMAGE=bare chooses it.

bare_image_settle() {
    kubernetes_settle
    node_programs_settle
    node_containerd=$containerd_pinned
    node_crictl=$crictl_pinned
    node_image=windlass-lab/bare:$(key "$base_image" "$lab_dir"/bare/* "$lab_dir/node/users.sh" \
        "$lab_dir/node/entrypoint" "$lab_dir/node/seed-images" "$lab_dir/node/system.conf" "$lab_dir/node/sshd.conf")
    bare_versions=
    for bare_version in $lab_kubernetes; do bare_versions="$bare_versions $(kubernetes_stamp "$bare_version")"; done
    repository_part=repository-$(key "$bare_versions" "$(go_part "$node_containerd")" "$(go_part "$node_crictl")" "$node_image" \
        "$cni_part" "$packer_image" "$lab_dir/builder/repository.sh" "$lab_dir"/bare/containerd.service "$lab_dir"/node/*kube*)
}

bare_image_build() {
    for node_version in $lab_kubernetes; do
        kubernetes_build "$node_version"
        kubernetes_images "$node_version"
    done
    cni_build
    go_build "$node_containerd" "containerd ${node_containerd#*-}"
    go_build "$node_crictl" "crictl ${node_crictl#*-}"
    go_clean
    if ! image_exists "$node_image"; then
        base_build
        step "installing a bare Debian, in a container (log: $lab_cache/log/bare.log)"
        image_from "$base_image" "$node_image" "$lab_cache/log/bare.log" bare/install.sh
    fi
    repository_build
}

# What repo1 serves: packages and archives of the versions, and their images.
repository_build() {
    have "$repository_part" && return 0
    packer_build
    step "packing the repository of bare nodes (log: $lab_cache/log/repository.log)"
    mkdir -p "$lab_cache/tmp/debian"
    repository_from=$(docker create "$node_image" true)
    docker cp "$repository_from:/repository/." "$lab_cache/tmp/debian"
    docker rm "$repository_from" >/dev/null
    set --
    for repository_version in $lab_kubernetes; do
        set -- "$@" --volume "$(kubernetes_folder "$repository_version"):/kubernetes/$repository_version:ro"
    done
    in_packer "$lab_cache/log/repository.log" builder/repository.sh "$@" --env "KUBERNETES=$lab_kubernetes" \
        --env "CONTAINERD=/cache/$(go_part "$node_containerd")" --env "CRICTL=/cache/$(go_part "$node_crictl")" \
        --env DEBIAN=/cache/tmp/debian --env OUT=/cache/tmp/repository
    mkdir -p "$lab_cache/tmp/repository/images"
    for repository_version in $lab_kubernetes; do
        ln "$(kubernetes_archive "$repository_version")" "$lab_cache/tmp/repository/images/v$repository_version.tar"
    done
    ln "$lab_cache/$cni_part" "$lab_cache/tmp/repository/images/cni.tar"
    cache_put repository "$repository_part"
}
