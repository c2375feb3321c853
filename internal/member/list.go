package member

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Search says which members to list. All that is given must hold.
type Search struct {
	Q                       string    // an identifier, exactly, or words of a name
	Tag                     string    // borne
	Tier                    string    // code of the tier of the main scheme
	Advisor                 int64     // number of the colleague who is responsible; 0 for whoever it is
	JoinedFrom, JoinedUntil time.Time // half open; zero for no bound
	Limit                   int       // 1 to 200
	Cursor                  string    // of the page before
}

// span is JoinedFrom and JoinedUntil in milliseconds.
func (q Search) span() (fromMS, untilMS int64) {
	fromMS, untilMS = -1<<62, 1<<62
	if !q.JoinedFrom.IsZero() {
		fromMS = q.JoinedFrom.UnixMilli()
	}
	if !q.JoinedUntil.IsZero() {
		untilMS = q.JoinedUntil.UnixMilli()
	}
	return fromMS, untilMS
}

// listSQL goes along member_by_joined, newest first.
var listSQL = db.Define("member.list", `
	SELECT `+recordColumns+`
	FROM member
	WHERE merged_into = 0 AND erased_ms = 0 AND joined_ms >= $1 AND joined_ms < $2
		AND (joined_ms < $3 OR joined_ms = $3 AND id < $4)
	ORDER BY joined_ms DESC, id DESC
	LIMIT $5`)

// listTagSQL goes along member_tag_by_tag. The shard stands in the join, so that the
// member is found by its key.
var listTagSQL = db.Define("member.listTag", `
	SELECT m.id, m.version, m.wrapped_key, m.sealed, m.gender, m.city, m.language, m.store_id, m.source, m.joined_ms, m.created_ms, m.merged_into, m.erased_ms
	FROM member_tag t
	JOIN member m ON m.shard = t.shard AND m.id = t.member_id
	WHERE t.tag = $1 AND t.member_id < $2 AND m.merged_into = 0 AND m.erased_ms = 0 AND m.joined_ms >= $3 AND m.joined_ms < $4
	ORDER BY t.member_id DESC
	LIMIT $5`)

// listTokenSQL goes along one token of a name and asks for two more beside it.
var listTokenSQL = db.Define("member.listToken", `
	SELECT t.member_id
	FROM name_token t
	WHERE t.shard = $1 AND t.token = $2 AND t.member_id < $3
		AND EXISTS (SELECT 1 FROM name_token a WHERE a.shard = $4 AND a.token = $5 AND a.member_id = t.member_id)
		AND EXISTS (SELECT 1 FROM name_token b WHERE b.shard = $6 AND b.token = $7 AND b.member_id = t.member_id)
	ORDER BY t.member_id DESC
	LIMIT $8`)

var rowsSQL = db.DefineBulk("member.rows", db.QuerySizes, 2, `
	SELECT `+recordColumns+`
	FROM member
	WHERE (shard, id) IN (VALUES`, pairRow, `)`)

// List returns a page of members that stand for themselves, and the cursor of the next
// page, "" after the last. Without Q the newest to join come first; a search lists the
// youngest records first. Listed members have no marks, no custom attributes and nothing
// of merged records: a page opens one sealed record for each line and reads no more.
func (s *Service) List(ctx context.Context, q Search) (page []Member, next string, err error) {
	q.Limit = max(1, min(q.Limit, 200))
	after, err := api.DecodeCursor(q.Cursor, 2)
	if err != nil {
		return nil, "", err
	}
	q.Q = strings.TrimSpace(q.Q)
	if q.Q == "" && q.Tier != "" && q.Advisor == 0 {
		return s.listTier(ctx, q, after)
	}
	if q.Q == "" {
		return s.listAll(ctx, q, after)
	}
	byID, err := s.identified(ctx, q.Q)
	if err != nil {
		return nil, "", err
	}
	if len(byID) > 0 {
		page, err = s.listed(ctx, byID, q)
		return page, "", err
	}
	return s.listNamed(ctx, q, after)
}

// listAll lists without a search text.
func (s *Service) listAll(ctx context.Context, q Search, after []int64) (page []Member, next string, err error) {
	from, until := q.span()
	var rs []*record
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rs = rs[:0]
		lastMS, lastID := until, int64(1<<62)
		if after != nil {
			lastMS, lastID = after[0], after[1]
		}
		var rows *db.Rows
		var err error
		if q.Advisor != 0 {
			rows, err = tx.Query(ctx, listAdvisorSQL, q.Advisor, lastID, from, until, q.Limit+1)
		} else if q.Tag != "" {
			rows, err = tx.Query(ctx, listTagSQL, q.Tag, lastID, from, until, q.Limit+1)
		} else {
			rows, err = tx.Query(ctx, listSQL, from, until, lastMS, lastID, q.Limit+1)
		}
		rs, err = s.readRecords(rows, err)
		if err != nil {
			return err
		}
		page, err = s.lines(ctx, tx, rs[:min(q.Limit, len(rs))])
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list members: %w", err)
	}
	if q.Advisor != 0 { // the index is the advisor's: a tag beside it leaves fewer on a page
		page = q.keep(page)
	}
	if len(rs) > q.Limit {
		last := rs[q.Limit-1]
		next = api.EncodeCursor(last.joinedMS, int64(last.id))
	}
	return page, next, nil
}

