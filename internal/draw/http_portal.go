package draw

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/member"
)

var portalTags = []string{"Portal"}

// self is the member who makes a request of the portal.
func self(ctx context.Context) (int64, error) {
	c := api.CallerOf(ctx)
	m, err := member.ParseID(c.ID)
	if c.Kind != "member" || err != nil {
		return 0, api.ErrNotSignedIn
	}
	return int64(m), nil
}

func (s *Service) portalRoutes(r *api.Router) {
	api.Get(r, "/portal/v1/draws", s.getOwnDraws, api.Doc{ID: "portalDraws", Summary: "List the draws that one can play, with what a play costs and how many are left.", Tags: portalTags})
	api.Get(r, "/portal/v1/draws/{id}", s.getOwnDraw, api.Doc{ID: "portalDraw", Summary: "Show a draw with its odds, and what is fixed of the next play.", Tags: portalTags, Fails: []error{ErrNotFound, ErrAudience}})
	api.Post(r, "/portal/v1/draws/{id}/plays", s.postOwnPlay, api.Doc{ID: "portalPlay", Summary: "Play a draw.", Tags: portalTags, Status: http.StatusCreated, KeyRequired: true, OwnKey: true,
		Description: "With a nonce of one's own the shop cannot have known the outcome: see docs/draws.md.", Fails: whyNot})
	api.Get(r, "/portal/v1/plays", s.getOwnPlays, api.Doc{ID: "portalPlays", Summary: "List what one played and won, the newest first.", Tags: portalTags, Fails: []error{api.ErrCursor}})
}

// ownPrize is a prize as members see it.
type ownPrize struct {
	Code     string `json:"code" doc:"The prize."`
	Name     string `json:"name" doc:"Its name, in the language of the caller."`
	Kind     Kind   `json:"kind" enum:"points,coupon,thing" doc:"What it is."`
	Currency string `json:"currency,omitempty" doc:"Of points: code of the currency."`
	Amount   int64  `json:"amount,omitempty" doc:"Of points: how much."`
	Odds     int64  `json:"odds" doc:"Of a million numbers, how many win it now."`
	Stated   int64  `json:"stated_odds" doc:"How many won it as long as it was there."`
	Gone     bool   `json:"gone" doc:"There is no more of it: its odds went to another prize, or to nothing."`
}

// ownDraw is a draw as a member sees it.
type ownDraw struct {
	ID           string     `json:"id" doc:"The draw."`
	Code         string     `json:"code" doc:"Its code."`
	Name         string     `json:"name" doc:"Its name, in the language of the caller."`
	Text         string     `json:"text,omitempty" doc:"What is to be said about it."`
	Look         Look       `json:"look" enum:"wheel,scratch,box" doc:"What it looks like."`
	State        State      `json:"state" enum:"scheduled,live,paused,ended" doc:"Where it stands."`
	From         *time.Time `json:"from,omitempty" doc:"From when on it can be played."`
	Until        *time.Time `json:"until,omitempty" doc:"The first instant at which it no longer can."`
	Price        int64      `json:"price" doc:"What the next play costs, 0 for nothing."`
	Currency     string     `json:"currency,omitempty" doc:"Code of the currency that is paid in."`
	CurrencyName string     `json:"currency_name,omitempty" doc:"Its name, in the language of the caller."`
	FreeLeft     int64      `json:"free_left" doc:"Free plays that are left today."`
	Left         *int64     `json:"plays_left,omitempty" doc:"Plays that are left today by all limits; absent where there are none."`
	Guarantee    int64      `json:"guarantee_in,omitempty" doc:"With the how manieth play from now one wins at the latest; absent where nothing is promised."`
	Sure         string     `json:"guarantee_prize,omitempty" doc:"Name of the prize that is then won."`
	Prizes       []ownPrize `json:"prizes" doc:"What can be won."`
	Nothing      int64      `json:"nothing_odds" doc:"Of a million numbers, how many win nothing now."`
	Table        int64      `json:"table" doc:"Number of the table of odds in force."`
	Since        time.Time  `json:"table_since" doc:"Since when it is."`
	Epoch        int64      `json:"epoch" doc:"The epoch of the next play; 0 where there is none."`
	EpochUntil   *time.Time `json:"epoch_until,omitempty" doc:"When it ends, and its seed is revealed; absent where that is with the draw."`
	Hash         string     `json:"hash,omitempty" doc:"SHA-256 of the seed of the epoch."`
	Mark         string     `json:"mark,omitempty" doc:"What stands for oneself in the epoch: fixed before a nonce is given."`
	Next         int64      `json:"next" doc:"The how manieth play of the mark the next one is."`
}

type ownDrawsOut struct {
	Body struct {
		Items []ownDraw `json:"items" doc:"All that one can play now, the newest first; there are few."`
	}
}

