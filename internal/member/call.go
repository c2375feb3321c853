package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

const callPrefix = "cal_"

// Call is a telephone call with a member that was logged. It happened, so it is not
// edited; one that was logged by mistake is deleted.
type Call struct {
	place
	Direction Direction
	Outcome   CallOutcome
	Text      string // what was said; "" where nothing was noted or the member's key was destroyed
	At        time.Time
	Duration  time.Duration // whole seconds
	Author    string        // "staff:stf_…"
	Added     time.Time
	Deleted   time.Time // zero for a call that stands

	sealed []byte
}

// PublicID is what the outside calls the call.
func (c Call) PublicID() string { return c.id(callPrefix) }

// Direction says who rang whom.
type Direction string

// The directions.
const (
	CallIn  Direction = "in"  // the member rang
	CallOut Direction = "out" // the member was rung
)

// CallOutcome is what came of a call.
type CallOutcome string

// The outcomes.
const (
	Reached     CallOutcome = "reached"
	NoAnswer    CallOutcome = "no_answer"
	Busy        CallOutcome = "busy"
	Voicemail   CallOutcome = "voicemail"
	WrongNumber CallOutcome = "wrong_number"
)

// maxCall bounds how long a call may have lasted.
const maxCall = 24 * time.Hour

var (
	// ErrNoCall answers for a call that is not there, or no more.
	ErrNoCall = errs.New(errs.NotFound, "member.no_call", "There is no such call.", "没有这条通话记录。")
	// ErrCall refuses a call that cannot have been.
	ErrCall = errs.New(errs.Invalid, "member.call",
		"A call goes in or out, has an outcome of the list, began in the past and lasted at most a day.",
		"通话须为呼入或呼出，结果须为所列之一，开始时间不晚于现在，时长不超过一天。")
)

// NewCall is what a call is logged from.
type NewCall struct {
	Direction Direction
	Outcome   CallOutcome
	Text      string        // may be empty
	At        time.Time     // zero for now
	Duration  time.Duration // whole seconds; zero where nobody talked
	Mentions  []string      // colleagues to tell, "stf_…"
}

func (n *NewCall) check(now time.Time) (err error) {
	if n.At.IsZero() {
		n.At = now
	}
	if n.Text != "" {
		if n.Text, err = cleanWritten(n.Text, maxWritten); err != nil {
			return errs.As(err).At("body.text")
		}
	}
	switch n.Outcome {
	case Reached, NoAnswer, Busy, Voicemail, WrongNumber:
	default:
		return ErrCall.At("body.outcome")
	}
	switch {
	case n.Direction != CallIn && n.Direction != CallOut:
		return ErrCall.At("body.direction")
	case n.At.After(now) || n.At.Year() < 1970:
		return ErrCall.At("body.at")
	case n.Duration < 0 || n.Duration > maxCall || n.Duration%time.Second != 0:
		return ErrCall.At("body.duration_seconds")
	}
	return nil
}

// callBody is the body of the events of calls; it does not hold what was said.
type callBody struct {
	Call      string      `json:"call"`
	By        string      `json:"by"`
	Direction Direction   `json:"direction"`
	Outcome   CallOutcome `json:"outcome"`
	Seconds   int64       `json:"seconds"`
}

var insertCallSQL = db.Define("member.insertCall", `
	INSERT INTO call (shard, member_id, id, text, direction, outcome, at_ms, duration_s, author, added_ms, deleted_ms, deleted_by)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '')`)

// LogCall writes down a call with a member.
func (s *Service) LogCall(ctx context.Context, ref Ref, n NewCall) (Call, error) {
	now := s.clock.Now()
	if err := n.check(now); err != nil {
		return Call{}, err
	}
	named, err := s.colleagues(ctx, n.Mentions)
	if err != nil {
		return Call{}, err
	}
	m, err := s.Find(ctx, ref)
	if err != nil {
		return Call{}, err
	}
	c := Call{Direction: n.Direction, Outcome: n.Outcome, Text: n.Text, At: n.At, Duration: n.Duration, Author: writer(ctx), Added: now}
	if c.place, err = s.newPlace(ctx, m, "call"); err != nil {
		return Call{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		key, err := s.keyOf(ctx, tx, m)
		if err != nil {
			return err
		}
		sealed := []byte{}
		if c.Text != "" {
			sealed = key.Seal([]byte(c.Text), c.aad("call"))
		}
		if _, err := tx.Exec(ctx, insertCallSQL, m.Shard(), int64(m), c.n, sealed, string(c.Direction), string(c.Outcome),
			c.At.UnixMilli(), int64(c.Duration/time.Second), c.Author, now.UnixMilli()); err != nil {
			return fmt.Errorf("log call of member %d: %w", m, err)
		}
		if err := s.mention(ctx, tx, c.place, inCall, named); err != nil {
			return err
		}
		return s.called(ctx, tx, "call.logged", c, c.At)
	})
	return c, err
}

