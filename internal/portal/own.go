package portal

import (
	"context"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/qrcode"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

type homeOut struct {
	Body struct {
		Member   member.ID   `json:"member_id" doc:"The member."`
		Number   string      `json:"number" doc:"Their number, as on a card." example:"8000123"`
		Name     string      `json:"name,omitempty" doc:"Full name."`
		Language string      `json:"language,omitempty" doc:"Language tag that they chose."`
		JoinedAt time.Time   `json:"joined_at" doc:"When they joined."`
		Wallets  []ownWallet `json:"wallets" doc:"What they have, by currency."`
	}
}

// ownWallet is a wallet with what its owner may do with it.
type ownWallet struct {
	ledger.WalletView
	Transfer *giftTerms `json:"transfer,omitempty" doc:"How it can be given to friends; absent where it cannot."`
}

type giftTerms struct {
	Min        int64 `json:"min" doc:"Least of one gift."`
	Max        int64 `json:"max,omitempty" doc:"Most of one gift; absent where there is no bound."`
	FeePercent int64 `json:"fee_percent,omitempty" doc:"What the giver pays on top."`
}

func (s *Service) getHome(ctx context.Context, _ *struct{}) (*homeOut, error) {
	m, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	wallets, err := s.o.Ledger.Wallets(ctx, int64(m.ID))
	if err != nil {
		return nil, err
	}
	out := &homeOut{}
	b := &out.Body
	b.Member, b.Number, b.Name, b.Language, b.JoinedAt, b.Wallets = m.ID, m.ID.Number(), m.Name, m.Language, m.JoinedAt, []ownWallet{}
	for _, w := range wallets {
		b.Wallets = append(b.Wallets, ownWallet{w, s.terms(w)})
	}
	return out, nil
}

func (s *Service) terms(w ledger.WalletView) *giftTerms {
	c := s.o.Ledger.Config().ByCode[w.Currency]
	if c == nil || !c.Policy.Transfer.Allowed || c.Kind == ledger.Growth {
		return nil
	}
	t := c.Policy.Transfer
	return &giftTerms{max(1, t.Min), t.Max, t.FeePercent}
}

// self reads the member who makes a request.
func (s *Service) self(ctx context.Context) (member.Member, error) {
	m, err := me(ctx)
	if err != nil {
		return member.Member{}, err
	}
	return s.o.Members.Get(ctx, member.RefID(m))
}

type historyIn struct {
	api.Page
	Currency string `query:"currency" maxLength:"40" doc:"Only this currency."`
}

type historyOut struct{ Body api.List[movement] }

// movement is an entry of the ledger as its owner reads it.
type movement struct {
	ID        string `json:"id" doc:"The entry."`
	At        string `json:"at" format:"date-time" doc:"When it took effect."`
	Currency  string `json:"currency" doc:"Code of the point currency."`
	Kind      string `json:"kind" doc:"What it was, as a word that stays the same."`
	Title     string `json:"title" doc:"What it was, in the language of the caller."`
	Why       string `json:"why" doc:"Where it came from, in the language of the caller."`
	Amount    int64  `json:"amount" doc:"By how much what one has changed."`
	Available int64  `json:"available" doc:"Change of what can be used."`
	Pending   int64  `json:"pending" doc:"Change of what is not usable yet."`
	Held      int64  `json:"held" doc:"Change of what is set aside."`
	After     int64  `json:"available_after" doc:"What could be used after it."`
	Store     string `json:"store,omitempty" doc:"Name of the store, in the language of the caller."`
	Purchase  string `json:"purchase_id,omitempty" doc:"The purchase or return that brought it about."`
}

func (s *Service) getHistory(ctx context.Context, in *historyIn) (*historyOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	page, err := s.o.Ledger.EntryPage(ctx, int64(m), in.Currency, in.Page)
	if err != nil {
		return nil, err
	}
	out := &historyOut{api.List[movement]{Items: []movement{}, NextCursor: page.NextCursor}}
	for _, e := range page.Items {
		v := movement{
			ID: e.ID, At: e.At, Currency: e.Currency, Kind: e.Kind, Title: e.Title, Amount: e.Amount,
			Available: e.Available, Pending: e.Pending, Held: e.Held, After: e.After, Store: s.storeName(ctx, e.Store),
		}
		if strings.HasPrefix(e.Cause, "sal_") {
			v.Purchase = e.Cause
		}
		v.Why = why(api.Language(ctx), e, v.Store)
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

func (s *Service) storeName(ctx context.Context, ref string) string {
	if ref == "" {
		return ""
	}
	st, err := s.o.Program.Snapshot().FindStore(ref)
	if err != nil {
		return ""
	}
	return i18n.Pick(api.Language(ctx), st.NameEN, st.NameZH)
}

// why tells in words where a movement came from. What staff wrote as the reason is made for
// the member to read, and comes first; systems and documents are not.
func why(lang string, e ledger.EntryView, store string) string {
	say := func(en, zh string) string { return i18n.Pick(lang, en, zh) }
	switch word := e.Reason; {
	case e.Kind == ledger.TransferOut.String():
		return spoken(say("To member ", "转给会员 ")+friend(e.Cause), word, say(": ", "："))
	case e.Kind == ledger.TransferIn.String():
		return spoken(say("From member ", "来自会员 ")+friend(e.Cause), word, say(": ", "："))
	case word != "":
		return word
	}
	place := func(en, enAt, zh, zhAt string) string {
		if store == "" {
			return say(en, zh)
		}
		return strings.ReplaceAll(say(enAt, zhAt), "@", store)
	}
	sold := strings.HasPrefix(e.Cause, "sal_")
	if strings.HasPrefix(e.Rule, "reward:") {
		switch e.Kind {
		case ledger.Spend.String(), ledger.HoldTaken.String():
			return say("For a reward", "兑换商品")
		case ledger.HoldMade.String():
			return say("Set aside for a reward", "为兑换预留")
		case ledger.GiveBack.String():
			return say("A reward was cancelled or returned", "兑换已取消或退回")
		}
	}
	switch e.Kind {
	case ledger.Earn.String():
		if sold {
			return place("For a purchase", "For a purchase at @", "消费获得", "在@消费获得")
		}
		return place("A gift of the shop", "A gift of @", "商家赠送", "@赠送")
	case ledger.Activate.String():
		return say("The waiting time is over", "等待期已满")
	case ledger.Spend.String(), ledger.HoldTaken.String():
		return place("Used for a purchase", "Used at @", "消费抵扣", "在@使用")
	case ledger.HoldMade.String():
		return place("Set aside for a purchase", "Set aside for a purchase at @", "为一笔消费预留", "为@的消费预留")
	case ledger.HoldFreed.String():
		return say("The purchase was not finished", "消费未完成，已退回")
	case ledger.Expire.String():
		return say("Not used in time", "到期未使用")
	case ledger.Claw.String():
		return place("A purchase was returned", "A purchase was returned at @", "商品已退货", "在@退货")
	case ledger.GiveBack.String():
		return place("You had paid with them, and returned the purchase", "You had paid with them, and returned the purchase at @", "退货返还抵扣的积分", "在@退货，返还抵扣的积分")
	case ledger.Repay.String():
		return say("It repaid what was owed after a return", "抵偿退货产生的欠额")
	case ledger.Fee.String():
		return say("The fee of a gift", "转赠手续费")
	case ledger.MergeOut.String(), ledger.MergeIn.String(), ledger.MergeBack.String():
		return say("Two records of yours were put together or apart", "您的会员记录已合并或拆分")
	case ledger.TopUp.String():
		return place("Paid in", "Paid in at @", "储值", "在@储值")
	case ledger.Opening.String():
		return say("Brought along from the earlier system", "由原系统转入")
	}
	return e.Title
}

// spoken adds the giver's own word, where there is one.
func spoken(text, word, mark string) string {
	if word == "" {
		return text
	}
	return text + mark + word
}

// friend is the masked number of the other member of a gift.
func friend(cause string) string {
	m, err := member.ParseID(cause)
	if err != nil {
		who, _, err := id.Decode("ent_", cause)
		if err != nil {
			return ""
		}
		m = member.ID(who)
	}
	return member.Mask(member.KindCard, m.Number())
}

type qrOut struct{ Body qrView }

type qrView struct {
	Code      string    `json:"code" doc:"What the picture says, and what a till names the member by." example:"qr:AEAAAAAA"`
	SVG       string    `json:"svg" doc:"The picture."`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it is good."`
	Refresh   int       `json:"refresh_seconds" doc:"After how many seconds to ask for the next one."`
}

func (s *Service) getQR(ctx context.Context, _ *struct{}) (*qrOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	code, until := s.qr(m)
	svg, err := qrcode.SVG("qr:" + code)
	if err != nil {
		return nil, err
	}
	return &qrOut{qrView{"qr:" + code, svg, until, int(qrRefresh / time.Second)}}, nil
}

type voucherQRIn struct {
	Code string `path:"code" minLength:"1" maxLength:"60" pattern:"^[0-9A-Za-z-]+$" doc:"The code of the voucher."`
}

type voucherQROut struct {
	Body struct {
		SVG string `json:"svg" doc:"The code as a QR code, in SVG; dark on white."`
	}
}

// getVoucherQR draws what the caller knows already, so nothing is looked up.
func (s *Service) getVoucherQR(ctx context.Context, in *voucherQRIn) (*voucherQROut, error) {
	if _, err := me(ctx); err != nil {
		return nil, err
	}
	svg, err := qrcode.SVG(strings.ToUpper(in.Code))
	if err != nil {
		return nil, err
	}
	out := &voucherQROut{}
	out.Body.SVG = svg
	return out, nil
}

type profileOut struct{ Body profileView }

type profileView struct {
	Name     string          `json:"name,omitempty" doc:"Full name."`
	Phone    string          `json:"phone,omitempty" doc:"The first phone, E.164."`
	Email    string          `json:"email,omitempty" doc:"The first e-mail address."`
	Gender   member.Gender   `json:"gender" doc:"female, male, other or unknown."`
	Birthday member.Birthday `json:"birthday,omitempty" doc:"YYYY-MM-DD, or --MM-DD without the year."`
	Fixed    bool            `json:"birthday_fixed" doc:"The birthday is set, and only the shop can change it."`
	Address  string          `json:"address,omitempty" doc:"Postal address in one line."`
	City     string          `json:"city,omitempty" doc:"City."`
	Language string          `json:"language,omitempty" doc:"Language tag."`
	JoinedAt time.Time       `json:"joined_at" doc:"When they joined."`
	Version  int64           `json:"version" doc:"Grows with every change."`
}

func viewProfile(m member.Member) *profileOut {
	return &profileOut{profileView{
		Name: m.Name, Phone: m.First(member.KindPhone), Email: m.First(member.KindEmail), Gender: m.Gender, Birthday: m.Birthday,
		Fixed: m.Birthday.Year() != 0, Address: m.Address, City: m.City, Language: m.Language, JoinedAt: m.JoinedAt, Version: m.Version,
	}}
}

func (s *Service) getProfile(ctx context.Context, _ *struct{}) (*profileOut, error) {
	m, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	return viewProfile(m), nil
}

type profileIn struct {
	Body struct {
		Name     *string        `json:"name,omitempty" maxLength:"400" doc:"Full name, at most 100 characters."`
		Gender   *member.Gender `json:"gender,omitempty" maxLength:"10" doc:"female, male, other or unknown."`
		Birthday *string        `json:"birthday,omitempty" minLength:"1" maxLength:"10" doc:"YYYY-MM-DD, or --MM-DD without the year. It is set once." example:"1990-02-28"`
		Address  *string        `json:"address,omitempty" maxLength:"1200" doc:"Postal address in one line, at most 300 characters."`
		City     *string        `json:"city,omitempty" maxLength:"256" doc:"City."`
		Language *string        `json:"language,omitempty" maxLength:"35" doc:"Language tag." example:"zh-CN"`
	}
}

func (s *Service) patchProfile(ctx context.Context, in *profileIn) (*profileOut, error) {
	was, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c := member.Change{Name: b.Name, Gender: b.Gender, Address: b.Address, City: b.City, Language: b.Language}
	if b.Birthday != nil && *b.Birthday != string(was.Birthday) {
		if !mayBecome(was.Birthday, *b.Birthday) {
			return nil, ErrBirthday.At("body.birthday")
		}
		c.Birthday, c.Version = b.Birthday, &was.Version // of two at once, one sets it
	}
	now, err := s.o.Members.Patch(ctx, member.RefID(was.ID), c)
	if err != nil {
		return nil, err
	}
	return viewProfile(now), nil
}

// mayBecome reports whether a member may set a birthday themselves: where there is none, or
// to add the year. Else a birthday would come as often as its presents.
func mayBecome(was member.Birthday, next string) bool {
	if was == "" {
		return true
	}
	return was.Year() == 0 && strings.HasSuffix(next, string(was)[1:])
}
