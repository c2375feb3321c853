package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cert"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The refusals of a start.
var (
	ErrOpen = errs.New(errs.Invalid, "serve.plain",
		"Passwords and keys would cross the network in the open: {listen} is no address of this machine alone. Either let Patron speak TLS (--tls-cert and --tls-key, --acme-domain, or --tls-local in a shop's own network); or put a proxy with TLS in front and name it with --trusted-proxy; or listen on 127.0.0.1.",
		"密码和密钥将以明文经过网络：{listen} 不是仅限本机的地址。可任选其一：由 Patron 提供 TLS（--tls-cert 与 --tls-key、--acme-domain，或店内网络使用 --tls-local）；在前面放置提供 TLS 的代理并用 --trusted-proxy 列出它；或只监听 127.0.0.1。")
	ErrTwoSources = errs.New(errs.Invalid, "serve.tls_twice",
		"Certificates can come from one place: give either tls_cert and tls_key, or acme_domain, or tls_local.", "证书只能有一个来源：tls_cert 与 tls_key、acme_domain、tls_local 三者选一。")
	ErrHalfTLS = errs.New(errs.Invalid, "serve.tls_half",
		"tls_cert and tls_key belong together: give both.", "tls_cert 与 tls_key 必须同时给出。")
)

// hsts makes browsers ask over TLS for a year. A local authority does without: a tablet that
// has lost its root could not get to the page that gives it back.
const hsts = "max-age=31536000"

// Front is how callers reach the program: over TLS of its own, through named proxies, or
// from this machine alone.
type Front struct {
	config    config.Config
	log       *slog.Logger
	files     *cert.Files
	acme      *cert.ACME
	authority *cert.Authority
}

// CheckFront refuses a configuration in which secrets would cross a network in the open.
func CheckFront(c config.Config) error {
	sources := 0
	for _, given := range []bool{c.TLSCert != "" || c.TLSKey != "", len(c.ACMEDomain) > 0, c.TLSLocal} {
		if given {
			sources++
		}
	}
	switch {
	case sources > 1:
		return ErrTwoSources
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return ErrHalfTLS
	case sources == 0 && !loopback(c.Listen) && len(c.TrustedProxy) == 0:
		return ErrOpen.With("listen", c.Listen)
	}
	return nil
}

