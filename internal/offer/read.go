package offer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

var (
	bookSQL = db.Define("offer.book", `
		SELECT body
		FROM member_offer
		WHERE shard = $1 AND member_id = $2`)
	instanceSQL = db.Define("offer.instance", `
		SELECT body
		FROM offer_instance
		WHERE shard = $1 AND member_id = $2 AND seq = $3`)
	instancesOfMemberSQL = db.Define("offer.instancesOfMember", `
		SELECT body
		FROM offer_instance
		WHERE shard = $1 AND member_id = $2 AND seq < $3
		ORDER BY seq DESC
		LIMIT $4`)
	instancesSQL = db.Define("offer.instances", `
		SELECT body
		FROM offer_instance
		WHERE offer_id = $1 AND (received_ms, shard, member_id, seq) > ($2, $3, $4, $5)
		ORDER BY received_ms, shard, member_id, seq
		LIMIT $6`)
	instancesByStepSQL = db.Define("offer.instancesByStep", `
		SELECT body
		FROM offer_instance
		WHERE offer_id = $1 AND step = $2 AND (received_ms, shard, member_id, seq) > ($3, $4, $5, $6)
		ORDER BY received_ms, shard, member_id, seq
		LIMIT $7`)
)

func readBook(ctx context.Context, tx *db.Tx, m int64) (*Book, error) {
	var body []byte
	err := tx.QueryRow(ctx, bookSQL, shardOf(m), m).Scan(&body)
	if errors.Is(err, errNoRows) {
		return &Book{}, nil
	}
	if err != nil {
		return nil, err
	}
	return unpackBook(body), nil
}

func scanInstances(to *[]*Instance) func(*db.Rows, error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		i := &Instance{}
		unpack(body, i)
		*to = append(*to, i)
		return nil
	})
}

// OfMember lists the instances of a member, the newest first: those that are followed as they
// stand, the others as they ended.
func (s *Service) OfMember(ctx context.Context, m int64, p api.Page) (list []*Instance, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	below := int64(math.MaxInt64)
	if after != nil {
		below = after[0]
	}
	var b *Book
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list = nil
		if b, err = readBook(ctx, tx, m); err != nil {
			return err
		}
		return scanInstances(&list)(tx.Query(ctx, instancesOfMemberSQL, shardOf(m), m, below, p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the offers of member %d: %w", m, err)
	}
	if len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].Seq)
	}
	for at, i := range list {
		if live := b.find(i.Member, i.Seq); live != nil {
			list[at] = live
		}
	}
	if after == nil { // of records that were merged into this one: only what is still followed
		for _, i := range slices.Backward(b.Open) {
			if i.Member != m {
				list = append([]*Instance{i}, list...)
			}
		}
	}
	return list, next, nil
}

// Received is the newest instances of a member, at most a hundred.
func (s *Service) Received(ctx context.Context, m int64) ([]*Instance, error) {
	list, _, err := s.OfMember(ctx, m, api.Page{Limit: 100})
	return list, err
}

// instance reads one instance of a member, as it stands, or gives ErrNoInstance.
func (s *Service) instance(ctx context.Context, m int64, ref string) (i *Instance, err error) {
	home, seq, err := id.Decode(instancePrefix, ref)
	if err != nil {
		return nil, ErrNoInstance
	}
	var b *Book
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if b, err = readBook(ctx, tx, m); err != nil {
			return err
		}
		if i = b.find(home, seq); i != nil || home != m {
			return nil
		}
		var list []*Instance
		err = scanInstances(&list)(tx.Query(ctx, instanceSQL, shardOf(home), home, seq))
		if len(list) > 0 {
			i = list[0]
		}
		return err
	})
	if err == nil && i == nil {
		err = ErrNoInstance
	}
	return i, err
}

// steps are the words by which instances of an offer may be listed.
var steps = map[string]Step{"open": StepOpen, "completed": StepCompleted, "rewarded": StepRewarded, "expired": StepExpired, "cancelled": StepCancelled}

// Instances lists those who have an offer, the first to receive it first. Progress is what was
// written last.
func (s *Service) Instances(ctx context.Context, o *Offer, state string, p api.Page) (list []*Instance, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 4)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{minMS, -1, 0, 0}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		if state != "" {
			return scanInstances(&list)(tx.Query(ctx, instancesByStepSQL, o.ID, int64(steps[state]), after[0], after[1], after[2], after[3], p.Limit))
		}
		return scanInstances(&list)(tx.Query(ctx, instancesSQL, o.ID, after[0], after[1], after[2], after[3], p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list who has offer %s: %w", o.Code, err)
	}
	if len(list) == p.Limit {
		last := list[len(list)-1]
		next = api.EncodeCursor(last.Received, shardOf(last.Member), last.Member, last.Seq)
	}
	return list, next, nil
}

// Available lists the open offers that a member can have now and has not begun.
func (s *Service) Available(ctx context.Context, m int64) (list []*version, err error) {
	n, nowMS, snap := s.now.Load(), s.nowMS(), s.o.Program.Snapshot()
	var b *Book
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		b, err = readBook(ctx, tx, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, v := range n.open {
		if v.offer.Standing(nowMS, snap.Zone) != Live {
			continue
		}
		if i, _, err := b.current(v, nowMS, snap); i != nil || err != nil {
			continue
		}
		ok, err := s.eligibleFor(ctx, m, v)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, v)
		}
	}
	return list, nil
}

