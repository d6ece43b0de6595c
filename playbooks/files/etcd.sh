#!/bin/sh
# What the playbooks do with the etcd member of a node that kubeadm made: on control planes, or on
# hosts of an external etcd. Runs as root. Prints what is said below; everything else goes to standard
# error. No secret is on a command line: etcdctl is given the paths of files that are on the node.
#
#   etcd.sh health              prints `healthy`, and where it was asked, if the member on this node is
#   etcd.sh member              prints what the member on this node is, if it answers, as JSON: version, image, name,
#                               peer_url, data_dir, ours (whether external-etcd.yml set it up)
#   etcd.sh snapshot FOLDER     takes a snapshot of it, FOLDER/snapshot.db, and checks it; prints what `snapshot
#                               status` said, as JSON. Where no tool has that, the checksum and the size are what is
#                               checked, hash and totalKey are null, and revision is what etcd had when it was asked
#   etcd.sh clean FOLDER        removes the folder that `snapshot` made
#   etcd.sh pull IMAGE          brings an image of etcd to the node, if it is not there; prints `pulled`, or `unknown`
#                               where no program is there that pulls as the kubelet would
#   etcd.sh digest FILE         checks the checksum that a snapshot ends with; on any machine
#
#   etcd.sh describe            prints what a restore has to know of this node's member, as JSON: name, peer_url,
#                               data_dir, image, etcd (its version, like 3.6), machine, tool (what would restore;
#                               empty where nothing could), bump (whether it can bump revisions)
#   etcd.sh brought FILE ETCD MACHINE SHA256
#                               checks that FILE is an etcdutl of this version for such machines; on any machine. SHA256 is
#                               `unlisted` where a bundle does not say it, and empty where it is no bundle's
#   etcd.sh prepare FILE MEMBERS TOKEN BUMP TOOL
#                               checks the snapshot; restores it beside the data, for the member of this
#                               node; nothing is stopped. MEMBERS is NAME=URL,…; BUMP a number, 0 for none; TOOL an
#                               etcdutl that was brought, or empty
#   etcd.sh swap STAMP          puts the old data aside and what was prepared in its place; etcd is stopped
#
# etcdctl and etcdutl are the node's own if they are of etcd's version, and otherwise those of the etcd container:
# through crictl, ctr, docker or kubectl, whichever works; and where no container runs, of its image. From 3.6 on only
# etcdutl works on files, and upstream's image has none.
set -eu
umask 077
LC_ALL=C
export LC_ALL

manifest=/etc/kubernetes/manifests/etcd.yaml
pki=/etc/kubernetes/pki/etcd

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# The value of a flag in the manifest of the etcd pod.
flag() { sed -n "s/^ *- --$1=//p" "$manifest" | head -n 1; }

# A restore that was stopped halfway has left the manifest aside.
find_manifest() {
  [ -r "$manifest" ] || manifest=/etc/kubernetes/windlass-aside/etcd.yaml
  [ -r "$manifest" ] || die "there is no manifest of etcd on $(uname -n): it has no etcd member of kubeadm's"
}

# ------------------------------------------------------------------------------------ finding a tool

# The id of the etcd container that runs, as ctr and docker know it.
by_ctr() {
  for id in $(ctr -n k8s.io containers ls -q 'labels."io.kubernetes.container.name"==etcd' 2>/dev/null); do
    if ctr -n k8s.io tasks ls 2>/dev/null | grep -q "^$id .*RUNNING"; then echo "$id" && return; fi
  done
}
by_crictl() { crictl ps -q --name '^etcd$' --state Running 2>/dev/null | head -n 1; }
# The process of kubeadm's etcd: a node may have others of the name.
by_process() {
  for process in "${w_root-}"/proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = etcd ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF -e "--data-dir=$(flag data-dir)"; then
      echo "$process" && return
    fi
  done
}
by_docker() { docker ps -q -f label=io.kubernetes.container.name=etcd 2>/dev/null | head -n 1; }

