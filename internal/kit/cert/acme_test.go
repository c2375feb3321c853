package cert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

func pemOf(kind string, raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw})
}

// everywhere is a name server that says 127.0.0.1 for every name.
func everywhere(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // as the authority asks
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)})
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return l.Addr().String()
}

// Against an authority that checks for itself: a certificate is fetched through our own
// listener, either by the handshake or over plain HTTP, and is there after a restart without
// asking again.
func TestACME(t *testing.T) {
	for _, name := range []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0"} { // no dice
		key, value, _ := strings.Cut(name, "=")
		t.Setenv(key, value)
	}
	for _, way := range []string{"by the handshake", "over plain HTTP"} {
		t.Run(way, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			plain, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			tlsPort, httpPort := listener.Addr().(*net.TCPAddr).Port, plain.Addr().(*net.TCPAddr).Port
			vaTLS := tlsPort
			if way != "by the handshake" {
				vaTLS = 1 // nobody is there
			}
			logger := log.New(t.Output(), "", 0)
			store := db.NewMemoryStore()
			authority := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "d"}})
			front := wfe.New(logger, store, va.New(logger, httpPort, vaTLS, false, everywhere(t), store), authority, nil, false, false, 1, 1)
			directory := httptest.NewTLSServer(front.Handler())
			defer directory.Close()
			rootFile := filepath.Join(t.TempDir(), "root.pem")
			write(t, rootFile, PEM(directory.Certificate()))

			o := ACMEOptions{
				Dir: t.TempDir(), Domains: []string{"shop.example"}, Email: "owner@shop.example", CA: directory.URL + wfe.DirectoryPath, RootFile: rootFile,
				TLSPort: tlsPort, Log: quiet(t),
			}
			if way != "by the handshake" {
				o.HTTPPort = httpPort
			}
			a, err := OpenACME(o)
			if err != nil {
				t.Fatal(err)
			}
			beside := &http.Server{Handler: a.Challenges(http.NotFoundHandler())}
			go func() { _ = beside.Serve(plain) }()
			defer beside.Close()
			server := &http.Server{Handler: http.NotFoundHandler(), TLSConfig: a.Config(), ErrorLog: log.New(io.Discard, "", 0)}
			go func() { _ = server.ServeTLS(listener, "", "") }()
			defer server.Close()
			if err := a.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			roots := x509.NewCertPool()
			roots.AddCert(authority.GetRootCert(0).Cert)
			eventually(t, "a certificate that the authority vouches for", func() bool {
				c, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: "shop.example", RootCAs: roots, NextProtos: []string{"h2"}})
				if err != nil {
					return false
				}
				defer c.Close()
				return c.ConnectionState().NegotiatedProtocol == "h2"
			})
			directory.Close()
			later, err := OpenACME(o)
			if err != nil {
				t.Fatal(err)
			}
			defer later.Close()
			if err := later.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			c, err := tls.Dial("tcp", serve(t, later.Config()), &tls.Config{ServerName: "shop.example", RootCAs: roots})
			if err != nil {
				t.Fatalf("after a restart, without the authority: %v", err)
			}
			_ = c.Close()
		})
	}
	if _, err := OpenACME(ACMEOptions{Dir: t.TempDir(), RootFile: os.DevNull}); err == nil {
		t.Error("an empty root was taken")
	}
}
