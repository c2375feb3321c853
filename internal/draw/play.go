package draw

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Played is what a play came to, as the member sees it: the receipt by which it can be found
// and checked later.
type Played struct {
	PlayView
	Balances map[string]int64 `json:"balances" doc:"What the member can use afterwards, by the code of the currency."`
}

// Whose is part of ledger.Telling: the answer names a member's prize.
func (p *Played) Whose() int64 { return p.member }

// PlayView is a play as the outside sees it.
type PlayView struct {
	ID         string     `json:"id" doc:"The play: ply_…"`
	Draw       string     `json:"draw_id" doc:"Of which draw."`
	DrawCode   string     `json:"draw_code" doc:"Its code."`
	DrawNameEN string     `json:"draw_name_en" doc:"Its English name."`
	DrawNameZH string     `json:"draw_name_zh" doc:"Its Chinese name."`
	Member     string     `json:"member_id" doc:"Who played."`
	MemberName string     `json:"member_name,omitempty" doc:"What the member is called; in lists of staff only."`
	At         time.Time  `json:"at" doc:"When."`
	Won        bool       `json:"won" doc:"Whether it won anything."`
	NameEN     string     `json:"prize_name_en,omitempty" doc:"What was won, in English."`
	NameZH     string     `json:"prize_name_zh,omitempty" doc:"What was won, in Chinese."`
	Kind       Kind       `json:"kind,omitempty" enum:"points,coupon,thing" doc:"What kind of prize it is."`
	Currency   string     `json:"currency,omitempty" doc:"Of points: code of the currency."`
	Amount     int64      `json:"amount,omitempty" doc:"Of points: how much, in its smallest unit."`
	Coupon     string     `json:"coupon_code,omitempty" doc:"Of a coupon: its code."`
	PickUp     string     `json:"pick_up_code,omitempty" doc:"By which the prize is handed out at the counter."`
	Handed     *time.Time `json:"handed_out_at,omitempty" doc:"When it was handed out."`
	Owed       bool       `json:"owed,omitempty" doc:"It could not be given at once, and is seen to at the counter."`
	Guaranteed bool       `json:"guaranteed,omitempty" doc:"It was won by the guarantee."`
	Paid       int64      `json:"paid,omitempty" doc:"What the play cost, in the smallest unit of paid_in; absent for a free one."`
	PaidIn     string     `json:"paid_in,omitempty" doc:"Code of the currency."`
	Epoch      int64      `json:"epoch" doc:"The epoch that the play belongs to."`
	Line       Line       `json:"line" doc:"The play as it is published after the end of the epoch: keep it to check that nothing was changed."`

	member int64
}

func view(g *Game, p *Play) PlayView {
	b := &p.Body
	v := PlayView{
		ID: p.ID(), Member: id.Encode("mem_", p.Member, 0), At: timeOf(p.AtMS), Won: p.Prize != "", NameEN: b.NameEN, NameZH: b.NameZH,
		Kind: b.Kind, Currency: b.Currency, Amount: b.Amount, Coupon: b.Coupon, PickUp: spaced(p.Code), Handed: moment(p.Handed), Owed: b.Owed,
		Guaranteed: b.Guaranteed, Paid: b.Paid, PaidIn: b.PaidIn, Epoch: p.Epoch, Line: b.Line, member: p.Member,
	}
	if g != nil {
		v.Draw, v.DrawCode, v.DrawNameEN, v.DrawNameZH = g.PublicID(), g.Code, g.Terms.NameEN, g.Terms.NameZH
	}
	return v
}

// moment is an instant of an answer; 0, and what never comes, have none.
func moment(ms int64) *time.Time {
	if ms == 0 || ms >= never || ms <= minMS {
		return nil
	}
	t := timeOf(ms)
	return &t
}

func (c *play) answer(s *ledger.State, a *ledger.Account, p *Play) *Played {
	return &Played{view(c.game, p), s.Balances(a)}
}

// letters are those of pick-up codes: none that looks like another. 13 of them are 64 bits.
const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// pickUpCode makes a code that nobody can guess.
func pickUpCode() string {
	b := make([]byte, 13)
	for i := range b {
		for one := [1]byte{255}; ; {
			rand.Read(one[:])
			if n := int(one[0]); n < 256/len(letters)*len(letters) { // each letter as likely as the other
				b[i] = letters[n%len(letters)]
				break
			}
		}
	}
	return string(b)
}