# Runs a program of the etcd container, by way of $route.
inside() {
  case $route in
    crictl) crictl exec "$container" "$@" ;;
    ctr) ctr -n k8s.io tasks exec --exec-id "windlass-$$-$(date +%s%N)" "$container" "$@" ;;
    docker) docker exec "$container" "$@" ;;
    # The container's own files, as the kernel has them. Its network is the node's.
    process) PATH="/usr/local/bin:$PATH" chroot "$container/root" "$@" ;;
    kubectl) kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system exec "$container" -- "$@" ;;
  esac
}

# Sets route and container to a way that works; fails where none does.
find_container() {
  for route in crictl ctr docker process; do
    case $route in process) ;; *) has "$route" || continue ;; esac
    container=$("by_$route")
    if [ "$container" ] && inside etcd --version >/dev/null 2>&1; then return; fi
  done
  route=kubectl
  container=etcd-$(uname -n | tr '[:upper:]' '[:lower:]')
  has kubectl && inside etcd --version >/dev/null 2>&1
}

# Sets image, and minor: its version, like 3.6; empty where the image's name does not tell.
read_image() {
  image=$(sed -n 's/^ *image: *//p' "$manifest" | head -n 1)
  minor=$(printf '%s\n' "$image" | sed -n 's/.*:v\{0,1\}\([0-9]*\.[0-9]*\)\..*/\1/p')
}

# Runs etcdctl, the node's or the container's. Before etcd 3.4 version 3 of its API has to be asked for.
etcdctl3() {
  if [ "$route" = node ]; then
    case $own in
      3.[0-3]) ETCDCTL_API=3 etcdctl "$@" ;;
      *) etcdctl "$@" ;;
    esac
  elif [ "$old" ]; then
    inside env ETCDCTL_API=3 etcdctl "$@"
  else
    inside etcdctl "$@"
  fi
}

# The version of a tool, like 3.6, by what it prints of it.
version_in() { sed -n 's/^[a-z]* version: \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1; }

# Decides who is to run etcdctl. A distribution's is often versions behind (Debian's is 3.4): the container has the
# right one. Where that cannot be reached, one of the version before or after has to do.
find_etcdctl() {
  read_image
  old=
  own=
  if has etcdctl; then own=$(ETCDCTL_API=3 etcdctl version 2>/dev/null | version_in); fi
  route=node
  if [ "$own" ] && { [ -z "$minor" ] || [ "$own" = "$minor" ]; }; then return; fi
  if find_container; then
    inside etcdctl version >/dev/null 2>&1 || old=1
    return
  fi
  route=node
  if [ "$own" ]; then
    apart=$((${own#*.} - ${minor#*.}))
    if [ "${own%%.*}" = "${minor%%.*}" ] && [ "$apart" -ge -1 ] && [ "$apart" -le 1 ]; then return; fi
    die "the etcdctl of $(uname -n) is $own and its etcd is $minor, and the one in the etcd container cannot be reached:" \
      "is etcd running? Installing etcdctl $minor on the node helps"
  fi
  die "there is no etcdctl on $(uname -n), and the one in the etcd container cannot be reached:" \
    "is etcd running? Installing etcdctl on the node helps"
}

# etcdctl with the certificate that is made for health checks, and the member of this node.
ask() {
  etcdctl3 --endpoints "$member" --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt \
    --key $pki/healthcheck-client.key "$@"
}

# Whether $tool, by way of $route, can work on files of this etcd: what writes data must be of the version that will read
# it, and etcdctl has handed this over to etcdutl in 3.6.
suits() {
  if [ "$route" = node ]; then has "$tool" || return 1; fi
  case $tool-$minor in etcdctl-3.[6-9]* | etcdctl-3.[1-9][0-9]*) return 1 ;; esac
  is=$(offline version 2>/dev/null | version_in)
  case $tool-$is in
    etcdctl-3.[0-5]) ;;
    etcdutl-?*) ;;
    *) return 1 ;;
  esac
  [ -z "$minor" ] || [ "$is" = "$minor" ]
}

# Decides who is to work on files, without a member: sets route and tool. Fails where nobody can.
find_offline() {
  read_image
  # The node, a container that runs, then a new one.
  for route in node crictl ctr docker process image; do
    case $route in
      node | image) ;;
      *)
        [ "$route" = process ] || has "$route" || continue
        container=$("by_$route")
        [ "$container" ] || continue
        ;;
    esac
    for tool in etcdutl etcdctl; do
      if suits; then return; fi
    done
  done
  tool=
  return 1
}

