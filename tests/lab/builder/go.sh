# shellcheck shell=sh
# Runs in the packer: puts a Go in the PATH that is new enough. /goroot is the machine's own, where it has one; else Debian's
# (too old for today's Kubernetes) fetches the one that is wanted: Go comes through the module proxy as a module too.

export CGO_ENABLED=0 GOFLAGS=-modcacherw GOWORK=off GOTOOLCHAIN=local GOCACHE=/cache/go/build GOMODCACHE=/cache/go/mod

if [ -x /goroot/bin/go ]; then
    PATH=/goroot/bin:$PATH
else
    go_module=golang.org/toolchain@v0.0.1-go$GO_VERSION.linux-$(dpkg --print-architecture)
    go_root=$GOMODCACHE/$go_module
    if [ ! -e "$go_root/.ready" ]; then
        echo "fetching Go $GO_VERSION"
        (cd / && /usr/lib/go-1.19/bin/go mod download "$go_module")
        # An archive of a module does not say what can be run.
        chmod +x "$go_root"/bin/* "$go_root"/pkg/tool/*/*
        : >"$go_root/.ready"
    fi
    PATH=$go_root/bin:$PATH
fi
export PATH
