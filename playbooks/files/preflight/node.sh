#!/bin/sh
# Looks at what a node brings along that the playbooks go by, and changes nothing. Prints one line for each thing: a word
# for what it is, then the values. What cannot be found out is printed as "unknown".
#
#   runtime SOCKET|missing        the first of the sockets that is there
#   cri ok|disabled|failed|unknown
#                                 whether the runtime offers what kubelets ask for
#   cgroups DRIVER BY             systemd or cgroupfs: who looks after the groups of containers. BY: cri (asked as the kubelet
#                                 asks), runtime (it was asked otherwise), or configuration (its files: it may not have read
#                                 them since they were changed)
#   tells yes|no                  whether the runtime tells the kubelet which of the two, which from 1.34 on does as it is told
#   sandbox IMAGE here|away|unknown
#                                 of what the runtime makes every pod's sandbox, and whether it has that
#   crictl yes|no
#   hierarchy v1|v2|unknown       of the kernel's control groups
#   init systemd|other
#   resolver FILE WORD…           the file that pods' DNS goes by, and: fine, missing, empty, or the name servers in it that
#                                 are this node itself
#   upstreams FILE|none           where the resolver is not fine: a file with name servers that are elsewhere
#   pause IMAGE                   of what kubeadm has sandboxes made
#   joined yes|no                 whether the node is in a cluster; and then
#   kubelet DRIVER                the driver of control groups that its kubelet is told
#   network FILE                  a network's configuration in /etc/cni/net.d; the runtime takes the first by name
#
# usage: node.sh SOCKETS RESOLVER
#   SOCKETS   container runtimes' sockets to look for, with spaces between
#   RESOLVER  the file that kubelets are told to go by; empty: none
#
# Where paths begin: w_root, which only tests set.
set -u

sockets=$1
told_resolver=$2
root=${w_root-}
LC_ALL=C
export LC_ALL

has() { command -v "$1" >/dev/null 2>&1; }

# A runtime that hangs is one that cannot be asked.
soon() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }

# ---------------------------------------------------------------------------------------- the runtime

by_crictl() {
    has crictl || return 1
    soon crictl --timeout=5s --runtime-endpoint="unix://$socket" --image-endpoint="unix://$socket" "$@" 2>/dev/null
}
by_ctr() { soon ctr --address "$socket" --namespace k8s.io "$@" 2>/dev/null; }

# What containerd's files amount to. Printed once: it takes a moment.
containerd_config() { soon containerd config dump 2>/dev/null; }

# Whether it offers CRI. Docker's packages of containerd come with it switched off.
cri() {
    case $socket in
        */docker.sock) echo ok && return ;;
        */containerd.sock)
            # Its own word, by program: a crictl may be too old to be understood.
            if plugins=$(by_ctr plugins ls); then
                printf '%s\n' "$plugins" | awk '
                    $1 == "io.containerd.grpc.v1" && $2 == "cri" { state = $NF }
                    END { print state == "" ? "disabled" : state == "ok" ? "ok" : "failed" }'
                return
            fi
            ;;
    esac
    if by_crictl info >/dev/null; then echo ok && return; fi
    case $socket in
        */containerd.sock)
            if printf '%s\n' "$config" | awk '/^disabled_plugins/ { on = 1 } on { print } on && /\]/ { exit }' |
                grep -Eq "[\"'](io\.containerd\.(grpc|cri)\.v1\.)?(cri|runtime)[\"']"; then
                echo disabled && return
            fi
            ;;
    esac
    echo unknown
}

# The default runtime's driver, of what `crictl info` prints of containerd.
of_info() {
    awk '
        { line[NR] = $0 }
        match($0, /"defaultRuntimeName": *"[^"]*"/) {
            name = substr($0, RSTART, RLENGTH); sub(/^.*: *"/, "", name); sub(/"$/, "", name)
        }
        END {
            if (name == "") exit
            for (i = 1; i <= NR; i++) {
                if (line[i] ~ /"runtimes": *\{/) among = 1
                if (!among || index(line[i], "\"" name "\": {") == 0) continue
                match(line[i], /^ */); depth = RLENGTH
                driver = "cgroupfs"
                for (i++; i <= NR; i++) {
                    match(line[i], /^ */)
                    if (RLENGTH <= depth) break
                    if (line[i] ~ /"SystemdCgroup": *true/) driver = "systemd"
                }
                print driver
                exit
            }
        }'
}

