package member

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Link is one merge: From turned out to be the same person as Into, which goes on.
type Link struct {
	From, Into ID
	At         time.Time
	By         string // public id of who decided it
}

// Merger is the ledger's side of a merge. It posts what From owns to Into and calls
// LinkMerged in the same transaction, or for Unmerge the reverse with UnlinkMerged; and it
// returns after the commit.
type Merger interface {
	Merge(ctx context.Context, l Link) error
	Unmerge(ctx context.Context, l Link) error
}

// Merge makes from part of into and returns the survivor. Both are followed through
// earlier merges, so it is the survivors that are joined.
func (s *Service) Merge(ctx context.Context, from, into Ref) (Member, error) {
	found, err := s.FindMany(ctx, []Ref{from, into})
	if err != nil {
		return Member{}, err
	}
	l := Link{From: found[0], Into: found[1], At: s.clock.Now(), By: api.CallerOf(ctx).ID}
	if l.From == 0 || l.Into == 0 {
		return Member{}, ErrNotFound
	}
	if l.From == l.Into {
		return Member{}, ErrMergeSelf
	}
	if s.hooks.Merger != nil {
		err = s.hooks.Merger.Merge(ctx, l)
	} else {
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return LinkMerged(ctx, tx, l) })
	}
	s.Forget(l.From)
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, l.Into)
}

// Unmerge takes a record out of the one it was merged into, and returns it. The Ref is not
// followed: name the record by its own id, or by an identifier of its own.
func (s *Service) Unmerge(ctx context.Context, ref Ref) (Member, error) {
	found, err := s.direct(ctx, []Ref{ref})
	if err != nil {
		return Member{}, err
	}
	from := found[0]
	if from == 0 {
		return Member{}, ErrNotFound
	}
	m, err := s.get(ctx, from)
	if err != nil {
		return Member{}, err
	}
	switch {
	case !m.ErasedAt.IsZero():
		return Member{}, ErrErased
	case m.MergedInto == 0:
		return Member{}, ErrNotMerged
	}
	l := Link{From: from, Into: m.MergedInto, At: s.clock.Now(), By: api.CallerOf(ctx).ID}
	if s.hooks.Merger != nil {
		err = s.hooks.Merger.Unmerge(ctx, l)
	} else {
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return UnlinkMerged(ctx, tx, l) })
	}
	s.Forget(from)
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, from)
}

// Forget drops what this process remembers of where a record points. Whoever commits
// LinkMerged or UnlinkMerged other than through Merge and Unmerge calls it after.
func (s *Service) Forget(from ID) { s.pointer.forget(from) }

// linkFromSQL points a record that stands for itself at another.
var linkFromSQL = db.Define("member.linkFrom", `
	UPDATE member
	SET version = version + 1, merged_into = $3
	WHERE shard = $1 AND id = $2 AND merged_into = 0 AND erased_ms = 0
	RETURNING merge_height`)

// linkIntoSQL does nothing to the other but lock it, as long as it stands for itself.
var linkIntoSQL = db.Define("member.linkInto", `
	UPDATE member
	SET version = version + 1
	WHERE shard = $1 AND id = $2 AND merged_into = 0 AND erased_ms = 0
	RETURNING merge_height`)

var raiseSQL = db.Define("member.raise", `
	UPDATE member
	SET merge_height = $3
	WHERE shard = $1 AND id = $2 AND merge_height < $3`)

var insertLinkSQL = db.Define("member.insertLink", `
	INSERT INTO merge_link (shard, from_id, seq, into_id, at_ms, by_whom, gained_tags, undone_ms, undone_by)
	SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, 0, ''
	FROM merge_link
	WHERE shard = $1 AND from_id = $2`)

