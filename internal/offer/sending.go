package offer

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

var errNoRows = sql.ErrNoRows

// Offers are sent, and points given, to many by a job. Each receipt has the number of the
// sending and its own as natural key, and where the job is stands in its row: one that is
// killed goes on where it was and does nothing twice.

const (
	sendKind   = "offer.send"
	sendStep   = 200 // members looked at between two writes of the place
	maxTargets = 1_000_000
	fillStep   = 500
	maxFile    = 64 << 20
)

var (
	// ErrNoSending answers for a sending that is not there.
	ErrNoSending = errs.New(errs.NotFound, "offer.no_sending", "There is no such sending.", "没有这次发放。")
	// ErrWhom refuses a sending to nobody, or in two ways at once.
	ErrWhom = errs.New(errs.Invalid, "offer.whom", "Name members, or a condition, or all: one of the three.", "会员列表、条件、全部会员三者须选其一。")
	// ErrSent refuses to stop what has ended.
	ErrSent = errs.New(errs.Conflict, "offer.sending_over", "This sending has ended.", "这次发放已结束。")
	// ErrFile refuses a list that cannot be read.
	ErrFile = errs.New(errs.Invalid, "offer.file", "Line {line}: {why}. The file is CSV in UTF-8 with a header of member, and of at and amount where they differ.", "第 {line} 行：{why}。文件须为 UTF-8 编码的 CSV，表头为 member，可另有 at、amount。")
	// ErrNameTaken refuses a name that stands for another sending.
	ErrNameTaken = errs.New(errs.Conflict, "offer.name_taken", "A sending of this name has other content.", "同名发放的内容不同。")
)

// Plan is what a sending does, and to whom. Its JSON is on disk.
type Plan struct {
	Condition string `json:"condition,omitempty"`
	All       bool   `json:"all,omitempty"`
	AtMS      int64  `json:"at_ms,omitempty"` // of the receipts; 0 for when each is made
	Quiet     bool   `json:"quiet,omitempty"`
	// Of points:
	Currency string `json:"currency,omitempty"`
	Amount   int64  `json:"amount,omitempty"`
	Reason   string `json:"reason,omitempty"`
	EndMS    int64  `json:"end_ms,omitempty"`
}

// Sending is one job for many, and how far it is.
type Sending struct {
	ID          int64
	Offer       int64 // 0: it gives points
	Name        string
	State       string
	Plan        Plan
	Maker       string
	Approval    string // of points: what a second person decides on
	Job         job.ID
	place, next int64
	Total       int64 // of a list; 0 where a condition says
	Looked      int64
	Sent        int64 // received, or were given
	Passed      int64 // the condition does not hold, or they are not of the audience
	Refused     int64 // unknown, gone, or full
	Made        time.Time
	Done        time.Time
}

// PublicID is what the outside calls it.
func (s *Sending) PublicID() string {
	if s.Offer == 0 {
		return id.Encode(grantPrefix, 0, s.ID)
	}
	return id.Encode(sendingPrefix, 0, s.ID)
}

// target is one line of a list.
type target struct {
	member int64
	atMS   int64
}

const sendingColumns = `id, offer_id, name, state, plan, maker, approval, job_id, place, total, looked, sent, passed, refused, made_ms, done_ms`

