# shellcheck shell=sh disable=SC2154 # kubeadm is set before
# Has kubeadm look through a configuration, where it can; changes nothing. Comes after kubeadm.sh, whose functions it uses,
# and ends with kubeadm's status, or with 78 where kubeadm has no `config validate`.

# An older one shows the help of `config` here.
if "$kubeadm" config validate --help 2>/dev/null </dev/null | grep -q 'config validate'; then
  w_private_folder
  w_kubeadm config validate --config "$w_dir/config.yaml"
fi
cat >/dev/null
exit 78