// LinkMerged points a record at its survivor, notes the merge, gives the survivor the tags
// and tells of it, in the caller's transaction. Nothing else moves: identifiers and history
// stay where they are and are read through the pointer.
//
// Only records that stand for themselves are joined (ErrMerged otherwise), and both rows
// are locked in the order of (shard, id): so pointers never make a ring, whoever merges
// what at the same time, and two merges never wait for each other.
func LinkMerged(ctx context.Context, tx *db.Tx, l Link) error {
	if l.From == l.Into {
		return ErrMergeSelf
	}
	height, err := lockBoth(ctx, tx, l)
	if err != nil {
		return err
	}
	if height > maxMergeHeight {
		return ErrMergeDeep
	}
	if _, err := tx.Exec(ctx, raiseSQL, l.Into.Shard(), int64(l.Into), height); err != nil {
		return fmt.Errorf("merge %d into %d: %w", l.From, l.Into, err)
	}
	tags, err := tagsOf(ctx, tx, []ID{l.From})
	if err != nil {
		return fmt.Errorf("merge %d into %d: %w", l.From, l.Into, err)
	}
	gained, err := addTags(ctx, tx, l.Into, tags[l.From])
	if err != nil {
		return err
	}
	text, err := json.Marshal(gained)
	if err != nil {
		return fmt.Errorf("merge %d into %d: %w", l.From, l.Into, err)
	}
	if _, err := tx.Exec(ctx, insertLinkSQL, l.From.Shard(), int64(l.From), int64(l.Into), l.At.UnixMilli(), l.By, string(text)); err != nil {
		return fmt.Errorf("merge %d into %d: %w", l.From, l.Into, err)
	}
	return tellBoth(ctx, tx, "member.merged", l)
}

// lockBoth takes both rows in order and points the one at the other. It returns the height
// that the survivor's tree has then: the longest chain of pointers that ends in it.
func lockBoth(ctx context.Context, tx *db.Tx, l Link) (height int, err error) {
	from := func() error {
		h, err := lock(tx.QueryRow(ctx, linkFromSQL, l.From.Shard(), int64(l.From), int64(l.Into)))
		height = max(height, h+1)
		return err
	}
	into := func() error {
		h, err := lock(tx.QueryRow(ctx, linkIntoSQL, l.Into.Shard(), int64(l.Into)))
		height = max(height, h)
		return err
	}
	steps := []func() error{from, into}
	if before(l.Into, l.From) {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return 0, fmt.Errorf("merge %d into %d: %w", l.From, l.Into, err)
		}
	}
	return height, nil
}

func lock(row *db.Row) (height int, err error) {
	err = row.Scan(&height)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrMerged
	}
	return height, err
}

// before is the order in which all of the program locks members.
func before(a, b ID) bool {
	if a.Shard() != b.Shard() {
		return a.Shard() < b.Shard()
	}
	return a < b
}

var unlinkSQL = db.Define("member.unlink", `
	UPDATE member
	SET version = version + 1, merged_into = 0
	WHERE shard = $1 AND id = $2 AND merged_into = $3 AND erased_ms = 0`)

var closeLinkSQL = db.Define("member.closeLink", `
	UPDATE merge_link
	SET undone_ms = $4, undone_by = $5
	WHERE shard = $1 AND from_id = $2 AND into_id = $3 AND undone_ms = 0
	RETURNING gained_tags`)

// UnlinkMerged takes the pointer away again and the tags that came with it, in the caller's
// transaction. ErrNotMerged where From does not point at Into.
//
// The survivor's height stays: it is a bound, and counting it down would need the tree.
func UnlinkMerged(ctx context.Context, tx *db.Tx, l Link) error {
	if err := unlinkBoth(ctx, tx, l); err != nil {
		return err
	}
	var text string
	if err := tx.QueryRow(ctx, closeLinkSQL, l.From.Shard(), int64(l.From), int64(l.Into), l.At.UnixMilli(), l.By).Scan(&text); err != nil {
		return fmt.Errorf("unmerge %d from %d: %w", l.From, l.Into, err)
	}
	var gained []string
	if err := json.Unmarshal([]byte(text), &gained); err != nil {
		return fmt.Errorf("unmerge %d from %d: %w", l.From, l.Into, err)
	}
	for _, tag := range gained {
		if _, err := tx.Exec(ctx, deleteTagSQL, l.Into.Shard(), int64(l.Into), tag); err != nil {
			return fmt.Errorf("unmerge %d from %d: %w", l.From, l.Into, err)
		}
	}
	return tellBoth(ctx, tx, "member.unmerged", l)
}

