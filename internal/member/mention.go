package member

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/staff"
)

// A mention tells a colleague that a note or call names them. It is made with the note, in
// its transaction, once for each colleague, and goes with an erasure.

const (
	mentionPrefix = "men_"
	maxMentions   = 20 // of one text
	inNote        = "note"
	inCall        = "call"
)

// ErrMention refuses to name who is no colleague, or too many.
var ErrMention = errs.New(errs.Invalid, "member.mention", "Mentions are colleagues (stf_…) who can sign in, {max} at most.", "提及的须为可登录的员工（stf_…），最多 {max} 人。")

var (
	insertMentionSQL = db.Define("member.insertMention", `
	INSERT INTO mention (staff_id, id, shard, member_id, what, what_id, by_whom, at_ms, read_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)
	ON CONFLICT (shard, member_id, what, what_id, staff_id) DO NOTHING`)
	mentionedInSQL = db.Define("member.mentionedIn", `
	SELECT what_id, staff_id
	FROM mention
	WHERE shard = $1 AND member_id = $2 AND what = $3 AND what_id >= $4 AND what_id <= $5
	ORDER BY what_id, staff_id`)
	mentionsSQL = db.Define("member.mentions", `
	SELECT id, member_id, what, what_id, by_whom, at_ms, read_ms
	FROM mention
	WHERE staff_id = $1 AND id < $2
	ORDER BY id DESC
	LIMIT $3`)
	unreadSQL = db.Define("member.unreadMentions", `
	SELECT id, member_id, what, what_id, by_whom, at_ms, read_ms
	FROM mention
	WHERE staff_id = $1 AND id < $2 AND read_ms = 0
	ORDER BY id DESC
	LIMIT $3`)
	countUnreadSQL = db.Define("member.countUnread", `
	SELECT COUNT(*)
	FROM mention
	WHERE staff_id = $1 AND read_ms = 0`)
	readMentionSQL = db.Define("member.readMention", `
	UPDATE mention
	SET read_ms = $3
	WHERE staff_id = $1 AND id = $2 AND read_ms = 0`)
	readMentionsSQL = db.Define("member.readMentions", `
	UPDATE mention
	SET read_ms = $3
	WHERE staff_id = $1 AND id <= $2 AND read_ms = 0`)
)

