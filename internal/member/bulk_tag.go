package member

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
)

// Many members are tagged by a job, a few in each transaction: the transaction that tags
// them also writes where the job is and what it did so far. So a job that is killed goes on
// where it was, and its counts are exact.

const (
	bulkTagKind   = "member.bulk_tag"
	bulkTagPrefix = "bul_"
	bulkTagKept   = 30 * 24 * time.Hour
	// bulkTagStep is how many members one transaction tags: it stays near the 5 ms that
	// background work may take.
	bulkTagStep = 16
	// maxBulkMembers bounds a list of members; more are found by a filter.
	maxBulkMembers = 1_000
)

var (
	// ErrBulkTag refuses what is no plan.
	ErrBulkTag = errs.New(errs.Invalid, "member.bulk_tag",
		"Name tags to add or to remove, no tag for both, and either members or a filter.",
		"请给出要添加或移除的标签（同一标签不可兼有），并指定会员列表或筛选条件之一。")
	// ErrNoBulkTag answers for a job of tags that is not there.
	ErrNoBulkTag = errs.New(errs.NotFound, "member.no_bulk_tag", "There is no such bulk tagging.", "没有这个批量打标签任务。")
)

// BulkTag is what to do with the tags of many members.
type BulkTag struct {
	Add     []string `json:"add,omitempty"`
	Remove  []string `json:"remove,omitempty"`
	Members []ID     `json:"members,omitempty"` // these, or
	All     bool     `json:"all,omitempty"`     // those that the filter leaves
	Tag     string   `json:"tag,omitempty"`
	FromMS  int64    `json:"from_ms,omitempty"` // when they joined, half open; 0 for no bound
	UntilMS int64    `json:"until_ms,omitempty"`
}

// BulkTagged is a bulk tagging and how far it is.
type BulkTagged struct {
	ID                                        int64
	Plan                                      BulkTag
	Maker                                     string
	Job                                       job.ID
	place                                     string
	Members, Changed, Added, Removed, Refused int64
	Made, Done                                time.Time // Done is zero while it is not
}

// PublicID is what the outside calls it.
func (b BulkTagged) PublicID() string { return id.Encode(bulkTagPrefix, 0, b.ID) }

var (
	insertBulkTagSQL = db.Define("member.insertBulkTag", `
	INSERT INTO bulk_tag (id, plan, maker, job_id, place, members, changed, added, removed, refused, made_ms, done_ms)
	VALUES ($1, $2, $3, $4, '', 0, 0, 0, 0, 0, $5, 0)`)
	forgetBulkTagSQL = db.Define("member.forgetBulkTags", `
	DELETE FROM bulk_tag
	WHERE made_ms < $1`)
	bulkTagSQL = db.Define("member.bulkTag", `
	SELECT id, plan, maker, job_id, place, members, changed, added, removed, refused, made_ms, done_ms
	FROM bulk_tag
	WHERE id = $1`)
	// The place is the guard: of two runs of one job only one goes on from it.
	stepBulkTagSQL = db.Define("member.stepBulkTag", `
	UPDATE bulk_tag
	SET place = $3, members = members + $4, changed = changed + $5, added = added + $6, removed = removed + $7, refused = refused + $8
	WHERE id = $1 AND place = $2 AND done_ms = 0`)
	endBulkTagSQL = db.Define("member.endBulkTag", `
	UPDATE bulk_tag
	SET done_ms = $3
	WHERE id = $1 AND place = $2 AND done_ms = 0`)
	idsSQL = db.Define("member.ids", `
	SELECT joined_ms, id
	FROM member
	WHERE merged_into = 0 AND erased_ms = 0 AND joined_ms >= $1 AND joined_ms < $2
		AND (joined_ms < $3 OR joined_ms = $3 AND id < $4)
	ORDER BY joined_ms DESC, id DESC
	LIMIT $5`)
	idsTagSQL = db.Define("member.idsTag", `
	SELECT m.joined_ms, m.id
	FROM member_tag t
	JOIN member m ON m.shard = t.shard AND m.id = t.member_id
	WHERE t.tag = $1 AND t.member_id < $2 AND m.merged_into = 0 AND m.erased_ms = 0 AND m.joined_ms >= $3 AND m.joined_ms < $4
	ORDER BY t.member_id DESC
	LIMIT $5`)
)

