# shellcheck shell=sh
# What a node says of itself, raw: the control host makes facts of it.
#
#   w_facts    Puts `files` (lines `path:line` of many small files), `cpu`, `uname`, `date`, `fqdn`,
#              `user`, `ids`, `tools`, `bridges`, `addresses`, `route4`, `route6`, `ifconfig`, `space`,
#              `inodes`, `container`, `virt`, `chroot`, and at last `environment`. What the node does
#              not have is empty or not put.

# Fixed files, and those of network interfaces and disks.
w_facts_files() {
  cd / || return 0
  grep -s '' /etc/os-release /usr/lib/os-release /etc/lsb-release /etc/debian_version \
    /etc/redhat-release /etc/resolv.conf /etc/machine-id /var/lib/dbus/machine-id \
    /etc/selinux/config /sys/fs/selinux/enforce /proc/meminfo /proc/loadavg /proc/uptime \
    /proc/cmdline /proc/1/comm /proc/1/cgroup /proc/sys/kernel/version \
    /proc/sys/kernel/hostname /proc/net/route /proc/net/if_inet6 \
    /sys/class/dmi/id/product_[nsuv]* /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/b[io]*_[nvd]* \
    /sys/class/dmi/id/chassis_[av]* \
    /sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/operstate /sys/class/net/*/flags \
    /sys/class/net/*/type \
    /sys/block/[!lr]*/size /sys/block/[!lr]*/removable /sys/block/[!lr]*/ro \
    /sys/block/[!lr]*/queue/rotational /sys/block/[!lr]*/device/model \
    /sys/block/[!lr]*/device/vendor /sys/block/[!lr]*/*/partition /sys/block/[!lr]*/*/size \
    /dev/null 2>/dev/null
  # A node with many containers has thousands of other mounts; nobody asks for those.
  grep -sE '^(/|[^ ]*:/)' /proc/mounts /dev/null 2>/dev/null
}

w_facts_tools() {
  for w_f_tool in apt-get dnf5 dnf yum microdnf zypper apk pacman emerge xbps-install opkg \
    systemctl rc-service openrc-init initctl; do
    if w_has "$w_f_tool"; then echo "$w_f_tool"; fi
  done
  if [ -d /run/systemd/system ]; then echo /run/systemd/system; fi
  if [ -d /sys/module/apparmor ]; then echo /sys/module/apparmor; fi
}

w_facts_network() {
  for w_f_file in /sys/class/net/*/bridge; do
    if [ -d "$w_f_file" ]; then w_put bridges "${w_f_file%/bridge}"; fi
  done
  if w_has ip; then
    w_put addresses "$(ip -o addr show 2>/dev/null)"
    # No packet is sent: it asks which way one would go.
    w_put route4 "$(ip -o -4 route get 8.8.8.8 2>/dev/null)"
    w_put route6 "$(ip -o -6 route get 2404:6800:400a:800::1012 2>/dev/null)"
  elif w_has ifconfig; then
    w_put ifconfig "$(ifconfig -a 2>/dev/null)"
  fi
}

# Only what a device of the node holds: asking for a file system of the network could hang.
w_facts_space() {
  set -f
  # shellcheck disable=SC2046 # mount points are words
  set -- $(awk '$1 ~ /^\// && $2 !~ /\\/ && !seen[$2]++ { print $2 }' /proc/mounts 2>/dev/null)
  set +f
  [ $# -gt 0 ] || return 0
  w_put space "$(df -kP "$@" 2>/dev/null)"
  w_put inodes "$(df -iP "$@" 2>/dev/null)"
}

w_facts_virtual() {
  for w_f_file in /.dockerenv /.dockerinit /run/.containerenv; do
    if [ -e "$w_f_file" ]; then w_put container "$w_f_file"; fi
  done
  w_f_init=$(tr '\0' '\n' 2>/dev/null </proc/1/environ | grep '^container=')
  if [ "$w_f_init" ]; then w_put container "$w_f_init"; fi
  if w_has systemd-detect-virt; then w_put virt "$(systemd-detect-virt 2>/dev/null)"; fi
  # shellcheck disable=SC3013 # every sh that a node may have knows -ef
  if [ "$1" = 0 ] && ! [ / -ef /proc/1/root/. ]; then w_put chroot 1; fi
}

w_facts_all() {
  LC_ALL=C
  export LC_ALL
  w_put files "$(w_facts_files)"
  w_put cpu "$(grep -sE '^(processor|physical id|core id|cpu cores|siblings|vendor_id|model name|cpu model|Processor|CPU implementer)' /proc/cpuinfo)"
  w_put uname "$(uname -snrm)"
  w_put date "$(date '+%s %z %Z')"
  w_put fqdn "$(hostname -f 2>/dev/null)"
  w_f_uid=$(id -u)
  w_put ids "$w_f_uid $(id -g)"
  if w_has getent; then
    w_put user "$(getent passwd "$w_f_uid" 2>/dev/null)"
  else
    w_put user "$(grep -s "^[^:]*:[^:]*:$w_f_uid:" /etc/passwd)"
  fi
  w_put tools "$(w_facts_tools)"
  w_facts_network
  w_facts_space
  w_facts_virtual "$w_f_uid"
}

w_facts() {
  # A shell of its own: the locale is to be the task's again when the environment is shown.
  (w_facts_all)
  w_rest environment
  env -0 2>/dev/null || env
}
