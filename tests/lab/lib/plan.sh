# shellcheck shell=sh disable=SC2034,SC2154 # the files of this folder share their variables
# How many steps are ahead, so that each can say which of how many it is. Follows the functions
# that build: a part that is there needs nothing that it was made of.

plan_one() { step_total=$((step_total + 1)); }

# plan: sets step_total, for building what is missing and starting nodes.
plan() {
    step_total=$((step_number + 1))
    plan_builder=no
    plan_tree=no
    plan_base=no
    for plan_version in $lab_kubernetes; do
        kubernetes_is_users "$plan_version" && continue
        have "$(kubernetes_part "$plan_version")" || { plan_one && plan_tree=yes; }
        [ -e "$(kubernetes_archive "$plan_version")" ] || { plan_one && plan_tree=yes; }
    done
    have "$cni_part" || { plan_one && plan_builder=yes; }
    if [ "$plan_tree" = yes ]; then
        plan_builder=yes
        have "$tree_part" || plan_one
    fi
    if [ "$plan_builder" = yes ] && ! image_exists "$builder_image"; then
        plan_one
        plan_base=yes
    fi
    if ! image_exists "$node_image"; then
        plan_one
        if ! image_exists "$machine_image"; then
            plan_one
            if [ -z "$lab_machine_image" ]; then plan_base=yes; fi
        fi
    fi
    if [ "$plan_base" = yes ] && ! image_exists "$base_image"; then
        plan_one
        if base_is_made_here && ! command -v mmdebstrap >/dev/null 2>&1; then plan_one; fi
    fi
}
