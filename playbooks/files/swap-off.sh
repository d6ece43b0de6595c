#!/bin/sh
# Turns swap off, now and for every later start of the machine. Prints what it did, a line each: "on NAME" (swap that was
# on), "start WHAT" (what would have turned swap on at the next start). It prints nothing when there is nothing to do.
# With --check it only says what it would do.
#
# usage: swap-off.sh [--check]
#
# What turns swap on at a start, and what becomes of it:
#   lines of /etc/fstab                         made comments; the file as it was is kept as /etc/fstab.before-kubernetes
#   systemd, for partitions that it finds by    swap.target is masked: all of them begin with it
#   their type (GPT), for zram, for units of
#   somebody's own
#   services that do it by themselves           disabled
#
# Where paths begin: w_root, which only tests set.
set -eu

check=''
if [ "${1-}" = --check ]; then check=yes; fi
root=${w_root-}
swap_line='^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]]|$)'

has() { command -v "$1" >/dev/null 2>&1; }

# The names of swap that is on, one a line.
on() { sed -n '2,$s/[[:space:]].*//p' "$root/proc/swaps" 2>/dev/null; }

# property UNIT NAME
property() { systemctl show --property="$2" "$1" 2>/dev/null | sed 's/^[^=]*=//'; }

services() {
  has systemctl || return 0
  for service in zramswap zram-config dphys-swapfile; do
    [ "$(systemctl is-enabled "$service.service" 2>/dev/null)" = enabled ] || continue
    echo "start $service.service"
    [ "$check" ] || systemctl disable --now "$service.service" >/dev/null 2>&1
  done
}

fstab() {
  [ -e "$root/etc/fstab" ] || return 0
  grep -E "$swap_line" "$root/etc/fstab" | while read -r what _; do echo "start /etc/fstab ($what)"; done
  if [ -z "$check" ] && grep -Eq "$swap_line" "$root/etc/fstab"; then
    sed -i.before-kubernetes -E "/$swap_line/s/^/# /" "$root/etc/fstab"
  fi
}

# Swap that is on and nothing more has a unit too, with no file; so has each other name of a device.
units() {
  has systemctl || return 0
  [ "$(systemctl is-enabled swap.target 2>/dev/null)" != masked ] || return 0
  found=''
  for unit in $(systemctl list-units --type=swap --all --plain --no-legend 2>/dev/null | sed 's/[[:space:]].*//'); do
    if [ -z "$(property "$unit" FragmentPath)" ] || [ "$(property "$unit" Following)" ] ||
      [ "$(property "$unit" SourcePath)" = /etc/fstab ]; then
      continue
    fi
    found=yes
    echo "start $unit"
  done
  if [ "$found" ] && [ -z "$check" ]; then systemctl mask swap.target >/dev/null 2>&1; fi
}

now() {
  [ "$(on)" ] || return 0
  on | sed 's/^/on /'
  [ -z "$check" ] || return 0
  # Not every swapoff goes by more than /etc/fstab.
  swapoff -a 2>/dev/null || true
  on | while read -r name; do
    # Blanks in it are written as \040.
    swapoff "$(printf '%b' "$name")"
  done
}

services
units
now
fstab
