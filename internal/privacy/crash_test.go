package privacy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// failing is a part that cannot do its work yet: a crash between the decision and its end.
type failing struct{ broken bool }

func (*failing) Name() string { return "failing" }

func (*failing) Export(context.Context, privacy.Person, privacy.Sheets) error { return nil }

func (f *failing) Erase(context.Context, privacy.Erasure) error {
	if f.broken {
		return errors.New("not now")
	}
	return nil
}

// An erasure that was decided and cut short is finished: by its job while the server goes
// on, and by the next start otherwise.
func TestEraseCutShort(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			s := apptest.Setup{Database: dbtest.Options(t, e), Dir: t.TempDir(), Box: seal.Test()}
			if s.Database.Dir != "" {
				s.Dir = s.Database.Dir
			}
			a := apptest.OpenAt(t, s)
			stop := &failing{broken: true}
			a.Privacy.Register(stop)
			first, second := enrol(a, 1), enrol(a, 2)
			for _, id := range []string{first, second} {
				var out struct{ Done bool }
				if a.Must(200, "POST", "/v1/members/"+id+"/erase", J{"reason": "request"}).Into(&out); out.Done {
					t.Fatal("done, with a part that failed")
				}
				if n := a.Number("SELECT COUNT(*) FROM tombstone WHERE done_ms = 0"); n != 1 {
					t.Fatalf("%d erasures are under way", n)
				}
				if id == second {
					break
				}
				stop.broken = false
				a.Clock.Advance(2 * time.Minute)
				ended(t, a, "privacy.erase")
				gone(t, a, first, 1)
				stop.broken = true
			}
			a.Stop()
			s.First = 1000
			a = apptest.OpenAt(t, s) // without the part that fails
			gone(t, a, second, 2)
			if n := a.Number("SELECT COUNT(*) FROM tombstone WHERE done_ms = 0"); n != 0 {
				t.Errorf("%d erasures are still under way", n)
			}
			lines, err := os.ReadFile(filepath.Join(s.Dir, "erased.log"))
			if err != nil || strings.Count(string(lines), "\n") != 2 {
				t.Errorf("the file of tombstones: %q, %v", lines, err)
			}
		})
	}
}

// A lost file is written anew from the table; a table that knows nothing learns from the file.
func TestTombstonesMeet(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			s := apptest.Setup{Database: dbtest.Options(t, e), Dir: t.TempDir(), Box: seal.Test()}
			if s.Database.Dir != "" {
				s.Dir = s.Database.Dir
			}
			path := filepath.Join(s.Dir, "erased.log")
			a := apptest.OpenAt(t, s)
			first, second := enrol(a, 1), enrol(a, 2)
			erase(a, first, nil)
			m, err := member.ParseID(second)
			if err != nil {
				t.Fatal(err)
			}
			created := a.Number("SELECT created_ms FROM member WHERE id = $1", int64(m))
			a.Stop()
			if err := os.WriteFile(path, fmt.Appendf(nil, "%s %d %d\n", second, created, created+1), 0o600); err != nil {
				t.Fatal(err)
			}
			s.First = 1000
			a = apptest.OpenAt(t, s)
			gone(t, a, first, 1)
			gone(t, a, second, 2)
			lines, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(lines), first) || !strings.Contains(string(lines), second) {
				t.Errorf("the file: %q, %v", lines, err)
			}
		})
	}
}
