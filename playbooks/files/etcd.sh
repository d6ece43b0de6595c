#!/bin/sh
# What the playbooks do with the etcd member of a node that kubeadm made: on control planes, or on
# hosts of an external etcd. Runs as root. Prints what is said below; everything else goes to standard
# error. No secret is on a command line: etcdctl is given the paths of files that are on the node.
#
#   etcd.sh health              prints `healthy`, and where it was asked, if the member on this node is
#   etcd.sh snapshot FOLDER     takes a snapshot of it, FOLDER/snapshot.db, and checks it;
#                               prints what `snapshot status` said, as JSON
#   etcd.sh clean FOLDER        removes the folder that `snapshot` made
#   etcd.sh digest FILE         checks the checksum that a snapshot ends with; on any machine
#
#   etcd.sh describe            prints what a restore has to know of this node's member, as JSON: name,
#                               peer_url, data_dir, version, the tool that would restore, whether it can
#                               bump revisions
#   etcd.sh prepare FILE MEMBERS TOKEN BUMP
#                               checks the snapshot; restores it beside the data, for the member of this
#                               node; nothing is stopped. MEMBERS is NAME=URL,…; BUMP a number, 0 for none
#   etcd.sh swap STAMP          puts the old data aside and what was prepared in its place; etcd is stopped
#
# etcdctl and etcdutl are the node's own or, if it has none, those of the etcd container: through
# crictl, ctr, docker or kubectl, whichever works; and where no container runs, of its image.
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

# A restore that was stopped half way has left the manifest aside.
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
by_docker() { docker ps -q -f label=io.kubernetes.container.name=etcd 2>/dev/null | head -n 1; }

# Runs a program of the etcd container, by way of $route.
inside() {
  case $route in
    crictl) crictl exec "$container" "$@" ;;
    ctr) ctr -n k8s.io tasks exec --exec-id "windlass-$$-$(date +%s%N)" "$container" "$@" ;;
    docker) docker exec "$container" "$@" ;;
    kubectl) kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system exec "$container" -- "$@" ;;
  esac
}

# Sets route and container to a way that works.
find_container() {
  for route in crictl ctr docker; do
    has "$route" || continue
    container=$("by_$route")
    if [ "$container" ] && inside etcd --version >/dev/null 2>&1; then return; fi
  done
  route=kubectl
  container=etcd-$(uname -n | tr '[:upper:]' '[:lower:]')
  if has kubectl && inside etcd --version >/dev/null 2>&1; then return; fi
  die "there is no etcdctl on $(uname -n), and the one in the etcd container cannot be reached:" \
    "is etcd running? Installing etcdctl on the node helps"
}

# Runs etcdctl, the node's or the container's. Before etcd 3.4 version 3 of its API has to be asked for.
etcdctl3() {
  if [ "$route" = node ]; then
    ETCDCTL_API=3 etcdctl "$@"
  elif [ "$old" ]; then
    inside env ETCDCTL_API=3 etcdctl "$@"
  else
    inside etcdctl "$@"
  fi
}

# Decides who is to run etcdctl.
find_etcdctl() {
  route=node
  old=
  if ! has etcdctl; then
    find_container
    inside etcdctl version >/dev/null 2>&1 || old=1
  fi
}

# etcdctl with the certificate that is made for health checks, and the member of this node.
ask() {
  etcdctl3 --endpoints "$member" --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt \
    --key $pki/healthcheck-client.key "$@"
}

