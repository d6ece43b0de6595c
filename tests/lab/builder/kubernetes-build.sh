#!/bin/sh
# Runs in the builder: compiles Kubernetes from $TREE as version $VERSION into $OUT. The
# version is only a text that the linker puts in, so a second version of the same tree is a
# matter of seconds when $GOCACHE is warm.
set -eu

export PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off GOPATH="$TREE" CGO_ENABLED=0
cd "$TREE/src/k8s.io/kubernetes"
mkdir -p "$OUT"

major=${VERSION%%.*}
minor=${VERSION#*.}
minor=${minor%%.*}
flags="-s -w"
# The names carry the vendor prefix, because in GOPATH mode that is where the packages are.
for package in component-base/version client-go/pkg/version; do
    name=k8s.io/kubernetes/vendor/k8s.io/$package
    flags="$flags -X $name.gitVersion=v$VERSION -X $name.gitMajor=$major -X $name.gitMinor=$minor -X $name.gitTreeState=clean"
done

number=0
for command in kubeadm kubectl kubelet kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
    number=$((number + 1))
    echo "compiling $command v$VERSION ($number of 7)"
    go build -trimpath -ldflags "$flags" -o "$OUT/$command" "./cmd/$command"
done