// eligibleFor reports whether a member is of the audience of an offer.
func (s *Service) eligibleFor(ctx context.Context, m int64, v *version) (bool, error) {
	if v.audience == nil {
		return true, nil
	}
	holds, err := s.holding(ctx, []int64{m}, []*cond.Cond{v.audience})
	return holds[m], err
}

// See notes that a member has looked at an instance, or at an open offer that they have not
// begun: then they have it from now on.
func (s *Service) See(ctx context.Context, m int64, ref string, atMS int64) (*Instance, error) {
	return s.take(ctx, m, ref, atMS, true, false)
}

// Accept is a member's yes to an instance, or to an open offer.
func (s *Service) Accept(ctx context.Context, m int64, ref string, atMS int64) (*Instance, error) {
	return s.take(ctx, m, ref, atMS, true, true)
}

func (s *Service) take(ctx context.Context, m int64, ref string, atMS int64, viewed, accept bool) (*Instance, error) {
	if o, err := s.Find(ref); err == nil && o.Terms.Delivery == Open {
		return s.begin(ctx, m, o, atMS, viewed, accept)
	}
	i, err := s.instance(ctx, m, ref)
	if err != nil {
		return nil, err
	}
	o := s.now.Load().offers[i.Offer]
	if o == nil {
		return nil, ErrNoInstance
	}
	if accept && o.State != Live {
		return nil, ErrNotLive
	}
	return s.changeInstance(ctx, m, note{home: i.Member, seq: i.Seq, offer: o, atMS: atMS, viewed: viewed, accept: accept})
}

func (s *Service) begin(ctx context.Context, m int64, o *Offer, atMS int64, viewed, accept bool) (*Instance, error) {
	n, snap := s.now.Load(), s.o.Program.Snapshot()
	v := n.latest(o)
	if o.Standing(atMS, snap.Zone) != Live {
		return nil, ErrNotLive
	}
	ok, err := s.eligibleFor(ctx, m, v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrAudience
	}
	got, err := s.do(ctx, m, func(m int64) ledger.Command {
		return &receive{member: m, of: v, atMS: atMS, viewed: viewed, accept: accept, snap: snap}
	})
	if err != nil {
		return nil, err
	}
	return got.(*received).Instance, nil
}

func (s *Service) changeInstance(ctx context.Context, m int64, c note) (*Instance, error) {
	got, err := s.do(ctx, m, func(m int64) ledger.Command {
		next := c
		next.member = m
		return &next
	})
	if err != nil {
		return nil, err
	}
	return got.(*received).Instance, nil
}

// Cancel takes an instance from a member. The trail has who did, and why.
func (s *Service) Cancel(ctx context.Context, m int64, ref, reason string) (*Instance, error) {
	i, err := s.instance(ctx, m, ref)
	if err != nil {
		return nil, err
	}
	o := s.now.Load().offers[i.Offer]
	if o == nil {
		return nil, ErrNoInstance
	}
	if i, err = s.changeInstance(ctx, m, note{home: i.Member, seq: i.Seq, offer: o, atMS: s.nowMS(), cancel: true}); err != nil {
		return nil, err
	}
	return i, s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, "offer.cancel", i.ID(), nil, map[string]any{"offer": o.Code, "reason": reason})
	})
}

// holding says of which members all conditions hold, now. A condition that cannot be worked
// out holds for nobody.
func (s *Service) holding(ctx context.Context, ids []int64, conditions []*cond.Cond) (map[int64]bool, error) {
	facts, err := s.facts(ctx, ids, conditions)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]bool, len(ids))
	for m, f := range facts {
		holds := true
		for _, c := range conditions {
			ok, err := c.Eval(f)
			holds = holds && ok && err == nil
		}
		out[m] = holds
	}
	return out, nil
}

// facts is what conditions may look at, of members as they are now.
func (s *Service) facts(ctx context.Context, ids []int64, conditions []*cond.Cond) (map[int64]*cond.Facts, error) {
	members := make([]member.ID, len(ids))
	for i, m := range ids {
		members[i] = member.ID(m)
	}
	profiles, err := s.o.Members.Profiles(ctx, members)
	if err != nil {
		return nil, err
	}
	now := cond.NewMoment(s.o.Clock.Now(), s.zone())
	out := make(map[int64]*cond.Facts, len(ids))
	for m, p := range profiles {
		out[int64(m)] = &cond.Facts{Member: p, Now: now, Found: cond.Found{}}
	}
	var needs []cond.Need
	for _, c := range conditions {
		needs = append(needs, c.Needs()...)
	}
	if len(needs) == 0 {
		return out, nil
	}
	var rs []ledger.Request
	for m := range out {
		rs = append(rs, ledger.Request{Command: look{m, needs}, DryRun: true, Bulk: true})
	}
	for _, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
		if got, ok := a.Value.(looked); ok {
			out[got.member].Found = got.found
		}
	}
	return out, nil
}

// look is a command that changes nothing: it answers what the account alone knows.
type look struct {
	member int64
	needs  []cond.Need
}

type looked struct {
	member int64
	found  cond.Found
}

// Needs names the member.
func (c look) Needs() ledger.Needs { return ledger.Needs{Members: []int64{c.member}} }

// Decide looks.
func (c look) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	out := looked{c.member, cond.Found{}}
	sale.Find(s, a, s.Day(s.NowMS), c.needs, out.found)
	return out, nil
}
