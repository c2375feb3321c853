package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A thousand callers who send nothing, half a header or half a body keep nobody else
// waiting, and cost a bounded number of places.
func TestSlowCallers(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	secret := secretOf(t, a, staff.All)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ctx, l, nil, a.Handler()) }()

	const callers = 1000
	var slow []net.Conn
	for i := range callers {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
		slow = append(slow, c)
		begin := []string{
			"",
			"POST /v1/sales HTTP/1.1\r\nHost: x\r\nX-Slo",
			"POST /v1/sales HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + secret + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		}[i%3]
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var worst time.Duration
	for i := range 50 {
		began := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/v1/program", l.Addr()), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("an ordinary request, number %d: %v", i, err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("an ordinary request: %d", res.StatusCode)
		}
		worst = max(worst, time.Since(began))
	}
	if worst > 2*time.Second {
		t.Errorf("the slowest ordinary request took %v", worst)
	}
	text := scrape(t, a.Handler())
	if n := value(t, text, "patron_http_connections"); n < callers/2 || n > callers+60 {
		t.Errorf("%v connections", n)
	}
	for _, class := range []string{"posting", "serving"} {
		if n := value(t, text, `patron_http_working{class="`+class+`"}`); n != 0 {
			t.Errorf("%v places of class %s are taken by those who send nothing", n, class)
		}
	}
	for _, c := range slow {
		_ = c.Close()
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the server does not end")
	}
}
