package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Many vouchers are made by a job: a batch prints codes, a sending gives one to each of many
// members. How far it is stands in its row, which the posting that makes vouchers writes: so one
// that is killed goes on where it was, and no member gets two.

// BatchKind tells batches from sendings.
type BatchKind int64

// The kinds. Numbers are on disk.
const (
	Printing BatchKind = 1
	Sending  BatchKind = 2
)

const (
	batchJob   = "coupon.batch"
	printStep  = 1_000 // codes of one posting
	sendStep   = 250   // members of one posting: their tills wait that long at most
	maxPrinted = 1_000_000
	maxTargets = 1_000
)

var (
	// ErrNoBatch answers for a batch or sending that is not there.
	ErrNoBatch = errs.New(errs.NotFound, "coupon.no_batch", "There is no such batch or sending.", "没有这个批次或发放。")
	// ErrWhom refuses a sending to nobody, or in two ways at once.
	ErrWhom = errs.New(errs.Invalid, "coupon.whom", "Name members, or a condition, or all: one of the three.", "会员列表、条件、全部会员三者须选其一。")
	// ErrEnded refuses to stop what has ended.
	ErrEnded = errs.New(errs.Conflict, "coupon.batch_over", "It has ended.", "该批次已结束。")
	// ErrNameTaken refuses a name that stands for another batch.
	ErrNameTaken = errs.New(errs.Conflict, "coupon.name_taken", "One of this name has other content.", "同名批次的内容不同。")
	// ErrHowMany refuses a batch of nothing or of too many.
	ErrHowMany = errs.New(errs.Invalid, "coupon.how_many", "A batch has 1 to {most} codes.", "每批 1 至 {most} 个券码。")
)

// Plan is what a batch does. Its JSON is on disk.
type Plan struct {
	Pattern   Pattern `json:"pattern,omitempty"`
	Condition string  `json:"condition,omitempty"`
	All       bool    `json:"all,omitempty"`
	Listed    bool    `json:"listed,omitempty"` // its members are in voucher_target
}

// Batch is one job for many, and how far it is.
type Batch struct {
	ID      int64
	Kind    BatchKind
	Coupon  int64
	Name    string
	State   string // filling, running, done, cancelled
	Plan    Plan
	Maker   string
	Job     job.ID
	Place   int64
	Total   int64 // codes, or members of a list; 0 where a condition says
	Looked  int64
	Issued  int64
	Passed  int64 // the condition does not hold
	Refused int64 // gone, blocked, or limits leave none
	Made    time.Time
	Done    time.Time
}

// PublicID is what the outside calls it.
func (b *Batch) PublicID() string {
	if b.Kind == Sending {
		return id.Encode(sendingPrefix, 0, b.ID)
	}
	return id.Encode(batchPrefix, 0, b.ID)
}

// batchTable is the table as batches write it; people start and stop them too.
var batchTable = ledger.DefineSharedTable("voucher_batch", 1, "id int, kind int, coupon_id int, name text, state text, plan text, maker text, job_id int, place int, total int, looked int, issued int, passed int, refused int, made_ms int, done_ms int")

const batchColumns = `id, kind, coupon_id, name, state, plan, maker, job_id, place, total, looked, issued, passed, refused, made_ms, done_ms`

var (
	insertBatchSQL = db.Define("coupon.insertBatch", `
		INSERT INTO voucher_batch (`+batchColumns+`)
		VALUES ($1, $2, $3, $4, 'filling', $5, $6, 0, 0, $7, 0, 0, 0, 0, $8, 0)
		ON CONFLICT (coupon_id, kind, name) DO NOTHING`)
	batchSQL = db.Define("coupon.batch", `
		SELECT `+batchColumns+`
		FROM voucher_batch
		WHERE id = $1`)
	batchByNameSQL = db.Define("coupon.batchByName", `
		SELECT `+batchColumns+`
		FROM voucher_batch
		WHERE coupon_id = $1 AND kind = $2 AND name = $3`)
	batchesSQL = db.Define("coupon.batches", `
		SELECT `+batchColumns+`
		FROM voucher_batch
		WHERE coupon_id = $1 AND kind = $2 AND id < $3
		ORDER BY id DESC
		LIMIT $4`)
	beginBatchSQL = db.Define("coupon.beginBatch", `
		UPDATE voucher_batch
		SET state = 'running', job_id = $2
		WHERE id = $1 AND state = 'filling'`)
	runningSQL = db.Define("coupon.running", `
		SELECT id
		FROM voucher_batch
		WHERE coupon_id = $1 AND state = 'running'
		ORDER BY id
		LIMIT 1000`)
	endBatchSQL = db.Define("coupon.endBatch", `
		UPDATE voucher_batch
		SET state = $2, done_ms = $3
		WHERE id = $1 AND state IN ('filling', 'running')`)
	insertTargetSQL = db.DefineBulk("coupon.insertTarget", db.InsertSizes, 3, `INSERT INTO voucher_target (batch_id, n, member_id) VALUES`, db.Values(3), "")
	targetsSQL      = db.Define("coupon.targets", `
		SELECT n, member_id
		FROM voucher_target
		WHERE batch_id = $1 AND n > $2
		ORDER BY n
		LIMIT $3`)
	dropTargetsSQL = db.Define("coupon.dropTargets", `
		DELETE FROM voucher_target
		WHERE batch_id = $1`)
	everybodySQL = db.Define("coupon.everybody", `
		SELECT id
		FROM member
		WHERE (shard, id) > ($1, $2) AND merged_into = 0 AND erased_ms = 0
		ORDER BY shard, id
		LIMIT $3`)
)

