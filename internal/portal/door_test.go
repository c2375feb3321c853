package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A member gets in with a code, once, sees where they are signed in, and gets out.
func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		p := enrol(t, a, "13600000001", nil)
		var home struct{ Number string }
		p.get("/portal/v1/me", &home)
		if home.Number != "8000001" {
			t.Errorf("number %s", home.Number)
		}
		a.Clock.Advance(time.Minute)
		phone := visit(t, a)
		challenge, code := phone.ask(p.phone)
		for _, tt := range []struct {
			name string
			body J
		}{
			{"another's challenge", with(p.phone, "x"+challenge[1:], code)},
			{"another's number", with(J{"phone": "13600000002"}, challenge, code)},
			{"a wrong code", with(p.phone, challenge, other(code))},
		} {
			if r := phone.send("POST", "/portal/v1/sign-in", tt.body); r.status != 422 || r.code() != "portal.code" {
				t.Errorf("%s: %d %s", tt.name, r.status, r.body)
			}
		}
		r := phone.want(201, "", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code), "User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) MicroMessenger/8")
		if c := r.header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || strings.Contains(c, "Secure") {
			t.Errorf("cookie %q", c)
		}
		visit(t, a).want(422, "portal.code", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))

		var list struct {
			Items []struct {
				ID, Device string
				Current    bool
			}
		}
		phone.get("/portal/v1/sessions", &list)
		if len(list.Items) != 2 || !list.Items[0].Current || list.Items[0].Device != "iPhone, WeChat" || list.Items[1].Current {
			t.Fatalf("sessions %+v", list)
		}
		phone.want(204, "", "DELETE", "/portal/v1/sessions/"+list.Items[1].ID, nil)
		p.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
		before := phone.cookie
		phone.want(204, "", "POST", "/portal/v1/sign-out", nil)
		phone.cookie = before
		phone.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
	})
}

func other(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

// Over TLS the cookie belongs to this host alone; in the open over a network there is none.
func TestCookieOfTLS(t *testing.T) {
	t.Parallel()
	a := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, db.SQLite), Box: seal.Test(), Edit: behind})
	p := enrol(t, a, "13600000001", nil)
	a.Clock.Advance(time.Minute)
	g := visit(t, a)
	challenge, code := g.ask(p.phone)
	r := g.want(201, "", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code), "X-Forwarded-Proto", "https")
	if c := r.header.Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-patron_portal=") || !strings.Contains(c, "; Secure") || !strings.Contains(c, "Path=/;") || strings.Contains(c, "Domain") {
		t.Errorf("cookie %q", c)
	}
	g.want(200, "", "GET", "/portal/v1/me", nil, "X-Forwarded-Proto", "https")
	g.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
	req, _ := http.NewRequest("POST", a.URL+"/portal/v1/sign-in", strings.NewReader(`{"phone":"13600000001","challenge":"x","code":"123456"}`))
	req.Host = "club.example"
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("in the open: %d", res.StatusCode)
	}
}

// Whoever asks for a code gets the same answer, and only the code itself tells who is a
// member: to a stranger it opens the way to join.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		enrol(t, a, "13600000001", nil)
		a.Clock.Advance(time.Minute)
		g := visit(t, a)
		var shapes []string
		for _, to := range []J{{"phone": "13600000001"}, {"phone": "13600000002"}} {
			r := g.want(202, "", "POST", "/portal/v1/codes", to)
			var v struct{ Challenge string }
			r.into(&v)
			shapes = append(shapes, strings.Replace(string(r.body), v.Challenge, fmt.Sprint(len(v.Challenge)), 1))
		}
		if shapes[0] != shapes[1] {
			t.Errorf("a member is told from a stranger: %s, %s", shapes[0], shapes[1])
		}
		a.Clock.Advance(time.Minute)
		stranger := J{"phone": "13600000002"}
		challenge, code := g.ask(stranger)
		g.want(422, "portal.code", "POST", "/portal/v1/sign-in", with(stranger, challenge, other(code)))
		g.want(404, "portal.not_member", "POST", "/portal/v1/sign-in", with(stranger, challenge, code))
		g.want(201, "", "POST", "/portal/v1/join", with(stranger, challenge, code))
	})
}

