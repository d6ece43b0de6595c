# shellcheck shell=sh disable=SC2154 # what is set before is said below
# Applies or removes the manifest on standard input, and prints the objects before and after.
# Set before: w_kubectl (a function), state, namespace, manager (empty: the merging is kubectl's),
# force, dry.

w_need mktemp 'to keep the manifest while it is applied'
w_dir=$(umask 077 && mktemp -d) || exit 70
trap 'rm -rf "$w_dir"' EXIT
trap 'exit 143' HUP INT TERM
cat >"$w_dir/manifest"

# The minor version of kubectl; 99 when it does not say.
minor=$(w_kubectl version --client -o json 2>/dev/null |
  sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p' | head -n 1)
minor=${minor:-99}

w_get() {
  # Kinds that are not known yet are complained about; there can be no objects of them.
  w_kubectl get ${namespace:+"--namespace=$namespace"} -f "$w_dir/manifest" \
    --ignore-not-found -o json 2>"$w_dir/error"
}

w_dry_run() {
  if [ "$minor" -ge 18 ]; then echo --dry-run=server; else echo --server-dry-run; fi
}

w_apply() {
  set -- -f "$w_dir/manifest" -o json
  if [ "$namespace" ]; then set -- "$@" "--namespace=$namespace"; fi
  if [ "$dry" ]; then set -- "$@" "$(w_dry_run)"; fi
  # Server-side apply is on by default since 1.16.
  if [ "$manager" ] && [ "$minor" -ge 16 ]; then
    set -- "$@" --server-side "--field-manager=$manager"
    if [ "$force" ]; then set -- "$@" --force-conflicts; fi
  fi
  w_kubectl apply "$@" 2>"$w_dir/error"
}

before=$(w_get)
w_put before "$before"
w_put complaint "$(cat "$w_dir/error")"
if [ "$state" = present ]; then
  if after=$(w_apply); then w_put after "$after"; else w_put refused "$(cat "$w_dir/error")"; fi
elif [ "$before" ] && [ ! "$dry" ]; then
  w_kubectl delete ${namespace:+"--namespace=$namespace"} -f "$w_dir/manifest" \
    --ignore-not-found >/dev/null 2>"$w_dir/error" || w_put refused "$(cat "$w_dir/error")"
fi
