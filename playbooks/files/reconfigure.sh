#!/bin/sh
# Compares what kubeadm would write on this node for a configuration with what the node has, and puts it in place. kubeadm
# writes into a folder of its own (`--rootfs`), so looking changes nothing. Runs as root. Needs kubeadm and awk.
#
#   reconfigure.sh look WHAT…                prints a line for each difference: COMPONENT TAB SIGN TAB SETTING,
#                                            with SIGN `+` for what the configuration has, `-` for what the node has,
#                                            `!` for a change that was begun and not finished, and `=` for what it has and a running
#                                            cluster cannot be given
#   reconfigure.sh pod SECONDS NAME FILE…    puts the static pod NAME in place, if it differs, and awaits it; puts the old
#                                            one back where the new one does not come up
#   reconfigure.sh kubelet                   puts the kubelet's configuration in place, the old one beside it
#   reconfigure.sh kubelet-back              puts the kubelet's old configuration back
#   reconfigure.sh kubelet-done              forgets the old one
#   reconfigure.sh upload WHAT               writes the ConfigMap WHAT: kubeadm, kubelet or kube-proxy
#   reconfigure.sh kube-proxy-done           kube-proxy runs with it on all nodes
#
# The environment has kubeadm's configuration, in base64: WINDLASS_CONFIG. In it @ADDRESS@ and @PORT@ stand for where the node's
# API server is.
# WHAT is `pods`, `etcd`, `certificate`, `kubelet`, `cluster` (what the ConfigMaps have), a FILE that static pods have from
# the node (a program that is older than it is to be restarted), or sha256:SUM:FILE, what it is to be.
# `pod`, `kubelet` and `kubelet-back` print `changed` if they changed something.
set -eu
umask 077
LC_ALL=C
export LC_ALL

kubernetes=${WINDLASS_KUBERNETES:-/etc/kubernetes}
kubelet=${WINDLASS_KUBELET:-/var/lib/kubelet}
manifests=$kubernetes/manifests
begun=$kubernetes/windlass-reconfigure

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# ------------------------------------------------------------------------------------ what kubeadm would write

# The value of a flag in the manifest of the API server.
flag() { sed -n "s/^ *- --$1=//p" "$manifests/kube-apiserver.yaml" 2>/dev/null | head -n 1; }

# kubectl, in the name of the administrator on a control plane and of the kubelet on a worker: both may read what kubeadm wrote
# down. The API may be away for some seconds.
ask() {
  as=$kubernetes/admin.conf
  [ -e "$as" ] || as=$kubernetes/kubelet.conf
  for try in 1 2 3 4 5 6 7 8 9 10; do
    if kubectl --kubeconfig "$as" --request-timeout=20s --namespace kube-system "$@" >"$root/said" 2>"$root/error"; then
      cat "$root/said"
      return 0
    fi
    [ "$try" = 10 ] || sleep 3
  done
  die "kubectl $1 on $(uname -n): $(cat "$root/error")"
}

# config_map NAME KEY: what it has, and nothing where it is not there.
config_map() { ask get configmap "$1" --ignore-not-found -o "go-template={{ with .data }}{{ index . \"$2\" }}{{ end }}"; }

kubelet_map() {
  minor=$(kubeadm version -o short | sed 's/^v1\.\([0-9]*\).*/\1/')
  if [ "$minor" -lt 24 ]; then echo "kubelet-config-1.$minor"; else echo kubelet-config; fi
}

