# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# Kubernetes itself: real binaries, compiled from Debian's source package. Each version is a
# folder of the cache with the binaries and an archive of images; a user may bring more of them.

# The versions that we can make: the tree's own, and the same code under the next number, so
# that an upgrade has somewhere to go.
kubernetes_known='1.20.2 1.20.3'

kubernetes_settle() {
    tree_part=tree-$(key "$builder_image" "$lab_dir/builder/kubernetes-tree.sh")
    kubernetes_key=$(key "$tree_part" "$lab_dir/builder/kubernetes-build.sh")
    archive_key=$(key "$kubernetes_key" "$lab_dir/builder/images.sh" "$lab_dir/builder/pack.sh" "$lab_dir/images/dns.go")
    for kubernetes_version in $lab_kubernetes; do
        kubernetes_is_users "$kubernetes_version" && continue
        case " $kubernetes_known " in
            *" $kubernetes_version "*) ;;
            *) die "the lab cannot make Kubernetes $kubernetes_version; it can make $kubernetes_known." \
                "To bring your own, put its binaries and images.tar in a folder v$kubernetes_version" \
                "and name the folder around it in WINDLASS_LAB_KUBERNETES_DIR. See tests/lab/README.md." ;;
        esac
    done
    cni_part=cni-$(key "$(kubernetes_stamp "${lab_kubernetes%% *}")" "$lab_dir/builder/cni.sh" "$lab_dir/builder/pack.sh").tar
}

# Whether the user brought this version.
kubernetes_is_users() { [ -n "$lab_kubernetes_dir" ] && [ -d "$lab_kubernetes_dir/v$1" ]; }

# kubernetes_part VERSION: prints the name of our folder for the version in the cache.
kubernetes_part() { printf 'kubernetes-%s-%s' "$1" "$kubernetes_key"; }

# kubernetes_folder VERSION: prints where the version's files are.
kubernetes_folder() {
    if kubernetes_is_users "$1"; then
        printf '%s/v%s' "$lab_kubernetes_dir" "$1"
    else
        printf '%s/%s' "$lab_cache" "$(kubernetes_part "$1")"
    fi
}

# kubernetes_stamp VERSION: prints what tells one build of a version from another.
kubernetes_stamp() {
    if kubernetes_is_users "$1"; then
        ls -lL --time-style=full-iso "$lab_kubernetes_dir/v$1"
    else
        printf '%s %s' "$(kubernetes_part "$1")" "$archive_key"
    fi
}

# kubernetes_archive VERSION: prints where the version's images are.
kubernetes_archive() {
    if kubernetes_is_users "$1"; then
        printf '%s/v%s/images.tar' "$lab_kubernetes_dir" "$1"
    else
        printf '%s/images-%s-%s.tar' "$lab_cache" "$1" "$archive_key"
    fi
}

# Prints the options that give a container every version, each at /opt/kubernetes/vVERSION.
# Folders, not single files: a playbook can then replace /usr/bin/kubelet, as a package does.
kubernetes_mounts() {
    for kubernetes_version in $lab_kubernetes; do
        printf -- '--volume %s:/opt/kubernetes/v%s:ro ' "$(kubernetes_folder "$kubernetes_version")" "$kubernetes_version"
    done
}

# kubernetes_pause VERSION: prints the name of the image that holds a pod's namespaces.
kubernetes_pause() {
    "$(kubernetes_folder "$1")/kubeadm" config images list --kubernetes-version "v$1" 2>/dev/null | grep '/pause:'
}

tree_build() {
    have "$tree_part" && return 0
    builder_build
    step "preparing the Kubernetes tree (log: $lab_cache/log/tree.log)"
    in_builder "$lab_cache/log/tree.log" builder/kubernetes-tree.sh \
        --env TREE=/cache/tmp/tree --env GOCACHE=/cache/tmp/tree/gocache
    cache_put tree "$tree_part"
}

# kubernetes_build VERSION: the binaries.
kubernetes_build() {
    if kubernetes_is_users "$1"; then
        for kubernetes_file in kubeadm kubelet kubectl images.tar; do
            [ -e "$lab_kubernetes_dir/v$1/$kubernetes_file" ] || die "$lab_kubernetes_dir/v$1/$kubernetes_file is missing." \
                "A version that you bring is kubeadm, kubelet, kubectl and images.tar. See tests/lab/README.md."
        done
        return 0
    fi
    have "$(kubernetes_part "$1")" && return 0
    builder_build
    tree_build
    step "compiling Kubernetes $1: ten minutes the first time on two cores (log: $lab_cache/log/kubernetes-$1.log)"
    # The compiler's own cache stays with the tree: an interrupted build goes on where it was.
    in_builder "$lab_cache/log/kubernetes-$1.log" builder/kubernetes-build.sh \
        --env "TREE=/cache/$tree_part" --env "GOCACHE=/cache/$tree_part/gocache" \
        --env "VERSION=$1" --env OUT=/cache/tmp/kubernetes
    cache_put kubernetes "$(kubernetes_part "$1")"
}

# kubernetes_images VERSION: the archive of the images that this version's kubeadm asks for.
kubernetes_images() {
    [ -e "$(kubernetes_archive "$1")" ] && return 0
    builder_build
    tree_build
    step "packing the images of Kubernetes $1 (log: $lab_cache/log/images-$1.log)"
    in_builder "$lab_cache/log/images-$1.log" builder/images.sh --env "VERSION=$1" \
        --env "TREE=/cache/$tree_part" --env "BIN=/cache/$(kubernetes_part "$1")" --env OUT=/cache/tmp/images.tar
    cache_put images.tar "images-$1-$archive_key.tar"
}

# The archive with the image of the lab's pod network, with the kubectl of the first version.
cni_build() {
    have "$cni_part" && return 0
    builder_build
    step "packing the image of the lab's pod network (log: $lab_cache/log/cni.log)"
    in_builder "$lab_cache/log/cni.log" builder/cni.sh --env BIN=/kubernetes --env OUT=/cache/tmp/cni.tar \
        --volume "$(kubernetes_folder "${lab_kubernetes%% *}"):/kubernetes:ro"
    cache_put cni.tar "$cni_part"
}
