#!/bin/sh
# Approves the certificates that kubelets ask for to serve with (serverTLSBootstrap), of nodes whose names and addresses are known, and no
# other. Runs as root on a control plane. Needs kubectl, base64, od and awk.
#
#   kubelet-certificates.sh [--check] SECONDS NODE=NAME,ADDRESS,… …
#
# NODE is the name of a Node, and after it stands all that may be in its certificate. With `+` before it a request of that node is waited
# for, up to SECONDS. Prints `approved REQUEST NODE`, with --check `would approve …`, and `left REQUEST: why` for others that wait.
#
# Whoever can ask in a node's name gets a certificate for what is in the request: so the request itself is read, from its beginning to
# its end, and not searched.
set -eu
LC_ALL=C
export LC_ALL

check=
if [ "${1-}" = --check ]; then
  check=1
  shift
fi
limit=$1
shift

ask() { kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=20s "$@"; }

# The requests that nobody has answered: NAME|SIGNER|WHO|USAGES|REQUEST.
waiting() {
  ask get certificatesigningrequests -o 'go-template={{ range .items }}{{ if not .status.conditions }}{{ .metadata.name }}|{{ .spec.signerName }}|{{ .spec.username }}|{{ range .spec.usages }}{{ . }},{{ end }}|{{ .spec.request }}{{ "\n" }}{{ end }}{{ end }}'
}