func scanBatch(scan func(...any) error) (*Batch, error) {
	var b Batch
	var plan string
	var made, done int64
	if err := scan(&b.ID, &b.Kind, &b.Coupon, &b.Name, &b.State, &plan, &b.Maker, &b.Job, &b.Place, &b.Total, &b.Looked, &b.Issued, &b.Passed, &b.Refused, &made, &done); err != nil {
		return nil, err
	}
	b.times(made, done)
	return &b, json.Unmarshal([]byte(plan), &b.Plan)
}

func (b *Batch) times(made, done int64) {
	if b.Made = timeOf(made); done != 0 {
		b.Done = timeOf(done)
	}
}

func batchRow(n int64) ledger.RowKey { return ledger.RowKey{Table: batchTable, Key: []any{n}} }

// loadBatch reads a batch of the state, or nil.
func loadBatch(st *ledger.State, number int64) *Batch {
	r := st.Row(batchTable, number)
	if r == nil {
		return nil
	}
	n := func(i int) int64 { return r[i].(int64) }
	b := &Batch{
		ID: n(0), Kind: BatchKind(n(1)), Coupon: n(2), Name: r[3].(string), State: r[4].(string), Maker: r[6].(string), Job: job.ID(n(7)),
		Place: n(8), Total: n(9), Looked: n(10), Issued: n(11), Passed: n(12), Refused: n(13),
	}
	b.times(n(14), n(15))
	if err := json.Unmarshal([]byte(r[5].(string)), &b.Plan); err != nil {
		panic("coupon: the plan of a batch cannot be read: " + err.Error())
	}
	return b
}

func (b *Batch) put(st *ledger.State) {
	done := int64(0)
	if !b.Done.IsZero() {
		done = b.Done.UnixMilli()
	}
	st.Put(batchTable, b.ID, int64(b.Kind), b.Coupon, b.Name, b.State, pack(b.Plan), b.Maker, int64(b.Job), b.Place, b.Total, b.Looked, b.Issued, b.Passed, b.Refused, b.Made.UnixMilli(), done)
}

// Batch reads a batch or sending by its public id.
func (s *Service) Batch(ctx context.Context, ref string) (out *Batch, err error) {
	_, n, err := id.Decode(batchPrefix, ref)
	if err != nil {
		if _, n, err = id.Decode(sendingPrefix, ref); err != nil {
			return nil, ErrNoBatch
		}
	}
	if out, err = s.batch(ctx, n); err == nil && out.PublicID() != ref {
		return nil, ErrNoBatch
	}
	return out, err
}

func (s *Service) batch(ctx context.Context, n int64) (out *Batch, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out, err = scanBatch(tx.QueryRow(ctx, batchSQL, n).Scan)
		return err
	})
	if errors.Is(err, errNoRows) {
		return nil, ErrNoBatch
	}
	return out, err
}

// Batches lists the batches or sendings of a coupon, the newest first.
func (s *Service) Batches(ctx context.Context, c *Coupon, kind BatchKind, p api.Page) (list []*Batch, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	below := int64(1 << 62)
	if after != nil {
		below = after[0]
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			b, err := scanBatch(rows.Scan)
			list = append(list, b)
			return err
		})(tx.Query(ctx, batchesSQL, c.ID, int64(kind), below, p.Limit))
	})
	if err == nil && len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].ID)
	}
	return list, next, err
}

// Print starts a batch of codes that nobody holds yet. Of two of one name the second is the
// first.
func (s *Service) Print(ctx context.Context, ref, name string, n int64, pattern Pattern) (*Batch, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if err := s.now.Load().issues(c, s.nowMS()); err != nil && (c.State == Draft || c.State == Ended || !errors.Is(err, ErrNotLive)) {
		return nil, err // before its time it may be printed
	}
	if n < 1 || n > maxPrinted {
		return nil, ErrHowMany.With("most", maxPrinted).At("body.count")
	}
	if pattern, err = pattern.check(n, c.Terms.Bearer); err != nil {
		return nil, err
	}
	return s.begin(ctx, &Batch{Kind: Printing, Coupon: c.ID, Name: name, Total: n, Plan: Plan{Pattern: pattern}}, nil)
}

