#!/bin/sh
# The keys with which the API servers encrypt Secrets in etcd, on one control plane. Runs as root. Prints no key, and has none on a
# command line: they are in files of mode 0600, and kubectl sees none of them.
#
#   encryption.sh stage                 prints where things stand, and how many keys there are: `none`, `added` (a new key that
#                                       only reads), `promoted` (it writes), `rewritten` (all Secrets are encrypted with it),
#                                       `settled` (there is no other key)
#   encryption.sh new PROVIDER          a cluster that is about to be made: one key, which writes; nothing where there is one
#   encryption.sh add PROVIDER          adds a key that only reads: the one in the file key.new, or a new one
#   encryption.sh promote               has that key write
#   encryption.sh rewrite RESOURCE…     has the API write all objects once more, and so with that key
#   encryption.sh drop                  drops all other keys
#
# The folder is one of the PKI: kubeadm lets the API server see it, backups have its `.key`, and a reset takes it away. In it
# are `secrets.key`, a line for each key in the order of use: NAME PROVIDER SECRET, or `identity` for no encryption;
# `config.yml`, what the API server reads; and `rewritten`, the name of the key that all are encrypted with. PROVIDER is secretbox,
# aescbc or aesgcm. WINDLASS_RESOURCES has what is encrypted, and is `secrets` by default.
set -eu
umask 077
LC_ALL=C
export LC_ALL

kubernetes=${WINDLASS_KUBERNETES:-/etc/kubernetes}
folder=$kubernetes/pki/encryption
keys=$folder/secrets.key

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The names of the keys, in the order of use; `identity` is none.
names() { awk '$1 != "identity" { print $1 }' "$keys"; }
newest() { names | sort | tail -n 1; }
first() { awk 'NR == 1 { print $1 }' "$keys"; }

stage() {
  [ -s "$keys" ] || { echo none 0; return; }
  count=$(names | wc -l | tr -d ' ')
  newest=$(newest)
  if [ "$(first)" != "$newest" ]; then
    echo "added $count"
  elif [ "$(cat "$folder/rewritten" 2>/dev/null)" != "$newest" ]; then
    echo "promoted $count"
  elif [ "$count" -gt 1 ]; then
    echo "rewritten $count"
  else
    echo "settled $count"
  fi
}

# Puts what standard input has in the place of the keys, and makes the configuration of them.
keep() {
  cat >"$keys.part"
  [ -s "$keys.part" ] || die "no key would be left"
  mv "$keys.part" "$keys"
  configure
}

# Keys of one provider that follow each other are one entry.
configure() {
  awk -v resources="$resources" '
    BEGIN {
      print "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n  - resources:"
      n = split(resources, all, " ")
      for (i = 1; i <= n; i++) print "      - " all[i]
      print "    providers:"
    }
    $1 == "identity" { print "      - identity: {}"; last = ""; next }
    $2 != last { print "      - " $2 ":\n          keys:"; last = $2 }
    { print "            - name: " $1 "\n              secret: " $3 }' "$keys" >"$folder/config.yml.part"
  # What is the same is not written again: an API server that is older than its file is restarted.
  if cmp -s "$folder/config.yml.part" "$folder/config.yml"; then
    rm "$folder/config.yml.part"
  else
    mv "$folder/config.yml.part" "$folder/config.yml"
  fi
}

# The user's key is taken, or refused; it does not stay beside the others.
tidy() { rm -f "$folder/key.new" "$folder/key.new.line"; }

# Sets secret: the key that the user gave, or a new one.
choose() {
  mkdir -p "$folder"
  if [ -e "$folder/key.new" ]; then
    secret=$(tr -d ' \n\r' <"$folder/key.new")
    bytes=$(printf '%s' "$secret" | base64 -d 2>/dev/null | wc -c | tr -d ' ')
    case $1-$bytes in secretbox-32 | aes*-16 | aes*-24 | aes*-32) ;; *) die "secrets_encryption_key has $bytes bytes once its base64 is undone; $1 needs 32" ;; esac
    if [ -s "$keys" ] && cut -d ' ' -f 3 "$keys" | grep -qxF -f "$folder/key.new.line"; then
      die "secrets_encryption_key is a key that the cluster has already: give it another one, or none to have one made"
    fi
  else
    secret=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
  fi
  [ "$secret" ] || die "there is no key"
}

