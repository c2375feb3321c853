package draw

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Options are what a Service is made of. All but Log and Vouchers are required.
type Options struct {
	DB       *db.DB
	Box      *seal.Box
	Clock    clock.Clock
	Log      *slog.Logger
	Program  *program.Service
	Members  *member.Service
	Ledger   *ledger.Service
	Audit    *staff.Audit
	Vouchers Vouchers // nil where no coupons can be won
}

// Service is draws as the rest of the program sees them. It is safe for use by many goroutines.
type Service struct {
	o          Options
	now        atomic.Pointer[snapshot]
	refreshing sync.Mutex
	random     io.Reader // that seeds are drawn from
}

// New makes the service.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o, random: rand.Reader}
	return s, s.Refresh(ctx)
}

// Seeds has the seeds of epochs to come drawn from elsewhere than chance: for demo data, which is
// the same each time.
func (s *Service) Seeds(from io.Reader) { s.random = from }

func (s *Service) nowMS() int64 { return s.o.Clock.Now().UnixMilli() }

func (s *Service) zone() *time.Location { return s.o.Program.Snapshot().Zone }

// change runs fn in a transaction that also raises the version of the configuration, and takes
// it over here before it returns.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, raiseSQL); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Find finds a draw by id or code.
func (s *Service) Find(ref string) (*Game, error) {
	n := s.now.Load()
	if g := n.by[ref]; g != nil {
		return g, nil
	}
	if _, number, err := id.Decode(drawPrefix, ref); err == nil && n.games[number] != nil {
		return n.games[number], nil
	}
	return nil, ErrNotFound
}

// List lists draws, the newest first: all of them are in memory, and few.
func (s *Service) List(state State, q string) []*Game {
	n, nowMS, zone := s.now.Load(), s.nowMS(), s.zone()
	q = strings.ToLower(q)
	var out []*Game
	for _, g := range n.list {
		t := &g.Terms
		named := q == "" || strings.Contains(g.Code, q) || strings.Contains(strings.ToLower(t.NameEN), q) || strings.Contains(t.NameZH, q)
		if named && (state == "" || g.Standing(nowMS, zone) == state) {
			out = append(out, g)
		}
	}
	return out
}

// Add makes a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*Game, error) {
	if !codeForm.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := s.check(ctx, &t); err != nil {
		return nil, err
	}
	if len(s.now.Load().games) >= maxDraws {
		return nil, ErrMany.With("most", maxDraws)
	}
	n, err := s.o.DB.NextID(ctx, "draw")
	if err != nil {
		return nil, err
	}
	g := &Game{ID: n, Code: code, State: Draft, Version: 1, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := tx.Exec(ctx, insertGameSQL, g.ID, g.Code, string(pack(g.Terms)), s.nowMS())
		if err != nil {
			return err
		}
		if made == 0 {
			return ErrTaken.At("body.code")
		}
		if err := insertVersion(ctx, tx, g, staff.ActorOf(ctx), s.nowMS()); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "draw.add", g.PublicID(), nil, audited(g))
	})
	if err != nil {
		return nil, fmt.Errorf("add draw %s: %w", code, err)
	}
	return s.Find(g.PublicID())
}

// audited is what the trail keeps of a draw.
func audited(g *Game) any {
	return map[string]any{"code": g.Code, "state": g.State, "terms": g.Terms}
}

// Change changes what a draw says, from a version unless that is 0. Of a draw that is published
// the next play goes by it; where that changes the odds, a new table says so at once.
func (s *Service) Change(ctx context.Context, ref string, from int64, edit func(*Terms)) (*Game, error) {
	g, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := lockState(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		was, err := read(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		if from != 0 && from != was.Version {
			return ErrEdited
		}
		if was.State == Ended {
			return ErrMove.With("state", stateWord(Ended))
		}
		next := *was
		next.Terms.Prizes = slices.Clone(was.Terms.Prizes)
		edit(&next.Terms)
		if err := s.check(ctx, &next.Terms); err != nil {
			return err
		}
		if st != nil && next.Terms.Epoch != was.Terms.Epoch {
			return ErrEpoch.At("body.epoch")
		}
		if string(pack(next.Terms)) == string(pack(was.Terms)) {
			return nil
		}
		return s.edit(ctx, tx, was, &next, st)
	})
	if err != nil {
		return nil, fmt.Errorf("change draw %s: %w", g.Code, err)
	}
	return s.Find(g.PublicID())
}

