# shellcheck shell=sh
# Runs in the packer. Packs folders into an archive of images, of one layer each, as
# `docker save` would: there is no registry in the lab, and nothing else is needed for it.

work=$(mktemp -d)
archive=$work/archive
mkdir "$archive"
manifests=
go_architecture=$(dpkg --print-architecture)

# copy_libraries ROOT FILE: the shared libraries that FILE needs, at their own places.
copy_libraries() {
    # A static binary has none, and ldd says so by failing.
    { ldd "$2" 2>/dev/null || true; } | grep -oE '/[^ ]+' | while read -r library; do
        [ -e "$1$library" ] || install -D "$(readlink -f "$library")" "$1$library"
    done
}

# copy_program ROOT FILE [PLACE]: a program with its libraries.
copy_program() {
    install -D "$(readlink -f "$2")" "$1${3:-$2}"
    copy_libraries "$1" "$2"
}

# busybox ROOT APPLET...
copy_busybox() {
    busybox_root=$1
    shift
    install -D /bin/busybox "$busybox_root/bin/busybox"
    for applet in "$@"; do ln -sf busybox "$busybox_root/bin/$applet"; done
}

# image NAME ROOT CONFIG: adds the folder ROOT as an image; CONFIG is the inside of its config.
image() {
    echo "packing $1"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$2" -cf "$work/layer.tar" .
    layer=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
    mkdir -p "$archive/$layer"
    mv "$work/layer.tar" "$archive/$layer/layer.tar"
    printf '{"architecture":"%s","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$go_architecture" "$3" "$layer" >"$work/config.json"
    config=$(sha256sum "$work/config.json" | cut -d ' ' -f 1).json
    mv "$work/config.json" "$archive/$config"
    manifests="$manifests${manifests:+,}{\"Config\":\"$config\",\"RepoTags\":[\"$1\"],\"Layers\":[\"$layer/layer.tar\"]}"
}

# finish FILE: writes the archive.
finish() {
    printf '[%s]' "$manifests" >"$archive/manifest.json"
    tar -C "$archive" -cf "$1" .
    rm -rf "$work"
}
