package tier

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
)

var codes = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

// facts are what a condition of a tier may ask for: what the batch has at hand.
var facts = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

// names gives what is named in one language the same name in the other.
func names(en, zh string) (string, string, bool) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh, en != ""
}

// compile checks a scheme, brings it into its one form, and makes it ready to be worked with.
// Where says in refusals which part of the request it is, "body".
func compile(s Scheme, env *cond.Env, config *ledger.Config, where string) (*Ladder, error) {
	l := &Ladder{Scheme: s}
	var ok bool
	if l.NameEN, l.NameZH, ok = names(s.NameEN, s.NameZH); !ok {
		return nil, ErrName.At(where + ".name_en")
	}
	switch {
	case !codes.MatchString(s.Code):
		return nil, ErrCode.At(where + ".code")
	case !s.Window.valid(false):
		return nil, ErrWindow.With("most", maxMonths).At(where + ".window")
	case s.KeepWindow != nil && !s.KeepWindow.valid(true):
		return nil, ErrWindow.With("most", maxMonths).At(where + ".keep_window")
	case !s.Term.valid():
		return nil, ErrTerm.With("most", maxMonths).At(where + ".term")
	}
	if s.Currency != "" {
		c, err := config.Currency(s.Currency)
		if err != nil {
			return nil, errs.As(err).At(where + ".currency")
		}
		l.currency = c.ID
	}
	l.Tiers = slices.Clone(s.Tiers)
	for i := range l.Tiers {
		if err := l.tier(i, env, config, where+".tiers["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// tier checks and compiles one rung.
func (l *Ladder) tier(i int, env *cond.Env, config *ledger.Config, where string) error {
	t := &l.Tiers[i]
	var ok bool
	if t.NameEN, t.NameZH, ok = names(t.NameEN, t.NameZH); !ok {
		return ErrName.At(where + ".name_en")
	}
	switch {
	case !codes.MatchString(t.Code):
		return ErrCode.At(where + ".code")
	case l.rank(t.Code) != i+1:
		return ErrTwice.With("tier", t.Code).At(where + ".code")
	case i > 0 && t.Qualify.empty():
		return ErrOrder.With("tier", t.Code).At(where + ".qualify")
	case utf8.RuneCountInString(t.Benefits.TextEN) > maxText, utf8.RuneCountInString(t.Benefits.TextZH) > maxText:
		return ErrOtherText.With("most", maxText).At(where + ".benefits")
	}
	if t.Welcome != nil {
		c, err := config.Currency(t.Welcome.Currency)
		if err != nil {
			return errs.As(err).At(where + ".welcome.currency")
		}
		if t.Welcome.Amount < 1 || t.Welcome.Amount > ledger.MaxPoints {
			return ledger.ErrAmount.At(where + ".welcome.amount")
		}
		if c.Kind == ledger.Stored {
			return ledger.ErrCurrency.With("code", c.Code).At(where + ".welcome.currency")
		}
	}
	q, err := l.criterion(t.Qualify, env, where+".qualify")
	if err != nil {
		return err
	}
	l.qualify = append(l.qualify, q)
	var k *cond.Cond
	if t.Keep != nil {
		if k, err = l.criterion(*t.Keep, env, where+".keep"); err != nil {
			return err
		}
	}
	l.keep = append(l.keep, k)
	return nil
}

// criterion checks what is asked and compiles its condition.
func (l *Ladder) criterion(c Criteria, env *cond.Env, where string) (*cond.Cond, error) {
	if c.Growth > 0 && l.Currency == "" {
		return nil, ErrGrowth.At(where + ".growth")
	}
	if c.Growth < 0 || c.Spend < 0 || c.Visits < 0 {
		return nil, ledger.ErrAmount.At(where)
	}
	if c.Condition == "" {
		return nil, nil
	}
	text, err := env.Compile(c.Condition, cond.OfMember)
	if err != nil {
		if e := errs.As(err); e != nil {
			return nil, e.At(where + ".condition")
		}
		return nil, err
	}
	for _, n := range text.Needs() {
		if !slices.Contains(facts, n.Fact) {
			return nil, ErrFacts.With("fact", n.Fact).At(where + ".condition")
		}
	}
	l.daily, l.points = true, l.points || slices.ContainsFunc(text.Needs(), func(n cond.Need) bool { return n.Fact == cond.FactPoints })
	return text, nil
}