// TagMany begins to tag members in the background.
func (s *Service) TagMany(ctx context.Context, b BulkTag) (out BulkTagged, err error) {
	if b.Add, err = cleanTags(b.Add); err != nil {
		return out, errs.As(err).At("body.add")
	}
	if b.Remove, err = cleanTags(b.Remove); err != nil {
		return out, errs.As(err).At("body.remove")
	}
	both := map[string]bool{}
	for _, tag := range append(append([]string{}, b.Add...), b.Remove...) {
		if both[tag] {
			return out, ErrBulkTag.At("body.remove")
		}
		both[tag] = true
	}
	if len(both) == 0 || (len(b.Members) > 0) == b.All || len(b.Members) > maxBulkMembers {
		return out, ErrBulkTag
	}
	now := s.clock.Now()
	out = BulkTagged{Plan: b, Maker: writer(ctx), Made: now.UTC()}
	if out.ID, err = s.db.NextID(ctx, "bulk_tag"); err != nil {
		return out, err
	}
	plan, err := json.Marshal(b)
	if err != nil {
		return out, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, forgetBulkTagSQL, now.Add(-bulkTagKept).UnixMilli()); err != nil {
			return err
		}
		if out.Job, err = job.Enqueue(ctx, tx, job.New{Kind: bulkTagKind, Args: out.ID, Now: now}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertBulkTagSQL, out.ID, string(plan), out.Maker, out.Job, now.UnixMilli()); err != nil {
			return err
		}
		return s.record(ctx, tx, "member.bulk_tag", out.PublicID(), nil, map[string]any{"add": len(b.Add), "remove": len(b.Remove), "members": len(b.Members), "filter": b.All})
	})
	if err != nil {
		return out, fmt.Errorf("begin to tag members: %w", err)
	}
	s.jobs.Nudge()
	return out, nil
}

// BulkTagged reads how far a bulk tagging is.
func (s *Service) BulkTagged(ctx context.Context, n int64) (b BulkTagged, err error) {
	var plan string
	var made, done int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, bulkTagSQL, n).Scan(&b.ID, &plan, &b.Maker, &b.Job, &b.place, &b.Members, &b.Changed, &b.Added, &b.Removed, &b.Refused, &made, &done)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrNoBulkTag
	}
	if err != nil {
		return b, fmt.Errorf("read bulk tagging %d: %w", n, err)
	}
	b.Made, b.Done = when(made), when(done)
	return b, json.Unmarshal([]byte(plan), &b.Plan)
}

// runBulkTag goes on from where the job was.
func (s *Service) runBulkTag(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	b, err := s.BulkTagged(ctx, n)
	if errors.Is(err, ErrNoBulkTag) {
		return nil
	}
	for err == nil && b.Done.IsZero() {
		var ids []ID
		var places []string
		if ids, places, err = s.nextToTag(ctx, b); err != nil {
			break
		}
		if len(ids) == 0 {
			return s.endBulkTag(ctx, b)
		}
		err = s.tagStep(ctx, &b, ids, places)
		run.Progress(b.Members, int64(len(b.Plan.Members)), "")
	}
	return err
}