# document KIND FILE: the document of that kind, of a file with several. `without KIND FILE`: all others.
document() { documents "$1" 1 "$2"; }
without() { documents "$1" 0 "$2"; }
documents() {
  awk -v kind="$1" -v wanted="$2" '
    function end() { if (text != "" && is == wanted) printf "---\n%s", text; text = ""; is = 0 }
    /^---/ { end(); next }
    { text = text $0 "\n" }
    /^kind: / { gsub(/"/, ""); if ($2 == kind) is = 1 }
    END { end() }' "$3"
}

# block KEYS FILE: what stands under these words of the first level. `unblock`: all else.
block() { blocks "$1" 1 "$2"; }
unblock() { blocks "$1" 0 "$2"; }
blocks() {
  awk -v keys=" $1 " -v wanted="$2" '
    /^[^ -]/ { key = $0; sub(/:.*/, "", key); on = index(keys, " " key " ") > 0 }
    on == wanted && !/^---/ { print }' "$3"
}

# What a running cluster cannot be given by a change of arguments, so that it stays as it is.
fixed='kubernetesVersion controlPlaneEndpoint networking clusterName certificatesDir'
# What kubeadm or a person found out for the machines, where the configuration does not say it.
found='failCgroupV1 resolvConf'

# fill_in: writes the configuration to config.yml in the folder, with what only the node and the cluster know; config.asked is the
# same with nothing of the cluster's but what it lacks.
fill_in() {
  address=$(flag advertise-address)
  port=$(flag secure-port)
  # A worker has none, and its kubelet needs none.
  case $address in '' | *[!0-9a-fA-F.:]*) address=192.0.2.1 ;; esac
  case $port in '' | *[!0-9]*) port=6443 ;; esac
  printf '%s' "$WINDLASS_CONFIG" | base64 -d | sed "s/@ADDRESS@/$address/g; s/[\"']@PORT@[\"']/$port/g; s/@PORT@/$port/g" >"$root/given"
  if [ ! -e "$kubernetes/admin.conf" ] && [ ! -e "$kubernetes/kubelet.conf" ]; then
    # A host of an external etcd.
    cp "$root/given" "$root/config.yml"
    return
  fi
  config_map kubeadm-config ClusterConfiguration >"$root/cluster.live"
  [ -s "$root/cluster.live" ] || die "the cluster has no ConfigMap kubeadm-config"
  config_map "$(kubelet_map)" kubelet >"$root/kubelet.live"
  is=$(sed -n 's/^kubernetesVersion: *//p' "$root/cluster.live" | tr -d "\"'")
  kubeadm=$(kubeadm version -o short)
  [ "${is%.*}" = "${kubeadm%.*}" ] ||
    die "kubeadm on $(uname -n) is $kubeadm and the cluster $is: what one of them writes cannot be compared with the other's." \
      "Upgrade the cluster (upgrade.yml), or install the kubeadm that belongs to it"
  document ClusterConfiguration "$root/given" >"$root/cluster.given"
  document KubeletConfiguration "$root/given" >"$root/kubelet.given"
  # Members that the variables name and that etcd does not have would be an empty cluster.
  stays=$fixed
  if grep -q '^ *external:' "$root/cluster.live" || grep -q '^ *external:' "$root/cluster.given"; then stays="$stays etcd"; fi
  without ClusterConfiguration "$root/given" >"$root/others"
  without KubeletConfiguration "$root/others" >"$root/config.yml"
  cp "$root/config.yml" "$root/config.asked"
  {
    echo ---
    unblock "$stays" "$root/cluster.given"
    block "$stays" "$root/cluster.live"
  } >>"$root/config.yml"
  {
    cat "$root/cluster.given"
    for key in $stays; do grep -q "^$key:" "$root/cluster.given" || block "$key" "$root/cluster.live"; done
  } >>"$root/config.asked"
  {
    echo ---
    unblock cgroupDriver "$root/kubelet.given"
    block cgroupDriver "$root/kubelet.live"
    for key in $found; do grep -q "^$key:" "$root/kubelet.given" || block "$key" "$root/kubelet.live"; done
  } >>"$root/config.yml"
}

