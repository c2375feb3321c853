package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var now = time.Date(2026, 3, 10, 9, 30, 0, 0, time.UTC)

// everyone signs everybody in.
type everyone struct{}

func (everyone) Authenticate(ctx context.Context, _ *http.Request) (api.Caller, error) {
	return api.CallerOf(staff.AsSystem(ctx, "test")), nil
}

func open(t *testing.T, e db.Engine, at time.Time) *app.App {
	t.Helper()
	o := dbtest.Options(t, e)
	c := config.Defaults()
	c.DatabaseURL, c.DataDir = o.URL, o.Dir
	if c.DataDir == "" {
		c.DataDir = t.TempDir()
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := app.Open(t.Context(), app.Options{Config: c, Clock: clock.At(at), Log: log, Box: seal.Test(), Auth: everyone{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// get reads a path of the API as text.
func get(t *testing.T, a *app.App, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	if w.Code != 200 {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// content is everything public that the demo made: members with their wallets and
// entries, and the newest sales.
func content(t *testing.T, a *app.App, members int) string {
	t.Helper()
	var b strings.Builder
	for n := 1; n <= members; n++ {
		for _, path := range []string{"", "/wallets", "/entries?limit=200"} {
			b.WriteString(get(t, a, "/v1/members/"+member.ID(n).String()+path) + "\n")
		}
	}
	return voucherCode.ReplaceAllString(b.String()+get(t, a, "/v1/sales?limit=200")+get(t, a, "/v1/products?limit=200"), `"ref":"…"`)
}

// voucherCode is drawn by chance: nobody is to guess one.
var voucherCode = regexp.MustCompile(`"ref":"[0-9A-Z]{14}"`)

// The same seed and time make the same shop, on either engine; another seed makes
// another. The books add up.
func TestFill(t *testing.T) {
	t.Parallel()
	const members = 60
	fill := func(e db.Engine, seed uint64) (string, Summary) {
		a := open(t, e, Opening(now))
		made, err := Fill(t.Context(), a, Options{Members: members, Seed: seed, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			t.Errorf("seed %d on %s: %+v", seed, e, f)
		}
		return content(t, a, members), made
	}
	first, made := fill(db.SQLite, 1)
	if again, _ := fill(db.SQLite, 1); again != first {
		t.Errorf("the same seed made another shop: %s", difference(first, again))
	}
	if other, _ := fill(db.Postgres, 1); other != first {
		t.Errorf("PostgreSQL has another shop: %s", difference(first, other))
	}
	if other, _ := fill(db.SQLite, 2); other == first {
		t.Error("another seed made the same shop")
	}
	for name, n := range map[string]int{
		"sales": made.Sales, "unassigned": made.Unassigned, "returns": made.Returns, "redemptions": made.Redemptions,
		"purchases with vouchers": made.Coupons, "transfers": made.Transfers, "adjustments": made.Adjustments, "holds": made.Holds, "members": made.Members,
	} {
		if n == 0 {
			t.Errorf("the shop has no %s: %+v", name, made)
		}
	}
	if made.Waiting == "" || made.Merged == "" || made.Blocked == "" || made.LateDocument == "" || made.Phone == "" {
		t.Errorf("something is missing: %+v", made)
	}
}

// difference is the first place where two texts differ.
func difference(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("%q and %q", a[max(0, i-200):min(len(a), i+80)], b[max(0, i-200):min(len(b), i+80)])
		}
	}
	return fmt.Sprintf("%d and %d bytes", len(a), len(b))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a := open(t, db.SQLite, Opening(now))
	for _, n := range []int{1, 9, MaxMembers + 1} {
		if _, err := Fill(t.Context(), a, Options{Members: n, Now: now}); !errors.Is(err, ErrMembers) {
			t.Errorf("%d members: %v, want %v", n, err, ErrMembers)
		}
	}
	if _, err := Fill(t.Context(), a, Options{Members: 10, Now: now.AddDate(0, 0, -10)}); !errors.Is(err, errClock) {
		t.Errorf("a clock past the opening: %v, want %v", err, errClock)
	}
	if _, err := a.Members.Create(t.Context(), member.Enrolment{Card: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Fill(t.Context(), a, Options{Members: 10, Now: now}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a database with a member: %v, want %v", err, ErrNotEmpty)
	}
}

// The shop's days are what they are in Shanghai: few at Spring Festival, many on
// Saturdays, mooncakes before Mid-Autumn only.
func TestCalendar(t *testing.T) {
	t.Parallel()
	day := func(text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	if new, plain := busy(day("2026-02-18")), busy(day("2026-03-11")); new >= plain {
		t.Errorf("Spring Festival has %v of a day's visits, a plain Wednesday %v", new, plain)
	}
	if sat, mon := busy(day("2026-03-14")), busy(day("2026-03-09")); sat <= mon {
		t.Errorf("a Saturday has %v of a day's visits, a Monday %v", sat, mon)
	}
	for text, want := range map[string]bool{"2026-09-20": true, "2026-09-25": true, "2026-09-26": false, "2026-03-10": false} {
		if got := mooncake.sold(day(text)); got != want {
			t.Errorf("mooncakes on %s: %v", text, got)
		}
	}
	if got := midnight(now); !got.Equal(time.Date(2026, 3, 9, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("midnight = %s", got)
	}
}
