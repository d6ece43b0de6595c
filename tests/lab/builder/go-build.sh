#!/bin/sh
# Runs in the packer: compiles the programs that $PART/go.mod names as tools into $OUT. Sources come through the module proxy,
# each checked against its hash in go.sum, which is not written to.
set -eu

# shellcheck source=go.sh
. /lab/builder/go.sh

version=${PART##*-}
major=${version%%.*}
minor=${version#*.}
minor=${minor%%.*}
flags='-s -w'
case $PART in
    */kubernetes-*)
        for package in component-base/version client-go/pkg/version; do
            name=k8s.io/$package
            flags="$flags -X $name.gitVersion=v$version -X $name.gitMajor=$major -X $name.gitMinor=$minor -X $name.gitTreeState=clean"
        done
        ;;
    */containerd-*) flags="$flags -X github.com/containerd/containerd/v2/version.Version=v$version" ;;
    */crictl-*) flags="$flags -X sigs.k8s.io/cri-tools/pkg/version.Version=v$version" ;;
esac

mkdir -p "$OUT"
cd "$PART"
echo "fetching modules"
programs=$(go list -mod=readonly -f '{{.ImportPath}}' tool)
of=$(printf '%s\n' "$programs" | wc -l)
number=0
for package in $programs; do
    number=$((number + 1))
    # go.etcd.io/etcd/server/v3 is etcd; the others are called as the last folder that is no version.
    name=$(printf '%s\n' "$package" | sed 's#/v[0-9]*$##; s#.*/##; s#^server$#etcd#')
    echo "compiling $name v$version ($number of $of)"
    go build -mod=readonly -trimpath -ldflags "$flags" -o "$OUT/$name" "$package"
done

# The program that holds a pod's namespaces is C, and comes with Kubernetes.
if [ "$(go list -mod=readonly -m -f '{{.Path}}' k8s.io/kubernetes 2>/dev/null)" = k8s.io/kubernetes ]; then
    cp "$(go list -mod=readonly -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c" "$OUT/pause.c"
fi
