package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// teller tells rules in words.
type teller struct {
	words    *cond.Env
	currency string // of the programme
	ledger   *ledger.Config
	stores   func(code string) errs.Word
	tiers    func(code string) errs.Word
}

// both makes a text of both languages from one pattern each and the same values; a value that
// is an errs.Word is written in its language.
func both(en, zh string, values ...any) errs.Word {
	return errs.Word{EN: fmt.Sprintf(en, inLanguage(values, false)...), ZH: fmt.Sprintf(zh, inLanguage(values, true)...)}
}

func inLanguage(values []any, chinese bool) []any {
	out := slices.Clone(values)
	for i, v := range out {
		if w, ok := v.(errs.Word); ok {
			if out[i] = w.EN; chinese {
				out[i] = w.ZH
			}
		}
	}
	return out
}

// join writes words one after the other.
func join(list []errs.Word, en, zh string) errs.Word {
	var e, z []string
	for _, w := range list {
		e, z = append(e, w.EN), append(z, w.ZH)
	}
	return errs.Word{EN: strings.Join(e, en), ZH: strings.Join(z, zh)}
}

func same(text string) errs.Word { return errs.Word{EN: text, ZH: text} }

func plains(list []string) errs.Word {
	return errs.Word{EN: strings.Join(list, ", "), ZH: strings.Join(list, "、")}
}

// say tells what a rule does in one or two sentences.
func (t *teller) say(d *Definition) errs.Word {
	parts := []errs.Word{t.trigger(d)}
	parts = append(parts, t.when(&d.Valid)...)
	if d.Condition != "" {
		parts = append(parts, both("if %s", "满足：%s", t.words.Say(d.Condition, kindOf(d.Trigger.On))))
	}
	head := join(parts, ", ", "，")
	effect := t.effect(d)
	out := both("%s: %s.", "%s：%s。", head, effect)
	if caps := t.caps(d); len(caps) > 0 {
		out = both("%s At most %s.", "%s上限：%s。", out, join(caps, ", ", "，"))
	}
	if more := t.more(d); len(more) > 0 {
		out = both("%s %s.", "%s%s。", out, join(more, "; ", "；"))
	}
	return out
}

func (t *teller) trigger(d *Definition) errs.Word {
	switch d.Trigger.On {
	case OnSale:
		w := errs.Word{EN: "On each purchase", ZH: "每笔消费"}
		if len(d.Scope.Stores) > 0 {
			var names []errs.Word
			for _, s := range d.Scope.Stores {
				names = append(names, t.stores(s))
			}
			w = both("%s at %s", "%s（门店：%s）", w, join(names, ", ", "、"))
		}
		if len(d.Scope.Channels) > 0 {
			w = both("%s by %s", "%s（渠道：%s）", w, plains(d.Scope.Channels))
		}
		return w
	case OnEvent:
		return both("On each event “%s”", "每次事件“%s”", d.Trigger.Event)
	case OnJoined:
		return errs.Word{EN: "On joining", ZH: "入会时"}
	case OnBirthday:
		if d.Trigger.DaysBefore > 0 {
			return both("%d days before the birthday", "生日前 %d 天", d.Trigger.DaysBefore)
		}
		return errs.Word{EN: "On the birthday", ZH: "生日当天"}
	case OnAnniversary:
		if len(d.Trigger.Years) > 0 {
			var list []string
			for _, y := range d.Trigger.Years {
				list = append(list, strconv.FormatInt(y, 10))
			}
			return both("On the anniversary of joining, in year %s", "入会第 %s 周年当天", plains(list))
		}
		return errs.Word{EN: "On each anniversary of joining", ZH: "每个入会周年当天"}
	case OnTier:
		if d.Trigger.Tier != "" {
			return both("On reaching the tier %s", "达到等级 %s 时", t.tiers(d.Trigger.Tier))
		}
		return errs.Word{EN: "On reaching a tier", ZH: "达到新等级时"}
	case OnProfile:
		return errs.Word{EN: "When the profile is complete", ZH: "资料完善时"}
	}
	return errs.Word{EN: "On each day of the plan", ZH: "计划内的每一天"}
}

var weekdayNames = [...]errs.Word{
	{EN: "Mondays", ZH: "周一"}, {EN: "Tuesdays", ZH: "周二"}, {EN: "Wednesdays", ZH: "周三"}, {EN: "Thursdays", ZH: "周四"},
	{EN: "Fridays", ZH: "周五"}, {EN: "Saturdays", ZH: "周六"}, {EN: "Sundays", ZH: "周日"},
}