# Runs the tool that was found. One in a new container sees etcd's folder and nothing else.
offline() {
  case $route in
    node) ETCDCTL_API=3 "$tool" "$@" ;;
    brought) "$brought" "$@" ;;
    image) in_image "$tool" "$@" ;;
    *)
      if [ "$tool" = etcdctl ] && ! inside etcdctl version >/dev/null 2>&1; then
        inside env ETCDCTL_API=3 etcdctl "$@"
      else
        inside "$tool" "$@"
      fi
      ;;
  esac
}

in_image() {
  data=$(flag data-dir)
  if has ctr && ctr -n k8s.io images ls -q 2>/dev/null | grep -qxF "$image"; then
    ctr -n k8s.io run --rm --env ETCDCTL_API=3 --mount "type=bind,src=$data,dst=$data,options=rbind:rw" \
      "$image" "windlass-etcd-$$-$(date +%s%N)" "$@"
  else
    for runner in docker podman; do
      if has $runner; then
        # The image has no entry point of its own.
        $runner run --rm -e ETCDCTL_API=3 -v "$data:$data" "$image" "$@"
        return
      fi
    done
    return 1
  fi
}

# ------------------------------------------------------------------------------------------ the verbs

needs_member() {
  [ -r "$manifest" ] || die "there is no $manifest on $(uname -n): it has no etcd member of kubeadm's"
  [ -r $pki/healthcheck-client.key ] ||
    die "$pki/healthcheck-client.key cannot be read on $(uname -n): does the task run as root?"
  # kubeadm writes the loopback's first, which is ::1 where the node has an IPv6 address.
  urls=$(flag listen-client-urls)
  member=${urls%%,*}
  member=${member:-https://127.0.0.1:2379}
}

health() {
  needs_member
  find_etcdctl
  said=$(ask --command-timeout=10s endpoint health 2>&1) || die "$said"
  echo "healthy $member"
}

# What etcd says of itself is its version; the rest is in the manifest.
member() {
  needs_member
  find_etcdctl
  said=$(ask --command-timeout=10s endpoint health 2>&1) || die "$said"
  said=$(ask --command-timeout=10s endpoint status -w json)
  version=$(printf '%s\n' "$said" | sed -n 's/.*"version":"\([^"]*\)".*/\1/p')
  ours=false
  if [ -e /etc/kubernetes/etcd-kubeadm.yml ]; then ours=true; fi
  printf '{"version": "%s", "image": "%s", "name": "%s", "peer_url": "%s", "data_dir": "%s", "ours": %s}\n' \
    "$version" "$image" "$(flag name)" "$(flag initial-advertise-peer-urls)" "$(flag data-dir)" "$ours"
}

# Fails unless the file system of $1 has room for $2 KiB twice: a full disk stops etcd.
room() {
  free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt $((2 * $2)) ] ||
    die "$1 on $(uname -n) has $free KiB free; a snapshot of the $2 KiB of etcd needs twice that room"
}

# A snapshot ends with the SHA-256 of all that is before it, which is a whole number of blocks.
digest() {
  [ -r "$1" ] || die "$1 cannot be read"
  size=$(wc -c <"$1" | tr -d ' ')
  [ "$size" -gt 32 ] || die "$1 has $size bytes: it is not a snapshot"
  [ $((size % 512)) -eq 32 ] ||
    die "$1 does not end with a checksum, as a snapshot does: was it cut short, or is it a copy of etcd's own file?"
  has sha256sum || return 0
  is=$(head -c $((size - 32)) "$1" | sha256sum | cut -d ' ' -f 1)
  said=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n')
  [ "$is" = "$said" ] || die "$1 is damaged: its checksum is $is, and it says $said"
}

# check FILE SEEN: what the tool that was found says of the snapshot. SEEN is how it sees the file.
check() {
  digest "$1"
  answer=$(offline snapshot status "$2" -w json) || die "$1 is not a snapshot that can be restored"
  # More than keys of nothing: an empty etcd is not what anyone wants to keep.
  case $answer in
    *'"totalKey":0,'* | *'"revision":0,'*) die "$1 holds no keys: $answer" ;;
    *'"hash":'*'"revision":'*) printf '%s\n' "$answer" ;;
    *) die "snapshot status of $1 makes no sense: $answer" ;;
  esac
}