var (
	insertSendingSQL = db.Define("offer.insertSending", `
		INSERT INTO offer_sending (`+sendingColumns+`)
		VALUES ($1, $2, $3, 'filling', $4, $5, '', 0, 0, 0, 0, 0, 0, 0, $6, 0)
		ON CONFLICT (offer_id, name) DO NOTHING`)
	sendingSQL = db.Define("offer.sending", `
		SELECT `+sendingColumns+`
		FROM offer_sending
		WHERE id = $1`)
	sendingByNameSQL = db.Define("offer.sendingByName", `
		SELECT `+sendingColumns+`
		FROM offer_sending
		WHERE offer_id = $1 AND name = $2`)
	sendingsSQL = db.Define("offer.sendings", `
		SELECT `+sendingColumns+`
		FROM offer_sending
		WHERE offer_id = $1 AND id < $2
		ORDER BY id DESC
		LIMIT $3`)
	beginSendingSQL = db.Define("offer.beginSending", `
		UPDATE offer_sending
		SET state = $2, job_id = $3
		WHERE id = $1 AND state IN ('filling', 'waiting')`)
	stepSendingSQL = db.Define("offer.stepSending", `
		UPDATE offer_sending
		SET place = $3, looked = looked + $4, sent = sent + $5, passed = passed + $6, refused = refused + $7
		WHERE id = $1 AND place = $2 AND state = 'running'`)
	endSendingSQL = db.Define("offer.endSending", `
		UPDATE offer_sending
		SET state = $2, done_ms = $3
		WHERE id = $1 AND state IN ('filling', 'waiting', 'running')`)
	fillSendingSQL = db.Define("offer.fillSending", `
		UPDATE offer_sending
		SET total = total + $2, refused = refused + $3
		WHERE id = $1 AND state = 'filling'`)
	targetsSQL = db.Define("offer.targets", `
		SELECT n, member_id, at_ms
		FROM offer_target
		WHERE sending_id = $1 AND n > $2
		ORDER BY n
		LIMIT $3`)
	dropTargetsSQL = db.Define("offer.dropTargets", `
		DELETE FROM offer_target
		WHERE sending_id = $1`)
	everybodySQL = db.Define("offer.everybody", `
		SELECT id
		FROM member
		WHERE (shard, id) > ($1, $2) AND merged_into = 0 AND erased_ms = 0
		ORDER BY shard, id
		LIMIT $3`)
	insertTargetSQL = db.DefineBulk("offer.insertTarget", db.InsertSizes, 4, `INSERT INTO offer_target (sending_id, n, member_id, at_ms) VALUES`, db.Values(4), "")
)

func scanSending(scan func(...any) error) (*Sending, error) {
	var s Sending
	var plan string
	var made, done int64
	if err := scan(&s.ID, &s.Offer, &s.Name, &s.State, &plan, &s.Maker, &s.Approval, &s.Job, &s.place, &s.Total, &s.Looked, &s.Sent, &s.Passed, &s.Refused, &made, &done); err != nil {
		return nil, err
	}
	s.Made = timeOf(made)
	if done != 0 {
		s.Done = timeOf(done)
	}
	return &s, json.Unmarshal([]byte(plan), &s.Plan)
}

// Sending reads one.
func (s *Service) Sending(ctx context.Context, ref string) (out *Sending, err error) {
	_, n, err := id.Decode(sendingPrefix, ref)
	if err != nil {
		if _, n, err = id.Decode(grantPrefix, ref); err != nil {
			return nil, ErrNoSending
		}
	}
	if out, err = s.sending(ctx, n); err == nil && out.PublicID() != ref {
		return nil, ErrNoSending
	}
	return out, err
}

func (s *Service) sending(ctx context.Context, n int64) (out *Sending, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out, err = scanSending(tx.QueryRow(ctx, sendingSQL, n).Scan)
		return err
	})
	if errors.Is(err, errNoRows) {
		return nil, ErrNoSending
	}
	return out, err
}

// Sendings lists those of an offer, or with 0 those of points, the newest first.
func (s *Service) Sendings(ctx context.Context, offer int64, p api.Page) (list []*Sending, next string, err error) {
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
			x, err := scanSending(rows.Scan)
			list = append(list, x)
			return err
		})(tx.Query(ctx, sendingsSQL, offer, below, p.Limit))
	})
	if err == nil && len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].ID)
	}
	return list, next, err
}

// list is whom a sending goes to, as it is read: until io.EOF.
type list func() (target, error)

// open makes the row of a sending, or finds the one of that name: then fresh is false.
func (s *Service) open(ctx context.Context, x *Sending) (fresh bool, err error) {
	if x.ID, err = s.o.DB.NextID(ctx, "offer_sending"); err != nil {
		return false, err
	}
	if x.Name == "" {
		x.Name = x.PublicID()
	}
	x.Maker, x.Made = staff.ActorOf(ctx), s.o.Clock.Now().UTC()
	var was *Sending
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := tx.Exec(ctx, insertSendingSQL, x.ID, x.Offer, x.Name, string(pack(x.Plan)), x.Maker, x.Made.UnixMilli())
		if fresh = made == 1; err != nil || fresh {
			return err
		}
		was, err = scanSending(tx.QueryRow(ctx, sendingByNameSQL, x.Offer, x.Name).Scan)
		return err
	})
	if err != nil || fresh {
		return fresh, err
	}
	if was.Plan != x.Plan {
		return false, ErrNameTaken.At("body.name")
	}
	*x = *was
	if x.State == "filling" { // whoever filled it was cut off: it is filled anew
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, dropTargetsSQL, x.ID); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, fillSendingSQL, x.ID, -x.Total, -x.Refused)
			return err
		})
		x.Total, x.Refused = 0, 0
		return true, err
	}
	return false, nil
}

