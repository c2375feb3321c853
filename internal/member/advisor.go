package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// An advisor is the colleague who is responsible for a member. It lies beside the record, so
// that nothing of it has to be read when a sale is posted.

// ErrAdvisor refuses an advisor who is no colleague.
var ErrAdvisor = errs.New(errs.Invalid, "member.advisor", "An advisor is a colleague (stf_…) who can sign in.", "专属顾问须为可登录的员工（stf_…）。")

// ErrAdvisorAlone refuses an advisor in a batch of new members.
var ErrAdvisorAlone = errs.New(errs.Invalid, "member.advisor_alone", "A batch sets no advisors: set them once the members are made.", "批量新增不能设置专属顾问，请在新增后再设置。")

const staffPrefix = "stf_"

var (
	advisorSQL = db.Define("member.advisor", `
	SELECT staff_id
	FROM member_advisor
	WHERE shard = $1 AND member_id = $2`)
	adviseSQL = db.Define("member.advise", `
	INSERT INTO member_advisor (shard, member_id, staff_id, since_ms)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (shard, member_id) DO UPDATE
	SET staff_id = $3, since_ms = $4`)
	unadviseSQL = db.Define("member.unadvise", `
	DELETE FROM member_advisor
	WHERE shard = $1 AND member_id = $2`)
	// listAdvisorSQL goes along member_advisor_by_staff.
	listAdvisorSQL = db.Define("member.listAdvisor", `
	SELECT m.id, m.version, m.wrapped_key, m.sealed, m.gender, m.city, m.language, m.store_id, m.source, m.joined_ms, m.created_ms, m.merged_into, m.erased_ms
	FROM member_advisor t
	JOIN member m ON m.shard = t.shard AND m.id = t.member_id
	WHERE t.staff_id = $1 AND t.member_id < $2 AND m.merged_into = 0 AND m.erased_ms = 0 AND m.joined_ms >= $3 AND m.joined_ms < $4
	ORDER BY t.member_id DESC
	LIMIT $5`)
)

var advisorsSQL = db.DefineBulk("member.advisors", db.QuerySizes, 2, `
	SELECT member_id, staff_id
	FROM member_advisor
	WHERE (shard, member_id) IN (VALUES`, pairRow, `)`)

// staffID is the public id of a colleague; "" for nobody.
func staffID(n int64) string {
	if n == 0 {
		return ""
	}
	return id.Encode(staffPrefix, 0, n)
}

// colleague reads the public id of a colleague who can sign in.
func (s *Service) colleague(ctx context.Context, ref string) (int64, error) {
	_, n, err := id.Decode(staffPrefix, ref)
	if err == nil && s.hooks.Colleague != nil {
		err = s.hooks.Colleague(ctx, ref)
	}
	if err != nil && (errs.As(err) == nil || errs.As(err).Kind == errs.NotFound) {
		return 0, ErrAdvisor.Because(err)
	}
	return n, err
}

// Advise makes a colleague responsible for a member; "" takes the responsibility off.
func (s *Service) Advise(ctx context.Context, ref Ref, advisor string) (Member, error) {
	var n int64
	var err error
	if advisor != "" {
		if n, err = s.colleague(ctx, advisor); err != nil {
			return Member{}, errs.As(err).At("body.advisor")
		}
	}
	var who ID
	for range maxRaces {
		if who, err = s.Find(ctx, ref); err != nil {
			return Member{}, err
		}
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.advise(ctx, tx, who, n) })
		if !errors.Is(err, errRaced) {
			break
		}
		s.pointer.forget(who) // it was merged meanwhile
	}
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, who)
}

func (s *Service) advise(ctx context.Context, tx *db.Tx, m ID, staff int64) error {
	before, err := advisorOf(ctx, tx, m)
	if err != nil || before == staff {
		return err
	}
	if err := touch(ctx, tx, m); err != nil {
		return err
	}
	if staff == 0 {
		_, err = tx.Exec(ctx, unadviseSQL, m.Shard(), int64(m))
	} else {
		_, err = tx.Exec(ctx, adviseSQL, m.Shard(), int64(m), staff, s.clock.Now().UnixMilli())
	}
	if err != nil {
		return fmt.Errorf("advisor of member %d: %w", m, err)
	}
	if err := s.tell(ctx, tx, "member.changed", m, changedBody{Fields: []string{"advisor"}}); err != nil {
		return err
	}
	return s.record(ctx, tx, "member.advisor", m.String(), map[string]string{"advisor": staffID(before)}, map[string]string{"advisor": staffID(staff)})
}

func advisorOf(ctx context.Context, tx *db.Tx, m ID) (n int64, err error) {
	err = tx.QueryRow(ctx, advisorSQL, m.Shard(), int64(m)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// advisorsOf reads the advisors of a page of members.
func advisorsOf(ctx context.Context, tx *db.Tx, ids []ID) (map[ID]string, error) {
	out := map[ID]string{}
	if len(ids) == 0 {
		return out, nil
	}
	err := advisorsSQL.Query(ctx, tx, pairArgs(slices.Clone(ids)), func(rows *db.Rows) error {
		var m ID
		var n int64
		err := rows.Scan(&m, &n)
		out[m] = staffID(n)
		return err
	})
	return out, err
}

// advisorNamed reads how a list names an advisor: somebody who has left still is one.
func advisorNamed(ctx context.Context, text string) (int64, error) {
	switch text {
	case "":
		return 0, nil
	case "me":
		return own(ctx)
	}
	_, n, err := id.Decode(staffPrefix, text)
	if err != nil {
		return 0, ErrAdvisor.At("query.advisor")
	}
	return n, nil
}