# The same, of containerd's configuration.
of_config() {
    awk '
        { gsub(/["\047 \t]/, "") }
        /^\[/ { section = $0; runtime = ""
            if (section ~ /\.containerd\.runtimes\./) {
                runtime = section; sub(/^.*\.containerd\.runtimes\./, "", runtime); sub(/(\.options)?\]$/, "", runtime)
                there[runtime] = 1
            }
            next
        }
        section ~ /\.containerd\]$/ && /^default_runtime_name=/ { name = $0; sub(/^[^=]*=/, "", name) }
        runtime != "" && /^SystemdCgroup=true/ { systemd[runtime] = 1 }
        END {
            if (name == "") name = "runc"
            if (name in there) print (name in systemd) ? "systemd" : "cgroupfs"
        }'
}

# driver BY COMMAND…: prints what the command says, if it is one of the two.
driver() {
    driver_by=$1
    shift
    case $("$@") in
        systemd | SYSTEMD) echo "systemd $driver_by" ;;
        cgroupfs | CGROUPFS) echo "cgroupfs $driver_by" ;;
        *) return 1 ;;
    esac
}

by_runtime_config() { by_crictl runtime-config | sed -n 's/.*cgroup driver: *\([A-Za-z]*\).*/\1/p'; }
by_info() { by_crictl info | of_info; }
by_files() { printf '%s\n' "$config" | of_config; }
by_docker() { soon docker info -f '{{.CgroupDriver}}' 2>/dev/null; }
by_crio_status() { soon crio status info 2>/dev/null | sed -n 's/^cgroup driver: *//p'; }
by_crio_config() {
    # The later files win; systemd is its default.
    found=$(cat "$root"/etc/crio/crio.conf "$root"/etc/crio/crio.conf.d/* 2>/dev/null |
        sed -n 's/^[[:space:]]*cgroup_manager[[:space:]]*=[[:space:]]*"\([a-z]*\)".*/\1/p' | tail -n 1)
    echo "${found:-systemd}"
}

cgroups() {
    case $socket in
        */docker.sock) driver runtime by_docker && return ;;
        *) driver cri by_runtime_config && return ;;
    esac
    case $socket in
        */containerd.sock) driver runtime by_info && return; driver configuration by_files && return ;;
        */cri-dockerd.sock) driver runtime by_docker && return ;;
        */crio.sock) driver runtime by_crio_status && return; driver configuration by_crio_config && return ;;
    esac
    echo unknown unknown
}

# containerd from 2.0 on, CRI-O from 1.28.
tells() {
    case $1 in *' cri') echo yes && return ;; esac
    case $socket in
        */containerd.sock) major=$(soon containerd --version 2>/dev/null | sed -n 's/.* v\{0,1\}\([0-9]*\)\.[0-9].*/\1/p')
            least=2 ;;
        */crio.sock) major=$(soon crio --version 2>/dev/null | sed -n 's/^crio version 1\.\([0-9]*\).*/\1/p' | head -n 1)
            least=28 ;;
        *) major='' ;;
    esac
    if [ -n "$major" ] && [ "$major" -ge "$least" ]; then echo yes; else echo no; fi
}

sandbox() {
    case $socket in
        */containerd.sock) image=$(printf '%s\n' "$config" |
            sed -n "s/^[[:space:]]*sandbox\(_image\)\{0,1\}[[:space:]]*=[[:space:]]*[\"']\([^\"']*\)[\"'].*/\2/p" | head -n 1) ;;
        */crio.sock) image=$(soon crio config 2>/dev/null |
            sed -n 's/^[# ]*pause_image[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\1/p' | head -n 1) ;;
        *) return ;;
    esac
    [ -n "$image" ] || return
    is=unknown
    case $socket in
        */containerd.sock) if have=$(by_ctr images ls -q); then
            if printf '%s\n' "$have" | grep -qxF "$image"; then is=here; else is=away; fi
        fi ;;
    esac
    if [ "$is" = unknown ] && by_crictl version >/dev/null; then
        if by_crictl inspecti "$image" >/dev/null; then is=here; else is=away; fi
    fi
    echo "sandbox $image $is"
}