func (s *Service) getOwnDraws(ctx context.Context, _ *struct{}) (*ownDrawsOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	out := &ownDrawsOut{}
	out.Body.Items = []ownDraw{}
	n := s.now.Load()
	for _, g := range n.list {
		if g.Standing(s.nowMS(), s.zone()) != Live {
			continue
		}
		ok, err := s.invited(ctx, m, n.audience[g.ID])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		v, err := s.ownDraw(ctx, n, g, m)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type ownDrawOut struct{ Body ownDraw }

func (s *Service) getOwnDraw(ctx context.Context, in *Ref) (*ownDrawOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	n := s.now.Load()
	g, err := s.Find(in.ID)
	if err != nil || g.State == Draft {
		return nil, ErrNotFound
	}
	ok, err := s.invited(ctx, m, n.audience[g.ID])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrAudience
	}
	v, err := s.ownDraw(ctx, n, g, m)
	return &ownDrawOut{v}, err
}

func (s *Service) ownDraw(ctx context.Context, n *snapshot, g *Game, m int64) (v ownDraw, err error) {
	var st *state
	var b book
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if st, err = readState(ctx, tx, g.ID); err != nil {
			return err
		}
		b, err = readBook(ctx, tx, m)
		return err
	})
	if err != nil || st == nil {
		return v, err
	}
	lang, t, nowMS := api.Language(ctx), &g.Terms, s.nowMS()
	from, until := t.span(s.zone())
	v = ownDraw{
		ID: g.PublicID(), Code: g.Code, Name: i18n.Pick(lang, t.NameEN, t.NameZH), Text: i18n.Pick(lang, t.TextEN, t.TextZH), Look: t.Look, State: g.Standing(nowMS, s.zone()),
		From: moment(from), Until: moment(until + 1), Table: st.TableN, Since: st.Body.Table.At, Nothing: st.Body.Table.Nothing(), Prizes: []ownPrize{},
	}
	x := b[g.ID]
	s.ownLeft(&v, t, x, lang)
	odds := map[string]int64{}
	for _, o := range st.Body.Table.Odds {
		odds[o.Prize] = o.Odds
	}
	for _, p := range t.Prizes {
		v.Prizes = append(v.Prizes, ownPrize{p.Code, i18n.Pick(lang, p.NameEN, p.NameZH), p.Kind, p.Currency, p.Amount, odds[p.Code], p.Odds, odds[p.Code] == 0 && p.Odds > 0})
	}
	if after := st.Body.Table.After; after > 0 {
		v.Guarantee = max(1, after-x.Dry)
		if p := t.prize(st.Body.Table.Guarantee); p != nil {
			v.Sure = i18n.Pick(lang, p.NameEN, p.NameZH)
		}
	}
	if e, is := n.current(g.ID, nowMS); is && g.State != Ended {
		v.Epoch, v.Hash, v.Mark, v.Next, v.EpochUntil = e.N, e.Hash, markOf(e.key, m), x.in(e.N)+1, moment(min(never, e.UntilMS+1))
	}
	return v, nil
}

// ownLeft says what the next play costs, and how many are left.
func (s *Service) ownLeft(v *ownDraw, t *Terms, x stand, lang string) {
	today := x.on(int64(s.o.Program.Snapshot().Day(s.o.Clock.Now())))
	v.FreeLeft = max(0, t.Free-today)
	left := int64(-1)
	bound := func(n int64) {
		if n = max(0, n); left < 0 || n < left {
			left = n
		}
	}
	if t.PerDay > 0 {
		bound(t.PerDay - today)
	}
	if t.PerMember > 0 {
		bound(t.PerMember - x.Plays)
	}
	if t.Price.Amount == 0 {
		bound(v.FreeLeft)
	}
	if left >= 0 {
		v.Left, v.FreeLeft = &left, min(v.FreeLeft, left)
	}
	if v.FreeLeft > 0 || t.Price.Amount == 0 {
		return
	}
	v.Price, v.Currency = t.Price.Amount, t.Price.Currency
	if cur := s.o.Ledger.Config().ByCode[v.Currency]; cur != nil {
		v.CurrencyName = i18n.Pick(lang, cur.NameEN, cur.NameZH)
	}
}

type ownPlayIn struct {
	Ref
	Body struct {
		Nonce string `json:"nonce,omitempty" maxLength:"64" doc:"What one throws in oneself: letters, digits, dashes and underscores. One is made where it is absent."`
		Pay   *int64 `json:"pay,omitempty" minimum:"0" doc:"What one has agreed to pay, 0 for a free play; the play is refused where it costs something else."`
	}
}

func (s *Service) postOwnPlay(ctx context.Context, in *ownPlayIn) (*api.RawOf[Played], error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return answered(s.Play(ctx, m, in.ID, Wish{Nonce: in.Body.Nonce, Pay: in.Body.Pay}))
}

type ownPlaysIn struct{ api.Page }

func (s *Service) getOwnPlays(ctx context.Context, in *ownPlaysIn) (*playsOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.OfMember(ctx, m, in.Page)
	if err != nil {
		return nil, err
	}
	return s.views(list, next), nil
}
