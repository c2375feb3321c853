package offer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

const maxBadges = 500

// Badge is something that members win and show.
type Badge struct {
	ID      int64
	Code    string
	Terms   BadgeTerms
	Active  bool
	Version int64
	Made    time.Time
}

// PublicID is what the outside calls the badge.
func (b *Badge) PublicID() string { return id.Encode(badgePrefix, 0, b.ID) }

// BadgeTerms are what a badge says.
type BadgeTerms struct {
	NameEN string `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH string `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	TextEN string `json:"text_en,omitempty" yaml:"text_en,omitempty" maxLength:"500" doc:"What it is for, in English."`
	TextZH string `json:"text_zh,omitempty" yaml:"text_zh,omitempty" maxLength:"500" doc:"What it is for, in Chinese."`
	Color  string `json:"color,omitempty" yaml:"color,omitempty" maxLength:"7" pattern:"^(#[0-9a-f]{6})?$" doc:"Its colour, as #c8102e."`
	Icon   string `json:"icon,omitempty" yaml:"icon,omitempty" maxLength:"500" doc:"A sign of one to four characters, or the address of a picture."`
}

// ErrNoBadge answers for a badge that is not there.
var ErrNoBadge = errs.New(errs.NotFound, "offer.no_badge", "There is no such badge.", "没有这个徽章。")

var (
	badgesSQL = db.Define("offer.badges", `
		SELECT id, code, terms, active, version, made_ms
		FROM badge
		ORDER BY id DESC`)
	insertBadgeSQL = db.Define("offer.insertBadge", `
		INSERT INTO badge (id, code, terms, active, version, made_ms, changed_ms)
		VALUES ($1, $2, $3, 1, 1, $4, $4)
		ON CONFLICT (code) DO NOTHING`)
	updateBadgeSQL = db.Define("offer.updateBadge", `
		UPDATE badge
		SET terms = $3, active = $4, version = version + 1, changed_ms = $5
		WHERE id = $1 AND version = $2`)
)

// Has is how often a member has won a badge, and when.
type Has struct {
	N     int64
	First int64 // Unix milliseconds
	Last  int64
}

// award gives a badge once more, or with −1 takes it back once.
func (b *Book) award(badge, n, atMS int64) {
	if b.Badges == nil {
		b.Badges = map[int64]Has{}
	}
	h := b.Badges[badge]
	if h.N == 0 {
		h.First, h.Last = atMS, atMS
	}
	h.N = max(0, h.N+n)
	if n > 0 {
		h.First, h.Last = min(h.First, atMS), max(h.Last, atMS)
	}
	b.Badges[badge] = h
	if h.N == 0 {
		delete(b.Badges, badge)
	}
}

func readBadges(ctx context.Context, tx *db.Tx) (list []*Badge, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var b Badge
		var terms string
		var made int64
		if err := rows.Scan(&b.ID, &b.Code, &terms, &b.Active, &b.Version, &made); err != nil {
			return err
		}
		b.Made = timeOf(made)
		list = append(list, &b)
		return json.Unmarshal([]byte(terms), &b.Terms)
	})(tx.Query(ctx, badgesSQL))
	return list, err
}

// Badges lists badges, the newest first.
func (s *Service) Badges() []*Badge {
	var out []*Badge
	for _, b := range s.now.Load().badges {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *Badge) int { return int(min(1, max(-1, b.ID-a.ID))) })
	return out
}

// Badge finds a badge by id or code.
func (s *Service) Badge(ref string) (*Badge, error) {
	n := s.now.Load()
	if b := n.badge[ref]; b != nil {
		return b, nil
	}
	if _, number, err := id.Decode(badgePrefix, ref); err == nil && n.badges[number] != nil {
		return n.badges[number], nil
	}
	return nil, ErrNoBadge
}

func (t *BadgeTerms) check() error {
	t.NameEN, t.NameZH = fill(t.NameEN, t.NameZH)
	t.TextEN, t.TextZH = fill(t.TextEN, t.TextZH)
	if t.NameEN == "" {
		return ErrNames.At("body.name_en")
	}
	if t.Icon != "" && utf8.RuneCountInString(t.Icon) > 4 && !strings.HasPrefix(t.Icon, "https://") && !strings.HasPrefix(t.Icon, "/") {
		return ErrPicture.At("body.icon")
	}
	return nil
}

// AddBadge makes a badge.
func (s *Service) AddBadge(ctx context.Context, code string, t BadgeTerms) (*Badge, error) {
	if !codeForm.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if len(s.now.Load().badges) >= maxBadges {
		return nil, ErrMany.With("most", maxBadges)
	}
	n, err := s.o.DB.NextID(ctx, "badge")
	if err != nil {
		return nil, err
	}
	b := &Badge{ID: n, Code: code, Terms: t, Active: true}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := tx.Exec(ctx, insertBadgeSQL, b.ID, b.Code, string(pack(b.Terms)), s.nowMS())
		if err != nil {
			return err
		}
		if made == 0 {
			return ErrTaken.At("body.code")
		}
		return s.o.Audit.Record(ctx, tx, "badge.add", b.PublicID(), nil, map[string]any{"code": b.Code, "terms": b.Terms})
	})
	if err != nil {
		return nil, fmt.Errorf("add badge %s: %w", code, err)
	}
	return s.Badge(b.PublicID())
}

// ChangeBadge changes a badge, from a version unless that is 0.
func (s *Service) ChangeBadge(ctx context.Context, ref string, from int64, edit func(*Badge)) (*Badge, error) {
	was, err := s.Badge(ref)
	if err != nil {
		return nil, err
	}
	if from != 0 && from != was.Version {
		return nil, ErrEdited
	}
	next := *was
	edit(&next)
	if err := next.Terms.check(); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, updateBadgeSQL, was.ID, was.Version, string(pack(next.Terms)), next.Active, s.nowMS())
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrEdited
		}
		return s.o.Audit.Record(ctx, tx, "badge.change", was.PublicID(), map[string]any{"terms": was.Terms, "active": was.Active}, map[string]any{"terms": next.Terms, "active": next.Active})
	})
	if err != nil {
		return nil, fmt.Errorf("change badge %s: %w", was.Code, err)
	}
	return s.Badge(was.PublicID())
}

// Won is a badge that a member has.
type Won struct {
	Badge *Badge
	Has
}

// BadgesOf lists the badges of a member, the one won last first.
func (s *Service) BadgesOf(ctx context.Context, member int64) (list []Won, err error) {
	n := s.now.Load()
	var b *Book
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		b, err = readBook(ctx, tx, member)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the badges of member %d: %w", member, err)
	}
	for badge, h := range b.Badges {
		if n.badges[badge] != nil {
			list = append(list, Won{n.badges[badge], h})
		}
	}
	slices.SortFunc(list, func(x, y Won) int { return cmp.Or(cmp.Compare(y.Last, x.Last), cmp.Compare(y.Badge.ID, x.Badge.ID)) })
	return list, nil
}
