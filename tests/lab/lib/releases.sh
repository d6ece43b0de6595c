# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# Kubernetes as it was released: programs that are checked against their published checksums, and the images that its kubeadm
# names. Taken where they can be reached, since that is minutes faster than compiling; WINDLASS_LAB_KUBERNETES_FROM says otherwise.

release_site=https://dl.k8s.io/release

# The versions that are taken as they were released, with a space around each.
releases=' '

# Settles which. What is in the cache already is used; a version that is not is asked for over the network, once.
releases_settle() {
    for release_version in $lab_kubernetes; do
        kubernetes_is_users "$release_version" && continue
        kubernetes_is_debians "$release_version" && continue
        case $lab_kubernetes_from in
            modules) ;;
            release) releases="$releases$release_version " ;;
            auto)
                if have "kubernetes-$release_version-released"; then
                    releases="$releases$release_version "
                elif ! have "$(go_part "kubernetes-$release_version")" && release_is_reached "$release_version"; then
                    releases="$releases$release_version "
                fi
                ;;
            *) die "WINDLASS_LAB_KUBERNETES_FROM is '$lab_kubernetes_from'." "It is release, modules, or auto: whichever can be had." ;;
        esac
    done
}

kubernetes_is_released() { case $releases in *" $1 "*) ;; *) return 1 ;; esac }

release_architecture() {
    case $(uname -m) in
        aarch64 | arm64) echo arm64 ;;
        *) echo amd64 ;;
    esac
}

# release_url VERSION PROGRAM: prints where it is.
release_url() { printf '%s/v%s/bin/linux/%s/%s' "$release_site" "$1" "$(release_architecture)" "$2"; }

# release_is_reached VERSION
release_is_reached() {
    command -v curl >/dev/null 2>&1 &&
        curl --silent --fail --location --max-time 10 --output /dev/null "$(release_url "$1" kubeadm.sha256)"
}

# release_fetch VERSION: the programs, each with the checksum that was published for it.
release_fetch() {
    step "fetching Kubernetes $1 as it was released (log: $lab_cache/log/kubernetes-$1.log)"
    mkdir -p "$lab_cache/tmp/release"
    for release_program in kubeadm kubelet kubectl; do
        release_from=$(release_url "$1" "$release_program")
        logged "$lab_cache/log/kubernetes-$1.log" curl --fail --silent --show-error --location --retry 3 \
            --output "$lab_cache/tmp/release/$release_program" "$release_from" \
            --output "$lab_cache/tmp/release/$release_program.sha256" "$release_from.sha256"
        release_sum=$(cut -d ' ' -f 1 <"$lab_cache/tmp/release/$release_program.sha256")
        if ! printf '%s  %s\n' "$release_sum" "$lab_cache/tmp/release/$release_program" | sha256sum --check --status; then
            die "$release_from has not the checksum that was published for it." \
                "Run the same again; or compile it: WINDLASS_LAB_KUBERNETES_FROM=modules"
        fi
        chmod 0755 "$lab_cache/tmp/release/$release_program"
        rm "$lab_cache/tmp/release/$release_program.sha256"
    done
    cache_put release "$(kubernetes_part "$1")"
}

# release_images VERSION: the images that its kubeadm names.
release_images() {
    release_names=$("$lab_cache/$(kubernetes_part "$1")/kubeadm" config images list --kubernetes-version "v$1" 2>/dev/null)
    step "fetching the images of Kubernetes $1 (log: $lab_cache/log/images-$1.log)"
    for release_name in $release_names; do logged "$lab_cache/log/images-$1.log" docker pull "$release_name"; done
    # shellcheck disable=SC2086 # a list of names
    logged "$lab_cache/log/images-$1.log" docker save --output "$lab_cache/tmp/images.tar" $release_names
    cache_put images.tar "$(archive_part "$1")"
}