// called tells of a call, as of an instant, and puts it on the audit trail.
func (s *Service) called(ctx context.Context, tx *db.Tx, kind string, c Call, at time.Time) error {
	body := callBody{c.PublicID(), writer(ctx), c.Direction, c.Outcome, int64(c.Duration / time.Second)}
	if err := tellAt(ctx, tx, kind, c.member, at.UnixMilli(), body); err != nil {
		return err
	}
	return s.record(ctx, tx, kind, c.PublicID(), nil, struct {
		Member    ID          `json:"member"`
		Direction Direction   `json:"direction"`
		Outcome   CallOutcome `json:"outcome"`
	}{c.member, c.Direction, c.Outcome})
}

const callColumns = `member_id, id, text, direction, outcome, at_ms, duration_s, author, added_ms, deleted_ms`

func scanCall(scan func(...any) error) (c Call, err error) {
	var at, seconds, added, deleted int64
	err = scan(&c.member, &c.n, &c.sealed, &c.Direction, &c.Outcome, &at, &seconds, &c.Author, &added, &deleted)
	c.At, c.Added, c.Deleted = when(at), when(added), when(deleted)
	c.Duration = time.Duration(seconds) * time.Second
	return c, err
}

// openCalls reads the texts of calls.
func (s *Service) openCalls(ctx context.Context, tx *db.Tx, list []Call) error {
	var members []ID
	for _, c := range list {
		members = append(members, c.member)
	}
	keys, err := s.keyring(ctx, tx, members)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Text, err = keys.open(list[i].sealed, list[i].place, "call"); err != nil {
			return err
		}
	}
	return nil
}

var callSQL = db.Define("member.call", `
	SELECT `+callColumns+`
	FROM call
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND deleted_ms = 0`)

// readCall reads a call that stands, with its text.
func (s *Service) readCall(ctx context.Context, tx *db.Tx, p place) (Call, error) {
	c, err := scanCall(tx.QueryRow(ctx, callSQL, p.member.Shard(), int64(p.member), p.n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Call{}, ErrNoCall
	}
	if err != nil {
		return Call{}, fmt.Errorf("read call %d of member %d: %w", p.n, p.member, err)
	}
	list := []Call{c}
	err = s.openCalls(ctx, tx, list)
	return list[0], err
}

var deleteCallSQL = db.Define("member.deleteCall", `
	UPDATE call
	SET deleted_ms = $4, deleted_by = $5
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND deleted_ms = 0`)

// DeleteCall takes a call that was logged by mistake off the member's page. It is for
// whoever logged it, and for who manages members.
func (s *Service) DeleteCall(ctx context.Context, p place) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c, err := s.readCall(ctx, tx, p)
		if err != nil {
			return err
		}
		if err := mayDelete(ctx, c.Author); err != nil {
			return err
		}
		now := s.clock.Now()
		count, err := tx.Exec(ctx, deleteCallSQL, p.member.Shard(), int64(p.member), p.n, now.UnixMilli(), writer(ctx))
		if err != nil {
			return fmt.Errorf("delete call %d of member %d: %w", p.n, p.member, err)
		}
		if count == 0 {
			return ErrNoCall
		}
		return s.called(ctx, tx, "call.deleted", c, now)
	})
}

var callsSQL = db.Define("member.calls", `
	SELECT `+callColumns+`
	FROM call
	WHERE shard = $1 AND member_id = $2 AND (at_ms, id) < ($3, $4) AND deleted_ms = 0
	ORDER BY at_ms DESC, id DESC
	LIMIT $5`)

// Calls lists the calls of a member and of the records merged into it, latest first, after
// a point.
func (s *Service) Calls(ctx context.Context, ref Ref, after point, limit int) (list []Call, err error) {
	m, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		records, err := recordsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		list, err = gather(records, limit, func(r ID) (part []Call, err error) {
			err = db.ReadRows(func(rows *db.Rows) error {
				c, err := scanCall(rows.Scan)
				part = append(part, c)
				return err
			})(tx.Query(ctx, callsSQL, r.Shard(), int64(r), after.ms, after.n, limit))
			return part, err
		}, func(a, b Call) int { return newest(a.point(), b.point()) })
		if err != nil {
			return err
		}
		return s.openCalls(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("calls of member %d: %w", m, err)
	}
	return list, nil
}

func (c Call) point() point { return point{c.At.UnixMilli(), c.n} }
