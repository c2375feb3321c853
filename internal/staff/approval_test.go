package staff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// desk is where a made-up noun asks for second people: a yes adds one to a number.
type desk struct {
	*world
	approvals *Approvals
	box       *seal.Box
	refuse    atomic.Bool // carrying out is refused
}

var errCarry = errs.New(errs.Conflict, "test.carry", "Not now.", "现在不行。")

// tally is the number that a yes adds one to.
var tally = `INSERT INTO sequence (name, next) VALUES ('tally', 1) ON CONFLICT (name) DO UPDATE SET next = sequence.next + 1`

func newDesk(t *testing.T, d *db.DB) *desk {
	t.Helper()
	k := &desk{world: newWorld(t, d), box: seal.Test()}
	k.approvals = k.node()
	k.approvals.Routes(k.router)
	return k
}

// node is another process on the same database.
func (k *desk) node() *Approvals {
	a := NewApprovals(k.db, k.clock, slog.New(slog.NewTextHandler(io.Discard, nil)), k.prog, k.staff.audit, k.box)
	a.Register(ApprovalKind{
		Name: "gift", EN: "Gift", ZH: "赠礼", Reads: ReadAudit, Decides: ManageProgram, Lasts: time.Hour, Personal: true,
		Carry: func(ctx context.Context, tx *db.Tx, a Approval) (string, error) {
			if k.refuse.Load() {
				return "", errCarry
			}
			_, err := tx.ExecText(ctx, tally)
			return "gift/" + string(a.Payload), err
		},
	})
	return a
}

// ask puts a gift before a second person, in the name of a person.
func (k *desk) ask(who string) Approval {
	k.t.Helper()
	ctx := person(k.t.Context(), who)
	n, err := k.approvals.Number(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	var a Approval
	err = k.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		a, err = k.approvals.Ask(ctx, tx, n, NewApproval{Kind: "gift", Payload: "canary of a gift", Reason: "sorry"})
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return a
}

// person makes a context in which somebody acts who may do everything.
func person(ctx context.Context, who string) context.Context {
	return api.WithCaller(ctx, api.Caller{Kind: "staff", ID: who, Can: Owner.Can()})
}

func (k *desk) decide(a Approval, who string, to ApprovalState) (Decision, error) {
	return k.approvals.Decide(person(k.t.Context(), who), a.PublicID(), to, false)
}

// carried is how often something was carried out.
func (k *desk) carried() int64 {
	return k.count("SELECT COALESCE(MAX(next), 0) FROM sequence WHERE name = 'tally'")
}

func TestApprovalLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		for _, tt := range []struct {
			name  string
			first ApprovalState // "" for none
			who   string
			to    ApprovalState
			want  error // nil for a decision that stands, repeated or not
		}{
			{"yes", "", "b", Approved, nil},
			{"no", "", "b", Rejected, nil},
			{"back", "", "a", Withdrawn, nil},
			{"the asker's yes", "", "a", Approved, ErrOwn},
			{"the asker's no", "", "a", Rejected, ErrOwn},
			{"another takes it back", "", "b", Withdrawn, ErrNotOwn},
			{"yes after yes", Approved, "c", Approved, nil},
			{"no after no", Rejected, "c", Rejected, nil},
			{"no after yes", Approved, "c", Rejected, ErrDecided},
			{"yes after no", Rejected, "c", Approved, ErrDecided},
			{"yes after back", Withdrawn, "c", Approved, ErrDecided},
			{"back after yes", Approved, "a", Withdrawn, ErrDecided},
		} {
			a := k.ask("a")
			before := k.carried()
			if tt.first != "" {
				who := "b"
				if tt.first == Withdrawn {
					who = "a"
				}
				if _, err := k.decide(a, who, tt.first); err != nil {
					t.Fatal(tt.name, err)
				}
			}
			got, err := k.decide(a, tt.who, tt.to)
			if !errors.Is(err, tt.want) || tt.want == nil && (got.Approval.State != tt.to || got.Repeated != (tt.first != "")) {
				t.Errorf("%s: %+v, %v", tt.name, got, err)
			}
			want := before
			if tt.first == Approved || tt.want == nil && tt.to == Approved {
				want++
			}
			if n := k.carried(); n != want {
				t.Errorf("%s: carried out %d times, want %d", tt.name, n-before, want-before)
			}
		}
	})
}

// Where it cannot be carried out, nothing is decided: it waits on.
func TestApprovalRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		a := k.ask("a")
		k.refuse.Store(true)
		if _, err := k.decide(a, "b", Approved); !errors.Is(err, errCarry) {
			t.Errorf("refused with %v", err)
		}
		k.refuse.Store(false)
		if got, err := k.approvals.Decide(person(t.Context(), "b"), a.PublicID(), Approved, true); err != nil || got.Approval.State != Approved || k.carried() != 0 {
			t.Errorf("tried: %+v, %v, carried out %d times", got, err, k.carried())
		}
		got, err := k.decide(a, "b", Approved)
		if err != nil || got.Approval.Result != `gift/"canary of a gift"` || got.Approval.Done.IsZero() || k.carried() != 1 {
			t.Errorf("then %+v, %v, carried out %d times", got, err, k.carried())
		}
	})
}