# Decides who is to work on files, without a member: sets route and tool. What writes data must be of the
# minor version of the etcd that will read it, and etcdctl has handed this over to etcdutl in 3.6.
find_offline() {
  image=$(sed -n 's/^ *image: *//p' "$manifest" | head -n 1)
  minor=$(printf '%s\n' "$image" | sed -n 's/.*:v\{0,1\}\([0-9]*\.[0-9]*\)\..*/\1/p')
  route=node
  for tool in etcdutl etcdctl; do
    has "$tool" || continue
    is=$(ETCDCTL_API=3 "$tool" version | sed -n 's/^[a-z]* version: \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    if [ "$tool" = etcdctl ]; then case $is in 3.[0-5]) ;; *) continue ;; esac fi
    if [ -z "$minor" ] || [ "$is" = "$minor" ]; then return; fi
  done
  # A container that runs, then a new one.
  for route in crictl ctr docker image; do
    if [ "$route" != image ]; then
      has "$route" || continue
      container=$("by_$route")
      [ "$container" ] || continue
    fi
    for tool in etcdutl etcdctl; do
      case $tool-$minor in etcdctl-3.[6-9]*) continue ;; esac
      if offline version >/dev/null 2>&1; then return; fi
    done
  done
  die "neither the node $(uname -n) nor the image $image has an etcdutl, or an etcdctl up to 3.5, of etcd" \
    "$minor that can be run: install etcdutl $minor on the node"
}

# Runs the tool that was found. One in a new container sees etcd's folder and nothing else.
offline() {
  case $route in
    node) ETCDCTL_API=3 "$tool" "$@" ;;
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
  [ "$size" -gt 32 ] || die "$1 has $size bytes: it is no snapshot"
  [ $((size % 512)) -eq 32 ] ||
    die "$1 does not end with a checksum, as a snapshot does: was it cut short, or is it a copy of etcd's own file?"
  has sha256sum || return 0
  is=$(head -c $((size - 32)) "$1" | sha256sum | cut -d ' ' -f 1)
  said=$(tail -c 32 "$1" | od -An -v -tx1 | tr -d ' \n')
  [ "$is" = "$said" ] || die "$1 is damaged: its checksum is $is, and it says $said"
}

check() {
  digest "$1"
  answer=$(offline snapshot status "${2:-$1}" -w json) || die "$1 is no snapshot that can be restored"
  # More than keys of nothing: an empty etcd is not what anyone wants to keep.
  case $answer in
    *'"totalKey":0,'* | *'"revision":0,'*) die "$1 holds no keys: $answer" ;;
    *'"hash":'*'"revision":'*) printf '%s\n' "$answer" ;;
    *) die "snapshot status of $1 makes no sense: $answer" ;;
  esac
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
  if [ "$route" = node ]; then
    ask snapshot save "$1/snapshot.db" >&2
    tool=etcdctl
    if has etcdutl; then tool=etcdutl; fi
    check "$1/snapshot.db"
  else
    # The container sees etcd's folder only, under the same name as the node.
    room "$data" "$uses"
    inner=$data/windlass-snapshot.db
    rm -f "$inner" "$inner.part"
    trap 'rm -f "$inner" "$inner.part"' EXIT
    ask snapshot save "$inner" >&2
    tool=etcdctl
    if inside etcdutl version >/dev/null 2>&1; then tool=etcdutl; fi
    cp "$inner" "$1/snapshot.db"
    check "$1/snapshot.db" "$inner"
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
  find_offline
  bump=false
  if offline snapshot restore --help 2>&1 | grep -q -e '--bump-revision'; then bump=true; fi
  printf '{"name": "%s", "peer_url": "%s", "data_dir": "%s", "image": "%s", "tool": "%s (%s)", "bump": %s}\n' \
    "$(flag name)" "$(flag initial-advertise-peer-urls)" "$data" "$image" "$tool" "$route" "$bump"
}

prepare() {
  file=$1
  members=$2
  token=$3
  bump=$4
  find_manifest
  data=$(flag data-dir)
  find_offline
  status=$(check "$file")
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
  health | snapshot | clean | digest | describe | prepare | swap)
    verb=$1
    shift
    ;;
  *) die "usage: etcd.sh health | snapshot FOLDER | clean FOLDER | digest FILE | describe | prepare … | swap STAMP" ;;
esac
"$verb" "$@"
