# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# How many steps are ahead, so that each can say which of how many it is. Follows the functions
# that build: a part that is there needs nothing that it was made of.

plan_one() { step_total=$((step_total + 1)); }

# plan_parts NAME-VERSION...: those that have to be compiled, each once.
plan_parts() {
    for plan_part in "$@"; do
        case " $plan_planned " in *" $plan_part "*) continue ;; esac
        have "$(go_part "$plan_part")" && continue
        plan_planned="$plan_planned $plan_part"
        plan_packer=yes
        plan_one
    done
}

# plan: sets step_total, for building what is missing and starting nodes.
plan() {
    step_total=$((step_number + 1))
    plan_packer=no
    plan_planned=
    plan_tree=no
    plan_base=no
    for plan_version in $lab_kubernetes; do
        kubernetes_is_users "$plan_version" && continue
        plan_work=no
        have "$(kubernetes_part "$plan_version")" || { plan_one && plan_work=yes; }
        [ -e "$(kubernetes_archive "$plan_version")" ] || { plan_one && plan_work=yes; }
        if [ "$plan_work" = no ] || kubernetes_is_released "$plan_version"; then continue; fi
        if kubernetes_is_debians "$plan_version"; then plan_tree=yes; else plan_packer=yes; fi
        # A list of names.
        # shellcheck disable=SC2046
        plan_parts $(kubernetes_beside "$plan_version")
    done
    have "$cni_part" || { plan_one && plan_packer=yes; }
    # shellcheck disable=SC2086
    plan_parts $node_containerd $node_crictl
    if [ "$plan_tree" = yes ]; then
        have "$tree_part" || plan_one
        if ! image_exists "$builder_image"; then
            plan_one
            plan_base=yes
        fi
    fi
    if [ "$lab_image" = bare ]; then
        have "$repository_part" || { plan_one && plan_packer=yes; }
        image_exists "$node_image" || { plan_one && plan_base=yes; }
    elif ! image_exists "$node_image"; then
        plan_one
        if ! image_exists "$machine_image"; then
            plan_one
            if [ -z "$lab_machine_image" ]; then plan_base=yes; fi
        fi
    fi
    if [ "$plan_packer" = yes ] && ! image_exists "$packer_image"; then
        plan_one
        plan_base=yes
    fi
    if [ "$plan_base" = yes ] && ! image_exists "$base_image"; then
        plan_one
        if base_is_made_here && ! command -v mmdebstrap >/dev/null 2>&1; then plan_one; fi
    fi
}