// loopback reports whether an address to listen on is of this machine alone.
func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address) // the configuration has checked it
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// NewFront gets the certificates ready. A local authority is made at the first start.
func NewFront(c config.Config, clock clock.Clock, log *slog.Logger) (*Front, error) {
	if err := CheckFront(c); err != nil {
		return nil, err
	}
	f, err := &Front{config: c, log: log}, error(nil)
	switch {
	case c.TLSCert != "":
		f.files, err = cert.OpenFiles(c.TLSCert, c.TLSKey, log)
	case len(c.ACMEDomain) > 0:
		f.acme, err = cert.OpenACME(cert.ACMEOptions{
			Dir: filepath.Join(TLSDir(c.DataDir), "acme"), Domains: c.ACMEDomain, Email: c.ACMEEmail, CA: c.ACMECA, RootFile: c.ACMERoot,
			TLSPort: port(c.Listen), HTTPPort: port(f.HTTPListen()), Log: log,
		})
	case c.TLSLocal:
		f.authority, err = cert.OpenAuthority(cert.AuthorityOptions{Dir: TLSDir(c.DataDir), Names: c.TLSNames, Clock: clock, Log: log})
		if err == nil {
			err = os.WriteFile(trustFile(c.DataDir), []byte(f.TrustURL()+"\n"), 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// TLSDir is the folder of certificates in a data directory.
func TLSDir(dataDir string) string { return filepath.Join(dataDir, "tls") }

// trustFile tells `patron tls show` where the server serves its root.
func trustFile(dataDir string) string { return filepath.Join(TLSDir(dataDir), "trust-url") }

// port is that of an address to listen on; 0 where there is none.
func port(address string) int {
	_, text, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(text)
	return n
}

// TLS is for the listener; nil for plain HTTP.
func (f *Front) TLS() *tls.Config {
	switch {
	case f.files != nil:
		return f.files.Config()
	case f.acme != nil:
		return f.acme.Config()
	case f.authority != nil:
		return f.authority.Config()
	}
	return nil
}

// Run keeps the certificates fresh until ctx ends. again has files read anew.
func (f *Front) Run(ctx context.Context, again <-chan os.Signal) error {
	switch {
	case f.files != nil:
		f.files.Run(ctx, again)
	case f.acme != nil:
		defer f.acme.Close()
		if err := f.acme.Start(ctx); err != nil {
			return err
		}
		<-ctx.Done()
	case f.authority != nil:
		f.authority.Run(ctx)
	}
	return nil
}

// HTTPListen is the address of plain HTTP beside TLS, or "". A local authority needs one,
// since a tablet cannot fetch over TLS what it needs to trust TLS: the port after that of
// the server, unless said otherwise.
func (f *Front) HTTPListen() string {
	c := f.config
	switch {
	case c.HTTPListen == config.Off || !c.TLS():
		return ""
	case c.HTTPListen == "" && c.TLSLocal:
		host, _, _ := net.SplitHostPort(c.Listen)
		return net.JoinHostPort(host, strconv.Itoa(port(c.Listen)+1))
	}
	return c.HTTPListen
}

// Wrap puts in front of the program what depends on how it is reached.
func (f *Front) Wrap(h http.Handler) http.Handler {
	switch {
	case f.authority != nil:
		mux := f.trustMux()
		mux.Handle("/", h)
		return mux
	case f.TLS() != nil:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Strict-Transport-Security", hsts)
			h.ServeHTTP(w, r)
		})
	case loopback(f.config.Listen):
		return h
	}
	return f.proxied(h)
}

// proxied serves named proxies and this machine, and nobody who comes past them: they would
// send their secrets in the open. Whoever asks whether it lives may.
func (f *Front) proxied(h http.Handler) http.Handler {
	proxies := api.Proxies(f.config.TrustedProxy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := api.PeerAddr(r)
		if !peer.IsLoopback() && !proxies.Has(peer) && r.URL.Path != "/livez" && r.URL.Path != "/readyz" {
			say(w, http.StatusForbidden, "Only through the proxy, over https. 请经由代理以 https 访问。\n")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// ServePlain serves plain HTTP beside TLS until ctx ends: the authority that asks, tablets
// that fetch the root, and for all others the way to https.
func (f *Front) ServePlain(ctx context.Context, l net.Listener) error {
	var h http.Handler = http.HandlerFunc(f.lead)
	if f.authority != nil {
		mux := f.trustMux()
		mux.HandleFunc("/", f.lead)
		h = mux
	}
	if f.acme != nil {
		h = f.acme.Challenges(h)
	}
	server := api.Server("", h)
	server.ErrorLog = slog.NewLogLogger(f.log.Handler(), slog.LevelDebug)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for more than a redirect
	defer stop()
	if err := server.Serve(l); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// lead shows the way to https. What writes is not led there but refused: its secrets have
// crossed the network already, and whoever wrote the address should learn of it.
func (f *Front) lead(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	outside := err != nil // no port in the address: the outside has the usual ones
	if outside {
		host = strings.Trim(r.Host, "[]")
	}
	if host == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		say(w, http.StatusForbidden, "Use https. 请使用 https。\n")
		return
	}
	at := net.JoinHostPort(host, strconv.Itoa(port(f.config.Listen)))
	if outside || port(f.config.Listen) == 443 {
		if at = host; strings.Contains(host, ":") {
			at = "[" + host + "]"
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "https://"+at+r.URL.RequestURI(), http.StatusMovedPermanently)
}

// Origin is the address under which people find the program that listens on l.
func (f *Front) Origin(l net.Addr) string {
	if f.TLS() == nil {
		return "http://" + l.String()
	}
	_, text, _ := net.SplitHostPort(l.String())
	host := f.host()
	if text == "443" {
		return "https://" + host
	}
	return "https://" + net.JoinHostPort(host, text)
}

// host is the name or address by which others call this machine.
func (f *Front) host() string {
	switch {
	case f.acme != nil:
		return f.config.ACMEDomain[0]
	case f.files != nil && len(f.files.Leaf().Leaf.DNSNames) > 0:
		return strings.Replace(f.files.Leaf().Leaf.DNSNames[0], "*", "www", 1)
	}
	host, _, _ := net.SplitHostPort(f.config.Listen)
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return host
	}
	for _, a := range cert.ThisMachine().Addresses {
		if a.Is4() && a.IsPrivate() {
			return a.String()
		}
	}
	return "127.0.0.1"
}

// TrustURL is where a tablet fetches the root of the local authority; "" without one.
func (f *Front) TrustURL() string {
	if f.authority == nil || f.HTTPListen() == "" {
		return ""
	}
	return fmt.Sprintf("http://%s/trust", net.JoinHostPort(f.host(), strconv.Itoa(port(f.HTTPListen()))))
}

// quiet is a log of the server's: what strangers do wrong while they shake hands is told on
// level debug only, and the rest as a warning.
type quiet struct{ log *slog.Logger }

// Write takes one line.
func (q quiet) Write(line []byte) (int, error) {
	level, text := slog.LevelWarn, strings.TrimSpace(string(line))
	if strings.Contains(text, "TLS handshake error") {
		level = slog.LevelDebug
	}
	q.log.Log(context.Background(), level, text)
	return len(line), nil
}