# check_alone FILE: the same where there is no tool. etcd had $revision before the snapshot was taken.
check_alone() {
  digest "$1"
  # That of an etcd into which nothing was ever written is 1.
  [ "${revision:-0}" -gt 1 ] || die "$1 holds no keys: the revision of etcd is ${revision:-not known}"
  printf '{"hash":null,"revision":%s,"totalKey":null,"totalSize":%s}\n' "$revision" "$((size - 32))"
}

snapshot() {
  needs_member
  find_etcdctl
  data=$(flag data-dir)
  [ -d "$data/member" ] || die "$data/member is not there, though the manifest of etcd names $data"
  uses=$(du -sk "$data/member/snap/db" | cut -f 1)
  # What a stopped run left goes: the name is always the same.
  clean "$1"
  mkdir "$1" || die "is $1 on $(uname -n) something else? Name a folder that is not there"
  room "$1" "$uses"
  inner=$1/snapshot.db
  if [ "$route" != node ]; then
    # The container sees etcd's folder only, under the same name as the node.
    room "$data" "$uses"
    inner=$data/windlass-snapshot.db
    rm -f "$inner" "$inner.part"
    trap 'rm -f "$inner" "$inner.part"' EXIT
  fi
  revision=$(ask endpoint status -w json | sed -n 's/.*"revision":\([0-9]*\).*/\1/p')
  ask snapshot save "$inner" >&2
  if [ "$route" != node ]; then cp "$inner" "$1/snapshot.db"; fi
  # The node's tools see either file, those of the container their own.
  by=$route
  for route in node "$by"; do
    for tool in etcdutl etcdctl; do
      if suits; then
        check "$1/snapshot.db" "$inner"
        return
      fi
    done
  done
  check_alone "$1/snapshot.db"
}

# Before the member is stopped for it. ctr knows nothing of mirrors and credentials, and is only asked what is there.
pull() {
  if has ctr && ctr -n k8s.io images ls -q 2>/dev/null | grep -qxF "$1"; then return; fi
  if has crictl && crictl info >/dev/null 2>&1; then
    if [ "$(crictl images -q "$1" 2>/dev/null)" ]; then return; fi
    said=$(crictl pull "$1" 2>&1) || die "$1 cannot be pulled on $(uname -n): $said"
    echo pulled
  elif has docker && docker info >/dev/null 2>&1; then
    if docker image inspect "$1" >/dev/null 2>&1; then return; fi
    said=$(docker pull -q "$1" 2>&1) || die "$1 cannot be pulled on $(uname -n): $said"
    echo pulled
  else
    echo unknown
  fi
}

# Only what `snapshot` made, whatever folder was named.
clean() {
  rm -f "$1/snapshot.db" "$1/snapshot.db.part"
  rmdir "$1" 2>/dev/null || true
}

# For the answers in JSON: names, addresses and paths have no quotes in them.
describe() {
  find_manifest
  data=$(flag data-dir)
  [ -d "$data" ] || die "$data is not there on $(uname -n), though the manifest of etcd names it"
  bump=false
  if find_offline; then
    if offline snapshot restore --help 2>&1 | grep -q -e '--bump-revision'; then bump=true; fi
    tool="$tool ($route)"
  else
    # Then one has to be brought.
    case $minor in 3.[0-5]) ;; *) bump=true ;; esac
  fi
  printf '{"name": "%s", "peer_url": "%s", "data_dir": "%s", "image": "%s", "etcd": "%s", "machine": "%s", "tool": "%s", "bump": %s}\n' \
    "$(flag name)" "$(flag initial-advertise-peer-urls)" "$data" "$image" "$minor" "$(uname -m)" "$tool" "$bump"
}

