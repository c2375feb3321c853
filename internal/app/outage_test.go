package app_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// recoverWithin is how long after PostgreSQL has come back a server may take to find it.
const recoverWithin = 30 * time.Second

// until tries something until it works, and fails the test where it does not in time.
func until(t *testing.T, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(recoverWithin)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond) // the other side is another program
	}
}

// PostgreSQL that vanishes is answered for with 503, that comes back is used again without
// anybody's doing, and a key finds out what took effect. One that comes back weaker is not
// used until it is right.
func TestPostgresVanishes(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	a := bare(t, db.Options{URL: cluster.URL}, nil, slog.New(slog.DiscardHandler))
	a.Start(t.Context())
	server := httptest.NewServer(a.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := staff.AsSystem(t.Context(), "test")
	_, secret, err := a.Staff.CreateKey(ctx, staff.NewKey{Name: "test", Scopes: []string{staff.All}})
	if err != nil {
		t.Fatal(err)
	}
	client := apptest.NewClient(t, server.URL, secret)
	var member struct{ ID string }
	client.Post("/v1/members", apptest.J{"external_id": "test/1"}).Into(&member)
	at := time.Now().UTC().Format(time.RFC3339)
	order := func(document string) apptest.J {
		return apptest.J{"source": "till", "document": document, "at": at, "currency": "CNY", "total": 10000, "member": member.ID,
			"lines": []apptest.J{apptest.Line(1, 1, 10000)}}
	}
	sell := func(document string) error {
		r, err := client.Send(http.MethodPost, "/v1/sales", order(document), apptest.Keyed(document))
		if err == nil && r.Status != http.StatusCreated {
			err = fmt.Errorf("%d %s", r.Status, r.Body)
		}
		return err
	}
	away := func(when string) {
		t.Helper()
		for _, path := range []string{"/v1/sales", "/v1/members"} {
			body := any(order("away"))
			if path == "/v1/members" {
				body = apptest.J{"external_id": "test/2"}
			}
			r := client.Do(http.MethodPost, path, body, apptest.Keyed("away"))
			if p := r.Problem(); r.Status != 503 || r.Header.Get("Retry-After") == "" || p.Code != db.ErrBusy.Code && p.Code != ledger.ErrUnknown.Code {
				t.Errorf("%s: POST %s: %d %v %s", when, path, r.Status, r.Header, r.Body)
			}
		}
		if r := client.Do(http.MethodGet, "/v1/members/"+member.ID+"/wallets", nil); r.Status != 503 {
			t.Errorf("%s: a wallet: %d %s", when, r.Status, r.Body)
		}
		ready(t, a, 503, "failed database")
		if w := probe(a.Handler(), "/livez"); w.Code != 200 {
			t.Errorf("%s: livez %d", when, w.Code)
		}
	}
	back := func(when string) {
		t.Helper()
		until(t, when, func() error { return sell("away") })
		ready(t, a, 200, "ok database")
	}

	if err := sell("before"); err != nil {
		t.Fatal(err)
	}
	cluster.Crash(t)
	away("gone")
	cluster.Start(t)
	back("back")
	for _, weak := range []string{"fsync", "synchronous_commit"} {
		cluster.Set(t, weak+" = off")
		cluster.Restart(t)
		away("back with " + weak + " = off")
		cluster.Set(t, weak+" = on")
		cluster.Restart(t)
		back("back with " + weak + " = on")
	}

	// Three crashes in the middle of work: everybody repeats until there is an answer.
	const tills, each = 6, 30
	var sold, unknown atomic.Int64
	var group sync.WaitGroup
	for till := range tills {
		group.Go(func() {
			for i := range each {
				document := fmt.Sprintf("D%d-%d", till, i)
				until(t, document, func() error {
					err := sell(document)
					if err != nil {
						unknown.Add(1)
					}
					return err
				})
				sold.Add(1)
			}
		})
	}
	for sold.Load() < tills*each*3/4 {
		before := sold.Load()
		cluster.Restart(t)
		until(t, "work after a crash", func() error {
			if sold.Load() < before+tills*each/5 && sold.Load() < tills*each {
				return errors.New("nobody sells")
			}
			return nil
		})
	}
	group.Wait()
	var wallets []apptest.Wallet
	client.Get("/v1/members/" + member.ID + "/wallets").Into(&wallets)
	if want := int64(100 * (tills*each + 2)); len(wallets) != 1 || wallets[0].Available != want {
		t.Errorf("%+v, want %d points: each sale once", wallets, want)
	}
	report, err := ledger.Verify(ctx, a.DB, a.Ledger.Config(), nil, sale.Check())
	if err != nil || !report.Clean() {
		t.Errorf("verify: %+v, %v", report, err)
	}
	if unknown.Load() == 0 {
		t.Error("no request met a crash, so nothing was tried")
	}
	t.Logf("%d answers of 503 on the way", unknown.Load())
}