runtime() {
    for socket in $sockets; do
        [ -S "$socket" ] || continue
        echo "runtime $socket"
        config=''
        case $socket in */containerd.sock) config=$(containerd_config) ;; esac
        echo "cri $(cri)"
        cgroups_said=$(cgroups)
        echo "cgroups $cgroups_said"
        echo "tells $(tells "$cgroups_said")"
        sandbox
        return
    done
    echo "runtime missing"
}

# ------------------------------------------------------------------------------------------- the rest

hierarchy() {
    case $(stat -fc %T "$root/sys/fs/cgroup" 2>/dev/null) in
        cgroup2fs) echo v2 ;;
        tmpfs) echo v1 ;;
        *) echo unknown ;;
    esac
}

# What is wrong with a file of name servers: missing, empty, or those of them that are the node itself.
amiss() {
    [ -r "$1" ] || { echo missing && return; }
    awk '$1 == "nameserver" { some = 1 }
        $1 == "nameserver" && ($2 ~ /^127\./ || $2 ~ /^::1(%|$)/ || $2 == "0.0.0.0" || $2 == "::") { print $2 }
        END { if (!some) print "empty" }' "$1"
}

# kubeadm has kubelets go by the file of systemd-resolved where that runs.
resolver() {
    file=$told_resolver
    if [ -z "$file" ] && [ -e "$root/etc/kubernetes/kubelet.conf" ]; then
        file=$(cat "$root/var/lib/kubelet/kubeadm-flags.env" "$root/etc/default/kubelet" "$root/etc/sysconfig/kubelet" 2>/dev/null |
            sed -n 's/.*--resolv-conf[= ]\([^"[:space:]]*\).*/\1/p' | tail -n 1)
        if [ -z "$file" ]; then
            file=$(sed -n 's/^resolvConf:[[:space:]]*"\{0,1\}\([^"[:space:]]*\).*/\1/p' "$root/var/lib/kubelet/config.yaml" 2>/dev/null)
        fi
    elif [ -z "$file" ] && [ "$(systemctl is-active systemd-resolved 2>/dev/null)" = active ]; then
        file=/run/systemd/resolve/resolv.conf
    fi
    file=${file:-/etc/resolv.conf}
    # As one line.
    # shellcheck disable=SC2046
    set -- $(amiss "$root$file" | head -n 8)
    if [ $# -eq 0 ]; then echo "resolver $file fine" && return; fi
    echo "resolver $file $*"
    # systemd-resolved, NetworkManager and Debian's dnsmasq keep the name servers that they ask in files of their own.
    for file in /run/systemd/resolve/resolv.conf /run/NetworkManager/no-stub-resolv.conf /run/dnsmasq/resolv.conf; do
        if [ -z "$(amiss "$root$file")" ]; then echo "upstreams $file" && return; fi
    done
    echo "upstreams none"
}

pause() {
    version=$(soon kubeadm version -o short 2>/dev/null) || return 0
    soon kubeadm config images list --kubernetes-version "$version" 2>/dev/null | sed -n 's|^\(.*/pause:.*\)|pause \1|p'
}

joined() {
    if [ ! -e "$root/etc/kubernetes/kubelet.conf" ]; then echo "joined no" && return; fi
    echo "joined yes"
    sed -n 's/^cgroupDriver:[[:space:]]*"\{0,1\}\([a-z]*\).*/kubelet \1/p' "$root/var/lib/kubelet/config.yaml" 2>/dev/null
}

networks() {
    for file in "$root"/etc/cni/net.d/*; do
        case $file in *.conf | *.conflist | *.json) ;; *) continue ;; esac
        if [ -e "$file" ] || [ -L "$file" ]; then printf 'network %s\n' "${file##*/}"; fi
    done | sort | head -n 20
}

runtime
echo "crictl $(if has crictl; then echo yes; else echo no; fi)"
echo "hierarchy $(hierarchy)"
echo "init $(if [ -d "$root/run/systemd/system" ]; then echo systemd; else echo other; fi)"
resolver
pause
joined
networks