// nextToTag lists the next members of a bulk tagging, with the place after each.
func (s *Service) nextToTag(ctx context.Context, b BulkTagged) (ids []ID, places []string, err error) {
	if !b.Plan.All {
		at, _ := strconv.Atoi(b.place) // "" is the beginning
		for ; at < len(b.Plan.Members) && len(ids) < bulkTagStep; at++ {
			ids, places = append(ids, b.Plan.Members[at]), append(places, strconv.Itoa(at+1))
		}
		return ids, places, nil
	}
	lastMS, lastID := int64(1<<62), int64(1<<62)
	if ms, n, ok := strings.Cut(b.place, "/"); ok {
		lastMS, _ = strconv.ParseInt(ms, 10, 64)
		lastID, _ = strconv.ParseInt(n, 10, 64)
	}
	from, until := int64(-1<<62), int64(1<<62)
	if b.Plan.FromMS != 0 {
		from = b.Plan.FromMS
	}
	if b.Plan.UntilMS != 0 {
		until = b.Plan.UntilMS
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		ids, places = nil, nil
		stmt, args := idsSQL, []any{from, until, lastMS, lastID, bulkTagStep}
		if b.Plan.Tag != "" {
			stmt, args = idsTagSQL, []any{b.Plan.Tag, lastID, from, until, bulkTagStep}
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var ms int64
			var m ID
			err := rows.Scan(&ms, &m)
			ids, places = append(ids, m), append(places, fmt.Sprintf("%d/%d", ms, int64(m)))
			return err
		})(tx.Query(ctx, stmt, args...))
	})
	return ids, places, err
}

// tagStep tags a few members together; where one of them cannot be, each by itself.
func (s *Service) tagStep(ctx context.Context, b *BulkTagged, ids []ID, places []string) error {
	err := s.tagTogether(ctx, b, ids, places[len(places)-1])
	if !refusesTags(err) {
		return err
	}
	for i := range ids {
		err := s.tagTogether(ctx, b, ids[i:i+1], places[i])
		if refusesTags(err) {
			err = s.tagTogether(ctx, b, nil, places[i]) // passed over
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refusesTags reports whether a member cannot bear the tags: too many, or merged or erased
// meanwhile.
func refusesTags(err error) bool { return errors.Is(err, errRaced) || errors.Is(err, ErrTag) }

// errElsewhere ends a run of a job that another run has taken over.
var errElsewhere = errors.New("another run goes on with this bulk tagging")

// tagTogether tags members and writes down where the job then is, in one transaction. With
// no members, one is passed over as refused.
func (s *Service) tagTogether(ctx context.Context, b *BulkTagged, ids []ID, place string) error {
	var next BulkTagged
	err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		next = *b
		next.place, next.Members = place, b.Members+int64(max(1, len(ids)))
		if len(ids) == 0 {
			next.Refused++
		}
		n, err := tx.Exec(ctx, stepBulkTagSQL, b.ID, b.place, place, 0, 0, 0, 0, 0) // first, as the lock
		if err != nil {
			return err
		}
		if n == 0 {
			return errElsewhere
		}
		for _, m := range ids {
			body, err := s.putTags(ctx, tx, m, b.Plan.Add, b.Plan.Remove)
			if err != nil {
				return err
			}
			if len(body.Added)+len(body.Removed) > 0 {
				next.Changed++
			}
			next.Added, next.Removed = next.Added+int64(len(body.Added)), next.Removed+int64(len(body.Removed))
		}
		_, err = tx.Exec(ctx, stepBulkTagSQL, b.ID, place, place, next.Members-b.Members, next.Changed-b.Changed, next.Added-b.Added, next.Removed-b.Removed, next.Refused-b.Refused)
		return err
	})
	if err == nil {
		*b = next
	}
	return err
}

// endBulkTag writes down that all are tagged, on the trail too: as who asked for it.
func (s *Service) endBulkTag(ctx context.Context, b BulkTagged) error {
	kind, who, _ := strings.Cut(b.Maker, ":")
	ctx = api.WithCaller(ctx, api.Caller{Kind: kind, ID: who})
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, endBulkTagSQL, b.ID, b.place, s.clock.Now().UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "member.bulk_tagged", b.PublicID(), nil, map[string]int64{
			"members": b.Members, "changed": b.Changed, "added": b.Added, "removed": b.Removed, "refused": b.Refused,
		})
	})
}
