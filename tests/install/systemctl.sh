#!/bin/sh
# In place of systemctl where no systemd runs: writes down what it was told, and has containerd's socket there when it was
# started.
echo "$*" >>/var/log/systemctl
socket=/run/containerd/containerd.sock
case $* in
    is-enabled*containerd) [ -e /run/enabled ] ;;
    enable*) : >/run/enabled ;;
    is-active*containerd) [ -S $socket ] ;;
    is-active*) exit 3 ;;
    "restart containerd")
        mkdir -p /run/containerd
        rm -f $socket
        perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' $socket
        ;;
esac