func (t *teller) when(v *Valid) (parts []errs.Word) {
	if v.From != "" {
		parts = append(parts, both("from %s", "自 %s 起", clockText(v.From)))
	}
	if v.Until != "" {
		parts = append(parts, both("until %s", "至 %s 止", clockText(v.Until)))
	}
	if len(v.Weekdays) > 0 {
		var list []errs.Word
		for _, w := range v.Weekdays {
			list = append(list, weekdayNames[w-1])
		}
		parts = append(parts, both("on %s", "逢%s", join(list, ", ", "、")))
	}
	if len(v.MonthDays) > 0 {
		var list []errs.Word
		for _, d := range v.MonthDays {
			switch {
			case d == -1:
				list = append(list, errs.Word{EN: "the last", ZH: "最后一天"})
			case d < 0:
				list = append(list, both("the %dth before the last", "倒数第 %[1]d 天", -d-1))
				list[len(list)-1].ZH = fmt.Sprintf("倒数第 %d 天", -d)
			default:
				list = append(list, both("%d", "%d 日", d))
			}
		}
		parts = append(parts, both("on day %s of the month", "每月 %s", join(list, ", ", "、")))
	}
	if len(v.Dates)+len(v.Festivals) > 0 {
		list := []errs.Word{}
		for _, d := range v.Dates {
			list = append(list, same(d))
		}
		for _, f := range v.Festivals {
			name := same(f)
			if i := slices.IndexFunc(festivals(t.words), func(c cond.Choice) bool { return c.Value == f }); i >= 0 {
				name = errs.Word{EN: festivals(t.words)[i].EN, ZH: festivals(t.words)[i].ZH}
			}
			list = append(list, name)
		}
		parts = append(parts, both("on %s", "在 %s", join(list, ", ", "、")))
	}
	if len(v.Hours) > 0 {
		var list []string
		for _, h := range v.Hours {
			list = append(list, h.From+"–"+h.Until)
		}
		parts = append(parts, both("at %s", "%s", plains(list)))
	}
	return parts
}

// clockText writes an instant of a definition, in the zone that it was written in.
func clockText(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.Format("2006-01-02 15:04")
}

// points writes an amount with its currency.
func (t *teller) points(code string, n int64) errs.Word {
	c := t.ledger.ByCode[code]
	if c == nil {
		return same(fmt.Sprintf("%d %s", n, code))
	}
	return errs.Word{EN: c.Format(n) + " " + c.NameEN, ZH: c.Format(n) + " " + c.NameZH}
}

func (t *teller) currencyName(code string) errs.Word {
	if c := t.ledger.ByCode[code]; c != nil {
		return errs.Word{EN: c.NameEN, ZH: c.NameZH}
	}
	return same(code)
}

// sum writes money of the programme.
func (t *teller) sum(n int64) string {
	decimals, err := money.Decimals(t.currency)
	if err != nil || decimals == 0 {
		return fmt.Sprintf("%s %d", t.currency, n)
	}
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	if n%scale == 0 {
		return fmt.Sprintf("%s %d", t.currency, n/scale)
	}
	return fmt.Sprintf("%s %d.%0*d", t.currency, n/scale, decimals, n%scale)
}

func (t *teller) effect(d *Definition) errs.Word {
	e := &d.Effect
	goods := t.goods(&d.Scope)
	switch e.Kind {
	case PerAmount:
		return both("%s for every %s%s", "%[3]s每满 %[2]s 得 %[1]s", t.points(e.Currency, e.Points), t.sum(e.Per), goods)
	case Fixed:
		each := map[string]errs.Word{
			EachLine: {EN: " for each line", ZH: "每行"}, EachPiece: {EN: " for each piece", ZH: "每件"},
		}[e.Each]
		return both("%s%s%s", "%[3]s%[2]s得 %[1]s", t.points(e.Currency, e.Points), each, goods)
	case Multiplier:
		of := errs.Word{EN: "all that was given before", ZH: "此前全部所得"}
		if d.Stack.Base == Initial {
			of = errs.Word{EN: "what was given before without multipliers", ZH: "此前非倍数规则所得"}
		}
		return both("%s × %s%s (of %s)", "%[3]s%[1]s × %[2]s（按%[4]s计算）", t.currencyName(e.Currency), percentText(e.Percent), goods, of)
	case Steps:
		var list []errs.Word
		for _, s := range e.Steps {
			if e.graduated() {
				list = append(list, both("from %s on %s for every %s", "%s 起每满 %[3]s 得 %[2]s", t.sum(s.From), t.points(e.Currency, s.Points), t.sum(s.Per)))
			} else {
				list = append(list, both("from %s %s", "满 %s 得 %s", t.sum(s.From), t.points(e.Currency, s.Points)))
			}
		}
		return both("%s%s", "%[2]s%[1]s", join(list, "; ", "；"), goods)
	case Tag:
		return both("the tag “%s”", "打上标签“%s”", e.Tag)
	}
	return errs.Word{}
}