// Of many who come with one code at once, one gets in; of many who ask at once for one
// number, one gets a code; and five wrong codes end the right one.
func TestRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		const n = 12
		p := enrol(t, a, "13600000001", nil)
		a.Clock.Advance(time.Minute)
		got := together(n, func() int { return visit(t, a).send("POST", "/portal/v1/codes", p.phone).status })
		if got[202] != 1 || got[429] != n-1 {
			t.Errorf("%d ask at once: %v", n, got)
		}
		a.Clock.Advance(time.Minute)
		challenge, code := p.ask(p.phone)
		got = together(4, func() int {
			return visit(t, a).send("POST", "/portal/v1/sign-in", with(p.phone, challenge, code)).status
		})
		if got[201] != 1 || got[422] != 3 {
			t.Errorf("four come with one code: %v", got)
		}
		a.Clock.Advance(time.Minute)
		challenge, code = p.ask(p.phone)
		got = together(5, func() int {
			return visit(t, a).send("POST", "/portal/v1/sign-in", with(p.phone, challenge, other(code))).status
		})
		if got[422] != 5 {
			t.Errorf("five wrong codes: %v", got)
		}
		p.want(422, "portal.code", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))
	})
}

// together calls f n times at once and counts the answers.
func together(n int, f func() int) map[int]int {
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			status := f()
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	all.Wait()
	return got
}

// A code ends after ten minutes, a session after 90 days without use or a year in all.
func TestExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		p := enrol(t, a, "13600000001", nil)
		a.Clock.Advance(time.Minute)
		challenge, code := p.ask(p.phone)
		a.Clock.Advance(10*time.Minute - 1*time.Millisecond)
		visit(t, a).want(201, "", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))
		challenge, code = p.ask(p.phone)
		a.Clock.Advance(10 * time.Minute)
		visit(t, a).want(422, "portal.code", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))

		const day = 24 * time.Hour
		for range 4 {
			a.Clock.Advance(90*day - time.Hour)
			p.want(200, "", "GET", "/portal/v1/me", nil)
		}
		a.Clock.Set(apptest.Noon.Add(365 * day)) // p signed in at noon
		p.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
		challenge, code = p.ask(p.phone)
		p.want(201, "", "POST", "/portal/v1/sign-in", with(p.phone, challenge, code))
		a.Clock.Advance(90 * day)
		p.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
	})
}

// Codes are bounded for a number, from an address, and of the programme; each bound says how
// long to wait, and lifts.
func TestThrottles(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			a := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, e), Box: seal.Test(), Edit: demo})
			g := visit(t, a)
			one := J{"phone": "13600000001"}
			g.ask(one)
			a.Clock.Advance(30*time.Second - time.Millisecond)
			if r := g.want(429, "portal.slow_down", "POST", "/portal/v1/codes", one); r.header.Get("Retry-After") != "1" {
				t.Errorf("wait %q", r.header.Get("Retry-After"))
			}
			a.Clock.Advance(time.Millisecond)
			for range 4 {
				g.ask(one)
				a.Clock.Advance(30 * time.Second)
			}
			r := g.want(429, "portal.slow_down", "POST", "/portal/v1/codes", one)
			if r.header.Get("Retry-After") != "3450" { // an hour less five times thirty seconds
				t.Errorf("wait %q", r.header.Get("Retry-After"))
			}
			for i := range 115 { // of 120 from here
				g.want(202, "", "POST", "/portal/v1/codes", J{"email": fmt.Sprintf("guest%d@club.example", i)})
			}
			g.want(429, "portal.slow_down", "POST", "/portal/v1/codes", J{"email": "late@club.example"})
			a.Clock.Advance(time.Hour)
			g.want(202, "", "POST", "/portal/v1/codes", one)
		})
	}
}

// The programme sends so many in an hour, whoever asks.
func TestThrottleOfAll(t *testing.T) {
	t.Parallel()
	a := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, db.SQLite), Box: seal.Test(), Edit: func(c *config.Config) { demo(c); c.PortalCodes = 10 }})
	got := together(30, func() int {
		return visit(t, a).send("POST", "/portal/v1/codes", J{"email": fmt.Sprintf("guest%d@club.example", a.Unique())}).status
	})
	if got[202] != 10 || got[429] != 20 {
		t.Errorf("thirty ask: %v", got)
	}
	if n := a.Number("SELECT COUNT(*) FROM portal_code"); n != 10 {
		t.Errorf("%d codes", n)
	}
}

// A phone cannot be reached where nothing sends text messages, and says so.
func TestNoChannel(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	g := visit(t, a)
	g.want(409, "portal.no_channel", "POST", "/portal/v1/codes", J{"phone": "13600000001"})
	g.want(409, "portal.no_channel", "POST", "/portal/v1/codes", J{"email": "a@club.example"})
	g.want(404, "portal.no_inbox", "GET", "/portal/v1/inbox", nil)
	var p struct {
		SignIn []string `json:"sign_in"`
	}
	g.get("/portal/v1/program", &p)
	if p.SignIn == nil || len(p.SignIn) != 0 {
		t.Errorf("sign_in %v", p.SignIn)
	}
	g.want(422, "portal.one", "POST", "/portal/v1/codes", J{})
}