// fill writes down whom it goes to. A target whose member is 0 is refused.
func (s *Service) fill(ctx context.Context, x *Sending, next list) error {
	for more := true; more; {
		var args []any
		total, refused := x.Total, int64(0)
		for len(args) < 4*fillStep {
			t, err := next()
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil {
				return err
			}
			total++
			if t.member == 0 {
				refused++
				continue
			}
			args = append(args, x.ID, total, t.member, t.atMS)
		}
		if total > maxTargets {
			return ErrMany.With("most", maxTargets)
		}
		err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if len(args) > 0 {
				if err := insertTargetSQL.Exec(ctx, tx, args); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, fillSendingSQL, x.ID, total-x.Total, refused)
			return err
		})
		if err != nil {
			return fmt.Errorf("write down whom sending %d goes to: %w", x.ID, err)
		}
		x.Total, x.Refused = total, x.Refused+refused
	}
	return nil
}

// start lets the job begin.
func (s *Service) start(ctx context.Context, x *Sending) error {
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.startIn(ctx, tx, x) })
	if err == nil {
		s.o.Jobs.Nudge()
	}
	return err
}

func (s *Service) startIn(ctx context.Context, tx *db.Tx, x *Sending) error {
	var err error
	if x.Job, err = job.Enqueue(ctx, tx, job.New{Kind: sendKind, Args: x.ID, UniqueKey: fmt.Sprint(x.ID), Now: s.o.Clock.Now()}); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, beginSendingSQL, x.ID, "running", x.Job)
	if err == nil && n == 0 {
		err = ErrSent
	}
	x.State = "running"
	return err
}

// Send sends an offer to members in the background. Of two sendings of one name the second is
// the first.
func (s *Service) Send(ctx context.Context, ref, name string, p Plan, to list) (*Sending, error) {
	o, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if st := o.Standing(s.nowMS(), s.zone()); st != Live && st != Scheduled && (p.AtMS == 0 && to == nil || o.State == Draft) {
		return nil, ErrNotLive
	}
	x := &Sending{Offer: o.ID, Name: name, Plan: p}
	if err := s.checkPlan(x.Plan, to); err != nil {
		return nil, err
	}
	fresh, err := s.open(ctx, x)
	if err != nil || !fresh {
		return x, err
	}
	if to != nil {
		if err := s.fill(ctx, x, to); err != nil {
			return nil, s.abandon(ctx, x, err)
		}
	}
	if err := s.start(ctx, x); err != nil {
		return nil, err
	}
	return x, s.record(ctx, "offer.send", x)
}

// abandon ends a sending whose list could not be read, and frees its name.
func (s *Service) abandon(ctx context.Context, x *Sending, cause error) error {
	err := s.o.DB.InTx(context.WithoutCancel(ctx), func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, dropTargetsSQL, x.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, dropSendingSQL, x.ID)
		return err
	})
	if err != nil {
		s.o.Log.Error("a sending that could not be read was not removed", "sending", x.PublicID(), "error", err)
	}
	return cause
}

var dropSendingSQL = db.Define("offer.dropSending", `
	DELETE FROM offer_sending
	WHERE id = $1 AND state = 'filling'`)

func (s *Service) record(ctx context.Context, action string, x *Sending) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.recordIn(ctx, tx, action, x) })
}

func (s *Service) recordIn(ctx context.Context, tx *db.Tx, action string, x *Sending) error {
	return s.o.Audit.Record(ctx, tx, action, x.PublicID(), nil, map[string]any{
		"offer": x.Offer, "total": x.Total, "plan": x.Plan, "sent": x.Sent, "passed": x.Passed, "refused": x.Refused, "state": x.State,
	})
}

