#!/bin/sh
# Has a service started at boot, and started or restarted now, and waits for its socket.
#
# usage: start.sh SERVICE SOCKET restart|start
# Prints "changed" where it did something. What the service said is printed when it does not come up.
set -u
service=$1 socket=$2 act=$3

if ! command -v systemctl >/dev/null 2>&1; then
    echo "this node has no systemd, which $service is started by: start it yourself, and write \`container_runtime_install: none\`" >&2
    exit 1
fi
systemctl daemon-reload
if ! systemctl is-enabled --quiet "$service" 2>/dev/null; then systemctl enable --quiet "$service" && echo changed; fi
if [ "$act" = restart ] || ! systemctl is-active --quiet "$service"; then
    echo changed
    systemctl restart "$service"
fi
tries=60
while [ "$tries" -gt 0 ]; do
    if systemctl is-active --quiet "$service" && { [ -z "$socket" ] || [ -S "$socket" ]; }; then exit 0; fi
    tries=$((tries - 1))
    sleep 0.5 2>/dev/null || sleep 1
done
{
    echo "$service does not come up: $(systemctl is-active "$service"); $socket $([ -S "$socket" ] && echo is there || echo is not there). Last it said:"
    journalctl -u "$service" -n 15 --no-pager -o cat 2>/dev/null | cut -c1-300
} >&2
exit 1