// spaced is a pick-up code as people read it.
func spaced(code string) string {
	if len(code) != 13 {
		return code
	}
	return code[:5] + "-" + code[5:9] + "-" + code[9:]
}

// plain is a pick-up code as it is kept, whatever stands between what was typed.
func plain(code string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(code))
}

// Wish is what a member asks for who plays.
type Wish struct {
	Nonce string // what their device threw in; one is made where there is none
	Pay   *int64 // what they have agreed to pay; nil for whatever it costs
	Store int64
}

// tries is how often a play is prepared anew where the draw changed meanwhile.
const tries = 8

// Play plays a draw once, for the price of now. The key of the request is kept with the posting.
func (s *Service) Play(ctx context.Context, m int64, ref string, w Wish) ledger.Answer {
	if w.Nonce == "" {
		w.Nonce = newNonce()
	}
	if !nonceForm.MatchString(w.Nonce) {
		return ledger.Answer{Err: ErrNonce.At("body.nonce")}
	}
	var last ledger.Answer
	for range tries {
		c, err := s.prepare(ctx, m, ref, w)
		if err != nil {
			return ledger.Answer{Err: err}
		}
		last = s.post(ctx, m, func(m int64) ledger.Command {
			next := *c
			next.member = m
			return &next
		})
		if !errors.Is(last.Err, ErrBusy) {
			return last
		}
		if err := s.Refresh(ctx); err != nil {
			return ledger.Answer{Err: err}
		}
		if err := s.Roll(ctx); err != nil {
			return ledger.Answer{Err: err}
		}
	}
	return last
}

func newNonce() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// prepare works out all that a play needs and the batch must not ask for.
func (s *Service) prepare(ctx context.Context, m int64, ref string, w Wish) (*play, error) {
	g, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	if g.State != Live {
		return nil, ErrNotLive
	}
	n := s.now.Load()
	ok, err := s.invited(ctx, m, n.audience[g.ID])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrAudience
	}
	c := &play{game: g, epochs: n.epochs[g.ID], nonce: w.Nonce, pickup: pickUpCode(), pay: w.Pay, store: w.Store, gifts: map[string]Gift{}}
	c.span[0], c.span[1] = g.Terms.span(s.zone())
	for _, p := range g.Terms.Prizes {
		if p.Kind != Coupon || s.o.Vouchers == nil {
			continue
		}
		gift, err := s.o.Vouchers.Prepare(ctx, p.Coupon, g.PublicID())
		if err != nil { // won all the same, it is owed
			s.o.Log.Warn("a coupon of a draw cannot be given", "draw", g.Code, "prize", p.Code, "error", err)
			continue
		}
		c.gifts[p.Code] = gift
	}
	return c, nil
}

// maxMoves bounds how far a request follows merges: no chain of them is longer.
const maxMoves = 17

// post sends a command about a member, and again about the survivor where the member turns out
// to have been merged.
func (s *Service) post(ctx context.Context, m int64, command func(member int64) ledger.Command) ledger.Answer {
	for range maxMoves {
		a := s.o.Ledger.Engine().Do(ctx, ledger.RequestOf(ctx, command(m), false))
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) || ctx.Err() != nil {
			return a
		}
		s.o.Members.Forget(member.ID(moved.From))
		m = moved.To
	}
	return ledger.Answer{Err: ledger.ErrMember}
}

// invited reports whether a member is of an audience, now. A condition that cannot be worked out
// holds for nobody.
func (s *Service) invited(ctx context.Context, m int64, audience *cond.Cond) (bool, error) {
	if audience == nil {
		return true, nil
	}
	profiles, err := s.o.Members.Profiles(ctx, []member.ID{member.ID(m)})
	if err != nil {
		return false, err
	}
	p, known := profiles[member.ID(m)]
	if !known {
		return false, ledger.ErrMember
	}
	f := &cond.Facts{Member: p, Now: cond.NewMoment(s.o.Clock.Now(), s.zone()), Found: cond.Found{}}
	if needs := audience.Needs(); len(needs) > 0 {
		a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: look{m, needs}, DryRun: true})
		if a.Err != nil {
			return false, a.Err
		}
		f.Found = a.Value.(cond.Found)
	}
	ok, err := audience.Eval(f)
	return ok && err == nil, nil
}

// look is a command that changes nothing: it answers what the account alone knows.
type look struct {
	member int64
	needs  []cond.Need
}

// Needs names the member.
func (c look) Needs() ledger.Needs { return ledger.Needs{Members: []int64{c.member}} }

