# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The images that the lab is built with and in: `base` (Debian 12, small), `packer` (base with what images are made of, in
# which Go modules are compiled too) and `builder` (base with the compilers and the source of Kubernetes 1.20). They are only
# tools: no node is made of packer or builder.

base_packages=ca-certificates

# What the builder holds. Kubernetes 1.20 builds with Go 1.19; the two Go libraries replace
# copies in its tree that crash when compiled by Go 1.18 or later.
builder_packages='ca-certificates dpkg-dev gcc libc6-dev golang-1.19-go
 golang-github-modern-go-reflect2-dev golang-github-json-iterator-go-dev
 etcd-server etcd-client iptables ipset conntrack busybox-static binutils'

# Debian's version of the source package that holds the upstream tree of Kubernetes 1.20.2.
kubernetes_source='kubernetes=1.20.5+really1.20.2-1.1+deb12u1'

# The Go that today's Kubernetes is compiled with. The machine's own is used where it is not older; else this one is
# fetched, by Debian's.
go_version=1.26.8

# The last line is for the repository of bare nodes: what signs and indexes it, and programs that are packed in it.
packer_packages='ca-certificates dpkg-dev gcc libc6-dev iptables ipset conntrack busybox-static binutils
 apt-utils gpg gpg-agent runc containernetworking-plugins'