# What it is for is in its first bytes. Its version it says itself, where this machine can run it.
brought() {
  if [ ! -f "$1" ] || [ ! -r "$1" ]; then die "$1 is not a file that can be read"; fi
  if [ "$4" = unlisted ]; then die "SHA256SUMS of the bundle has no line for $1"; fi
  if [ "$4" ]; then
    is=$(sha256sum "$1" | cut -d ' ' -f 1)
    [ "$is" = "$4" ] || die "$1 is not what SHA256SUMS of the bundle says: its checksum is $is"
  fi
  begins=$(od -An -v -tx1 -N20 "$1" | tr -d ' \n')
  case $begins in
    7f454c46*) ;;
    1f8b*) die "$1 is an archive: unpack it, and name the etcdutl that is in it" ;;
    *) die "$1 is not a program for Linux" ;;
  esac
  case $(printf '%s' "$begins" | cut -c 37-40) in
    3e00) kind=x86_64 ;;
    b700) kind=aarch64 ;;
    1500) kind=ppc64le ;;
    0016) kind=s390x ;;
    f300) kind=riscv64 ;;
    *) kind= ;;
  esac
  if [ "$kind" ] && [ "$kind" != "$3" ]; then die "$1 is for machines of the kind $kind, and the node is $3"; fi
  [ -x "$1" ] || return 0
  said=$("$1" version 2>/dev/null) || return 0
  is_etcdutl "$1" "$said" "$2"
}

# Whether what a program says of its version is an etcdutl's, and the right one.
is_etcdutl() {
  is=$(printf '%s\n' "$2" | version_in)
  case $2 in
    'etcdutl version: '*) ;;
    *) die "$1 is not etcdutl: as its version it says $(printf '%.100s' "$2" | tr '\n' ' ')" ;;
  esac
  [ -z "$3" ] || [ "$is" = "$3" ] || die "$1 is etcdutl $is, and etcd is $3: it must be of the same minor version"
}

prepare() {
  file=$1
  members=$2
  token=$3
  bump=$4
  brought=$5
  find_manifest
  data=$(flag data-dir)
  if [ "$brought" ]; then
    read_image
    said=$("$brought" version 2>&1) ||
      die "$brought cannot be run on $(uname -n): $said. Is it for $(uname -m), and may programs be run where it is?"
    is_etcdutl "$brought" "$said" "$minor"
    route=brought
    tool=etcdutl
  else
    find_offline || die "there is no etcdutl, or etcdctl up to 3.5, of etcd $minor on $(uname -n) any more"
  fi
  status=$(check "$file" "$file")
  new=$data/windlass-restore/new
  rm -rf "$new"
  room "$data" "$(du -sk "$file" | cut -f 1)"
  set --
  if [ "$bump" != 0 ]; then set -- --bump-revision "$bump" --mark-compacted; fi
  offline snapshot restore "$file" --data-dir "$new" --name "$(flag name)" --initial-cluster "$members" \
    --initial-cluster-token "$token" --initial-advertise-peer-urls "$(flag initial-advertise-peer-urls)" "$@" >&2
  [ -s "$new/member/snap/db" ] || die "the restore said nothing, and left no $new/member/snap/db"
  printf '%s\n' "$status"
}

# The old data is renamed, in its own file system: that takes no room and no time, and works where the
# folder is a mount. etcd only warns of names that it does not know in it.
swap() {
  find_manifest
  data=$(flag data-dir)
  new=$data/windlass-restore/new/member
  [ -d "$new" ] || die "$new is not there: nothing was prepared on $(uname -n)"
  # Its owner, where etcd does not run as root.
  owner=$(stat -c %u:%g "$data")
  chown -R "$owner" "$new"
  if [ -e "$data/member" ]; then
    [ ! -e "$data/member.before-restore-$1" ] || die "$data/member.before-restore-$1 is there already"
    mv "$data/member" "$data/member.before-restore-$1"
  fi
  mv "$new" "$data/member"
  rm -rf "$data/windlass-restore"
  echo "$data/member.before-restore-$1"
}

case ${1-} in
  health | member | snapshot | clean | pull | digest | describe | brought | prepare | swap)
    verb=$1
    shift
    ;;
  *) die "usage: etcd.sh health | member | snapshot FOLDER | clean FOLDER | pull IMAGE | digest FILE | describe | brought … | prepare … | swap STAMP" ;;
esac
"$verb" "$@"