# Makes the folder in which kubeadm writes; it is gone when this script ends.
scratch() {
  root=$(mktemp -d "$([ -d /run ] && echo /run || echo /tmp)/windlass-reconfigure.XXXXXX")
  trap 'rm -rf "$root"' EXIT
  trap 'exit 1' HUP INT TERM
  # As kubeadm sees it there, these are the paths that it writes to.
  inner=$root/etc/kubernetes
  mkdir -p "$inner/pki" "$root/tmp"
  # kubeadm mounts such of these as are there.
  for folder in /etc/ssl/certs /etc/ca-certificates /usr/share/ca-certificates /usr/local/share/ca-certificates \
    /etc/pki /etc/pki/ca-trust /etc/pki/tls/certs; do
    [ ! -d "$folder" ] || mkdir -p "$root$folder"
  done
  fill_in
  # Patches of the user's, of which the configuration names the folder.
  patches=$(sed -n 's/^ *directory: *//p' "$root/config.yml" | head -n 1 | tr -d "\"'")
  case $patches in
    /*) if [ -d "$patches" ]; then mkdir -p "$root$patches" && cp "$patches"/* "$root$patches/"; fi ;;
  esac
  # Where the authority's key is elsewhere, the controller manager does without it.
  if [ -e "$kubernetes/pki/apiserver.crt" ] && [ ! -e "$kubernetes/pki/ca.key" ]; then cp -r "$kubernetes/pki" "$inner/"; fi
}

# phase WORDS…: a phase of `kubeadm init` in that folder.
phase() {
  said=$(kubeadm init phase "$@" --config /config.yml --rootfs "$root" 2>&1) ||
    die "kubeadm init phase $* on $(uname -n): $(printf '%s\n' "$said" | tail -n 5)"
}

# --------------------------------------------------------------------------------------------- comparing

# YAML as Go writes it, a line for each value: `a.b[name].c: value`. Members of lists are told apart by their name, path or
# key, and otherwise by what they are.
flat() {
  awk '
    function depth(s) { match(s, /^ */); return RLENGTH }
    # The name of the member that begins in line i, at depth d.
    function member(i, d,   j, s) {
      s = lines[i]; sub(/^ *- */, "", s)
      if (s ~ /^(name|mountPath|key|path): /) { sub(/^[a-zA-Z]*: */, "", s); return s }
      for (j = i + 1; j <= n && (depth(lines[j]) > d); j++)
        if (depth(lines[j]) == d + width && lines[j] ~ /^ *(name|mountPath|key): /) { s = lines[j]; sub(/^ *[a-zA-Z]*: */, "", s); return s }
      return ++counter
    }
    function put(d, s,   key, value, p, i) {
      match(s, /^("[^"]*"|[^:]*[^: ][^:]*(:[^: ][^:]*)*): /)
      if (RLENGTH > 0) { key = substr(s, 1, RLENGTH - 2); value = substr(s, RLENGTH + 1) }
      else if (s ~ /:$/) { key = substr(s, 1, length(s) - 1); value = "" }
      else return 0
      while (top > 0 && at[top] >= d) top--
      at[++top] = d; name[top] = key
      # What a member is told by is said with it.
      if (value != "" && name[top - 1] != "[" value "]") { p = ""; for (i = 1; i <= top; i++) p = p (name[i] ~ /^\[/ || p == "" ? "" : ".") name[i]; print p ": " value }
      return 1
    }
    /^(---|#)/ || /^ *$/ { next }
    { lines[++n] = $0 }
    END {
      for (i = 1; i <= n; i++) {
        s = lines[i]; d = depth(s); sub(/^ */, "", s)
        # A list stands at the depth of its key, or deeper.
        while (s ~ /^- / || s == "-") {
          while (top > 0 && (at[top] > d || (at[top] == d && name[top] ~ /^\[/))) top--
          match(s, /^- */); width = RLENGTH; rest = substr(s, width + 1)
          if (rest ~ /^("[^"]*"|[A-Za-z0-9_.\/-]+):( |$)/ && rest !~ /^--/) {
            at[++top] = d + 0.5; name[top] = "[" member(i, d) "]"
            s = rest; d += width
          } else {
            p = ""; for (k = 1; k <= top; k++) p = p (name[k] ~ /^\[/ || p == "" ? "" : ".") name[k]
            print p "[]: " rest; s = ""; break
          }
        }
        if (s != "") put(d, s)
      }
    }' "$1"
}

# Where distributions keep the authorities that they trust: kubeadm mounts those that a node had on that day.
authorities='\.volumes\[((ca-certs|(etc|usr-share|usr-local-share)-ca-certificates|etc-pki(-ca-trust|-tls-certs)?)\])'
authorities="$authorities|volumeMounts\[(/etc/ssl/certs|/etc/pki(/ca-trust|/tls/certs)?|/(etc|usr/share|usr/local/share)/ca-certificates)\]"

# What of a static pod is compared: what it runs, with what, and what it sees of the node. What else is in it came with the
# kubeadm of the day.
pod_lines() {
  flat "$1" | grep -E '^spec\.(containers\[[^]]*\]\.(command|args|env|image|volumeMounts)|volumes)' |
    grep -v -E -e "$authorities" | sed 's/^spec\.containers\[[^]]*\]\.//; s/^spec\.//; s/^command\[\]: //' | sort
}

# What of a configuration of the kubelet is compared. What kubeadm itself finds out on each node is not.
kubelet_lines() {
  flat "$1" | grep -v -E '^(resolvConf|containerRuntimeEndpoint|imageServiceEndpoint): ' | sort
  # Unless the configuration says it.
  if grep -q '^resolvConf: .' "$2"; then flat "$1" | grep '^resolvConf: '; fi
}

# differ COMPONENT IS WANTED: prints how two sorted files of lines differ.
differ() {
  comm -23 "$2" "$3" | while IFS= read -r line; do printf '%s\t-\t%s\n' "$1" "$line"; done
  comm -13 "$2" "$3" | while IFS= read -r line; do printf '%s\t+\t%s\n' "$1" "$line"; done
}

# compare COMPONENT IS WANTED HOW…: the same of two files, by way of HOW.
compare() {
  one=$1
  "$4" "$2" "$3" >"$root/is" || :
  "$4" "$3" "$3" >"$root/wanted" || :
  [ -s "$root/wanted" ] || die "kubeadm wrote nothing for $one"
  sort -u -o "$root/is" "$root/is"
  sort -u -o "$root/wanted" "$root/wanted"
  differ "$one" "$root/is" "$root/wanted"
}

# The names and addresses in the certificate in file $1, a line each.
names_of() {
  sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' "$1" | sed '/^-----END/q' | grep -v '^-----' | base64 -d | od -An -v -tx1 |
    tr -d ' \n' | awk '
      function hex(s,   i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
      # Reads a length at p (characters of hex), and leaves p behind it.
      function size(   v, n) {
        v = hex(substr(all, p, 2)); p += 2
        if (v >= 128) { n = v - 128; v = hex(substr(all, p, n * 2)); p += n * 2 }
        return v
      }
      { all = $0 }
      END {
        # subjectAltName, perhaps critical, an octet string with a sequence in it.
        at = index(all, "0603551d11"); if (!at) exit
        p = at + 10
        if (substr(all, p, 2) == "01") p += 6
        if (substr(all, p, 2) != "04") exit
        p += 2; size(); p += 2; end = size() * 2; end += p
        while (p < end) {
          tag = substr(all, p, 2); p += 2; n = size(); s = substr(all, p, n * 2); p += n * 2
          text = ""
          if (tag == "87" && n == 4) text = hex(substr(s, 1, 2)) "." hex(substr(s, 3, 2)) "." hex(substr(s, 5, 2)) "." hex(substr(s, 7, 2))
          else if (tag == "87") for (i = 1; i <= n * 2; i += 4) text = text (i > 1 ? ":" : "") substr(s, i, 4)
          else for (i = 1; i <= n * 2; i += 2) text = text sprintf("%c", hex(substr(s, i, 2)))
          print text
        }
      }' | sort -u
}

names_lines() { names_of "$1"; }

# ---------------------------------------------------------------------------- the processes of static pods

# The ids of the processes of a pod's program; static-pods.sh says why by a flag.
processes() {
  case $1 in
    etcd) by=data-dir ;;
    kube-apiserver) by=advertise-address ;;
    *) by=kubeconfig ;;
  esac
  given=$(sed -n "s/^ *- \(--$by=.*\)/\1/p" "$manifests/$1.yaml" | head -n 1)
  short=$(printf '%.15s' "$1")
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = "$short" ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -e "$given"; then echo "${process#/proc/}"; fi
  done
}

# How many seconds ago a process began.
age() {
  awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    FILENAME ~ /uptime$/ { up = $1; next }
    { sub(/.*\) /, ""); print int(up - $20 / hz) }' /proc/uptime "/proc/$1/stat" 2>/dev/null
}

# How many seconds ago a file was written.
written() { echo $(($(date +%s) - $(date -r "$1" +%s))); }

# younger NAME FILE: whether the program runs, and no process of it is older than the file.
younger() {
  all=$(processes "$1")
  [ "$all" ] || return 1
  for process in $all; do
    old=$(age "$process")
    [ "$old" ] && [ "$old" -le "$(written "$2")" ] || return 1
  done
}

# Whether the static pod $1 sees the file $2 of the node.
sees() {
  sed -n 's/^ *path: *//p' "$manifests/$1.yaml" | tr -d "\"'" | {
    while IFS= read -r path; do
      case $2 in "$path" | "${path%/}"/*) exit 0 ;; esac
    done
    exit 1
  }
}

# ------------------------------------------------------------------------------------------------ the verbs

# etcd_kept IS WANTED: the manifest WANTED with what kubeadm wrote on the day when the member joined, and with its version:
# upgrade.yml sees to that.
etcd_kept() {
  awk '
    function tag(s) { sub(/.*:/, "", s); return s }
    FNR == NR && /^ *- --initial-cluster(-state)?=/ { kept[++n] = $0 }
    FNR == NR { if ($0 ~ /^ *image: /) image = $0; next }
    /^ *- --initial-cluster(-state)?=/ { next }
    /^ *image: / && tag($0) != tag(image) { print image; next }
    { print }
    /^ *- etcd$/ { for (i = 1; i <= n; i++) print kept[i] }' "$1" "$2"
}

# pod_wanted NAME: has kubeadm write this static pod. Sets wanted, the file.
pod_wanted() {
  wanted=$inner/manifests/$1.yaml
  case $1 in
    etcd)
      phase etcd local
      etcd_kept "$manifests/etcd.yaml" "$wanted" >"$root/etcd.yaml"
      wanted=$root/etcd.yaml
      ;;
    kube-*) [ -e "$wanted" ] || phase control-plane "${1#kube-}" ;;
    *) die "there is no static pod $1" ;;
  esac
}

look_pod() {
  [ -e "$manifests/$1.yaml" ] || return 0
  pod_wanted "$1"
  compare "$1" "$manifests/$1.yaml" "$wanted" pod_lines
  if [ -e "$begun/$1.yaml" ]; then printf '%s\t!\ta change was begun and not finished\n' "$1"; fi
}

certificate_wanted() {
  phase certs ca
  phase certs apiserver
}

look() {
  scratch
  for what in "$@"; do
    case $what in
      pods)
        phase control-plane all
        for name in kube-apiserver kube-controller-manager kube-scheduler; do look_pod "$name"; done
        ;;
      etcd) look_pod etcd ;;
      certificate)
        certificate_wanted
        compare certificate "$kubernetes/pki/apiserver.crt" "$inner/pki/apiserver.crt" names_lines
        if [ -e "$begun/apiserver.crt" ]; then printf 'certificate\t!\ta change was begun and not finished\n'; fi
        ;;
      kubelet) look_kubelet ;;
      cluster) look_cluster ;;
      /*)
        for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
          if [ -e "$what" ] && [ -e "$manifests/$name.yaml" ] && sees "$name" "$what" && ! younger "$name" "$what"; then
            printf '%s\t!\tit has not read %s since that was written\n' "$name" "$what"
          fi
        done
        ;;
      sha256:*:/*)
        file=${what#sha256:*:}
        what=${what#sha256:}
        if [ ! -e "$file" ]; then
          printf 'files\t+\t%s\n' "$file"
        elif command -v sha256sum >/dev/null && [ "$(sha256sum <"$file" | cut -d ' ' -f 1)" != "${what%%:*}" ]; then
          printf 'files\t+\t%s, with another content\n' "$file"
        fi
        ;;
      *) die "there is nothing called $what to look at" ;;
    esac
  done
}

# kubelet_wanted FILE: has kubeadm write the kubelet's configuration to FILE.
kubelet_wanted() {
  rm -rf "${root:?}/var/lib/kubelet"
  mkdir -p "$root/var/lib/kubelet"
  # It says that it cannot start a kubelet there.
  phase kubelet-start
  cp "$root/var/lib/kubelet/config.yaml" "$1"
}

kubelet_of_variables() { [ -e "$root/kubelet.wanted" ] || kubelet_wanted "$root/kubelet.wanted"; }

# With the KubeletConfiguration in file $1 instead of that of the configuration, so that both have kubeadm's own form.
kubelet_as_is() {
  cp "$root/config.yml" "$root/config.wanted"
  without KubeletConfiguration "$root/config.wanted" >"$root/config.yml"
  { echo ---; cat "$1"; } >>"$root/config.yml"
  kubelet_wanted "$2"
  mv "$root/config.wanted" "$root/config.yml"
}

look_kubelet() {
  [ -e "$kubelet/config.yaml" ] || die "there is no $kubelet/config.yaml on $(uname -n)"
  kubelet_of_variables
  kubelet_as_is "$kubelet/config.yaml" "$root/kubelet.is"
  compare kubelet "$root/kubelet.is" "$root/kubelet.wanted" kubelet_lines
  if [ -e "$begun/kubelet.yaml" ]; then printf 'kubelet\t!\ta change was begun and not finished\n'; fi
}

# The ClusterConfiguration of file $1, in kubeadm's newest form.
migrated() {
  document InitConfiguration "$root/config.yml" >"$root/migrate.yml"
  { echo ---; cat "$1"; } >>"$root/migrate.yml"
  said=$(kubeadm config migrate --old-config /migrate.yml --new-config /migrated.yml --rootfs "$root" 2>&1) ||
    die "kubeadm config migrate on $(uname -n): $(printf '%s\n' "$said" | tail -n 5)"
  document ClusterConfiguration "$root/migrated.yml"
}

cluster_lines() { flat "$1" | grep -v -E -e '^(apiVersion|kind): ' -e ': [{][}]$' | sort -u; }

look_cluster() {
  document ClusterConfiguration "$root/config.yml" >"$root/cluster.yml"
  document ClusterConfiguration "$root/config.asked" >"$root/cluster.asked"
  for one in live yml asked; do migrated "$root/cluster.$one" >"$root/cluster.$one.new"; done
  compare kubeadm-config "$root/cluster.live.new" "$root/cluster.yml.new" cluster_lines
  for one in yml asked; do cluster_lines "$root/cluster.$one.new" | grep -v '^kubernetesVersion: ' >"$root/$one.lines"; done
  comm -13 "$root/yml.lines" "$root/asked.lines" | while IFS= read -r line; do printf 'kubeadm-config\t=\t%s\n' "$line"; done

  if [ -s "$root/kubelet.live" ]; then
    kubelet_of_variables
    kubelet_as_is "$root/kubelet.live" "$root/kubelet.is"
    compare kubelet-config "$root/kubelet.is" "$root/kubelet.wanted" kubelet_lines
  fi

  config_map kube-proxy config.conf >"$root/proxy.live"
  if [ -s "$root/proxy.live" ]; then look_proxy; fi
  if [ -e "$begun/kube-proxy" ]; then printf 'kube-proxy\t!\ta change was begun and not finished\n'; fi
}

# kubeadm shows no finished configuration of kube-proxy in all versions: its default, with what the user says.
look_proxy() {
  document KubeProxyConfiguration "$root/config.yml" >"$root/proxy.yml"
  kubeadm config print init-defaults --component-configs KubeProxyConfiguration >"$root/defaults" 2>/dev/null
  document KubeProxyConfiguration "$root/defaults" >"$root/proxy.default"
  cidr=$(awk '/^networking:/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^ *podSubnet: / { print $2 }' "$root/cluster.yml.new" | tr -d "\"'")
  for one in live yml default; do flat "$root/proxy.$one" >"$root/proxy.$one.flat"; done
  awk -F '\t' -v cidr="$cidr" '
    # A length of time in seconds, and everything else without quotes.
    function form(s,   v, n, unit) {
      gsub(/^["'\'']|["'\'']$/, "", s)
      if (s !~ /^([0-9.]+(h|ms|m|s))+$/) return s
      v = 0
      while (match(s, /^[0-9.]+(h|ms|m|s)/)) {
        n = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        unit = n; gsub(/[0-9.]/, "", unit); gsub(/[a-z]/, "", n)
        v += n * (unit == "h" ? 3600 : unit == "m" ? 60 : unit == "s" ? 1 : 0.001)
      }
      return v "s"
    }
    function nothing(s) { return s == "" || s == "null" || s == "{}" || s == "[]" || s == "0" || s == "0s" || s == "false" }
    { at = index($0, ": "); path = substr($0, 1, at - 1); value = form(substr($0, at + 2)) }
    path == "apiVersion" || path == "kind" { next }
    # The members of a list stand together.
    { sub(/\[\]$/, "", path) }
    FILENAME ~ /live.flat$/ { if (path in live) value = live[path] "," value; live[path] = value; all[path]; next }
    FILENAME ~ /yml.flat$/ { if (path in own) value = own[path] "," value; own[path] = value; all[path]; next }
    { def[path] = value; all[path] }
    END {
      if (!("clusterCIDR" in own)) def["clusterCIDR"] = cidr
      for (path in all) {
        is = path in live ? live[path] : ""
        # What kubeadm decides by the kind of addresses that a cluster has.
        if (path == "bindAddress" && !(path in own)) continue
        # A mapping of the default or of the cluster that has members there.
        if (!(path in own)) {
          wanted = path in def ? def[path] : ""
          if (nothing(is) && nothing(wanted)) continue
        } else wanted = own[path]
        if (is == wanted && ((path in live) || !(path in own))) continue
        if (path in live && is != "") print "kube-proxy\t-\t" path ": " is
        if (wanted != "") print "kube-proxy\t+\t" path ": " wanted
      }
    }' "$root/proxy.live.flat" "$root/proxy.yml.flat" "$root/proxy.default.flat" | sort
}

# Keeps what is there, once: a run that goes on must not take a half finished change for the old state.
keep() {
  mkdir -p "$begun"
  [ -e "$begun/$2" ] || cp -p "$1" "$begun/$2"
}

forget() {
  rm -f "$begun/$1"
  rmdir "$begun" 2>/dev/null || true
}

# Puts a file in the place of a manifest, at once; a name that begins with a dot is nothing to the kubelet.
install_manifest() {
  cp "$1" "$manifests/.$2.windlass"
  chmod 0600 "$manifests/.$2.windlass"
  mv "$manifests/.$2.windlass" "$manifests/$2.yaml"
}

# What the container of the newest pod printed last.
# shellcheck disable=SC2012 # Names that the kubelet gives.
last_words() {
  for log in $(ls -td /var/log/pods/kube-system_"$1"-*/"$1"/*.log 2>/dev/null | head -n 1); do tail -n 5 "$log" | cut -c 1-300; done
}

# Whether its container has ended three times since the manifest was put in place: the kubelet keeps a log of each try.
# shellcheck disable=SC2012 # Names that the kubelet gives.
crashed() {
  for folder in /var/log/pods/kube-system_"$1"-*/"$1"; do
    [ "$(find "$folder" -prune -newer "$manifests/$1.yaml" 2>/dev/null)" ] || continue
    tries=$(ls "$folder" | sed -n 's/^\([0-9]*\)\.log$/\1/p' | sort -n | tail -n 1)
    if [ "${tries:-0}" -ge 3 ]; then return 0; fi
  done
  return 1
}

# /readyz came in 1.16.
api_ready() {
  address=$(flag advertise-address)
  case $address in *:*) address="[$address]" ;; esac
  set -- --kubeconfig "$kubernetes/admin.conf" --request-timeout=8s --server "https://$address:$(flag secure-port)"
  said=$(kubectl "$@" get --raw /readyz 2>&1) ||
    { case $said in *NotFound* | *'could not find'*) true ;; *) false ;; esac && kubectl "$@" get --raw /healthz >/dev/null 2>&1; }
}

