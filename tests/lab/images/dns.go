// A stand-in for CoreDNS, which Debian does not have: it answers the two health checks that
// kubeadm's Deployment makes, and every DNS question with "no such name". Pods of the lab
// reach each other by address.
package main

import (
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

const (
	headerLength  = 12
	flagsHigh     = 2
	flagsLow      = 3
	isResponse    = 0x80
	rcodeMask     = 0x0f
	rcodeNXDomain = 3
)

func main() {
	// The kernel drops SIGTERM for a container's first process unless it handles it, and the kubelet would
	// then wait 30 seconds before it kills.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	go func() {
		<-end
		os.Exit(0)
	}()

	ok := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("OK")) }
	// Liveness (/health), readiness (/ready), metrics.
	for _, address := range []string{":8080", ":8181", ":9153"} {
		address := address
		go func() { log.Fatal(http.ListenAndServe(address, http.HandlerFunc(ok))) }()
	}

	questions, err := net.ListenPacket("udp", ":53")
	if err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for {
		n, from, err := questions.ReadFrom(buffer)
		if err != nil || n < headerLength {
			continue
		}
		// The question comes back as the answer, with two fields of its header changed.
		buffer[flagsHigh] |= isResponse
		buffer[flagsLow] = buffer[flagsLow]&^rcodeMask | rcodeNXDomain
		questions.WriteTo(buffer[:n], from)
	}
}