// checkPlan refuses a sending to nobody.
func (s *Service) checkPlan(p Plan, to list) error {
	n := 0
	for _, given := range []bool{p.Condition != "", p.All, to != nil} {
		if given {
			n++
		}
	}
	if n != 1 {
		return ErrWhom.At("body")
	}
	return at(checkCondition(s.now.Load().words, p.Condition, cond.OfMember), "body.condition")
}

// listed makes a list of members that a request names.
func (s *Service) listed(ctx context.Context, refs []string) (list, error) {
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
	for i, m := range found {
		if m == 0 {
			return nil, member.ErrNotFound.At(fmt.Sprintf("body.members[%d]", i))
		}
	}
	i := -1
	return func() (target, error) {
		if i++; i >= len(found) {
			return target{}, io.EOF
		}
		return target{member: int64(found[i])}, nil
	}, nil
}

// filed makes a list of a CSV file. Members that are not known count as refused; a line that
// cannot be read refuses the file.
func (s *Service) filed(ctx context.Context, from io.Reader) (list, error) {
	in := csv.NewReader(from)
	in.ReuseRecord, in.FieldsPerRecord = true, 0
	bad := func(line int, en, zh string) error {
		return ErrFile.With("line", line, "why", errs.Word{EN: en, ZH: zh}).At("body")
	}
	head, err := in.Read()
	if err != nil {
		return nil, bad(1, "there is no header", "缺少表头")
	}
	who, when := -1, -1
	for i, name := range head {
		switch strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "\ufeff") {
		case "member":
			who = i
		case "at":
			when = i
		}
	}
	if who < 0 {
		return nil, bad(1, "there is no column member", "缺少 member 列")
	}
	line, ready := 1, []target(nil)
	snap, latest := s.o.Program.Snapshot(), s.o.Clock.Now().Add(maxAhead)
	more := func() error {
		var refs []member.Ref
		ready = nil
		for len(refs) < fillStep {
			row, err := in.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			line++
			if err != nil {
				return bad(line, "it is no row of the table", "格式有误")
			}
			ref, err := member.ParseRef(row[who])
			if err != nil {
				return bad(line, "this is no member", "会员标识有误")
			}
			t := target{}
			if when >= 0 && row[when] != "" {
				at, err := snap.ParseTime(row[when])
				if err != nil || at.After(latest) {
					return bad(line, "this is no time, or one to come", "时间有误或在未来")
				}
				t.atMS = at.UnixMilli()
			}
			refs, ready = append(refs, ref), append(ready, t)
		}
		found, err := s.o.Members.FindMany(ctx, refs)
		for i := range found {
			ready[i].member = int64(found[i])
		}
		return err
	}
	return func() (target, error) {
		if len(ready) == 0 {
			if err := more(); err != nil {
				return target{}, err
			}
		}
		if len(ready) == 0 {
			return target{}, io.EOF
		}
		t := ready[0]
		ready = ready[1:]
		return t, nil
	}, nil
}

// Hand sends an offer to members at once, without a job: for who fills a programme that does
// not run yet.
func (s *Service) Hand(ctx context.Context, ref string, members []int64) error {
	i := -1
	x, err := s.Send(ctx, ref, "", Plan{}, func() (target, error) {
		if i++; i >= len(members) {
			return target{}, io.EOF
		}
		return target{member: members[i]}, nil
	})
	if err != nil {
		return err
	}
	return s.runOut(ctx, x.ID, func(*Sending) {})
}

// CancelSending stops one; what it did stays.
func (s *Service) CancelSending(ctx context.Context, ref string) (*Sending, error) {
	x, err := s.Sending(ctx, ref)
	if err != nil {
		return nil, err
	}
	if x.State == "cancelled" {
		return x, nil
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, endSendingSQL, x.ID, "cancelled", s.nowMS())
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrSent
		}
		if _, err := tx.Exec(ctx, dropTargetsSQL, x.ID); err != nil {
			return err
		}
		return s.recordIn(ctx, tx, "offer.send_cancel", x)
	})
	if err != nil {
		return nil, err
	}
	return s.sending(ctx, x.ID)
}