// Decide looks.
func (c look) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	found := cond.Found{}
	sale.Find(s, a, s.Day(s.NowMS), c.needs, found)
	return found, nil
}

const playColumns = "shard, member_id, seq, draw_id, epoch, n, at_ms, prize, code, handed_ms, body"

var (
	playsOfMemberSQL = db.Define("draw.playsOfMember", `
		SELECT `+playColumns+`
		FROM draw_play
		WHERE shard = $1 AND member_id = $2 AND seq < $3
		ORDER BY seq DESC
		LIMIT $4`)
	playsOfDrawSQL = db.Define("draw.plays", `
		SELECT `+playColumns+`
		FROM draw_play
		WHERE draw_id = $1 AND (epoch, n) < ($2, $3)
		ORDER BY epoch DESC, n DESC
		LIMIT $4`)
	playByCodeSQL = db.Define("draw.playByCode", `
		SELECT `+playColumns+`
		FROM draw_play
		WHERE code = $1 AND code <> ''`)
)

func scanPlays(to *[]*Play) func(*db.Rows, error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		var p Play
		var shard, n int64
		var body []byte
		if err := rows.Scan(&shard, &p.Member, &p.Seq, &p.Draw, &p.Epoch, &n, &p.AtMS, &p.Prize, &p.Code, &p.Handed, &body); err != nil {
			return err
		}
		unpack(body, &p.Body)
		*to = append(*to, &p)
		return nil
	})
}

// ofRecord lists the plays of one record, the newest first.
func (s *Service) ofRecord(ctx context.Context, m int64, p api.Page) (list []*Play, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{math.MaxInt64}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return scanPlays(&list)(tx.Query(ctx, playsOfMemberSQL, shardOf(m), m, after[0], p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the plays of member %d: %w", m, err)
	}
	if len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].Seq)
	}
	return list, next, nil
}

// OfMember lists the plays of a member, the newest first, and after them those of records that
// were merged into this one.
func (s *Service) OfMember(ctx context.Context, m int64, p api.Page) (list []*Play, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 2)
	if err != nil {
		return nil, "", err
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, next = nil, ""
		records, err := member.RecordsOf(ctx, tx, member.ID(m))
		if err != nil {
			return err
		}
		below, at := int64(math.MaxInt64), 0
		if after != nil {
			at, below = max(0, slices.Index(records, member.ID(after[0]))), after[1]
		}
		for _, r := range records[at:] {
			if len(list) == p.Limit {
				break
			}
			if err := scanPlays(&list)(tx.Query(ctx, playsOfMemberSQL, shardOf(int64(r)), int64(r), below, p.Limit-len(list))); err != nil {
				return err
			}
			below = math.MaxInt64
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the plays of member %d: %w", m, err)
	}
	if len(list) == p.Limit {
		last := list[len(list)-1]
		next = api.EncodeCursor(last.Member, last.Seq)
	}
	return list, next, nil
}

// Plays lists the plays of a draw, the newest first.
func (s *Service) Plays(ctx context.Context, g *Game, p api.Page) (list []*Play, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 2)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{math.MaxInt64, math.MaxInt64}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return scanPlays(&list)(tx.Query(ctx, playsOfDrawSQL, g.ID, after[0], after[1], p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the plays of draw %s: %w", g.Code, err)
	}
	if len(list) == p.Limit {
		last := list[len(list)-1]
		next = api.EncodeCursor(last.Epoch, last.Body.Line.N)
	}
	return list, next, nil
}

// Prize finds a prize by its pick-up code, however it was typed.
func (s *Service) Prize(ctx context.Context, code string) (*Play, error) {
	var list []*Play
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return scanPlays(&list)(tx.Query(ctx, playByCodeSQL, plain(code)))
	})
	if err != nil {
		return nil, fmt.Errorf("find a prize by its code: %w", err)
	}
	if len(list) == 0 {
		return nil, ErrNoPrize
	}
	return list[0], nil
}

// HandOut marks a prize as handed out, once.
func (s *Service) HandOut(ctx context.Context, code string) (*Play, error) {
	p, err := s.Prize(ctx, code)
	if err != nil {
		return nil, err
	}
	a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: &handOut{p.Member, p.Seq, p.Code, staff.ActorOf(ctx)}, Actor: staff.ActorOf(ctx)})
	if a.Err != nil {
		return nil, a.Err
	}
	return a.Value.(*Play), nil
}
