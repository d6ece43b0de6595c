#!/bin/sh
# Runs in the builder: unpacks the Kubernetes tree to $TREE/src/k8s.io/kubernetes and makes it
# fit to be compiled: two libraries replaced, the generated OpenAPI code made.
set -eu

root=$TREE/src/k8s.io/kubernetes
mkdir -p "$root"
echo "unpacking"
tar -x -f /usr/src/kubernetes/upstream.tar -C "$root" --strip-components 1
cd "$root"

# The copies in the tree crash at run time when compiled by Go 1.18 or later.
for library in modern-go/reflect2 json-iterator/go; do
    rm -rf "vendor/github.com/$library"
    cp -rL "/usr/share/gocode/src/github.com/$library" "vendor/github.com/$library"
done

# Module mode refuses the changed vendor folder; GOPATH mode does not look.
export PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off GOPATH="$TREE" CGO_ENABLED=0

# kube-apiserver does not compile without code that upstream's build generates first: one
# function for all the packages that carry the marker.
echo "compiling openapi-gen"
go build -o "$TREE/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
packages=$(grep -rl --include='*.go' '^// *+k8s:openapi-gen=' cmd pkg plugin staging/src/k8s.io vendor/k8s.io |
    grep -v _test.go | xargs -n 1 dirname |
    sed -E 's#^staging/src/##; s#^vendor/##; s#^(cmd|pkg|plugin)/#k8s.io/kubernetes/\1/#' | sort -u | paste -s -d ,)
echo "generating the OpenAPI code"
"$TREE/openapi-gen" --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi \
    -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt -r "$TREE/violations"
