package coupon

import (
	"context"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// runBatch goes on from where a batch was.
func (s *Service) runBatch(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	return s.runOut(ctx, n, func(b *Batch) { run.Progress(max(b.Looked, b.Issued), b.Total, "") })
}

// runOut does what is left of a batch, as long as its coupon is not paused.
func (s *Service) runOut(ctx context.Context, n int64, progress func(*Batch)) error {
	for {
		b, err := s.batch(ctx, n)
		if errors.Is(err, ErrNoBatch) || err == nil && b.State != "running" {
			return nil
		}
		if err != nil {
			return err
		}
		if c := s.now.Load().coupons[b.Coupon]; c != nil && c.State == Paused {
			return nil // where it is; resuming the coupon goes on with it
		}
		more := false
		if b.Kind == Printing {
			more, err = s.printNext(ctx, b)
		} else {
			more, err = s.sendNext(ctx, b)
		}
		if err != nil {
			return fmt.Errorf("batch %s: %w", b.PublicID(), err)
		}
		progress(b)
		if !more {
			return s.endBatch(ctx, b)
		}
	}
}

// endBatch writes down that all is done.
func (s *Service) endBatch(ctx context.Context, b *Batch) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, endBatchSQL, b.ID, "done", s.nowMS())
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, dropTargetsSQL, b.ID); err != nil {
			return err
		}
		last, err := scanBatch(tx.QueryRow(ctx, batchSQL, b.ID).Scan)
		if err != nil {
			return err
		}
		return s.recordBatch(ctx, tx, "done", last)
	})
}

// latest is the version by which a coupon is issued, or a refusal that ends the job.
func (s *Service) latest(coupon int64) (*snapshot, *version, error) {
	n := s.now.Load()
	if c := n.coupons[coupon]; c != nil && n.latest(c) != nil {
		return n, n.latest(c), nil
	}
	return nil, nil, job.Permanent(ErrNotFound)
}

// printNext draws and issues the next codes.
func (s *Service) printNext(ctx context.Context, b *Batch) (more bool, err error) {
	n, v, err := s.latest(b.Coupon)
	left := b.Total - b.Issued - b.Refused
	if err != nil || left <= 0 {
		return false, err
	}
	c := &printing{batch: b.ID, v: v, n: n, codes: b.Plan.Pattern.draw(int(min(left, printStep)))}
	a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: c, Actor: b.Maker, Bulk: true})
	return true, a.Err
}

// printing is the command that issues some codes of a batch. Of those that are there already
// none is issued: the next posting draws others in their place.
type printing struct {
	batch int64
	v     *version
	n     *snapshot
	codes []string
}

// Needs names the batch, the stock and the codes to be.
func (c *printing) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{nobody}, Rows: append(claimRows(c.v.coupon.ID, 0), batchRow(c.batch))}
	for _, code := range c.codes {
		n.Fresh = append(n.Fresh, voucherRow(code))
	}
	return n
}

// Decide issues as many as the stock has.
func (c *printing) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(nobody)
	if err != nil {
		return nil, err
	}
	b := loadBatch(st, c.batch)
	if b == nil || b.State != "running" {
		return nil, nil
	}
	of := c.v.coupon
	stock := quota.Left(st, claimKey(of.ID, 0), quota.Limit{N: of.Terms.Limits.Stock}).N
	if stock == 0 {
		b.Refused = b.Total - b.Issued
		b.put(st)
		return nil, nil
	}
	made := int64(0)
	for _, code := range c.codes {
		if made == min(stock, b.Total-b.Issued) {
			break
		}
		if load(st, code) != nil {
			continue
		}
		g := &Grant{coupon: of, v: c.v, code: code, from: Origin{Kind: fromBatch}, zone: c.n}
		v := g.voucher(st.NowMS)
		v.Batch = b.ID
		v.put(st)
		made++
	}
	if made == 0 {
		return nil, nil
	}
	if err := quota.Take(st, claimKey(of.ID, 0), quota.Limit{}, made, 0); err != nil {
		return nil, err
	}
	b.Issued += made
	b.put(st)
	tell(st, a, of, "issued", st.NowMS, "", map[string]any{"n": made, "batch": b.PublicID()})
	return nil, nil
}

// target is one member of a sending.
type target struct{ member, place int64 }

// sendNext gives a voucher to the next few members.
func (s *Service) sendNext(ctx context.Context, b *Batch) (more bool, err error) {
	n, v, err := s.latest(b.Coupon)
	if err != nil {
		return false, err
	}
	list, err := s.targets(ctx, b)
	if err != nil || len(list) == 0 {
		return false, err
	}
	c := &sending{batch: b.ID, from: b.Place, place: list[len(list)-1].place, looked: int64(len(list)), v: v, n: n}
	if c.members, err = s.audience(ctx, b, v, list); err != nil {
		return false, err
	}
	c.passed = c.looked - int64(len(c.members))
	c.codes = defaultPattern.draw(len(c.members) + 1)[:len(c.members)]
	a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: c, Actor: b.Maker, Bulk: true})
	if errors.Is(a.Err, ledger.ErrCorrupt) && len(list) > 1 { // the books of one are closed: the others go on without
		return true, s.sendSingly(ctx, b, c, list)
	}
	b.Looked += c.looked
	return true, a.Err
}

