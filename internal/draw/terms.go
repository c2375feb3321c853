package draw

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// check refuses terms that cannot be, and brings them into their one form.
func (s *Service) check(ctx context.Context, t *Terms) error {
	var ok bool
	if t.NameEN, t.NameZH, ok = names(t.NameEN, t.NameZH); !ok {
		return ErrNames.At("body.name_en")
	}
	t.TextEN, t.TextZH = fill(t.TextEN, t.TextZH)
	if t.Look != Scratch && t.Look != Box {
		t.Look = Wheel
	}
	if t.Epoch == EveryDay {
		t.Epoch = ""
	}
	if err := s.checkTimes(t); err != nil {
		return err
	}
	if err := s.checkPrice(t); err != nil {
		return err
	}
	if err := s.checkAudience(t.Audience); err != nil {
		return at(err, "body.audience")
	}
	return s.checkPrizes(ctx, t)
}

func names(en, zh string) (string, string, bool) {
	en, zh = fill(en, zh)
	return en, zh, en != "" && utf8.RuneCountInString(en) <= 100 && utf8.RuneCountInString(zh) <= 100
}

func (s *Service) checkTimes(t *Terms) error {
	for _, part := range []struct {
		text *string
		at   string
	}{{&t.From, "body.from"}, {&t.Until, "body.until"}} {
		if *part.text == "" {
			continue
		}
		when, err := s.o.Program.Snapshot().ParseTime(*part.text)
		if err != nil {
			return at(err, part.at)
		}
		*part.text = when.In(s.zone()).Format(time.RFC3339Nano)
	}
	if from, until := t.span(s.zone()); until < from {
		return ErrWindow.At("body.until")
	}
	return nil
}

func (s *Service) checkPrice(t *Terms) error {
	p := t.Price
	cur := s.o.Ledger.Config().ByCode[p.Currency]
	switch {
	case p == Price{} && t.Free > 0:
		return nil
	case p.Amount <= 0, p.Amount > ledger.MaxPoints, cur == nil, cur.Kind != ledger.Points:
		return ErrPrice.At("body.price")
	case t.Free < 0, t.PerDay < 0, t.PerMember < 0, t.Budget < 0:
		return ErrPrice.At("body")
	}
	return nil
}

// asked are the facts about a member that an audience may ask for: those that the account holds.
var asked = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

func (s *Service) checkAudience(text string) error {
	if text == "" {
		return nil
	}
	c, err := s.now.Load().words.Compile(text, cond.OfMember)
	if err != nil {
		return err
	}
	for _, need := range c.Needs() {
		if !slices.Contains(asked, need.Fact) {
			return ErrFacts.With("fact", need.Fact)
		}
	}
	return nil
}

func (s *Service) checkPrizes(ctx context.Context, t *Terms) error {
	if len(t.Prizes) == 0 || len(t.Prizes) > maxPrizes {
		return ErrOdds.With("sum", 0).At("body.prizes")
	}
	sum, seen := int64(0), map[string]bool{}
	for i := range t.Prizes {
		p := &t.Prizes[i]
		if err := s.checkPrize(ctx, p); err != nil {
			return at(err, "body.prizes")
		}
		if seen[p.Code] {
			return ErrTwice.With("code", p.Code).At("body.prizes")
		}
		seen[p.Code] = true
		sum += p.Odds
	}
	if sum > Million {
		return ErrOdds.With("sum", sum).At("body.prizes")
	}
	for _, p := range t.Prizes {
		if p.Instead != "" && (p.Instead == p.Code || !seen[p.Instead]) {
			return wrongPrize(&p, "its replacement is not another prize of the draw", "替代奖品须为本抽奖的其他奖品")
		}
	}
	g := &t.Guarantee
	if (g.After == 0) != (g.Prize == "") || g.After == 1 || g.After < 0 || g.Prize != "" && !seen[g.Prize] {
		return ErrGuarantee.At("body.guarantee")
	}
	return nil
}

func wrongPrize(p *Prize, en, zh string) error {
	return ErrPrize.With("code", p.Code).With("why", errs.Word{EN: en, ZH: zh}).At("body.prizes")
}

// checkPrize refuses a prize that does not fit its kind, and takes away what means nothing for it.
func (s *Service) checkPrize(ctx context.Context, p *Prize) error {
	if !codeForm.MatchString(p.Code) {
		return ErrCode
	}
	var ok bool
	if p.NameEN, p.NameZH, ok = names(p.NameEN, p.NameZH); !ok {
		return ErrNames
	}
	if p.Odds < 0 || p.Odds > Million || p.Stock < 0 || p.Worth < 0 {
		return wrongPrize(p, "odds are from 0 to 1,000,000, and nothing is below 0", "概率须在 0 至 1,000,000 之间，其他数值不得为负")
	}
	switch p.Kind {
	case Points:
		cur := s.o.Ledger.Config().ByCode[p.Currency]
		if cur == nil || cur.Kind == ledger.Stored || p.Amount <= 0 || p.Amount > ledger.MaxPoints {
			return wrongPrize(p, "points name a currency of points or growth value, and how much", "积分奖品须指定积分或成长值币种及数量")
		}
		p.Coupon, p.Worth = "", p.Amount
	case Coupon:
		if p.Coupon == "" || s.o.Vouchers == nil {
			return wrongPrize(p, "there is no such coupon", "没有这张优惠券")
		}
		if _, err := s.o.Vouchers.Prepare(ctx, p.Coupon, ""); err != nil {
			return err
		}
		p.Currency, p.Amount = "", 0
	case Thing:
		p.Currency, p.Amount, p.Coupon = "", 0, ""
	default:
		return wrongPrize(p, "a prize is points, a coupon or a thing", "奖品须为积分、优惠券或实物")
	}
	return nil
}

// fill gives the one text for the other where that is missing.
func fill(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}
