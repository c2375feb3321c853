package api_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// asked keeps what the router told the authenticator.
type asked struct{ info api.Info }

func (a *asked) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	a.info = api.RequestInfo(ctx)
	return guests{}.Authenticate(ctx, r)
}

// Where a request comes from is read from the connection, and from what named proxies say.
func TestPeer(t *testing.T) {
	t.Parallel()
	var seen asked
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) {
		c.Auth = &seen
		c.Proxies = api.Proxies{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("127.0.0.1/32")}
	})
	type header = map[string][]string
	for _, tt := range []struct {
		name, from string
		tls        bool
		header     header
		ip         string
		secure     bool
		here       bool
	}{
		{"straight", "203.0.113.9:1", false, nil, "203.0.113.9", false, false},
		{"straight over TLS", "203.0.113.9:1", true, nil, "203.0.113.9", true, false},
		{"a stranger who claims to be another", "203.0.113.9:1", false, header{"X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Proto": {"https"}}, "203.0.113.9", false, false},
		{"a stranger who claims a proxy's", "203.0.113.9:1", true, header{"X-Forwarded-For": {"10.1.0.1"}, "X-Forwarded-Proto": {"http"}}, "203.0.113.9", true, false},
		{"through a proxy", "10.1.0.1:1", false, header{"X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Proto": {"https"}}, "198.51.100.1", true, false},
		{"through a proxy in the open", "10.1.0.1:1", false, header{"X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Proto": {"http"}}, "198.51.100.1", false, false},
		{"made up before the proxy", "10.1.0.1:1", false, header{"X-Forwarded-For": {"192.0.2.77, 198.51.100.1"}, "X-Forwarded-Proto": {"https, http"}}, "198.51.100.1", false, false},
		{"made up in a line of its own", "10.1.0.1:1", false, header{"X-Forwarded-For": {"192.0.2.77", "198.51.100.1"}}, "198.51.100.1", false, false},
		{"a proxy made up before the proxy", "10.1.0.1:1", false, header{"X-Forwarded-For": {"192.0.2.77, 10.1.0.9, 198.51.100.1"}}, "198.51.100.1", false, false},
		{"through two", "10.1.0.1:1", false, header{"X-Forwarded-For": {"192.0.2.77, 198.51.100.1, 10.1.0.2"}, "X-Forwarded-Proto": {"HTTPS"}}, "198.51.100.1", true, false},
		{"of IPv6", "[2001:db8::5]:1", false, header{"X-Forwarded-For": {"2001:db8:1::7"}}, "2001:db8:1::7", false, false},
		{"with a port", "10.1.0.1:1", false, header{"X-Forwarded-For": {"[2001:db8:1::7]:443"}}, "2001:db8:1::7", false, false},
		{"of IPv4 in IPv6", "[::ffff:10.1.0.1]:1", false, header{"X-Forwarded-For": {"::ffff:198.51.100.1"}}, "198.51.100.1", false, false},
		{"nonsense", "10.1.0.1:1", false, header{"X-Forwarded-For": {"198.51.100.1, unknown"}}, "10.1.0.1", false, false},
		{"a proxy that says nothing", "10.1.0.1:1", true, nil, "10.1.0.1", true, false},
		{"this machine", "[::1]:1", false, nil, "::1", false, true},
		{"this machine for another", "[::1]:1", false, header{"Via": {"1.1 x"}}, "::1", false, false},
		{"a proxy on this machine", "127.0.0.1:1", false, nil, "127.0.0.1", false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/teas", nil)
		r.RemoteAddr, r.Header = tt.from, tt.header
		if r.Header == nil {
			r.Header = header{}
		}
		r.Header.Set("Authorization", "Bearer anna")
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		s.http.ServeHTTP(httptest.NewRecorder(), r)
		if got := seen.info; got.IP != tt.ip || got.Secure != tt.secure || got.Here != tt.here {
			t.Errorf("%s: from %q, secure %v, here %v; want %q, %v, %v", tt.name, got.IP, got.Secure, got.Here, tt.ip, tt.secure, tt.here)
		}
	}
}
