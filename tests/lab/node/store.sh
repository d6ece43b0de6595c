#!/bin/sh
# Runs as root in a container of the machine image and makes it the node image: adds the lab's
# own files, then unpacks the archives of images with containerd itself and keeps what it makes.
# See seed-images for how nodes use that.
set -eu

sh /lab/node/setup.sh

# Newer programs than Debian's, in their places: containerd with its shim and ctr, crictl.
for program in /programs/*/*; do
    if [ -e "$program" ]; then install -m 0755 "$program" /usr/bin/; fi
done

sed -i "s#@SANDBOX_IMAGE@#$SANDBOX_IMAGE#; /completed with the pause image/d" /etc/containerd/config.toml

# /store is a volume: overlayfs does not unpack onto the overlay that a container's root is.
containerd --root /store --state /run/store --address /run/store.sock --log-level warn &
containerd=$!
until ctr --address /run/store.sock version >/dev/null 2>&1; do
    kill -0 "$containerd"
    sleep 0.1
done
for archive in /archives/*.tar; do
    echo "unpacking $archive"
    ctr --address /run/store.sock -n k8s.io images import "$archive"
done
kill "$containerd"
wait "$containerd" || true

echo "copying"
mkdir -p /usr/lib/windlass-lab/store
for part in content.v1.content metadata.v1.bolt snapshotter.v1.overlayfs; do
    cp -a "/store/io.containerd.$part" /usr/lib/windlass-lab/store/
done
rm -rf /run/store /run/store.sock