# Prints where the machine's own Go is, if it is new enough.
host_go() {
    command -v go >/dev/null 2>&1 || return 0
    host_go_version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 0
    host_go_version=${host_go_version#go}
    if [ "$(printf '%s\n%s\n' "$go_version" "${host_go_version%% *}" | sort -V | head -n 1)" = "$go_version" ]; then
        go env GOROOT
    fi
}

images_settle() {
    # Debian's Go is only for fetching the other.
    [ -n "$(host_go)" ] || packer_packages="$packer_packages golang-1.19-go"
    go_key=$(key "$go_version" "$lab_dir/builder/go.sh" "$lab_dir/builder/go-build.sh")
    base_image=${lab_base_image:-windlass-lab/base:$(key "bookworm minbase $base_packages")}
    packer_image=windlass-lab/packer:$(key "$base_image" "$packer_packages" "$lab_dir/builder/packer.sh")
    builder_image=windlass-lab/builder:$(key "$base_image" "$builder_packages" "$kubernetes_source" "$lab_dir/builder/install.sh")
}

image_exists() { docker image inspect "$1" >/dev/null 2>&1; }

# Whether the base image is made on this machine, and not fetched.
base_is_made_here() { [ -z "$lab_base_image" ] && [ "$(id -u)" -eq 0 ] && [ -n "$(host_debian_sources)" ]; }

# Makes the base image: from the mirror that this machine's apt uses where we may install
# mmdebstrap, else from a registry.
base_build() {
    image_exists "$base_image" && return 0
    if ! base_is_made_here; then
        step "fetching the image ${lab_base_image:-debian:bookworm-slim}"
        logged "$lab_cache/log/base.log" docker pull "${lab_base_image:-docker.io/library/debian:bookworm-slim}"
        [ -n "$lab_base_image" ] || docker tag docker.io/library/debian:bookworm-slim "$base_image"
        return 0
    fi
    host_packages "making a small Debian" mmdebstrap:mmdebstrap
    step "making a small Debian 12 (log: $lab_cache/log/base.log)"
    host_debian_sources >"$lab_cache/tmp/base.list"
    host_apt_settings >"$lab_cache/tmp/base.conf"
    # The machine's settings are for the making only: they may name a proxy.
    # shellcheck disable=SC2016 # $1 is the hook's own
    logged "$lab_cache/log/base.log" mmdebstrap --variant=minbase --include="$base_packages" \
        --aptopt="$lab_cache/tmp/base.conf" --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
        bookworm "$lab_cache/tmp/base.tar" "$lab_cache/tmp/base.list"
    logged "$lab_cache/log/base-import.log" docker import "$lab_cache/tmp/base.tar" "$base_image"
    rm -f "$lab_cache/tmp/base.tar"
}

# image_from FROM TO LOG SCRIPT [DOCKER-RUN-OPTION...]: runs SCRIPT (a file in tests/lab) as
# root in a container of FROM, with this machine's network and its ways to reach mirrors,
# and keeps the outcome as image TO. A container that fails leaves no image.
image_from() {
    image_from=$1 image_to=$2 image_log=$3 image_script=$4
    shift 4
    image_name=windlass-lab-build-$$
    host_apt_settings >"$lab_cache/tmp/apt.conf"
    builder_container=$image_name
    logged "$image_log" docker run --name "$image_name" --network host --label windlass.lab=build \
        --env http_proxy --env https_proxy --env no_proxy \
        --volume "$lab_cache/tmp/apt.conf:/etc/apt/apt.conf.d/99lab-host:ro" \
        --volume "$lab_dir:/lab:ro" "$@" --entrypoint /bin/sh "$image_from" "/lab/$image_script"
    logged "$image_log.commit" docker commit --change 'ENTRYPOINT []' --change 'CMD ["/bin/sh"]' "$image_name" "$image_to"
    docker rm --force --volumes "$image_name" >/dev/null
    builder_container=
}

builder_build() {
    image_exists "$builder_image" && return 0
    base_build
    step "installing compilers and fetching the Kubernetes source, in a container (log: $lab_cache/log/builder.log)"
    image_from "$base_image" "$builder_image" "$lab_cache/log/builder.log" builder/install.sh \
        --env "PACKAGES=$builder_packages" --env "SOURCE=$kubernetes_source"
}

packer_build() {
    image_exists "$packer_image" && return 0
    base_build
    step "installing a C compiler and what images are made of, in a container (log: $lab_cache/log/packer.log)"
    image_from "$base_image" "$packer_image" "$lab_cache/log/packer.log" builder/packer.sh --env "PACKAGES=$packer_packages"
}

# in_image IMAGE LOG SCRIPT [DOCKER-RUN-OPTION...]: runs SCRIPT in a container of the image
# as the user who called us, so that what it writes to the cache is theirs. At low priority:
# the machine stays usable.
in_image() {
    in_image=$1 builder_log=$2 builder_script=$3
    shift 3
    builder_container=windlass-lab-build-$$
    logged "$builder_log" docker run --rm --name "$builder_container" --network host --label windlass.lab=build \
        --user "$(id -u):$(id -g)" --env HOME=/tmp --volume "$lab_dir:/lab:ro" --volume "$lab_cache:/cache" "$@" \
        --entrypoint nice "$in_image" -n 10 sh "/lab/$builder_script"
    builder_container=
}

in_builder() { in_image "$builder_image" "$@"; }

# in_packer LOG SCRIPT [DOCKER-RUN-OPTION...]: the same, with the machine's own Go, if it is new enough, and with its ways
# to reach the module proxy.
in_packer() {
    packer_go=$(host_go)
    for packer_setting in GOPROXY GONOSUMDB GONOSUMCHECK GOSUMDB GOPRIVATE GONOPROXY; do
        packer_value=
        if [ -n "$packer_go" ]; then packer_value=$(go env "$packer_setting"); fi
        if [ -n "$packer_value" ]; then set -- "$@" --env "$packer_setting=$packer_value"; fi
    done
    if [ -n "$packer_go" ]; then set -- "$@" --volume "$packer_go:/goroot:ro"; fi
    # A machine behind a proxy that looks into TLS trusts another authority than Debian's package does.
    packer_trusted=$(host_authorities)
    if [ -n "$packer_trusted" ]; then
        set -- "$@" --volume "$packer_trusted:/etc/ssl/host.crt:ro" --env SSL_CERT_FILE=/etc/ssl/host.crt
    fi
    # The compiler ends before it needs most of what it would free: a sixth less work, for a little more memory.
    in_image "$packer_image" "$@" --env GOGC=400 --env "GO_VERSION=$go_version" --env http_proxy --env https_proxy --env no_proxy
}
