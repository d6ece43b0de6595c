# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# The second image that nodes can be started from: Debian with Python and common services, for what is compared with
# programs that need Python on nodes. WINDLASS_LAB_IMAGE=python chooses it.

python_image_settle() {
    node_image=windlass-lab/python:$(key "$base_image" "$lab_dir/python/install.sh" \
        "$lab_dir/node/users.sh" "$lab_dir/node/entrypoint" "$lab_dir/node/seed-images" "$lab_dir/node/system.conf" "$lab_dir/node/sshd.conf")
}

python_image_build() {
    image_exists "$node_image" && return 0
    base_build
    step "installing a server with Python, in a container (log: $lab_cache/log/python.log)"
    image_from "$base_image" "$node_image" "$lab_cache/log/python.log" python/install.sh
}

# Sets step_total, as plan does for the other image.
python_plan() {
    step_total=$((step_number + 1))
    image_exists "$node_image" && return 0
    plan_one
    image_exists "$base_image" && return 0
    plan_one
    if base_is_made_here && ! command -v mmdebstrap >/dev/null 2>&1; then plan_one; fi
}
