# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The cache: parts that are built once, each under a name that ends in a hash of what it is
# made of. A part is built beside its place and moved there when it is whole, so an
# interrupted build never leaves half of one.

# key TEXT-OR-FILE...: prints a short hash of the texts and of the files' contents.
key() {
    for key_item in "$@"; do
        if [ -f "$key_item" ]; then cat "$key_item"; else printf '%s\n' "$key_item"; fi
    done | sha256sum | cut -c 1-12
}

# Only one build at a time: two would do the same work twice and then race for its place.
# The lock goes with the process; children that outlive us must close descriptor 9.
cache_lock() {
    mkdir -p "$lab_cache" || die "the cache folder $lab_cache cannot be made." "Set WINDLASS_LAB_CACHE to a folder that can."
    exec 9>"$lab_cache/lock"
    if ! flock -n 9; then
        say "Another lab command is building in $lab_cache: waiting for it."
        flock 9
    fi
    # Whoever made these is gone, or it would hold the lock.
    rm -rf "$lab_cache/tmp"
    mkdir -p "$lab_cache/tmp" "$lab_cache/log"
}

cache_unlock() { exec 9>&-; }

# have PART: whether the cache holds it.
have() { [ -e "$lab_cache/$1" ]; }

# cache_put NAME PART: the finished file or folder tmp/NAME becomes PART.
cache_put() { mv "$lab_cache/tmp/$1" "$lab_cache/$2"; }
