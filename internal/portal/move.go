package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// gift is what a member wants to give.
type gift struct {
	To       string `json:"to" minLength:"1" maxLength:"300" doc:"The friend: phone:…, email:…, no:…, card:… or qr:…; or mem_…, as the preview gave it." example:"phone:13800138000"`
	Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
	Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"What the friend gets, in the smallest unit; a fee comes on top."`
	Reason   string `json:"reason,omitempty" maxLength:"500" doc:"A word to the friend; both may read it."`
}

type giftIn struct {
	api.Browser
	Body gift
}

type previewOut struct {
	Body struct {
		To        member.ID `json:"to" doc:"The friend, to be named by the gift."`
		Number    string    `json:"to_number" doc:"Their number, masked." example:"80****23"`
		Name      string    `json:"to_name,omitempty" doc:"Their name, masked." example:"王**"`
		Currency  string    `json:"currency" doc:"Code of the point currency."`
		Amount    int64     `json:"amount" doc:"What the friend gets."`
		Fee       int64     `json:"fee" doc:"What the giver pays on top."`
		Leaves    int64     `json:"leaves" doc:"What leaves the wallet: amount and fee."`
		Available int64     `json:"available_after" doc:"What can be used after it."`
	}
}

func (s *Service) postPreview(ctx context.Context, in *giftIn) (*previewOut, error) {
	from, to, err := s.ends(ctx, in.Body.To)
	if err != nil {
		return nil, err
	}
	answer, err := s.o.Ledger.Give(ctx, in.Body.between(from, to), true)
	if err != nil {
		return nil, err
	}
	var p ledger.Posted
	if err := json.Unmarshal(answer.Body, &p); err != nil {
		return nil, fmt.Errorf("read a dry run: %w", err)
	}
	who, err := s.o.Members.Get(ctx, member.RefID(to))
	if err != nil {
		return nil, err
	}
	out := &previewOut{}
	b := &out.Body
	b.To, b.Number, b.Name = to, member.Mask(member.KindCard, to.Number()), maskName(who.Name)
	b.Currency, b.Amount, b.Fee, b.Leaves, b.Available = in.Body.Currency, in.Body.Amount, p.Fee, in.Body.Amount+p.Fee, p.Balances[in.Body.Currency]
	return out, nil
}

type transferIn struct {
	api.DryRun
	Body gift
}

func (s *Service) postTransfer(ctx context.Context, in *transferIn) (*api.RawOf[ledger.Posted], error) {
	from, to, err := s.ends(ctx, in.Body.To)
	if err != nil {
		return nil, err
	}
	return s.o.Ledger.Give(ctx, in.Body.between(from, to), in.DryRun.DryRun)
}

func (g gift) between(from, to member.ID) ledger.Gift {
	return ledger.Gift{From: from, To: to, Currency: g.Currency, Amount: g.Amount, Reason: g.Reason}
}

// ends finds who gives and who receives. How many friends a member looks for is counted, or
// the route would tell whose numbers are members'.
func (s *Service) ends(ctx context.Context, text string) (from, to member.ID, err error) {
	if from, err = me(ctx); err != nil {
		return 0, 0, err
	}
	ref, err := member.ParseRef(text)
	if errors.Is(err, member.ErrNotFound) {
		err = ErrUnknownFriend
	}
	if err != nil {
		return 0, 0, at(err, "body.to")
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		c := count{s.o.Box.Blind("portal count", fmt.Sprintf("look %d", from)), noGap, hourlyLook, ErrLooking}
		return c.take(ctx, tx, s.o.Clock.Now())
	})
	if err != nil {
		return 0, 0, err
	}
	to, err = s.o.Members.Find(ctx, ref)
	if e := errs.As(err); e != nil && e.Kind == errs.NotFound {
		err = ErrUnknownFriend
	}
	return from, to, at(err, "body.to")
}

// maskName leaves the first letter of each word: enough to know a friend by, and not to
// learn a stranger's name.
func maskName(name string) string {
	words := strings.Fields(name)
	for i, w := range words {
		first, _ := utf8.DecodeRuneInString(w)
		words[i] = string(first) + "**"
	}
	return strings.Join(words, " ")
}

type closeCodeIn struct {
	Body struct {
		By member.Kind `json:"by" enum:"phone,email" doc:"Where to send it: one's own phone or e-mail address."`
	}
}

type closeCodeOut struct {
	Body struct {
		CodeView
		To string `json:"to" doc:"Where it went, masked." example:"138****6027"`
	}
}

func (s *Service) postCloseCode(ctx context.Context, in *closeCodeIn) (*closeCodeOut, error) {
	m, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	to := m.First(in.Body.By)
	if to == "" {
		name := errs.Word{EN: "phone number", ZH: "手机号"}
		if in.Body.By == member.KindEmail {
			name = errs.Word{EN: "e-mail address", ZH: "邮箱"}
		}
		return nil, ErrNoAddress.With("channel", name).At("body.by")
	}
	c, err := s.send(ctx, asked{in.Body.By, to, toClose, m.ID})
	if err != nil {
		return nil, err
	}
	out := &closeCodeOut{}
	out.Body.CodeView, out.Body.To = viewCode(c), member.Mask(in.Body.By, to)
	return out, nil
}

type closeIn struct {
	api.Browser
	Body struct {
		Proof
		By      member.Kind `json:"by" enum:"phone,email" doc:"Where the code was sent."`
		Forfeit bool        `json:"forfeit,omitempty" doc:"Give up stored value too. Without it who has some is refused: have it paid out first."`
	}
}

type closeOut struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		Done bool `json:"done" doc:"false where the rest is left to a job, which goes on until it is done."`
	}
}

// postClose uses the code before it erases: a code that has opened this door opens no other.
func (s *Service) postClose(ctx context.Context, in *closeIn) (*closeOut, error) {
	m, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.check(ctx, asked{in.Body.By, m.First(in.Body.By), toClose, m.ID}, in.Body.Challenge, in.Body.Code)
	if err != nil {
		return nil, err
	}
	if err := s.o.Privacy.MayErase(ctx, member.RefID(m.ID), in.Body.Forfeit); err != nil {
		return nil, err // and the code stays good for who thinks it over
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return t.use(ctx, tx, s.o.Clock.Now()) })
	if err != nil {
		return nil, err
	}
	e, err := s.o.Privacy.Erase(ctx, member.RefID(m.ID), "request", in.Body.Forfeit)
	if err != nil {
		return nil, err
	}
	out := &closeOut{SetCookie: in.Set(cookie, "")}
	out.Body.Done = e.Done
	return out, nil
}
