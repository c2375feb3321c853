package i18n

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// minus is the sign of negative figures: U+2212, as wide as a plus, never the hyphen.
const minus = "−"

// Number writes units of 10^-decimals with groups of three: 1,286.50. All decimals are
// written, so that figures in a column line up.
func Number(units int64, decimals int) string {
	sign, digits := "", strconv.FormatUint(magnitude(units), 10)
	if units < 0 {
		sign = minus
	}
	if pad := decimals + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	whole, frac := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	return b.String()
}

// magnitude is |v|, exact for the smallest int64 too.
func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-(v + 1)) + 1
	}
	return uint64(v)
}

// symbols of the currencies that our users meet. One that two currencies share is given
// to the yuan; the dollar is told apart in Chinese, as there it is a foreign currency.
var symbols = map[string][2]string{ // English, Chinese
	"CNY": {"¥", "¥"}, "USD": {"$", "US$"}, "EUR": {"€", "€"}, "GBP": {"£", "£"}, "JPY": {"JP¥", "JP¥"},
	"HKD": {"HK$", "HK$"}, "TWD": {"NT$", "NT$"}, "MOP": {"MOP$", "MOP$"}, "KRW": {"₩", "₩"}, "SGD": {"S$", "S$"},
	"AUD": {"A$", "A$"}, "CAD": {"C$", "C$"}, "INR": {"₹", "₹"}, "THB": {"฿", "฿"}, "VND": {"₫", "₫"},
}

// Money writes an amount in minor units with its symbol: ¥1,286.50, −¥8.00. A currency
// without a symbol here is written with its code: "CHF 12.00". A code that ISO 4217 does
// not have counts as having two decimals.
func Money(minor int64, currency, lang string) string {
	decimals, err := money.Decimals(currency)
	if err != nil {
		decimals = 2
	}
	figure, negative := strings.CutPrefix(Number(minor, decimals), minus)
	text := currency + " " + figure
	if s, ok := symbols[currency]; ok {
		text = Pick(lang, s[0], s[1]) + figure
	}
	if negative {
		return minus + text
	}
	return text
}

// Points writes units of 10^-decimals points: "2,480 分", "2,480 pts".
func Points(units int64, decimals int, lang string) string {
	return Number(units, decimals) + " " + pointUnit(units, decimals, lang)
}

// PointsChange is Points with the sign always shown, as in a list of what came and went.
func PointsChange(units int64, decimals int, lang string) string {
	if units > 0 {
		return "+" + Points(units, decimals, lang)
	}
	return Points(units, decimals, lang)
}

func pointUnit(units int64, decimals int, lang string) string {
	if IsChinese(lang) {
		return "分"
	}
	if decimals == 0 && (units == 1 || units == -1) {
		return "pt"
	}
	return "pts"
}

// Date writes a day of the calendar in loc: "11月20日", "20 Nov"; with the year where it is
// not the year of now: "2024年3月2日", "2 Mar 2024". A zero now always writes the year.
func Date(t, now time.Time, loc *time.Location, lang string) string {
	t = t.In(loc)
	sameYear := !now.IsZero() && now.In(loc).Year() == t.Year()
	switch {
	case IsChinese(lang) && sameYear:
		return t.Format("1月2日")
	case IsChinese(lang):
		return t.Format("2006年1月2日")
	case sameYear:
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// DateTime writes a moment to the minute in loc: "今天 14:05", "11月20日 18:12",
// "2024年3月2日 18:12"; in English "Today 14:05", "20 Nov, 18:12", "2 Mar 2024, 18:12". A
// text that is read later than it is made passes a zero now, and gets the full date.
func DateTime(t, now time.Time, loc *time.Location, lang string) string {
	hour := t.In(loc).Format("15:04")
	if !now.IsZero() && sameDay(t.In(loc), now.In(loc)) {
		return Pick(lang, "Today ", "今天 ") + hour
	}
	return Date(t, now, loc, lang) + Pick(lang, ", ", " ") + hour
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// spans are the units of a duration, largest first.
var spans = []struct {
	size          time.Duration
	one, many, zh string
}{
	{24 * time.Hour, "day", "days", "天"},
	{time.Hour, "hour", "hours", "小时"},
	{time.Minute, "minute", "minutes", "分钟"},
	{time.Second, "second", "seconds", "秒"},
}

// Duration writes a length of time in its largest unit and, where there is a rest, the
// next smaller one: "2 小时 5 分钟", "2 hours 5 minutes", "7 天". What is left below that is
// cut off, and less than a second is "0 秒".
func Duration(d time.Duration, lang string) string {
	if d < 0 {
		return minus + Duration(-max(d, math.MinInt64+1), lang)
	}
	for i, s := range spans {
		if d < s.size && i < len(spans)-1 {
			continue
		}
		text := span(int64(d/s.size), i, lang)
		if i+1 < len(spans) {
			if rest := int64(d % s.size / spans[i+1].size); rest > 0 {
				text += " " + span(rest, i+1, lang)
			}
		}
		return text
	}
	panic("i18n: no span fits") // the last one always does
}

func span(n int64, unit int, lang string) string {
	s := spans[unit]
	word := s.many
	if n == 1 {
		word = s.one
	}
	return Number(n, 0) + " " + Pick(lang, word, s.zh)
}
