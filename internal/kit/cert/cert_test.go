package cert

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
)

func quiet(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// pair writes a certificate for a name, and its key, over what is there.
func pair(t *testing.T, dir, name string) (certPath, keyPath string) {
	t.Helper()
	o := AuthorityOptions{Dir: t.TempDir(), Names: []string{name}, Clock: clock.System(), Log: quiet(t), Machine: func() Machine { return Machine{} }}
	a, err := OpenAuthority(o)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.Leaf().PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath = filepath.Join(dir, "x.crt"), filepath.Join(dir, "x.key")
	write(t, keyPath, pemOf(pemKey, key))
	write(t, certPath, pemOf(pemCert, a.Leaf().Certificate[0]))
	return certPath, keyPath
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve serves over TLS with a configuration. (A server of httptest would show a certificate
// of its own.)
func serve(t *testing.T, c *tls.Config) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{TLSConfig: c, ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) })}
	go func() { _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// shown is the certificate that a server shows.
func shown(t *testing.T, address string) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("never: " + what)
		}
	}
}

// A certificate that is renewed is taken without a restart and without cutting anybody;
// half of a renewal, or nonsense, is not.
func TestFilesReload(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"by looking", "by signal"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			certPath, keyPath := pair(t, dir, "one.example")
			f, err := OpenFiles(certPath, keyPath, quiet(t))
			if err != nil {
				t.Fatal(err)
			}
			again := make(chan os.Signal, 1)
			if f.every = time.Hour; how == "by looking" {
				f.every = 5 * time.Millisecond
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { f.Run(ctx, again); close(done) }()
			defer func() { stop(); <-done }()
			address := serve(t, f.Config())

			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
			var reused []bool
			ask := func() {
				res, err := client.Get("https://" + address)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				reused = append(reused, res.TLS.PeerCertificates[0].DNSNames[1] == "one.example")
			}
			ask()

			write(t, keyPath, []byte("nonsense"))
			again <- os.Interrupt
			eventually(t, "the nonsense is looked at", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.seen == f.state() })
			if got := shown(t, address).DNSNames[1]; got != "one.example" {
				t.Errorf("after nonsense it shows %s", got)
			}
			pair(t, dir, "two.example")
			again <- os.Interrupt
			eventually(t, "the new one is shown", func() bool { return shown(t, address).DNSNames[1] == "two.example" })
			ask()
			if !slices.Equal(reused, []bool{true, true}) {
				t.Errorf("a connection that was open was cut: %v", reused)
			}
		})
	}
	if _, err := OpenFiles("none.crt", "none.key", quiet(t)); !errors.Is(err, ErrFiles) {
		t.Errorf("missing files: %v", err)
	}
}

// A tablet that trusts the root reaches the server by name and by address, and the root is
// the same after a restart.
func TestAuthority(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Now().Truncate(time.Second))
	machine := Machine{Host: "shop-pc", Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("203.0.113.9")}}
	o := AuthorityOptions{Dir: filepath.Join(t.TempDir(), "tls"), Names: []string{"till.shop.example"}, Clock: now, Log: quiet(t), Machine: func() Machine { return machine }}
	a, err := OpenAuthority(o)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(o.Dir, authority)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", st.Mode(), err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(PEM(a.Root())) {
		t.Fatal("the root is no PEM")
	}
	address := serve(t, a.Config())
	for name, good := range map[string]bool{
		"shop-pc": true, "shop-pc.local": true, "localhost": true, "till.shop.example": true, "192.168.1.10": true, "127.0.0.1": true,
		"203.0.113.9": false, "other.example": false, "192.168.1.11": false,
	} {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, ServerName: name, NextProtos: []string{"h2"}})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
				t.Errorf("%s: speaks %q", name, p)
			}
			_ = c.Close()
		}
	}
	leaf := a.Leaf().Leaf
	if d := leaf.NotAfter.Sub(leaf.NotBefore); d > 825*24*time.Hour || leaf.IsCA || !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		t.Errorf("a leaf that Apple does not take: %v", d)
	}
	again, err := OpenAuthority(o)
	if err != nil || !bytes.Equal(again.Root().Raw, a.Root().Raw) {
		t.Errorf("another root after a restart: %v", err)
	}
	read, err := ReadRoot(o.Dir)
	if err != nil || Fingerprint(read) != Fingerprint(a.Root()) || len(Fingerprint(read)) != 95 {
		t.Errorf("ReadRoot: %v", err)
	}
}