// Many decide at once, on two nodes: one is heard, and a yes is carried out once.
func TestApprovalRaces(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		nodes := []*Approvals{k.approvals, k.node()}
		want := int64(0)
		for range 10 {
			a := k.ask("a")
			var firsts atomic.Int64
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					to := []ApprovalState{Approved, Rejected, Approved, Withdrawn}[i%4]
					who := fmt.Sprint("b", i)
					if to == Withdrawn {
						who = "a"
					}
					got, err := nodes[i%2].Decide(person(t.Context(), who), a.PublicID(), to, false)
					switch {
					case err == nil && !got.Repeated:
						firsts.Add(1)
					case err != nil && !errors.Is(err, ErrDecided):
						t.Error(err)
					}
				})
			}
			all.Wait()
			if firsts.Load() != 1 {
				t.Errorf("%d were heard", firsts.Load())
			}
			var state ApprovalState
			err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				now, err := readApproval(ctx, tx, a.ID)
				state = now.State
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if state == Approved {
				want++
			}
			if n := k.carried(); n != want {
				t.Fatalf("%s: carried out %d times, want %d", state, n, want)
			}
		}
	})
}

// Nobody is their own second person by a key that they made.
func TestApprovalByOwnKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		li, wang := k.person("li", Owner), k.person("wang", Owner)
		key := func(maker Account) string {
			made, _, err := k.staff.CreateKey(person(t.Context(), maker.PublicID()), NewKey{Name: "k", Scopes: []string{All}})
			if err != nil {
				t.Fatal(err)
			}
			return made.PublicID()
		}
		lis, wangs := key(li), key(wang)
		byKey := func(ref string) context.Context {
			return api.WithCaller(t.Context(), api.Caller{Kind: "key", ID: ref, Can: Owner.Can()})
		}
		for _, tt := range []struct {
			name    string
			decider context.Context
			want    error
		}{
			{"the asker", person(t.Context(), li.PublicID()), ErrOwn},
			{"a key of the asker", byKey(lis), ErrOwn},
			{"a colleague", person(t.Context(), wang.PublicID()), nil},
			{"a key of a colleague", byKey(wangs), nil},
		} {
			a := k.ask(li.PublicID())
			if _, err := k.approvals.Decide(tt.decider, a.PublicID(), Approved, false); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
	})
}

// What nobody decided on in time is over, and is written down once however many nodes look.
func TestApprovalRunsOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		a := k.ask("a")
		k.clock.Advance(time.Hour - time.Millisecond)
		if err := k.approvals.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := k.count("SELECT COUNT(*) FROM approval WHERE state = 'waiting'"); n != 1 {
			t.Fatalf("%d wait, one tick before the end", n)
		}
		k.clock.Advance(time.Millisecond)
		if _, err := k.decide(a, "b", Approved); !errors.Is(err, ErrDecided) || !strings.HasSuffix(errs.As(err).Text("zh-CN"), "：已过期。") {
			t.Errorf("a yes after the end: %v", err)
		}
		var all sync.WaitGroup
		for _, node := range []*Approvals{k.approvals, k.node(), k.node()} {
			all.Go(func() {
				if err := node.expire(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := k.count("SELECT COUNT(*) FROM approval WHERE state = 'expired'"); n != 1 {
			t.Errorf("%d expired", n)
		}
		n := 0
		for _, e := range k.waiting() {
			if e.Kind == "approval.decided" {
				n++
			}
		}
		if n != 1 || k.carried() != 0 {
			t.Errorf("told %d times, carried out %d times", n, k.carried())
		}
	})
}

// waiting are the events in the outbox.
func (k *desk) waiting() (list []event.Event) {
	k.t.Helper()
	err := k.db.Read(k.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, _, err = event.Waiting(ctx, tx, 0, 1000)
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return list
}

// A payload that is personal lies sealed, and is not told of anywhere else.
func TestApprovalSealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		a := k.ask("a")
		if _, err := k.decide(a, "b", Rejected); err != nil {
			t.Fatal(err)
		}
		err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			row, err := readApproval(ctx, tx, a.ID)
			if bytes.Contains(row.Payload, []byte("canary")) {
				t.Error("the payload lies there as it is")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := k.count("SELECT COUNT(*) FROM audit WHERE after LIKE '%canary%'"); n != 0 {
			t.Errorf("%d entries of the trail tell it", n)
		}
		told := k.waiting()
		for _, e := range told {
			if bytes.Contains(e.Body, []byte("canary")) {
				t.Errorf("%s tells it", e.Kind)
			}
		}
		if len(told) == 0 {
			t.Error("no events")
		}
	})
}

// Who may read a kind sees its approvals, who may decide on it decides, and others learn
// nothing.
func TestApprovalRights(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		a := k.ask("a")
		path := "/v1/approvals/" + a.PublicID()
		for _, tt := range []struct {
			scopes       string
			method, path string
			status       int
			code         string
		}{
			{"audit.read", "GET", "/v1/approvals", 200, ""},
			{"audit.read", "GET", path, 200, ""},
			{"audit.read", "GET", "/v1/approvals/apr_x", 404, "approval.unknown"},
			{"sales.read", "GET", "/v1/approvals", 403, "request.permission"},
			{"sales.read", "GET", path, 403, "request.permission"},
			{"audit.read", "POST", path + "/approve", 403, "request.permission"},
			{"audit.read", "POST", path + "/reject", 403, "request.permission"},
			{"audit.read", "POST", path + "/withdraw", 409, "approval.not_own"},
			{"audit.read", "POST", "/v1/approvals/apr_x/approve", 403, "request.permission"},
			{"program.manage", "POST", path + "/approve", 200, ""},
			{"program.manage", "POST", path + "/reject", 409, "approval.decided"},
		} {
			_, secret := k.key(NewKey{Name: "k", Scopes: []string{tt.scopes}})
			out := k.keyed(tt.method, tt.path, secret)
			if out.Code != tt.status || codeOf(out) != tt.code {
				t.Errorf("%s %s by %s: %d %s", tt.method, tt.path, tt.scopes, out.Code, out.Body)
			}
		}
		if n := k.count("SELECT COUNT(*) FROM audit WHERE action = 'approval.approved'"); n != 1 {
			t.Errorf("%d entries on the trail", n)
		}
	})
}