// identified finds the members that a text names, whatever sort of identifier it is.
func (s *Service) identified(ctx context.Context, text string) ([]ID, error) {
	var refs []Ref
	if ref, err := ParseRef(text); err == nil {
		refs = append(refs, ref)
	}
	if ref, err := parseNumber(text); err == nil {
		refs = append(refs, ref)
	}
	for _, k := range kinds {
		if ref, err := RefTo(k, text); err == nil {
			refs = append(refs, ref)
		}
	}
	if len(refs) == 0 {
		return nil, nil
	}
	found, err := s.FindMany(ctx, refs)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(m ID) bool { return m == 0 })
	slices.Sort(found)
	return slices.Compact(found), nil
}

// namedPage is how many candidates one look at the tokens takes, and maxLooks how often a
// page looks: a search that is too common to fill a page within them ends it early, with a
// cursor to go on.
const (
	namedPage = 200
	maxLooks  = 10
)

// listNamed lists by words of a name. Tokens give candidates; the opened name decides.
func (s *Service) listNamed(ctx context.Context, q Search, after []int64) (page []Member, next string, err error) {
	tokens := s.tokenHashes(queryTokens(q.Q))
	if len(tokens) == 0 {
		return nil, "", nil
	}
	last := int64(1 << 62)
	if after != nil {
		last = after[1]
	}
	for range maxLooks {
		ids, err := s.candidates(ctx, tokens, last)
		if err != nil {
			return nil, "", err
		}
		found, err := s.listed(ctx, ids, q)
		if err != nil {
			return nil, "", err
		}
		for _, m := range found {
			if !nameMatches(m.Name, q.Q) {
				continue
			}
			if len(page) == q.Limit {
				return page, api.EncodeCursor(0, int64(page[len(page)-1].ID)), nil
			}
			page = append(page, m)
		}
		if len(ids) < namedPage {
			return page, "", nil
		}
		last = int64(ids[len(ids)-1])
	}
	return page, api.EncodeCursor(0, last), nil
}

// candidates lists members that bear (up to three of) the tokens, youngest first.
func (s *Service) candidates(ctx context.Context, tokens []int64, before int64) ([]ID, error) {
	a, b, c := tokens[0], tokens[len(tokens)/2], tokens[len(tokens)-1]
	var ids []ID
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		ids = ids[:0]
		return db.ReadRows(func(rows *db.Rows) error {
			var m ID
			err := rows.Scan(&m)
			ids = append(ids, m)
			return err
		})(tx.Query(ctx, listTokenSQL, tokenShard(a), a, before, tokenShard(b), b, tokenShard(c), c, namedPage))
	})
	if err != nil {
		return nil, fmt.Errorf("search names: %w", err)
	}
	return ids, nil
}

// listed reads members by id, youngest first, as far as they answer the rest of a search.
func (s *Service) listed(ctx context.Context, ids []ID, q Search) ([]Member, error) {
	from, until := q.span()
	var page []Member
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var rs []*record
		err := rowsSQL.Query(ctx, tx, pairArgs(ids), func(rows *db.Rows) error {
			r, err := s.readRecord(rows)
			if err == nil && r.mergedInto == 0 && r.erasedMS == 0 && r.joinedMS >= from && r.joinedMS < until {
				rs = append(rs, r)
			}
			return err
		})
		if err != nil {
			return err
		}
		slices.SortFunc(rs, func(a, b *record) int { return int(b.id - a.id) })
		page, err = s.lines(ctx, tx, rs)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return q.keep(page), nil
}

// names reads what members are called; who was erased, or gave no name, is not in it.
func (s *Service) names(ctx context.Context, ids []ID) (map[ID]string, error) {
	slices.Sort(ids)
	out := map[ID]string{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(out)
		return rowsSQL.Query(ctx, tx, pairArgs(slices.Compact(ids)), func(rows *db.Rows) error {
			r, err := s.readRecord(rows)
			if err == nil && r.personal.Name != "" {
				out[r.id] = r.personal.Name
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("names of members: %w", err)
	}
	return out, nil
}

// keep leaves out who bears another tag, stands in another tier or is another advisor's.
func (q Search) keep(page []Member) []Member {
	return slices.DeleteFunc(page, func(m Member) bool {
		return q.Tag != "" && !slices.Contains(m.Tags, q.Tag) || q.Tier != "" && m.Tier != q.Tier || q.Advisor != 0 && m.Advisor != staffID(q.Advisor)
	})
}

// lines makes list members of records: their tags, advisors and tiers are read, nothing else.
func (s *Service) lines(ctx context.Context, tx *db.Tx, rs []*record) ([]Member, error) {
	ids := make([]ID, len(rs))
	for i, r := range rs {
		ids[i] = r.id
	}
	tags, err := tagsOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	advisors, err := advisorsOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var tiers map[ID]string
	if s.hooks.Standings != nil {
		if tiers, err = s.hooks.Standings.TierCodes(ctx, tx, ids); err != nil {
			return nil, err
		}
	}
	page := make([]Member, len(rs))
	for i, r := range rs {
		page[i] = s.member(r)
		page[i].Tags, page[i].Advisor, page[i].Tier = tags[r.id], advisors[r.id], tiers[r.id]
	}
	return page, nil
}

func (s *Service) readRecords(rows *db.Rows, err error) ([]*record, error) {
	var rs []*record
	err = db.ReadRows(func(rows *db.Rows) error {
		r, err := s.readRecord(rows)
		rs = append(rs, r)
		return err
	})(rows, err)
	return rs, err
}

func (s *Service) readRecord(rows *db.Rows) (*record, error) {
	r, sealed, err := scanRecord(rows.Scan)
	if err != nil {
		return nil, err
	}
	return r, r.open(s.box, sealed)
}