# up NAME SECONDS: waits until the program runs with what was put in place, and stays.
up() {
  end=$(($(date +%s) + $2))
  while :; do
    if younger "$1" "$manifests/$1.yaml" && steady "$1"; then return 0; fi
    if [ "$(date +%s)" -ge "$end" ] || crashed "$1"; then return 1; fi
    sleep 1
  done
}

steady() {
  case $1 in
    kube-apiserver) api_ready ;;
    # One with a wrong flag ends within a second or two.
    *) for process in $all; do old=$(age "$process") && [ "${old:-0}" -ge 8 ] || return 1; done ;;
  esac
}

new_certificate() {
  pki=$kubernetes/pki
  certificate_wanted
  [ "$(compare certificate "$pki/apiserver.crt" "$inner/pki/apiserver.crt" names_lines)" ] || return 1
  [ -e "$pki/ca.key" ] || die "$(uname -n) has no $pki/ca.key: the authority's key is kept elsewhere, and only there a new certificate can be made"
  keep "$pki/apiserver.crt" apiserver.crt
  keep "$pki/apiserver.key" apiserver.key
  rm -f "$pki/apiserver.crt" "$pki/apiserver.key"
  cp "$root/config.yml" "$begun/config.yml"
  if ! said=$(kubeadm init phase certs apiserver --config "$begun/config.yml" 2>&1); then
    certificate_back
    die "kubeadm init phase certs apiserver on $(uname -n), which has its old certificate again: $(printf '%s\n' "$said" | tail -n 5)"
  fi
  rm -f "$begun/config.yml"
}

