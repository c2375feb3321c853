package privacy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/member"
)

// The jobs of an erasure.
const (
	eraseKind = "privacy.erase" // carries out what was decided, where a crash came between
	sweepKind = "privacy.sweep" // goes over everything once more
	scrubKind = "privacy.scrub" // has the database let go of old bytes
)

const (
	// eraseAfter is how long whoever decided has to carry it out themselves.
	eraseAfter = time.Minute
	// sweepAfter is when nothing can be under way any more that found the member before:
	// requests have ended, and other nodes have forgotten where the record pointed.
	sweepAfter = 5 * time.Minute
)

// scrubbed are the tables in which an erasure overwrites or deletes.
var scrubbed = []string{"member", "identifier", "name_token", "member_attribute", "member_tag", "merge_link", "note", "call", "task", "event", "outbox", "sale", "hold", "approval", "request", "portal_session"}

// Erased is what became of an erasure.
type Erased struct {
	Person
	At   time.Time
	Done bool // false where it was decided and the rest is left to the job
}

// eraseArgs are those of eraseKind and sweepKind.
type eraseArgs struct {
	Member  member.ID `json:"member"`
	Forfeit bool      `json:"forfeit,omitempty"`
}

// Erase erases a member with all records that were merged into it. Open holds are released
// and points forfeited. Stored value, which is the member's own money, is a reason to
// refuse unless forfeit says otherwise.
//
// The decision is the commit of the tombstones, with which the records are marked. After it there is no way back. The reason is
// one of a few words, since the trail keeps it for ever.
func (s *Service) Erase(ctx context.Context, ref member.Ref, reason string, forfeit bool) (Erased, error) {
	for range maxRaces {
		m, err := s.o.Members.Find(ctx, ref)
		if err != nil {
			return Erased{}, err
		}
		records, err := s.o.Members.Records(ctx, member.RefID(m))
		if err != nil {
			return Erased{}, err
		}
		e := Erasure{Person: Person{m, records}, At: s.o.Clock.Now(), Forfeit: forfeit}
		if err := s.objects(ctx, e); err != nil {
			return Erased{}, err
		}
		var changed bool
		var stones []tombstone
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			changed = false
			stones, changed, err = s.decide(ctx, tx, e, reason)
			if err == nil && changed {
				err = ErrBusy
			}
			return err
		})
		for _, m := range records {
			s.o.Members.Forget(m)
		}
		if changed {
			continue
		}
		if err != nil {
			return Erased{}, err
		}
		out := Erased{Person: e.Person, At: e.At, Done: true}
		if err := s.carryOut(ctx, e, stones); err != nil {
			s.o.Log.Error("an erasure was decided and is not carried out yet; a job will", "member", int64(m), "error", err)
			out.Done = false
		}
		return out, nil
	}
	return Erased{}, ErrBusy
}

// MayErase asks, before anything is decided, whether some noun objects.
func (s *Service) MayErase(ctx context.Context, ref member.Ref, forfeit bool) error {
	m, err := s.o.Members.Find(ctx, ref)
	if err != nil {
		return err
	}
	return s.objects(ctx, Erasure{Person: Person{ID: m}, At: s.o.Clock.Now(), Forfeit: forfeit})
}