func (s *Service) edit(ctx context.Context, tx *db.Tx, was, next *Game, st *state) error {
	nowMS := s.nowMS()
	n, err := tx.Exec(ctx, updateGameSQL, was.ID, was.Version, string(pack(next.Terms)), nowMS)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	next.Version = was.Version + 1
	if err := insertVersion(ctx, tx, next, staff.ActorOf(ctx), nowMS); err != nil {
		return err
	}
	if st != nil {
		st.Version = next.Version
		if err := s.enactIn(ctx, tx, next, st, whyChanged); err != nil {
			return err
		}
		if _, err := s.rollIn(ctx, tx, next, st); err != nil { // its time may be another
			return err
		}
		if err := st.write(ctx, tx, updateStateSQL); err != nil {
			return err
		}
	}
	return s.o.Audit.Record(ctx, tx, "draw.change", was.PublicID(), audited(was), audited(next))
}

// enactIn brings the table of a draw into force outside of a play, where it is another than now.
func (s *Service) enactIn(ctx context.Context, tx *db.Tx, g *Game, st *state, why string) error {
	is, err := s.leftIn(ctx, tx, g)
	if err != nil {
		return err
	}
	t, changed := st.Body.Table.next(&g.Terms, is, st.Epoch, st.PlayN+1, s.nowMS(), why)
	if !changed {
		return nil
	}
	st.enact(t, g.PublicID())
	return insertOdds(ctx, tx, g.ID, t)
}

// leftIn says what is left of the prizes of a draw, in a transaction.
func (s *Service) leftIn(ctx context.Context, tx *db.Tx, g *Game) (left, error) {
	keys := []quota.Key{budgetKey(g.ID)}
	for _, p := range g.Terms.Prizes {
		keys = append(keys, stockKey(g.ID, p.Code))
	}
	counts, err := quota.Read(ctx, tx, keys, s.nowMS())
	if err != nil {
		return nil, err
	}
	return func(p *Prize) (bool, string) {
		if p.Stock > 0 && counts[stockKey(g.ID, p.Code)].Used >= p.Stock {
			return false, whyStock
		}
		if b := g.Terms.Budget; b > 0 && counts[budgetKey(g.ID)].Amount+p.worth() > b {
			return false, whyBudget
		}
		return true, ""
	}, nil
}

// moves says from which states each may be entered.
var moves = map[State][]State{Live: {Draft, Paused}, Paused: {Live}, Ended: {Live, Paused}}

// Move publishes, pauses, resumes or ends a draw. To say again what is so already changes
// nothing.
func (s *Service) Move(ctx context.Context, ref string, to State) (*Game, error) {
	g, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := lockState(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		was, err := read(ctx, tx, g.ID)
		if err != nil || was.State == to {
			return err
		}
		return s.moveIn(ctx, tx, was, to, st)
	})
	if err != nil {
		return nil, fmt.Errorf("move draw %s to %s: %w", g.Code, to, err)
	}
	return s.Find(g.PublicID())
}

func (s *Service) moveIn(ctx context.Context, tx *db.Tx, was *Game, to State, st *state) error {
	if !slices.Contains(moves[to], was.State) {
		return ErrMove.With("state", stateWord(was.State))
	}
	next := *was
	next.State = to
	if to == Ended {
		next.EndedMS = s.nowMS()
	}
	n, err := tx.Exec(ctx, moveGameSQL, was.ID, string(was.State), string(to), s.nowMS(), next.EndedMS)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	stmt := updateStateSQL
	if st == nil { // published for the first time
		stmt, st = insertStateSQL, &state{Draw: was.ID, Version: was.Version, Epoch: 1}
		st.fill()
		if err := s.enactIn(ctx, tx, &next, st, whyPublished); err != nil {
			return err
		}
	}
	st.Live = to == Live
	if _, err := s.rollIn(ctx, tx, &next, st); err != nil {
		return err
	}
	if err := st.write(ctx, tx, stmt); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "draw."+string(to), was.PublicID(), audited(was), audited(&next))
}

func stateWord(st State) errs.Word {
	zh := map[State]string{Draft: "草稿", Live: "已发布", Paused: "已暂停", Ended: "已结束"}
	return errs.Word{EN: string(st), ZH: zh[st]}
}

// Remove deletes a draft.
func (s *Service) Remove(ctx context.Context, ref string) error {
	g, err := s.Find(ref)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, removeGameSQL, g.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrStarted
		}
		if _, err := tx.Exec(ctx, removeVersionsSQL, g.ID); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "draw.remove", g.PublicID(), audited(was), nil)
	})
}

// Version is what a draw said from a moment on.
type Version struct {
	Number int64
	Terms  Terms
	Actor  string
	AtMS   int64
}

// Versions lists what a draw said, the newest first.
func (s *Service) Versions(ctx context.Context, g *Game) (list []Version, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var v Version
			var terms []byte
			if err := rows.Scan(&v.Number, &terms, &v.Actor, &v.AtMS); err != nil {
				return err
			}
			unpack(terms, &v.Terms)
			list = append(list, v)
			return nil
		})(tx.Query(ctx, versionsOfSQL, g.ID))
	})
	return list, err
}