certificate_back() {
  rm -f "$begun/config.yml"
  [ -e "$begun/apiserver.crt" ] || return 0
  cp -p "$begun/apiserver.crt" "$kubernetes/pki/apiserver.crt"
  cp -p "$begun/apiserver.key" "$kubernetes/pki/apiserver.key"
}

# pod SECONDS NAME FILE…: FILE as in `look`.
pod() {
  limit=$1
  name=$2
  shift 2
  scratch
  file=$manifests/$name.yaml
  [ -e "$file" ] || return 0
  pod_wanted "$name"
  restart=
  if [ "$name" = etcd ] && [ "$(sed -n 's/^ *- --data-dir=//p' "$file")" != "$(sed -n 's/^ *- --data-dir=//p' "$wanted")" ]; then
    die "etcd on $(uname -n) would be given another data folder, and with it an empty one: nothing was changed." \
      "Put its old folder back into the variables (etcd.local.dataDir in kubeadm_cluster_extra, etcd_data_dir)"
  fi
  if [ "$name" = kube-apiserver ]; then
    # A run that ended in between has no certificate, or one that nobody tried.
    if [ ! -e "$kubernetes/pki/apiserver.crt" ] || [ ! -e "$kubernetes/pki/apiserver.key" ]; then certificate_back; fi
    if new_certificate || [ -e "$begun/apiserver.crt" ]; then restart=1; fi
  fi
  differs=$(compare "$name" "$file" "$wanted" pod_lines)
  if [ -e "$begun/$name.yaml" ] && [ -z "$restart" ]; then restart=begun; fi
  for one in "$@"; do
    if [ -e "$one" ] && { sees "$name" "$one" || grep -qF "path: $one" "$wanted"; } && ! younger "$name" "$one"; then restart=1; fi
  done
  [ "$differs$restart" ] || return 0
  # One that a run did not wait for, and that has come up meanwhile.
  if [ "$restart" = begun ] && [ -z "$differs" ] && younger "$name" "$file" && steady "$name"; then
    settled "$name"
    return 0
  fi
  keep "$file" "$name.yaml"
  [ "$differs" ] || wanted=$file
  # The kubelet restarts a pod whose manifest is another one, and not one whose files are.
  stamped "$wanted" >"$root/stamped.yaml"
  install_manifest "$root/stamped.yaml" "$name"
  echo changed
  if up "$name" "$limit"; then
    settled "$name"
    return 0
  fi
  words=$(last_words "$name")
  if [ "$name" = kube-apiserver ]; then certificate_back; fi
  stamped "$begun/$name.yaml" >"$root/stamped.yaml"
  install_manifest "$root/stamped.yaml" "$name"
  if up "$name" "$limit"; then
    settled "$name"
    back='and runs with it'
  else
    back='and DOES NOT RUN with it either'
  fi
  die "$name on $(uname -n) did not come up with what the variables say. It has its old configuration again, $back. What was to change:
$differs
What it said last:
$words"
}

