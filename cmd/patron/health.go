package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

type healthCmd struct {
	URL string `help:"Of the server. Default: the address that it listens on by the configuration." placeholder:"URL"`
}

// healthWithin is longer than the server's own bound, so that its answer is seen.
const healthWithin = 5 * time.Second

// Run asks /readyz, prints the answer and fails where it is not ready: for containers, which
// have no other program to ask with.
func (c *healthCmd) Run(e *env) error {
	url := c.URL
	if url == "" {
		url = "http://" + reachable(e.config.Listen)
		if e.config.TLS() {
			url = "https://" + reachable(e.config.Listen)
		}
	}
	// The certificate is for the names that others use, and is not looked at: this sends
	// nothing, and asks the machine that it runs on.
	client := &http.Client{Timeout: healthWithin, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Get(url + "/readyz")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return err
	}
	fmt.Fprint(e.stdout, string(text))
	if res.StatusCode != http.StatusOK {
		return errQuiet
	}
	return nil
}

// reachable is an address to call a server by that listens on address: one on all addresses
// is called on loopback.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