# What a request (PKCS #10, on standard input in PEM) asks for, a line each: CN, O, DNS, IP; and `odd` for anything else.
asked() {
  sed -n '/^-----BEGIN CERTIFICATE REQUEST-----$/,/^-----END/p' | grep -v '^-----' | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n' | awk '
    function hex(s,   i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
    function odd(why) { print "odd " why; bad = 1; exit }
    # Reads what begins at p: sets tag, from and to (behind it), in characters of hex.
    function open(p,   n, size) {
      tag = substr(all, p, 2); size = hex(substr(all, p + 2, 2)); p += 4
      if (size > 131) odd("length")
      if (size >= 128) { n = size - 128; if (!n) odd("length"); size = hex(substr(all, p, n * 2)); p += n * 2 }
      from = p; to = p + size * 2
      if (to > length(all) + 1) odd("length")
    }
    function want(what) { if (tag != what) odd("form") }
    function text(a, b,   s, c) { s = ""; for (; a < b; a += 2) { c = hex(substr(all, a, 2)); if (c < 33 || c > 126) odd("letters"); s = s sprintf("%c", c) } return s }
    { all = $0 }
    END {
      if (bad || all == "") odd("nothing")
      open(1); want("30"); if (to != length(all) + 1) odd("form")
      open(from); want("30"); info = to
      open(from); want("02")
      open(to); want("30"); subject = to
      for (p = from; p < subject; p = set) {
        open(p); want("31"); set = to; open(from); want("30"); if (to != set) odd("subject")
        open(from); want("06"); oid = substr(all, from, to - from); open(to)
        if (oid == "550403") print "CN " text(from, to); else if (oid == "55040a") print "O " text(from, to); else odd("subject")
      }
      open(subject); want("30"); p = to
      if (p < info) {
        open(p); want("a0"); if (to != info) odd("form")
        for (p = from; p < info; p = attribute) {
          open(p); want("30"); attribute = to; open(from); want("06"); oid = substr(all, from, to - from)
          if (oid != "2a864886f70d01090e" || requests++) odd("attribute")
          open(to); want("31"); set = to; open(from); want("30"); extensions = to; if (to != set) odd("form")
          for (q = from; q < extensions; q = extension) {
            open(q); want("30"); extension = to; open(from); want("06"); oid = substr(all, from, to - from); open(to)
            if (tag == "01") open(to)
            want("04")
            if (oid != "551d11" || names++) odd("extension")
            open(from); want("30"); end = to
            for (r = from; r < end; r = to) {
              open(r)
              if (tag == "82") print "DNS " text(from, to)
              else if (tag == "87" && to - from == 8) print "IP " hex(substr(all, from, 2)) "." hex(substr(all, from + 2, 2)) "." hex(substr(all, from + 4, 2)) "." hex(substr(all, from + 6, 2))
              else if (tag == "87" && to - from == 32) { s = ""; for (i = from; i < to; i += 4) s = s (i > from ? ":" : "") substr(all, i, 4); print "IP " s }
              else odd("name")
            }
          }
        }
      }
    }'
}

# What may be in a certificate, a line each, addresses in one form: `fd00::1` is fd00:0000:…:0001.
allowed() {
  printf '%s\n' "$1" | tr ',' '\n' | tr '[:upper:]' '[:lower:]' | awk '
    function four(s) { while (length(s) < 4) s = "0" s; return s }
    /:/ {
      n = split($0, halves, "::"); left = split(halves[1], a, ":"); if (halves[1] == "") left = 0
      right = n > 1 && halves[2] != "" ? split(halves[2], b, ":") : 0
      s = ""
      for (i = 1; i <= left; i++) s = s (s == "" ? "" : ":") four(a[i])
      for (i = left + right; i < 8; i++) s = s (s == "" ? "" : ":") "0000"
      for (i = 1; i <= right; i++) s = s (s == "" ? "" : ":") four(b[i])
      print s; next
    }
    NF { print }'
}

# judge WHO USAGES REQUEST NODE=…: prints the Node if its request may be approved, and fails with why not.
judge() {
  who=$1
  usages=$2
  words=$(printf '%s' "$3" | base64 -d 2>/dev/null | asked)
  shift 3
  node=${who#system:node:}
  for one in "$@"; do
    one=${one#+}
    [ "${one%%=*}" = "$node" ] || continue
    case $usages in *'server auth,'*) ;; *) echo "it is not for serving" && return 1 ;; esac
    case $usages in *'client auth,'*) echo "it is for a client, too" && return 1 ;; esac
    may=$(allowed "${one#*=}")
    [ "$(printf '%s\n' "$words" | grep -c '^CN ')" = 1 ] || { echo "its subject is odd" && return 1; }
    printf '%s\n' "$words" | grep -Eq '^(DNS|IP) ' || { echo "it names nothing" && return 1; }
    strange=$(printf '%s\n' "$words" | while read -r kind value; do
      case $kind in
        CN) [ "$value" = "$who" ] || echo "$value" ;;
        O) [ "$value" = system:nodes ] || echo "$value" ;;
        DNS | IP) printf '%s\n' "$may" | grep -qxF -e "$(printf '%s' "$value" | tr '[:upper:]' '[:lower:]')" || echo "$value" ;;
        *) echo "$kind $value" ;;
      esac
    done | head -n 3 | tr '\n' ' ' | cut -c 1-200)
    [ -z "$strange" ] || { echo "it asks for $strange" && return 1; }
    echo "$node"
    return 0
  done
  echo "no host of the inventory is the Node $(printf '%s' "$node" | tr -cd 'A-Za-z0-9.:_-' | cut -c 1-100)"
  return 1
}

end=$(($(date +%s) + limit))
seen=' '
while :; do
  list=$(waiting) || { echo "kubectl does not list the requests" >&2 && exit 1; }
  left=
  while IFS='|' read -r name signer who usages request; do
    case $who in system:node:*) ;; *) continue ;; esac
    # Before 1.18 a request names no signer.
    case $signer in kubernetes.io/kubelet-serving | '<no value>' | kubernetes.io/legacy-unknown) ;; *) continue ;; esac
    case $name in '' | *[!a-z0-9.-]*) continue ;; esac
    if said=$(judge "$who" "$usages" "$request" "$@"); then
      if [ "$check" ]; then
        echo "would approve $name $said"
      else
        ask certificate approve "$name" >/dev/null
        echo "approved $name $said"
      fi
      seen="$seen$said "
    else
      left="${left}left $name: $said
"
    fi
  done <<END
$list
END
  missing=
  for one in "$@"; do
    case $one in +*) one=${one#+} && case $seen in *" ${one%%=*} "*) ;; *) missing=1 ;; esac ;; esac
  done
  if [ -z "$missing" ] || [ "$check" ] || [ "$(date +%s)" -ge "$end" ]; then break; fi
  sleep 2
done
printf '%s' "$left"