# upload WHAT: has kubeadm write the ConfigMap WHAT: kubeadm, kubelet or kube-proxy, whose pods are then given it.
upload() {
  scratch
  case $1 in
    kubeadm | kubelet) set -- "$1" upload-config "$1" ;;
    kube-proxy)
      mkdir -p "$begun"
      : >"$begun/kube-proxy"
      set -- "$1" addon kube-proxy
      ;;
  esac
  what=$1
  shift
  said=$(kubeadm init phase "$@" --config "$root/config.yml" 2>&1) ||
    die "kubeadm init phase $* on $(uname -n): $(printf '%s\n' "$said" | tail -n 5)"
  if [ "$what" = kube-proxy ]; then
    ask patch daemonset kube-proxy --type=merge \
      --patch "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"windlass/reconfigured\":\"$(date -u +%Y%m%dT%H%M%SZ)\"}}}}}" >/dev/null
  fi
  echo changed
}

settled() {
  forget "$1.yaml"
  if [ "$1" = kube-apiserver ]; then
    forget apiserver.crt
    forget apiserver.key
  fi
}

# The manifest $1 with an annotation of the time, so that it is another one.
stamped() {
  awk -v line="    windlass/reconfigured: \"$(date -u +%Y%m%dT%H%M%SZ)-$$\"" -v has="$(grep -cx '  annotations:' "$1" || true)" '
    index($0, "    windlass/reconfigured:") == 1 { next }
    { print }
    !done && !has && $0 == "metadata:" { print "  annotations:"; print line; done = 1 }
    !done && has && $0 == "  annotations:" { print line; done = 1 }' "$1"
}