new() {
  if [ -s "$keys" ]; then
    configure
    return
  fi
  trap tidy EXIT
  given
  choose "$1"
  name=key-$(date -u +%Y%m%dT%H%M%SZ)
  echo "$name" >"$folder/rewritten"
  printf '%s %s %s\nidentity\n' "$name" "$1" "$secret" | keep
  echo changed
}

# For grep, which takes what it looks for from a file.
given() { if [ -e "$folder/key.new" ]; then tr -d ' \n\r' <"$folder/key.new" >"$folder/key.new.line" && echo >>"$folder/key.new.line"; fi; }

add() {
  case $(stage) in none* | settled*) ;; *) return ;; esac
  trap tidy EXIT
  given
  choose "$1"
  name=key-$(date -u +%Y%m%dT%H%M%SZ)
  if [ -s "$keys" ]; then
    # After those that write and read, and before what is not encrypted.
    { grep -v '^identity' "$keys"; printf '%s %s %s\n' "$name" "$1" "$secret"; echo identity; } | keep
  else
    printf 'identity\n%s %s %s\n' "$name" "$1" "$secret" | keep
  fi
  echo changed
}

promote() {
  newest=$(newest)
  if [ "$(first)" = "$newest" ]; then return; fi
  { grep "^$newest " "$keys"; grep -v -e "^$newest " -e '^identity' "$keys" || true; echo identity; } | keep
  echo changed
}

drop() {
  newest=$(newest)
  [ "$(cat "$folder/rewritten" 2>/dev/null)" = "$newest" ] || die "not all Secrets are encrypted with the new key yet: no key is dropped"
  if [ "$(names | wc -l)" -le 1 ]; then return; fi
  { grep "^$newest " "$keys"; echo identity; } | keep
  echo changed
}

ask() { kubectl --kubeconfig "$kubernetes/admin.conf" --request-timeout=60s "$@"; }

# What the server refuses because somebody else wrote it meanwhile was written with the new key by that; it is gone
# through again all the same. What kubectl says may quote an object: only its first words are shown.
rewrite() {
  newest=$(newest)
  [ "$(first)" = "$newest" ] || die "the new key does not write yet"
  if [ "$(cat "$folder/rewritten" 2>/dev/null)" = "$newest" ]; then return; fi
  spaces=$(ask get namespaces -o 'go-template={{ range .items }}{{ .metadata.name }}{{ "\n" }}{{ end }}') || die "the namespaces could not be listed"
  for resource in "$@"; do
    for space in $spaces; do
      for try in 1 2 3 4 5; do
        # A list that did not come to its end must not pass for an empty one.
        written=$({ { ask get "$resource" --namespace "$space" -o json || echo '] not listed'; } | ask replace -f - 2>&1 >/dev/null; } | cut -c 1-160)
        if ! printf '%s\n' "$written" | grep -v -i -e '^warning' -e 'no objects passed' | grep -q .; then break; fi
        [ "$try" != 5 ] || die "not all $resource in the namespace $space could be written again: $(printf '%s\n' "$written" | head -n 3)"
        sleep 2
      done
    done
  done
  echo "$newest" >"$folder/rewritten"
  echo changed
}

resources=${WINDLASS_RESOURCES:-secrets}
case ${1-} in
  stage | new | add | promote | rewrite | drop)
    verb=$1
    shift
    "$verb" "$@"
    ;;
  *) die "usage: encryption.sh stage | new PROVIDER | add PROVIDER | promote | rewrite RESOURCE… | drop" ;;
esac