// Send starts to give one voucher to each of many members: those that are named, or all of the
// audience for whom a condition holds, or all of the audience.
func (s *Service) Send(ctx context.Context, ref, name string, p Plan, members []int64) (*Batch, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if err := s.now.Load().issues(c, s.nowMS()); err != nil {
		return nil, err
	}
	n := 0
	for _, given := range []bool{p.Condition != "", p.All, len(members) > 0} {
		if given {
			n++
		}
	}
	if n != 1 {
		return nil, ErrWhom.At("body")
	}
	if err := checkCondition(s.now.Load().words, p.Condition, cond.OfMember, askedOfMember); err != nil {
		return nil, at(err, "body.condition")
	}
	p.Listed = len(members) > 0
	return s.begin(ctx, &Batch{Kind: Sending, Coupon: c.ID, Name: name, Total: int64(len(members)), Plan: p}, members)
}

// begin writes a batch down and lets its job begin, in one transaction.
func (s *Service) begin(ctx context.Context, b *Batch, members []int64) (*Batch, error) {
	var err error
	if b.ID, err = s.o.DB.NextID(ctx, "voucher_batch"); err != nil {
		return nil, err
	}
	if b.Name == "" {
		b.Name = b.PublicID()
	}
	b.Maker, b.Made, b.State = staff.ActorOf(ctx), s.o.Clock.Now().UTC(), "running"
	var was *Batch
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		was = nil
		made, err := tx.Exec(ctx, insertBatchSQL, b.ID, int64(b.Kind), b.Coupon, b.Name, pack(b.Plan), b.Maker, b.Total, b.Made.UnixMilli())
		if err != nil {
			return err
		}
		if made == 0 {
			was, err = scanBatch(tx.QueryRow(ctx, batchByNameSQL, b.Coupon, int64(b.Kind), b.Name).Scan)
			return err
		}
		var args []any
		for i, m := range members {
			args = append(args, b.ID, int64(i+1), m)
		}
		if len(args) > 0 {
			if err := insertTargetSQL.Exec(ctx, tx, args); err != nil {
				return err
			}
		}
		if b.Job, err = job.Enqueue(ctx, tx, job.New{Kind: batchJob, Args: b.ID, UniqueKey: fmt.Sprint(b.ID), Now: s.o.Clock.Now()}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, beginBatchSQL, b.ID, int64(b.Job)); err != nil {
			return err
		}
		return s.recordBatch(ctx, tx, "begin", b)
	})
	if err != nil {
		return nil, err
	}
	if was != nil {
		if was.Plan != b.Plan || was.Total != b.Total {
			return nil, ErrNameTaken.At("body.name")
		}
		return was, nil
	}
	s.o.Jobs.Nudge()
	return b, nil
}

func (s *Service) recordBatch(ctx context.Context, tx *db.Tx, what string, b *Batch) error {
	action := "voucher_batch."
	if b.Kind == Sending {
		action = "voucher_sending."
	}
	return s.o.Audit.Record(ctx, tx, action+what, b.PublicID(), nil, map[string]any{
		"coupon": b.Coupon, "total": b.Total, "plan": b.Plan, "issued": b.Issued, "passed": b.Passed, "refused": b.Refused,
	})
}

// Cancel stops a batch; what it made stays.
func (s *Service) Cancel(ctx context.Context, ref string) (*Batch, error) {
	b, err := s.Batch(ctx, ref)
	if err != nil || b.State == "cancelled" {
		return b, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, endBatchSQL, b.ID, "cancelled", s.nowMS())
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrEnded
		}
		if _, err := tx.Exec(ctx, dropTargetsSQL, b.ID); err != nil {
			return err
		}
		return s.recordBatch(ctx, tx, "cancel", b)
	})
	if err != nil {
		return nil, err
	}
	return s.batch(ctx, b.ID)
}

// listed finds members that a request names.
func (s *Service) listed(ctx context.Context, refs []string) ([]int64, error) {
	if len(refs) > maxTargets {
		return nil, ErrMany.With("most", maxTargets).At("body.members")
	}
	parsed := make([]member.Ref, len(refs))
	for i, text := range refs {
		ref, err := member.ParseRef(text)
		if err != nil {
			return nil, at(err, fmt.Sprintf("body.members[%d]", i))
		}
		parsed[i] = ref
	}
	found, err := s.o.Members.FindMany(ctx, parsed)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(found))
	for i, m := range found {
		if m == 0 {
			return nil, member.ErrNotFound.At(fmt.Sprintf("body.members[%d]", i))
		}
		out[i] = int64(m)
	}
	return out, nil
}