case ${1-} in
  look | pod | upload)
    verb=$1
    shift
    "$verb" "$@"
    ;;
  kubelet)
    # Of the ConfigMap, as kubeadm gives it to each node: with what it finds out there, and with the user's patches.
    patches=$(printf '%s' "$WINDLASS_CONFIG" | base64 -d | sed -n 's/^ *directory: *//p' | head -n 1 | tr -d "\"'")
    keep "$kubelet/config.yaml" kubelet.yaml
    minor=$(kubeadm version -o short | sed 's/^v1\.\([0-9]*\).*/\1/')
    set --
    if [ "$patches" ] && [ -d "$patches" ] && [ "$minor" -ge 25 ]; then set -- --patches "$patches"; fi
    if [ "$minor" -ge 15 ]; then
      said=$(kubeadm upgrade node phase kubelet-config "$@" 2>&1)
    else
      said=$(kubeadm upgrade node config --kubelet-version "$(kubelet --version | sed 's/.* //')" 2>&1)
    fi || die "kubeadm did not write the kubelet's configuration on $(uname -n): $(printf '%s\n' "$said" | tail -n 5)"
    date -u +%Y-%m-%dT%H:%M:%SZ
    ;;
  kubelet-back)
    [ -e "$begun/kubelet.yaml" ] || exit 0
    cp -p "$begun/kubelet.yaml" "$kubelet/config.yaml"
    echo changed
    ;;
  kubelet-done) forget kubelet.yaml ;;
  kube-proxy-done) forget kube-proxy ;;
  *) die "usage: reconfigure.sh look | pod | upload | kubelet | kubelet-back | kubelet-done | kube-proxy-done …" ;;
esac