// sendSingly does a slice one by one, for the sake of one in it whose books are closed.
func (s *Service) sendSingly(ctx context.Context, b *Batch, all *sending, list []target) error {
	from := b.Place
	for _, t := range list {
		c := &sending{batch: b.ID, from: from, place: t.place, looked: 1, v: all.v, n: all.n, passed: 1}
		for i, m := range all.members {
			if m == t.member {
				c.members, c.codes, c.passed = []int64{m}, []string{all.codes[i]}, 0
			}
		}
		a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: c, Actor: b.Maker, Bulk: true})
		if errors.Is(a.Err, ledger.ErrCorrupt) {
			c.members, c.codes, c.refused = nil, nil, 1
			a = s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: c, Actor: b.Maker, Bulk: true})
		}
		if a.Err != nil {
			return a.Err
		}
		from = t.place
	}
	return nil
}

// targets reads the next members.
func (s *Service) targets(ctx context.Context, b *Batch) (list []target, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		if b.Plan.Listed {
			return db.ReadRows(func(rows *db.Rows) error {
				var t target
				err := rows.Scan(&t.place, &t.member)
				list = append(list, t)
				return err
			})(tx.Query(ctx, targetsSQL, b.ID, b.Place, sendStep))
		}
		shard := int64(-1)
		if b.Place != 0 {
			shard = int64(id.Shard(b.Place))
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var t target
			err := rows.Scan(&t.member)
			t.place = t.member
			list = append(list, t)
			return err
		})(tx.Query(ctx, everybodySQL, shard, b.Place, sendStep))
	})
	return list, err
}

// audience leaves those for whom the condition of the sending and the audience of the coupon
// hold. Who is named in a list is of the audience.
func (s *Service) audience(ctx context.Context, b *Batch, v *version, list []target) (members []int64, err error) {
	ids := make([]int64, len(list))
	for i, t := range list {
		ids[i] = t.member
	}
	if b.Plan.Listed {
		return ids, nil
	}
	holds, err := s.eligible(ctx, ids, []*cond.Cond{s.now.Load().condition(b.Plan.Condition, cond.OfMember), v.audience})
	for _, m := range ids {
		if holds[m] {
			members = append(members, m)
		}
	}
	return members, err
}

// sending is the command that gives some members a voucher each, and moves the place of their
// sending on: both or neither.
type sending struct {
	batch       int64
	from, place int64 // where the sending was, and where it then is
	looked      int64
	passed      int64
	refused     int64
	v           *version
	n           *snapshot
	members     []int64
	codes       []string // one for each
}

// Needs names the members, what is counted of each, and the codes to be.
func (c *sending) Needs() ledger.Needs {
	n := ledger.Needs{Members: c.members, Rows: append(claimRows(c.v.coupon.ID, 0), batchRow(c.batch))}
	if len(c.members) == 0 {
		n.Members = []int64{nobody}
	}
	for i, m := range c.members {
		n.Rows = append(n.Rows, claimKey(c.v.coupon.ID, m).Row())
		if c.v.coupon.Terms.Limits.PerMember > 0 {
			n.Rows = append(n.Rows, quota.KinRow(m))
		}
		n.Fresh = append(n.Fresh, voucherRow(c.codes[i]))
	}
	return n
}

// Decide gives, and counts whom it could not give.
func (c *sending) Decide(st *ledger.State) (any, error) {
	b := loadBatch(st, c.batch)
	if b == nil || b.State != "running" || b.Place != c.from {
		return nil, nil // another run goes on with it, or it was stopped
	}
	refused := c.refused
	for i, m := range c.members {
		a, err := survivor(st, m)
		if err == nil {
			g := &Grant{coupon: c.v.coupon, v: c.v, limits: c.v.coupon.Terms.Limits, code: c.codes[i], from: Origin{Kind: fromSending}, zone: c.n, batch: b.ID}
			_, err = g.Decide(st, a)
		}
		if e := errs.As(err); e != nil && (e.Kind == errs.Conflict || e.Kind == errs.NotFound || e.Kind == errs.Forbidden) {
			refused++
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	b.Place, b.Looked, b.Passed, b.Refused = c.place, b.Looked+c.looked, b.Passed+c.passed, b.Refused+refused
	b.Issued += int64(len(c.members)) - refused + c.refused
	b.put(st)
	return nil, nil
}

// survivor follows the merges of a member.
func survivor(st *ledger.State, m int64) (*ledger.Account, error) {
	for range maxMerges {
		if err := st.Require(ledger.Needs{Members: []int64{m}}); err != nil {
			return nil, err
		}
		a, err := st.Account(m)
		if err != nil || a.MergedInto == 0 {
			return a, err
		}
		m = a.MergedInto
	}
	return nil, ledger.ErrMember
}