func (s *Service) objects(ctx context.Context, e Erasure) error {
	for _, p := range s.parts {
		if o, ok := p.(Objector); ok {
			if err := o.Objects(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide writes the tombstones under lock of all records. changed says that they are not
// the person's records any more.
func (s *Service) decide(ctx context.Context, tx *db.Tx, e Erasure, reason string) (stones []tombstone, changed bool, err error) {
	order := slices.Clone(e.Records)
	slices.SortFunc(order, func(a, b member.ID) int { // that in which all of the program locks members
		return cmp.Or(cmp.Compare(a.Shard(), b.Shard()), cmp.Compare(a, b))
	})
	for _, m := range order {
		l, err := member.Lock(ctx, tx, m)
		if err != nil {
			return nil, false, err
		}
		if m == e.ID && l.MergedInto != 0 {
			return nil, true, nil
		}
		if err := member.MarkErased(ctx, tx, m, e.At); err != nil {
			return nil, false, err
		}
		stones = append(stones, tombstone{Member: m, CreatedMS: l.CreatedMS, AtMS: e.At.UnixMilli()})
	}
	now, err := member.RecordsOf(ctx, tx, e.ID)
	if err != nil {
		return nil, false, err
	}
	if !slices.Equal(now, e.Records) {
		return nil, true, nil
	}
	for _, t := range stones {
		if _, err := tx.Exec(ctx, decideSQL, t.Member.Shard(), int64(t.Member), t.CreatedMS, t.AtMS, reason, actor(ctx)); err != nil {
			return nil, false, fmt.Errorf("write the tombstone of member %d: %w", t.Member, err)
		}
	}
	if err := s.o.Audit.Record(ctx, tx, "member.erased", e.ID.String(), nil, map[string]any{"reason": reason, "records": e.Records, "forfeit": e.Forfeit}); err != nil {
		return nil, false, err
	}
	asked := s.o.Clock.Now()
	_, err = job.Enqueue(ctx, tx, job.New{Kind: eraseKind, Args: eraseArgs{e.ID, e.Forfeit}, UniqueKey: e.ID.String(), RunAt: asked.Add(eraseAfter), Now: asked})
	return stones, false, err
}

// carryOut does what was decided. Every step may be repeated, so it is enough that somebody
// comes back until it returns without an error. The file comes before the first byte is
// destroyed: what is lost after that cannot be decided anew.
func (s *Service) carryOut(ctx context.Context, e Erasure, stones []tombstone) error {
	if err := s.graves.bury(stones); err != nil {
		return err
	}
	if err := s.clean(ctx, e); err != nil {
		return err
	}
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		now := s.o.Clock.Now()
		for _, t := range stones {
			if _, err := tx.Exec(ctx, doneSQL, t.Member.Shard(), int64(t.Member), now.UnixMilli()); err != nil {
				return fmt.Errorf("close the tombstone of member %d: %w", t.Member, err)
			}
		}
		_, err := job.Enqueue(ctx, tx, job.New{Kind: sweepKind, Args: eraseArgs{e.ID, e.Forfeit}, UniqueKey: e.ID.String(), RunAt: now.Add(sweepAfter), Now: now})
		return err
	})
}

// clean asks every part, in the order of their registration: the record first.
func (s *Service) clean(ctx context.Context, e Erasure) error {
	for _, p := range s.parts {
		if err := p.Erase(ctx, e); err != nil {
			return fmt.Errorf("erase %s of member %d: %w", p.Name(), e.ID, err)
		}
	}
	return nil
}

// finish carries out all that was decided and is not done, and returns how many records
// that were.
func (s *Service) finish(ctx context.Context) (n int, err error) {
	var undead []tombstone
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		undead, err = scanTombstones(tx.Query(ctx, undeadSQL))
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, t := range undead {
		e := Erasure{Person: Person{t.Member, []member.ID{t.Member}}, At: time.UnixMilli(t.AtMS)}
		if err := s.carryOut(ctx, e, []tombstone{t}); err != nil {
			return n, err
		}
		n++
	}
	if n > 0 {
		s.o.Log.Warn("members who were erased before were erased again", "records", n)
	}
	return n, nil
}

// erasureOf is what is to be done for a member by what the table says now.
func (s *Service) erasureOf(ctx context.Context, a eraseArgs) (e Erasure, stones []tombstone, err error) {
	records, err := s.o.Members.Records(ctx, member.RefID(a.Member))
	if err != nil {
		return e, nil, err
	}
	e = Erasure{Person: Person{a.Member, records}, Forfeit: a.Forfeit}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		stones = nil
		for _, m := range records {
			list, err := scanTombstones(tx.Query(ctx, tombstoneSQL, m.Shard(), int64(m)))
			if err != nil {
				return err
			}
			stones = append(stones, list...)
		}
		return nil
	})
	if err == nil && len(stones) != len(records) {
		err = job.Permanent(fmt.Errorf("member %d: %d tombstones for %d records", a.Member, len(stones), len(records)))
	}
	if err == nil {
		e.At = time.UnixMilli(stones[0].AtMS)
	}
	return e, stones, err
}

var tombstoneSQL = db.Define("privacy.tombstone", `
	SELECT member_id, created_ms, at_ms, done_ms, reason, actor
	FROM tombstone
	WHERE shard = $1 AND member_id = $2`)

func (s *Service) runErase(ctx context.Context, run *job.Run) error {
	var a eraseArgs
	if err := run.Args(&a); err != nil {
		return err
	}
	e, stones, err := s.erasureOf(ctx, a)
	if err != nil || !slices.ContainsFunc(stones, func(t tombstone) bool { return t.DoneMS == 0 }) {
		return err
	}
	return s.carryOut(ctx, e, stones)
}

// runSweep erases once more what may have come in from somebody who had found the member
// before, and then has the database let go of old bytes.
func (s *Service) runSweep(ctx context.Context, run *job.Run) error {
	var a eraseArgs
	if err := run.Args(&a); err != nil {
		return err
	}
	e, _, err := s.erasureOf(ctx, a)
	if err != nil {
		return err
	}
	if err := s.clean(ctx, e); err != nil {
		return err
	}
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := job.Enqueue(ctx, tx, job.New{Kind: scrubKind, UniqueKey: "all", Now: s.o.Clock.Now()})
		return err
	})
}

func (s *Service) runScrub(ctx context.Context, _ *job.Run) error {
	return s.o.DB.Scrub(ctx, scrubbed...)
}