// unlinkBoth changes both rows in the locking order. Into may itself be merged by now; its
// version is raised all the same, since its page changes.
func unlinkBoth(ctx context.Context, tx *db.Tx, l Link) error {
	from := func() error {
		n, err := tx.Exec(ctx, unlinkSQL, l.From.Shard(), int64(l.From), int64(l.Into))
		if err == nil && n == 0 {
			return ErrNotMerged
		}
		return err
	}
	into := func() error {
		_, err := tx.Exec(ctx, bumpSQL, l.Into.Shard(), int64(l.Into))
		return err
	}
	steps := []func() error{from, into}
	if before(l.Into, l.From) {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("unmerge %d from %d: %w", l.From, l.Into, err)
		}
	}
	return nil
}

var bumpSQL = db.Define("member.bump", `
	UPDATE member
	SET version = version + 1
	WHERE shard = $1 AND id = $2`)

// tellBoth appends the event to both timelines.
func tellBoth(ctx context.Context, tx *db.Tx, kind string, l Link) error {
	body := mergedBody{From: l.From, Into: l.Into, By: l.By}
	for _, m := range []ID{l.From, l.Into} {
		if err := tellAt(ctx, tx, kind, m, l.At.UnixMilli(), body); err != nil {
			return err
		}
	}
	return nil
}

// maxMerged bounds how many records one member's page follows back.
const maxMerged = 200

var mergedIntoSQL = db.Define("member.mergedInto", `
	SELECT id
	FROM member
	WHERE merged_into = $1 AND merged_into <> 0
	ORDER BY id
	LIMIT 200`)

// mergedInto lists the records that point at a member, directly or through others, at most
// maxMerged, nearest first.
func mergedInto(ctx context.Context, tx *db.Tx, m ID) ([]ID, error) {
	var list []ID
	for at := []ID{m}; len(at) > 0 && len(list) < maxMerged; at = at[1:] {
		err := db.ReadRows(func(rows *db.Rows) error {
			var from ID
			err := rows.Scan(&from)
			list, at = append(list, from), append(at, from)
			return err
		})(tx.Query(ctx, mergedIntoSQL, int64(at[0])))
		if err != nil {
			return nil, fmt.Errorf("records merged into %d: %w", m, err)
		}
	}
	return list[:min(len(list), maxMerged)], nil
}

// Preview is what a merge would join: what the survivor would then be found by and bear
// besides its own.
type Preview struct {
	From, Into  Member
	Identifiers []Identifier
	Tags        []string
}

// PreviewMerge says what Merge would do, and refuses what it would refuse.
func (s *Service) PreviewMerge(ctx context.Context, from, into Ref) (Preview, error) {
	a, err := s.Get(ctx, from)
	if err != nil {
		return Preview{}, err
	}
	b, err := s.Get(ctx, into)
	if err != nil {
		return Preview{}, err
	}
	if a.ID == b.ID {
		return Preview{}, ErrMergeSelf
	}
	p := Preview{From: a, Into: b}
	for _, i := range a.Identifiers {
		if i.From == 0 {
			i.From = a.ID
		}
		p.Identifiers = append(p.Identifiers, i)
	}
	for _, tag := range a.Tags {
		if _, has := slices.BinarySearchFunc(b.Tags, tag, strings.Compare); !has {
			p.Tags = append(p.Tags, tag)
		}
	}
	return p, nil
}
