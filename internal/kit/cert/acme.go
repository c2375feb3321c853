package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACME fetches certificates from an authority that speaks ACME, and renews them.
type ACME struct {
	domains []string
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	cache   *certmagic.Cache
}

// ACMEOptions say for what and where certificates are fetched.
type ACMEOptions struct {
	Dir      string // where they are kept
	Domains  []string
	Email    string
	CA       string // URL of the directory; Let's Encrypt where empty
	RootFile string // root that the authority's own address is known by; the system's where empty
	// Ports are those that this server listens on, to which 443 and 80 of the outside lead.
	// HTTPPort 0 leaves the challenge over plain HTTP out.
	TLSPort, HTTPPort int
	Log               *slog.Logger
}

// OpenACME prepares; nothing is fetched before Start.
func OpenACME(o ACMEOptions) (*ACME, error) {
	var roots *x509.CertPool
	if o.RootFile != "" {
		text, err := os.ReadFile(o.RootFile)
		roots = x509.NewCertPool()
		if err == nil && !roots.AppendCertsFromPEM(text) {
			err = errors.New("it holds no certificate")
		}
		if err != nil {
			return nil, ErrRoot.With("path", o.RootFile, "cause", err.Error()).Because(err)
		}
	}
	a := &ACME{domains: o.Domains}
	quiet := zap.NewNop() // what matters comes as events
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           quiet,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: o.Dir}, Logger: quiet, OnEvent: tell(o.Log),
	})
	a.issuer = certmagic.NewACMEIssuer(a.magic, certmagic.ACMEIssuer{
		CA: o.CA, Email: o.Email, Agreed: true, TrustedRoots: roots, Logger: quiet,
		AltTLSALPNPort: o.TLSPort, AltHTTPPort: o.HTTPPort, DisableHTTPChallenge: o.HTTPPort == 0,
	})
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

// tell logs what becomes of certificates.
func tell(log *slog.Logger) func(context.Context, string, map[string]any) error {
	return func(ctx context.Context, event string, data map[string]any) error {
		switch event {
		case "cert_obtained":
			log.InfoContext(ctx, "a certificate was fetched", "name", data["identifier"], "renewal", data["renewal"])
		case "cert_failed":
			log.ErrorContext(ctx, "a certificate could not be fetched; it is tried again", "name", data["identifier"], "error", fmt.Sprint(data["error"]))
		}
		return nil
	}
}

// Start loads what is kept, and fetches and renews the rest in the background until ctx
// ends. The server must listen by then or soon: the authority calls it.
func (a *ACME) Start(ctx context.Context) error {
	for _, domain := range a.domains {
		// ManageAsync loads in the background too, and whoever came first would be refused.
		kept, err := a.magic.CacheManagedCertificate(ctx, domain)
		if err == nil && kept.NeedsRenewal(a.magic) {
			a.cache.Remove([]string{kept.Hash()}) // ManageAsync renews only what it has loaded itself
		}
	}
	return a.magic.ManageAsync(ctx, a.domains) // it meets what could not be loaded again, and deals with it
}

// Config is for the listener.
func (a *ACME) Config() *tls.Config {
	c := a.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = slices.Concat([]string{"h2", "http/1.1"}, c.NextProtos) // and the authority's own
	return c
}

// Challenges answers the authority over plain HTTP, and passes all else on.
func (a *ACME) Challenges(h http.Handler) http.Handler { return a.issuer.HTTPChallengeHandler(h) }

// Close ends the renewing.
func (a *ACME) Close() { a.cache.Stop() }
