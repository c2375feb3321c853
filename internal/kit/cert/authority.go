package cert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
)

// How long certificates last. A tablet that trusts the root should not have to again; what
// the root vouches for is made anew long before anybody could miss it. Apple takes no leaf
// of more than 825 days.
const (
	rootFor    = 10 * 365 * 24 * time.Hour
	leafFor    = 90 * 24 * time.Hour
	leafRenew  = 30 * 24 * time.Hour // before its end
	backdated  = 24 * time.Hour      // clocks of tablets are seldom right
	rootWarns  = 180 * 24 * time.Hour
	authority  = "authority.pem"
	pemCert    = "CERTIFICATE"
	pemKey     = "PRIVATE KEY"
	maxPEM     = 64 << 10
	maxSANs    = 64
	serialBits = 127
)

// private are the addresses that the authority may vouch for: those that nobody has to
// himself. A root that was stolen from a shop opens no bank.
var private = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"}

// houseNames are the endings of names that mean something only inside of a house.
var houseNames = []string{"localhost", "local", "lan", "home", "internal", "home.arpa"}

// Machine is what the certificate is made for: asked again and again, as a router may give
// out other addresses tomorrow.
type Machine struct {
	Host      string // of the machine; "" where it has none that can stand in a certificate
	Addresses []netip.Addr
}

// ThisMachine asks the system.
func ThisMachine() Machine {
	var m Machine
	if name, err := os.Hostname(); err == nil {
		m.Host = strings.ToLower(name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return m
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !ip.IsLinkLocalUnicast() {
				m.Addresses = append(m.Addresses, ip.Unmap())
			}
		}
	}
	return m
}

// Authority vouches for this machine inside of its own network.
type Authority struct {
	opts AuthorityOptions
	path string
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	now  atomic.Pointer[tls.Certificate]
	sans string // that now holds; of the goroutine that issues
}

// AuthorityOptions say where an authority lives and for what it vouches.
type AuthorityOptions struct {
	Dir     string   // that the authority is kept in
	Names   []string // names and addresses besides the machine's
	Clock   clock.Clock
	Log     *slog.Logger
	Machine func() Machine // ThisMachine where nil
}

// OpenAuthority opens the authority of a folder, or makes one at the first start, and issues
// the first certificate.
func OpenAuthority(o AuthorityOptions) (*Authority, error) {
	if o.Machine == nil {
		o.Machine = ThisMachine
	}
	a := &Authority{opts: o, path: filepath.Join(o.Dir, authority)}
	err := a.read()
	if errors.Is(err, fs.ErrNotExist) {
		err = a.make()
	}
	if err != nil {
		return nil, err
	}
	for _, name := range o.Names {
		if !a.permits(name) {
			return nil, ErrOutside.With("name", name, "path", a.path)
		}
	}
	return a, a.issue()
}

// Root is the certificate that tablets are told to trust.
func (a *Authority) Root() *x509.Certificate { return a.root }

// ReadRoot reads the root of the authority in a folder, without its key.
func ReadRoot(dir string) (*x509.Certificate, error) {
	a := &Authority{path: filepath.Join(dir, authority)}
	err := a.read()
	return a.root, err
}

// PEM is the root as a file that every system takes.
func PEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCert, Bytes: c.Raw})
}

// Fingerprint is the SHA-256 of a certificate, as systems show it to people.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var pairs []string
	for i := 0; i < len(text); i += 2 {
		pairs = append(pairs, text[i:i+2])
	}
	return strings.Join(pairs, ":")
}

// Config is for the listener.
func (a *Authority) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return a.now.Load(), nil })
}

// Leaf is the certificate of the moment.
func (a *Authority) Leaf() *tls.Certificate { return a.now.Load() }

// Run issues a new certificate before the one in use ends, and when the machine gets another
// name or address, until ctx ends.
func (a *Authority) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.look()
		}
	}
}

// look issues a certificate if it is time.
func (a *Authority) look() {
	names, ips := a.subjects()
	left := a.now.Load().Leaf.NotAfter.Sub(a.opts.Clock.Now())
	if left > leafRenew && a.sans == fmt.Sprint(names, ips) {
		return
	}
	if err := a.issue(); err != nil {
		a.opts.Log.Error("the local authority could not issue a certificate", "error", err)
		return
	}
	a.opts.Log.Info("the local authority has issued a certificate", "names", names, "addresses", ips, "until", a.now.Load().Leaf.NotAfter)
}