// goods tells which lines count, with what leads to it; empty where all do.
func (t *teller) goods(s *Scope) errs.Word {
	if s.empty() {
		return errs.Word{}
	}
	var in, out []errs.Word
	for _, l := range []struct {
		list   []string
		en, zh string
		to     *[]errs.Word
	}{
		{s.SKUs, "products %s", "商品 %s", &in}, {s.Categories, "categories %s", "品类 %s", &in}, {s.Brands, "brands %s", "品牌 %s", &in},
		{s.NotSKUs, "products %s", "商品 %s", &out}, {s.NotCategories, "categories %s", "品类 %s", &out}, {s.NotBrands, "brands %s", "品牌 %s", &out},
	} {
		if len(l.list) > 0 {
			*l.to = append(*l.to, both(l.en, l.zh, t.names(l.list)))
		}
	}
	w := errs.Word{EN: "", ZH: "所购商品"}
	if len(in) > 0 {
		w = both(" of %s", "购买%s", join(in, " or ", "或"))
	}
	if len(out) > 0 {
		w = both("%s without %s", "%s（不含%s）", w, join(out, " and ", "及"))
	}
	if s.Line != "" {
		w = both("%s on lines where %s", "%s（行满足：%s）", w, t.words.Say(s.Line, cond.OfLine))
	}
	w.ZH += "，"
	return w
}

// names lists texts, the first ones where there are many.
func (t *teller) names(list []string) errs.Word {
	const shown = 5
	if len(list) <= shown {
		return plains(list)
	}
	return both("%s and %d more", "%s 等 %[3]d 项", plains(list[:shown]), len(list)-shown, len(list))
}

func (t *teller) caps(d *Definition) (list []errs.Word) {
	c := &d.Caps
	for _, l := range []struct {
		n      int64
		en, zh string
	}{
		{c.Sale, "%s a time", "每次 %s"}, {c.Day, "%s a day", "每人每天 %s"}, {c.Week, "%s a week", "每人每周 %s"},
		{c.Month, "%s a month", "每人每月 %s"}, {c.Ever, "%s ever for a member", "每人累计 %s"}, {c.Budget, "%s for all members", "全部会员共 %s"},
	} {
		if l.n > 0 {
			list = append(list, both(l.en, l.zh, t.points(d.Effect.Currency, l.n)))
		}
	}
	for _, l := range []struct {
		n      int64
		en, zh string
	}{
		{c.TimesDay, "%d × a day", "每人每天 %d 次"}, {c.TimesWeek, "%d × a week", "每人每周 %d 次"},
		{c.TimesMonth, "%d × a month", "每人每月 %d 次"}, {c.TimesEver, "%d × ever for a member", "每人累计 %d 次"},
	} {
		if l.n > 0 {
			list = append(list, both(l.en, l.zh, l.n))
		}
	}
	return list
}

func (t *teller) more(d *Definition) (list []errs.Word) {
	e := &d.Effect
	if e.PendingDays > 0 {
		list = append(list, both("Usable after %d days", "%d 天后可用", e.PendingDays))
	}
	if e.ExpiresAfter > 0 {
		list = append(list, both("Ends %d days later", "%d 天后失效", e.ExpiresAfter))
	}
	if e.Carry {
		list = append(list, errs.Word{EN: "Fractions are kept for the next time", ZH: "零头结转下次"})
	}
	if d.Trigger.On == OnSale && (e.Kind == PerAmount || e.Kind == Steps) {
		switch {
		case !e.EarnsOnPoints && !e.EarnsOnCoupons:
			list = append(list, errs.Word{EN: "What is paid with points or coupons does not count", ZH: "积分与卡券支付部分不计"})
		case !e.EarnsOnPoints:
			list = append(list, errs.Word{EN: "What is paid with points does not count", ZH: "积分支付部分不计"})
		case !e.EarnsOnCoupons:
			list = append(list, errs.Word{EN: "What is paid with coupons does not count", ZH: "卡券支付部分不计"})
		}
	}
	return list
}

// teller makes one for the programme as it is now.
func (s *Service) teller(words *cond.Env) *teller {
	snap := s.program.Snapshot()
	return &teller{
		words: words, currency: snap.Settings.Currency, ledger: s.ledger.Config(), tiers: same,
		stores: func(code string) errs.Word {
			if st, ok := snap.StoreByCode(code); ok {
				return errs.Word{EN: st.NameEN, ZH: st.NameZH}
			}
			return same(code)
		},
	}
}
