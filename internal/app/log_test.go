package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// page is a log that several write to.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// canaries are personal values and secrets that no log may ever hold.
var canaries = []string{
	"Canary Zhao", "赵金丝雀", "13800138777", "canary@birds.example", "42 Canary Lane", "canary-card-77", "canary-password-9", "pk_live_canarysecretcanarysecret",
	"canary-key-5", "1977-07-17",
}

// Whatever a caller sends, and on the most talkative level, the log holds none of it, and
// nobody writes a line of their own into it.
func TestLogHoldsNobody(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			var log page
			a := bare(t, dbtest.Options(t, e), nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			a.Start(t.Context())
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Serve(ctx, l, nil, a.Handler()) }()
			system := staff.AsSystem(t.Context(), "test")
			_, secret, err := a.Staff.CreateKey(system, staff.NewKey{Name: "test", Scopes: []string{staff.All}})
			if err != nil {
				t.Fatal(err)
			}
			sent := chatter(t, apptest.NewClient(t, "http://"+l.Addr().String(), secret), l.Addr().String())
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			inspect(t, log.String(), secret, sent)
		})
	}
}

// chatter sends good and bad requests full of canaries, and returns how many reached a
// route.
func chatter(t *testing.T, c apptest.Client, address string) (sent int) {
	t.Helper()
	person := apptest.J{
		"name": canaries[0], "phone": canaries[2], "email": canaries[3], "address": canaries[4], "card": canaries[5], "birthday": canaries[9],
	}
	ask := func(method, path string, body any, headers ...apptest.Header) {
		t.Helper()
		c.Do(method, path, body, append(headers, apptest.Header{Name: "User-Agent", Value: canaries[0]})...)
		sent++
	}
	ask("POST", "/v1/members", person)
	ask("POST", "/v1/members", person)                                                                  // taken
	ask("POST", "/v1/members", apptest.With(person, apptest.J{"phone": "+86 " + canaries[2] + "9999"})) // no number
	ask("POST", "/v1/members", apptest.With(person, apptest.J{"name": canaries[1] + "\nlevel=ERROR msg=forged"}))
	ask("POST", "/v1/members", apptest.With(person, apptest.J{"name": 7}))
	ask("POST", "/v1/members", apptest.With(person, apptest.J{canaries[1]: canaries[0]}))
	ask("POST", "/v1/members", `{"name":"`+canaries[0]+`"`)
	ask("POST", "/v1/members", "{\"name\":\""+canaries[0]+"\xff\"}")
	ask("POST", "/v1/members", `{"name":"`+canaries[0]+`\u0000"}`)
	ask("POST", "/v1/members", person, apptest.Keyed(canaries[8]))
	ask("POST", "/v1/members", apptest.With(person, apptest.J{"name": canaries[1]}), apptest.Keyed(canaries[8]))
	ask("GET", "/v1/members?phone="+canaries[2], nil)
	ask("GET", "/v1/members?q="+url.QueryEscape(canaries[1]), nil)
	ask("GET", "/v1/members?"+url.QueryEscape(canaries[0])+"=1", nil)
	ask("GET", "/v1/members?cursor="+url.QueryEscape(canaries[0]), nil)
	ask("GET", "/v1/members/"+canaries[2], nil)
	ask("GET", "/v1/members/phone:"+canaries[2], nil)
	ask("GET", "/v1/members/email:nobody-"+canaries[3], nil)
	ask("POST", "/v1/members/phone:"+canaries[2]+"/earnings", apptest.J{"currency": "points", "amount": 1, "reason": canaries[0], "source": "test", "document": canaries[5]})
	ask("GET", "/v1/members/"+url.PathEscape(canaries[0]+"\r\nlevel=ERROR msg=forged"), nil)
	ask("POST", "/v1/sign-in", apptest.J{"email": canaries[3], "password": canaries[6]})
	ask("GET", "/v1/me", nil, apptest.Header{Name: "Authorization", Value: "Bearer " + canaries[7]})
	ask("GET", "/v1/me", nil, apptest.Header{Name: "Traceparent", Value: "00-" + canaries[0]})
	ask("POST", "/v1/events", apptest.J{"type": "visit", "member": canaries[2], "at": canaries[0], "key": canaries[8], "properties": person})
	ask("POST", "/v1/sales", apptest.J{"source": "till", "document": canaries[5], "member": canaries[2], "at": "2026-01-01", "currency": "CNY", "total": 1e30, "lines": []apptest.J{}})
	ask("POST", "/v1/staff", apptest.J{"email": canaries[3], "name": canaries[0], "role": canaries[1], "password": canaries[6]})
	for _, raw := range []string{
		"GET /v1/members/" + canaries[2] + "\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/members?a=1;phone=" + canaries[2] + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /" + canaries[7] + " HTTP/1.1\r\nHost: x\r\n" + canaries[0] + "\r\n\r\n",
		canaries[0] + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Fatal(err)
		}
		if w, ok := conn.(*net.TCPConn); ok {
			_ = w.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
	return sent
}

// inspect looks for canaries, as they are and as somebody may have written them.
func inspect(t *testing.T, log, secret string, sent int) {
	t.Helper()
	for _, c := range append(canaries, secret, "forged") {
		for form, text := range map[string]string{
			"as it is": c, "quoted": strings.Trim(fmt.Sprintf("%q", c), `"`), "in base64": base64.StdEncoding.EncodeToString([]byte(c)),
			"in hexadecimal": hex.EncodeToString([]byte(c)), "for a query": url.QueryEscape(c), "for a path": url.PathEscape(c),
		} {
			if i := strings.Index(log, text); i >= 0 {
				t.Errorf("the log holds %q %s: …%s…", c, form, log[max(0, i-200):min(len(log), i+100)])
			}
		}
	}
	requests := 0
	line := regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN|ERROR) msg=`)
	for l := range strings.Lines(log) {
		if !line.MatchString(l) {
			t.Errorf("a line that is none: %q", l)
		}
		if strings.Contains(l, "msg=request ") {
			requests++
		}
	}
	if requests < sent {
		t.Errorf("%d lines of requests, %d were sent", requests, sent)
	}
}