// colleagues reads whom a text names.
func (s *Service) colleagues(ctx context.Context, refs []string) (list []int64, err error) {
	refused := ErrMention.With("max", maxMentions).At("body.mentions")
	if len(refs) > maxMentions {
		return nil, refused
	}
	for _, ref := range refs {
		n, err := s.colleague(ctx, ref)
		if e := errs.As(err); e != nil && e.Code == ErrAdvisor.Code {
			return nil, refused
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list, nil
}

// mention tells colleagues of a text; those who were told before are not told again.
func (s *Service) mention(ctx context.Context, tx *db.Tx, p place, what string, list []int64) error {
	for _, n := range list {
		number, err := s.db.NextID(ctx, "mention")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertMentionSQL, n, number, p.member.Shard(), int64(p.member), what, p.n, writer(ctx), s.clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("mention a colleague in %s %d: %w", what, p.n, err)
		}
	}
	return nil
}

// mentionedIn reads whom texts name: a statement for each record that they lie under.
func (s *Service) mentionedIn(ctx context.Context, what string, places []place) (map[place][]string, error) {
	out := map[place][]string{}
	span := map[ID][2]int64{}
	for _, p := range places {
		at, ok := span[p.member]
		if !ok {
			at = [2]int64{p.n, p.n}
		}
		span[p.member] = [2]int64{min(at[0], p.n), max(at[1], p.n)}
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(out)
		for m, at := range span {
			err := db.ReadRows(func(rows *db.Rows) error {
				var n, staff int64
				err := rows.Scan(&n, &staff)
				p := place{m, n}
				out[p] = append(out[p], staffID(staff))
				return err
			})(tx.Query(ctx, mentionedInSQL, m.Shard(), int64(m), what, at[0], at[1]))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// tripleRow is one row of an IN list of (shard, member, number).
func tripleRow(first int) string {
	return fmt.Sprintf("(CAST($%d AS SMALLINT), CAST($%d AS BIGINT), CAST($%d AS BIGINT))", first, first+1, first+2)
}

var textsSQL = map[string]db.Bulk{
	inNote: db.DefineBulk("member.noteTexts", db.QuerySizes, 3, `
	SELECT member_id, id, text
	FROM note
	WHERE deleted_ms = 0 AND (shard, member_id, id) IN (VALUES`, tripleRow, `)`),
	inCall: db.DefineBulk("member.callTexts", db.QuerySizes, 3, `
	SELECT member_id, id, text
	FROM call
	WHERE deleted_ms = 0 AND (shard, member_id, id) IN (VALUES`, tripleRow, `)`),
}

// mentioned is one item of a colleague's list.
type mentioned struct {
	n        int64
	what     string
	at       place
	by       string
	atMS, ms int64
	text     string
}

// mentionsOf lists where a colleague is named, newest first, and how many they have not
// read.
func (s *Service) mentionsOf(ctx context.Context, colleague int64, unread bool, before int64, limit int) (list []mentioned, count int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		if err := tx.QueryRow(ctx, countUnreadSQL, colleague).Scan(&count); err != nil {
			return err
		}
		stmt := mentionsSQL
		if unread {
			stmt = unreadSQL
		}
		err := db.ReadRows(func(rows *db.Rows) error {
			var m mentioned
			err := rows.Scan(&m.n, &m.at.member, &m.what, &m.at.n, &m.by, &m.atMS, &m.ms)
			list = append(list, m)
			return err
		})(tx.Query(ctx, stmt, colleague, before, limit))
		if err != nil {
			return err
		}
		return s.openMentions(ctx, tx, list)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("mentions of a colleague: %w", err)
	}
	return list, count, nil
}

// openMentions reads the texts; those that were deleted since stay empty.
func (s *Service) openMentions(ctx context.Context, tx *db.Tx, list []mentioned) error {
	var members []ID
	for _, m := range list {
		members = append(members, m.at.member)
	}
	if len(list) == 0 {
		return nil
	}
	keys, err := s.keyring(ctx, tx, members)
	if err != nil {
		return err
	}
	for what, texts := range textsSQL {
		var args []any
		for _, m := range list {
			if m.what == what {
				args = append(args, m.at.member.Shard(), int64(m.at.member), m.at.n)
			}
		}
		if len(args) == 0 {
			continue
		}
		found := map[place]string{}
		err := texts.Query(ctx, tx, args, func(rows *db.Rows) error {
			var p place
			var sealed []byte
			if err := rows.Scan(&p.member, &p.n, &sealed); err != nil {
				return err
			}
			text, err := keys.open(sealed, p, what)
			found[p] = text
			return err
		})
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].what == what {
				list[i].text = found[list[i].at]
			}
		}
	}
	return nil
}

func (s *Service) mentionRoutes(r *api.Router) {
	api.Get(r, "/v1/me/mentions", s.getMentions, api.Doc{
		ID: "listMentions", Summary: "List the notes and calls that name the caller, newest first, with how many are unread.", Tags: noteTags, Needs: staff.ReadMembers, Fails: []error{staff.ErrNoPerson},
	})
	api.Post(r, "/v1/me/mentions/read", s.postRead, api.Doc{
		ID: "readMentions", Summary: "Mark mentions as read: one, or all up to it.", Tags: noteTags, Needs: staff.ReadMembers, Status: http.StatusNoContent, Fails: []error{staff.ErrNoPerson},
	})
}

// own is the number of the caller's account; a key is nobody to be named.
func own(ctx context.Context) (int64, error) {
	c := api.CallerOf(ctx)
	_, n, err := id.Decode(staffPrefix, c.ID)
	if c.Kind != "staff" || err != nil {
		return 0, staff.ErrNoPerson
	}
	return n, nil
}

type mentionsIn struct {
	api.Page
	Unread bool `query:"unread" doc:"Only what the caller has not read."`
}

type mentionView struct {
	ID     string     `json:"id" doc:"The mention."`
	Member ID         `json:"member_id" doc:"Whose page it is on."`
	What   string     `json:"what" enum:"note,call" doc:"Where it is."`
	WhatID string     `json:"what_id" doc:"The note or call."`
	Text   string     `json:"text" doc:"What it says; empty where it was deleted."`
	By     string     `json:"by" doc:"Who wrote it, as staff:stf_…"`
	At     time.Time  `json:"at" doc:"When."`
	Read   *time.Time `json:"read_at,omitempty" doc:"When the caller read it."`
}

type mentionsOut struct {
	Body struct {
		api.List[mentionView]
		Unread int64 `json:"unread" doc:"How many the caller has not read, on all pages."`
	}
}

func (s *Service) getMentions(ctx context.Context, in *mentionsIn) (*mentionsOut, error) {
	n, err := own(ctx)
	if err != nil {
		return nil, err
	}
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if at != nil {
		before = at[0]
	}
	list, count, err := s.mentionsOf(ctx, n, in.Unread, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &mentionsOut{}
	out.Body.List = paged(list, in.Limit, func(m mentioned) mentionView {
		prefix := notePrefix
		if m.what == inCall {
			prefix = callPrefix
		}
		return mentionView{id.Encode(mentionPrefix, 0, m.n), m.at.member, m.what, m.at.id(prefix), m.text, m.by, when(m.atMS), moment(when(m.ms))}
	}, func(m mentioned) []int64 { return []int64{m.n} })
	out.Body.Unread = count
	return out, nil
}

type readIn struct {
	Body struct {
		ID   string `json:"id" minLength:"1" maxLength:"40" doc:"The mention."`
		UpTo bool   `json:"up_to,omitempty" doc:"All that are older, too."`
	}
}

func (s *Service) postRead(ctx context.Context, in *readIn) (*struct{}, error) {
	n, err := own(ctx)
	if err != nil {
		return nil, err
	}
	_, number, err := id.Decode(mentionPrefix, in.Body.ID)
	if err != nil {
		return nil, ErrMention.With("max", maxMentions).At("body.id")
	}
	stmt := readMentionSQL
	if in.Body.UpTo {
		stmt = readMentionsSQL
	}
	return nil, s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, stmt, n, number, s.clock.Now().UnixMilli())
		return err
	})
}
