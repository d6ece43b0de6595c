#!/bin/sh
# Runs in the packer: packs the image of the lab's pod network, a shell with ip and the kubectl
# of $BIN, into the archive $OUT. tests/lab/cni.yaml runs it.
set -eu
# shellcheck source=pack.sh
. /lab/builder/pack.sh

root=$work/cni
copy_busybox "$root" sh sleep cat ip mkdir mv sed grep awk sort httpd wget nslookup nc echo hostname
install -D "$BIN/kubectl" "$root/usr/local/bin/kubectl"
image docker.io/lab/cni:1 "$root" '"Env":["PATH=/usr/local/bin:/bin"]'
finish "$OUT"
