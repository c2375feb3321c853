package portal_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

type J = apptest.J

// each runs body on both engines, on a programme whose codes can be read in the inbox.
func each(t *testing.T, body func(t *testing.T, a *apptest.App)) {
	t.Helper()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			body(t, apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, e), Box: seal.Test(), Edit: demo}))
		})
	}
}

func demo(c *config.Config) { c.PortalInbox = true }

// behind is demo behind a proxy on this machine, which says whether it was spoken to in TLS.
func behind(c *config.Config) {
	demo(c)
	c.TrustedProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// guest is a browser.
type guest struct {
	t      testing.TB
	url    string
	cookie string // "name=value"
}

func visit(t testing.TB, a *apptest.App) *guest { return &guest{t: t, url: a.URL} }

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
	t      testing.TB
}

func (r reply) into(to any) reply {
	r.t.Helper()
	if err := json.Unmarshal(r.body, to); err != nil {
		r.t.Fatalf("%v: %s", err, r.body)
	}
	return r
}

// code is that of a refusal.
func (r reply) code() string {
	if r.status < 400 {
		return ""
	}
	var p struct{ Code string }
	_ = json.Unmarshal(r.body, &p) // a test that wants another code says so
	return p.Code
}

// send sends a request and keeps the cookie that comes with the answer.
func (g *guest) send(method, path string, body any, headers ...string) reply {
	g.t.Helper()
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			g.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, g.url+path, reader)
	if err != nil {
		g.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept-Language", "en")
	if g.cookie != "" {
		req.Header.Set("Cookie", g.cookie)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		g.cookie = c.Name + "=" + c.Value
	}
	return reply{res.StatusCode, res.Header, text, g.t}
}

// want is send that fails the test unless the answer has a status, and a code where it is a
// refusal.
func (g *guest) want(status int, code, method, path string, body any, headers ...string) reply {
	g.t.Helper()
	r := g.send(method, path, body, headers...)
	if r.status != status || r.code() != code {
		g.t.Fatalf("%s %s: %d %q, want %d %q\n%s", method, path, r.status, r.code(), status, code, r.body)
	}
	return r
}

func (g *guest) get(path string, to any) {
	g.t.Helper()
	g.want(200, "", "GET", path, nil).into(to)
}

// ask asks for a code for a phone or address, and reads it in the inbox.
func (g *guest) ask(to J) (challenge, code string) {
	g.t.Helper()
	var c struct{ Challenge string }
	g.want(202, "", "POST", "/portal/v1/codes", to).into(&c)
	return c.Challenge, g.inbox()
}

// inbox is the latest code.
func (g *guest) inbox() string {
	g.t.Helper()
	var in struct{ Items []struct{ To, Code string } }
	g.get("/portal/v1/inbox", &in)
	if len(in.Items) == 0 || len(in.Items[0].Code) != 6 {
		g.t.Fatalf("inbox: %+v", in)
	}
	return in.Items[0].Code
}

// with adds a proof to a body.
func with(body J, challenge, code string) J {
	return apptest.With(body, J{"challenge": challenge, "code": code})
}

// person is a member with a phone, signed in.
type person struct {
	*guest
	ID    string
	phone J
}

func enrol(t testing.TB, a *apptest.App, number string, edits J) *person {
	t.Helper()
	var m struct{ ID string }
	a.Post("/v1/members", apptest.With(J{"phone": number, "name": "Mei Lin"}, edits)).Into(&m)
	p := &person{visit(t, a), m.ID, J{"phone": number}}
	challenge, code := p.ask(p.phone)
	p.want(201, "", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))
	if !strings.HasPrefix(p.cookie, "patron_portal=pss_") {
		t.Fatalf("cookie %q", p.cookie)
	}
	return p
}