func (a *Authority) read() error {
	f, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	bad := func(err error) error {
		return ErrAuthority.With("path", a.path, "cause", err.Error()).Because(err)
	}
	st, err := f.Stat()
	if err != nil {
		return bad(err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return ErrMode.With("path", a.path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return bad(err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return bad(err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return bad(errors.New("it is no authority"))
	}
	a.root, a.key = pair.Leaf, key
	if a.opts.Clock == nil {
		return nil
	}
	switch left := a.root.NotAfter.Sub(a.opts.Clock.Now()); {
	case left <= leafFor:
		return bad(errors.New("it ends before a certificate would; remove the file to make a new one"))
	case left < rootWarns:
		a.opts.Log.Warn("the local authority ends soon; remove its file to make a new one, which tablets have to fetch again", "file", a.path, "until", a.root.NotAfter)
	}
	return nil
}

// make makes an authority. Its file appears whole or not at all.
func (a *Authority) make() (err error) {
	if err := os.MkdirAll(a.opts.Dir, 0o700); err != nil {
		return err
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	now, host := a.opts.Clock.Now(), a.opts.Machine().Host
	serial := newSerial()
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Patron"}, CommonName: strings.TrimSpace(fmt.Sprintf("Patron local authority %s %X", host, serial.Bytes()[:2]))},
		NotBefore:    now.Add(-backdated), NotAfter: now.Add(rootFor),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         slices.Clone(houseNames),
	}
	for _, text := range private {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			panic("cert: " + err.Error()) // the table is wrong
		}
		t.PermittedIPRanges = append(t.PermittedIPRanges, network)
	}
	for _, name := range append([]string{host}, a.opts.Names...) {
		if ip := net.ParseIP(name); ip != nil {
			if v4 := ip.To4(); v4 != nil {
				ip = v4
			}
			t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
		} else if isHost(name) {
			t.PermittedDNSDomains = append(t.PermittedDNSDomains, name)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, t, &a.key.PublicKey, a.key)
	if err != nil {
		return err
	}
	if a.root, err = x509.ParseCertificate(raw); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	text := append(PEM(a.root), pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: key})...)
	return writeFile(a.path, text)
}

// writeFile writes a file for its owner alone, which is there whole or not at all.
func writeFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // where it got no further
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// issue makes a certificate for the machine as it is now. Its key lives in memory only.
func (a *Authority) issue() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := a.opts.Clock.Now()
	names, ips := a.subjects()
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{Organization: []string{"Patron"}},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(leafFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: names,
	}
	for _, ip := range ips {
		t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.root, &key.PublicKey, a.key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return err
	}
	a.sans = fmt.Sprint(names, ips)
	a.now.Store(&tls.Certificate{Certificate: [][]byte{raw, a.root.Raw}, PrivateKey: key, Leaf: leaf})
	return nil
}

// subjects are the names and addresses that the machine is called by, as far as the
// authority may vouch for them.
func (a *Authority) subjects() (names []string, ips []netip.Addr) {
	m := a.opts.Machine()
	all := []string{"localhost", m.Host}
	if m.Host != "" && !strings.Contains(m.Host, ".") {
		all = append(all, m.Host+".local") // as it calls itself in the network
	}
	for _, ip := range m.Addresses {
		all = append(all, ip.String())
	}
	for _, name := range append(all, a.opts.Names...) {
		if !a.permits(name) {
			continue
		}
		if ip, err := netip.ParseAddr(name); err == nil {
			ips = append(ips, ip.Unmap())
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	slices.SortFunc(ips, netip.Addr.Compare)
	names, ips = slices.Compact(names), slices.Compact(ips)
	return names[:min(len(names), maxSANs)], ips[:min(len(ips), maxSANs)]
}

// permits reports whether the root may vouch for a name or an address.
func (a *Authority) permits(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(a.root.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return isHost(name) && slices.ContainsFunc(a.root.PermittedDNSDomains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+d)
	})
}

// isHost reports whether a name can stand in a certificate.
func isHost(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

func newSerial() *big.Int {
	for {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
		if err == nil && n.BitLen() > 16 {
			return n
		}
	}
}
