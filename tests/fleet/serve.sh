#!/bin/sh
# The fleet's sshd, inside mount and process namespaces of its own: its users, its /etc/sudoers and its
# /run are seen by nothing outside, and all its processes end with it.
#
# serve.sh DIR PORT MAX_STARTUPS MAX_SESSIONS
#   DIR holds the keys `host` and `user.pub`, and what is to be there besides the usual: `more_users`
#   (lines of a name and a shell, relative to DIR) and `more_sshd` (sshd's configuration); log, homes and
#   configuration go there.
set -eu

dir=$1 port=$2 max_startups=$3 max_sessions=$4

# --- What only this namespace sees --------------------------------------------------------------
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/sudo /run/fleet
# So is /tmp, apart from what is ours in it: shells that end with the fleet leave nothing behind.
mount --bind "$dir" /run/fleet
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p "$dir"
mount --bind /run/fleet "$dir"
mkdir -p "$dir/etc" "$dir/home" "$dir/bin/bash"

# User `busybox` has nothing but BusyBox; for user `bash`, sh is bash.
mkdir -p "$dir/bin/busybox"
busybox --install -s "$dir/bin/busybox"
ln -sf "$(command -v sudo)" "$dir/bin/busybox/sudo"
ln -sf "$(command -v bash)" "$dir/bin/bash/sh"
usual=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

cp /etc/passwd /etc/shadow /etc/group "$dir/etc/"
# The password of those who have one: `correct horse`.
# shellcheck disable=SC2016 # no variables
password='$6$windlass$ULUStOFzsccC2BKoSfltTZNWOJmDdJuXuiiuwFtPLB5CqAqsEbqj6WMBYzVyly4oQ91dBti3Txg7XFFVQ032p0'
uid=60100
add_user() { # NAME SHELL PASSWORD
  uid=$((uid + 1))
  echo "$1:x:$uid:$uid::$dir/home/$1:$2" >>"$dir/etc/passwd"
  echo "$1:x:$uid:" >>"$dir/etc/group"
  echo "$1:$3:20000:0:99999:7:::" >>"$dir/etc/shadow"
  mkdir -p "$dir/home/$1"
  chown "$uid:$uid" "$dir/home/$1"
}
add_user dash "$(command -v dash)" '*'
add_user bash "$(command -v bash)" '*'
add_user busybox "$dir/bin/busybox/ash" '*'
add_user noisy "$(command -v bash)" '*'
add_user asks "$(command -v dash)" "$password"
add_user plain "$(command -v dash)" "$password"
add_user tty "$(command -v dash)" '*'
add_user nologin /usr/sbin/nologin '*'
add_user readonly "$(command -v dash)" '*'
while read -r name shell; do
  case $shell in /*) ;; *) shell=$dir/$shell ;; esac
  add_user "$name" "$shell" '*'
done <"$dir/more_users"

# A folder without room: TMPDIR of who is to have none.
mkdir "$dir/full"
mount -t tmpfs -o size=64k,mode=1777 tmpfs "$dir/full"

cat >"$dir/home/noisy/.bashrc" <<'EOF'
echo "Welcome! $(yes noise | head -c 20000)"
echo "noise on standard error" >&2
EOF
chmod 0555 "$dir/home/readonly"
chown 0:0 "$dir/home/readonly"

cat >"$dir/etc/sudoers" <<EOF
Defaults env_reset
Defaults secure_path="$usual"
Defaults:busybox secure_path="$dir/bin/busybox"
Defaults:bash use_pty, secure_path="$dir/bin/bash:$usual"
Defaults:tty requiretty
root ALL=(ALL:ALL) ALL
dash, bash, busybox, noisy, readonly, tty ALL=(ALL:ALL) NOPASSWD: ALL
asks ALL=(ALL:ALL) ALL
EOF
chmod 0440 "$dir/etc/sudoers"
chmod 0600 "$dir/etc/shadow"
for file in passwd shadow group sudoers; do
  mount --bind "$dir/etc/$file" "/etc/$file"
done

# --- sshd ---------------------------------------------------------------------------------------
cp "$dir/user.pub" "$dir/authorized_keys"
chmod 0644 "$dir/authorized_keys"
cat >"$dir/sshd_config" <<EOF
Port $port
# sshd takes no range of addresses to listen on; AllowUsers keeps others out.
ListenAddress 0.0.0.0
AllowUsers *@127.0.0.0/8
HostKey $dir/host
AuthorizedKeysFile $dir/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
AllowAgentForwarding yes
MaxStartups $max_startups
MaxSessions $max_sessions
PidFile none
UseDNS no
PrintMotd yes
LogLevel VERBOSE
Match User busybox
  SetEnv PATH=$dir/bin/busybox
Match User bash
  SetEnv PATH=$dir/bin/bash:$usual
EOF
cat "$dir/more_sshd" >>"$dir/sshd_config"
exec /usr/sbin/sshd -D -e -f "$dir/sshd_config" 2>"$dir/sshd.log"
