# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# Kubernetes itself: real binaries. Today's versions are compiled from the modules that go/ pins, or fetched as they were
# released where that can be reached; 1.20 is compiled from Debian's source package. Each version is a folder of the cache
# with the binaries and an archive of images; a user may bring more of them.

# The versions that we can make. 1.20.3 is the code of 1.20.2 under the next number, so that an upgrade has somewhere to go.
kubernetes_known='1.20.2 1.20.3 1.34.4 1.35.4 1.36.3 1.37.2'

# kubernetes_beside VERSION: prints the parts that its images of etcd and CoreDNS are made of: those of upstream's, or the
# nearest that the module proxy has (kubeadm 1.34 to 1.36 ask for etcd 3.6.5 to 3.6.8, and 1.37 for 3.7.0).
kubernetes_beside() {
    case $1 in
        1.34.*) echo etcd-3.6.14 coredns-1.12.1 ;;
        1.35.*) echo etcd-3.6.14 coredns-1.13.1 ;;
        1.36.*) echo etcd-3.6.14 coredns-1.14.2 ;;
        1.37.*) echo etcd-3.7.1 coredns-1.14.6 ;;
    esac
}

# Whether the version is compiled from Debian's source package.
kubernetes_is_debians() { case $1 in 1.20.*) ;; *) return 1 ;; esac }

# go_part NAME-VERSION: prints the name of the part of the cache with what go/NAME-VERSION builds.
go_part() {
    set -- "$1" "$lab_dir/go/$1/go.mod" "$lab_dir/go/$1/go.sum" "$lab_dir/go/$1"/*/main.go
    if [ ! -e "$4" ]; then set -- "$1" "$2" "$3"; fi
    go_name=$1
    shift
    printf '%s-%s' "$go_name" "$(key "$go_key" "$@")"
}

kubernetes_settle() {
    tree_part=tree-$(key "$builder_image" "$lab_dir/builder/kubernetes-tree.sh")
    kubernetes_key=$(key "$tree_part" "$lab_dir/builder/kubernetes-build.sh")
    for kubernetes_version in $lab_kubernetes; do
        kubernetes_is_users "$kubernetes_version" && continue
        case " $kubernetes_known " in
            *" $kubernetes_version "*) ;;
            *) die "the lab cannot make Kubernetes $kubernetes_version; it can make $kubernetes_known." \
                "To bring your own, put its binaries and images.tar in a folder v$kubernetes_version" \
                "and name the folder around it in WINDLASS_LAB_KUBERNETES_DIR. See tests/lab/README.md." ;;
        esac
    done
    releases_settle
    cni_part=cni-$(key "$(kubernetes_stamp "${lab_kubernetes%% *}")" "$packer_image" "$lab_dir/builder/cni.sh" "$lab_dir/builder/pack.sh").tar
}

# Whether the user brought this version.
kubernetes_is_users() { [ -n "$lab_kubernetes_dir" ] && [ -d "$lab_kubernetes_dir/v$1" ]; }

# kubernetes_part VERSION: prints the name of our folder for the version in the cache.
kubernetes_part() {
    if kubernetes_is_debians "$1"; then
        printf 'kubernetes-%s-%s' "$1" "$kubernetes_key"
    elif kubernetes_is_released "$1"; then
        printf 'kubernetes-%s-released' "$1"
    else
        go_part "kubernetes-$1"
    fi
}

# archive_part VERSION: prints the name of the archive of the version's images in the cache.
archive_part() {
    archive_of=$(kubernetes_part "$1")
    if ! kubernetes_is_released "$1"; then
        for archive_beside in $(kubernetes_beside "$1"); do archive_of="$archive_of $(go_part "$archive_beside")"; done
        archive_of=$(key "$archive_of" "$lab_dir/builder/images.sh" "$lab_dir/builder/pack.sh" "$lab_dir/images/dns.go")
    fi
    printf 'images-%s-%s.tar' "$1" "${archive_of##*-}"
}

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
        printf '%s %s' "$(kubernetes_part "$1")" "$(archive_part "$1")"
    fi
}

# kubernetes_archive VERSION: prints where the version's images are.
kubernetes_archive() {
    if kubernetes_is_users "$1"; then
        printf '%s/v%s/images.tar' "$lab_kubernetes_dir" "$1"
    else
        printf '%s/%s' "$lab_cache" "$(archive_part "$1")"
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

# go_build NAME-VERSION WHAT: compiles what go/NAME-VERSION pins.
go_build() {
    have "$(go_part "$1")" && return 0
    packer_build
    step "compiling $2 (log: $lab_cache/log/$1.log)"
    # The compiler's own cache and the modules stay until all is built: an interrupted build goes on where it was.
    mkdir -p "$lab_cache/go"
    in_packer "$lab_cache/log/$1.log" builder/go-build.sh --env "PART=/lab/go/$1" --env OUT=/cache/tmp/built
    cache_put built "$(go_part "$1")"
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
    if kubernetes_is_released "$1"; then
        release_fetch "$1"
        return 0
    fi
    if ! kubernetes_is_debians "$1"; then
        go_build "kubernetes-$1" "Kubernetes $1: six minutes or more on two cores"
        return 0
    fi
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
    if kubernetes_is_released "$1"; then
        release_images "$1"
        return 0
    fi
    if kubernetes_is_debians "$1"; then
        builder_build
        tree_build
        images_step "$1"
        in_builder "$lab_cache/log/images-$1.log" builder/images.sh --env "VERSION=$1" \
            --env "TREE=/cache/$tree_part" --env "BIN=/cache/$(kubernetes_part "$1")" --env OUT=/cache/tmp/images.tar
    else
        packer_build
        for images_part in $(kubernetes_beside "$1"); do
            case $images_part in
                etcd-*) images_etcd=$images_part && go_build "$images_part" "etcd ${images_part#*-}" ;;
                coredns-*) images_coredns=$images_part && go_build "$images_part" "CoreDNS ${images_part#*-}" ;;
            esac
        done
        images_step "$1"
        in_packer "$lab_cache/log/images-$1.log" builder/images.sh --env "VERSION=$1" \
            --env "BIN=/cache/$(kubernetes_part "$1")" --env "ETCD=/cache/$(go_part "$images_etcd")" \
            --env "COREDNS=/cache/$(go_part "$images_coredns")" --env OUT=/cache/tmp/images.tar
    fi
    cache_put images.tar "$(archive_part "$1")"
}

images_step() { step "packing the images of Kubernetes $1 (log: $lab_cache/log/images-$1.log)"; }

# The archive with the image of the lab's pod network, with the kubectl of the first version.
cni_build() {
    have "$cni_part" && return 0
    packer_build
    step "packing the image of the lab's pod network (log: $lab_cache/log/cni.log)"
    in_packer "$lab_cache/log/cni.log" builder/cni.sh --env BIN=/kubernetes --env OUT=/cache/tmp/cni.tar \
        --volume "$(kubernetes_folder "${lab_kubernetes%% *}"):/kubernetes:ro"
    cache_put cni.tar "$cni_part"
}

# What compiling leaves behind is of no use once all is built: gigabytes.
go_clean() { rm -rf "$lab_cache/go"; }