// Whoever steals the key of a shop's authority can vouch for nothing outside of the house.
func TestAuthorityConstrained(t *testing.T) {
	t.Parallel()
	o := AuthorityOptions{Dir: t.TempDir(), Clock: clock.System(), Log: quiet(t), Machine: func() Machine { return Machine{Host: "shop-pc"} }}
	a, err := OpenAuthority(o)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Root())
	for name, good := range map[string]bool{"bank.example": false, "8.8.8.8": false, "2001:db8::1": false, "pad.lan": true, "10.1.2.3": true, "fd00::1": true, "evil-shop-pc": false} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		forged := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		if ip := net.ParseIP(name); ip != nil {
			forged.IPAddresses = []net.IP{ip}
		} else {
			forged.DNSNames = []string{name}
		}
		raw, err := x509.CreateCertificate(rand.Reader, forged, a.Root(), &key.PublicKey, a.key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Certificates are made anew in time, and when the machine moves; the root stays.
func TestAuthorityRenews(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Now().Truncate(time.Second))
	machine := Machine{Host: "shop-pc", Addresses: []netip.Addr{netip.MustParseAddr("192.168.1.10")}}
	a, err := OpenAuthority(AuthorityOptions{Dir: t.TempDir(), Clock: now, Log: quiet(t), Machine: func() Machine { return machine }})
	if err != nil {
		t.Fatal(err)
	}
	first := a.Leaf().Leaf
	step := func(what string, renewed bool) {
		t.Helper()
		before := a.Leaf()
		a.look()
		if (a.Leaf() != before) != renewed {
			t.Errorf("%s: renewed %v", what, !renewed)
		}
	}
	step("at once", false)
	now.Advance(leafFor - leafRenew - time.Second)
	step("a second early", false)
	now.Advance(time.Second)
	step("in time", true)
	if left := a.Leaf().Leaf.NotAfter.Sub(now.Now()); left != leafFor || first.SerialNumber.Cmp(a.Leaf().Leaf.SerialNumber) == 0 {
		t.Errorf("the new one lasts %v", left)
	}
	machine.Addresses = []netip.Addr{netip.MustParseAddr("192.168.1.77")}
	step("another address", true)
	if ips := a.Leaf().Leaf.IPAddresses; len(ips) != 1 || ips[0].String() != "192.168.1.77" {
		t.Errorf("it is for %v", ips)
	}
	step("the same again", false)
}

func TestAuthorityRefuses(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Now())
	o := AuthorityOptions{Dir: t.TempDir(), Clock: now, Log: quiet(t), Machine: func() Machine { return Machine{} }}
	if _, err := OpenAuthority(o); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.Dir, authority)
	later := o
	later.Names = []string{"late.example"}
	if _, err := OpenAuthority(later); !errors.Is(err, ErrOutside) {
		t.Errorf("a name that the root does not know: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(o); !errors.Is(err, ErrMode) {
		t.Errorf("a key that others may read: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	now.Advance(rootFor - leafFor)
	if _, err := OpenAuthority(o); !errors.Is(err, ErrAuthority) {
		t.Errorf("a root that ends before its leaf: %v", err)
	}
	write(t, path, []byte("nonsense"))
	if _, err := OpenAuthority(o); !errors.Is(err, ErrAuthority) {
		t.Errorf("nonsense: %v", err)
	}
}
