package file

import (
	"strings"
	"unicode"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// The reasons for which a number in a cell is refused.
var (
	ErrNumber     = errs.New(errs.Invalid, "value.number", "“{text}” is not a number.", "“{text}”不是数字。")
	ErrGrouping   = errs.New(errs.Invalid, "value.grouping", "“{text}” can be read in two ways. Write it without thousands separators.", "“{text}”有歧义，请去掉千位分隔符。")
	ErrSymbol     = errs.New(errs.Invalid, "value.symbol", "“{text}” is not in {currency}, the currency of the file.", "“{text}”与文件币种 {currency} 不符。")
	ErrDecimals   = errs.New(errs.Invalid, "value.decimals", "“{text}” has more than {decimals} decimals.", "“{text}”超过 {decimals} 位小数。")
	ErrFar        = errs.New(errs.Invalid, "value.far", "“{text}” is past the limit.", "“{text}”超过上限。")
	ErrMissing    = errs.New(errs.Invalid, "value.missing", "A value is needed here.", "此处必须有值。")
	ErrLineAmount = errs.New(errs.Invalid, "value.line_amount", "Quantity times unit price is past the limit.", "数量乘以单价超过上限。")
)

// priceDecimals bounds the decimals of a unit price. Prices by weight, by the thousand or
// converted from another currency carry more than their currency.
const priceDecimals = 8

// Price is a unit price as the file has it: Units × 10^-Decimals of the currency's main
// unit. 0.001 GBP is {1, 3}. It is never rounded.
type Price struct {
	Units    int64
	Decimals int
}

// Money reads an amount in the minor unit of the file's currency.
func (v *Values) Money(text string) (int64, error) {
	return v.decimal(text, v.decimals)
}

// Quantity reads a quantity with up to three decimals as thousandths.
// A sign of money in it means that columns were mixed up, and is refused.
func (v *Values) Quantity(text string) (int64, error) {
	if !isPlain(text) && strings.ContainsAny(fold(text), "¥£€$₩元円") {
		return 0, ErrNumber.With("text", brief(text))
	}
	return v.decimal(text, 3)
}

// Number reads a number as units of 10^-decimals.
func (v *Values) Number(text string, decimals int) (int64, error) {
	return v.decimal(text, decimals)
}

// Price reads a unit price with as many decimals as it has, up to eight.
func (v *Values) Price(text string) (Price, error) {
	plain, err := v.plain(text)
	if err != nil {
		return Price{}, err
	}
	_, frac, _ := strings.Cut(plain, ".")
	p := Price{Decimals: max(len(strings.TrimRight(frac, "0")), v.decimals)}
	if p.Decimals > priceDecimals {
		return Price{}, ErrDecimals.With("text", brief(text), "decimals", priceDecimals)
	}
	p.Units, err = parse(text, plain, p.Decimals)
	return p, err
}

// LineAmount returns quantity × unit price in the minor unit of the currency: multiplied
// exactly, then rounded once, half up (0.5 of a penny becomes a penny, away from zero for
// either sign). Rounding by line is what tills print; the sum of a document is the sum of
// its rounded lines.
func (v *Values) LineAmount(p Price, quantityMilli int64) (int64, error) {
	a, b, sign := p.Units, quantityMilli, int64(1)
	if a < 0 {
		a, sign = -a, -sign
	}
	if b < 0 {
		b, sign = -b, -sign
	}
	// p.Decimals ≥ v.decimals (Price sees to it), so the exponent is at least 3.
	amount, ok := money.MulDiv(a, b, pow10(p.Decimals+3-v.decimals), money.HalfUp)
	if !ok {
		return 0, ErrLineAmount
	}
	return sign * amount, nil
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

func (v *Values) decimal(text string, decimals int) (int64, error) {
	plain, err := v.plain(text)
	if err != nil {
		return 0, err
	}
	return parse(text, plain, decimals)
}

// parse is money.Parse with errors that show what stood in the cell.
func parse(text, plain string, decimals int) (int64, error) {
	n, err := money.Parse(plain, decimals)
	if err == nil {
		return n, nil
	}
	if money.ErrTooBig.Is(errs.As(err)) {
		return 0, ErrFar.With("text", brief(text))
	}
	if _, frac, _ := strings.Cut(plain, "."); len(frac) > decimals && digits(frac) {
		return 0, ErrDecimals.With("text", brief(text), "decimals", decimals)
	}
	return 0, ErrNumber.With("text", brief(text))
}

// plain turns the text of a cell into a plain decimal number: digits, at most one point,
// at most one minus. Most cells are one already and are returned as they are.
func (v *Values) plain(text string) (string, error) {
	if isPlain(text) {
		if v.Spreadsheet {
			return denoise(text), nil
		}
		if v.DecimalComma && dotGroup(text) {
			return "", ErrGrouping.With("text", brief(text))
		}
		return text, nil
	}
	s := strings.TrimSpace(fold(text))
	if s == "" {
		return "", ErrMissing
	}
	if v.Spreadsheet {
		s = denoise(s)
	}
	s, negative := unsigned(s)
	s, ok := v.withoutSymbol(s)
	if !ok {
		return "", ErrSymbol.With("text", brief(text), "currency", v.Currency)
	}
	if !negative { // "£-5" has its sign behind the symbol
		s, negative = unsigned(s)
	}
	s, err := v.ungroup(s)
	if err != nil {
		return "", err.With("text", brief(text))
	}
	if s == "" || strings.ContainsAny(s, "-+") {
		return "", ErrNumber.With("text", brief(text))
	}
	if negative {
		s = "-" + s
	}
	return s, nil
}

// isPlain reports whether a cell is a plain decimal number as it stands.
func isPlain(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, frac, dot := strings.Cut(s, ".")
	return digits(whole) && (!dot || digits(frac))
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// unsigned takes a sign from the front, or the parentheses that bookkeepers write around
// what is negative.
func unsigned(s string) (rest string, negative bool) {
	switch {
	case strings.HasPrefix(s, "-"):
		return strings.TrimSpace(s[1:]), true
	case strings.HasPrefix(s, "+"):
		return strings.TrimSpace(s[1:]), false
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		return strings.TrimSpace(s[1 : len(s)-1]), true
	}
	return s, false
}

// symbols of currencies, and which currencies they may stand for.
var symbols = []struct{ sign, currencies string }{
	{"¥", "CNY JPY"}, {"元", "CNY"}, {"£", "GBP"}, {"€", "EUR"},
	{"$", "USD CAD AUD NZD HKD SGD TWD MXN"}, {"円", "JPY"}, {"₩", "KRW"},
}

// withoutSymbol cuts the sign or the code of a currency from either end. It gives false
// where the sign is of another currency than the file's.
func (v *Values) withoutSymbol(s string) (string, bool) {
	for _, end := range []func(string, string) (string, bool){strings.CutPrefix, strings.CutSuffix} {
		if rest, ok := end(s, v.Currency); ok && v.Currency != "" {
			return strings.TrimSpace(rest), true
		}
		for _, y := range symbols {
			if rest, ok := end(s, y.sign); ok {
				return strings.TrimSpace(rest), v.Currency == "" || strings.Contains(y.currencies, v.Currency)
			}
		}
	}
	return s, true
}

// ungroup takes thousands separators away and makes the decimal mark a point.
//
// Without DecimalComma, "1,234.5" has a comma between thousands; "12,50" is refused. With
// it (a file whose cells are separated by semicolons), "1.234,5" has a point between
// thousands, "12,50" a decimal comma, "12.50" a decimal point, and "1.234" is refused,
// because it might be either.
func (v *Values) ungroup(s string) (string, *errs.Error) {
	group, mark := ",", "."
	if v.DecimalComma {
		if group, mark = ".", ","; !strings.Contains(s, ",") {
			if dotGroup(s) {
				return "", ErrGrouping
			}
			group, mark = ",", "."
		}
	}
	whole, frac, hasMark := strings.Cut(s, mark)
	whole = strings.ReplaceAll(whole, " ", group) // the French and SI way
	parts := strings.Split(whole, group)
	for i, p := range parts {
		if len(parts) > 1 && (len(p) > 3 || i > 0 && len(p) != 3 || p == "") {
			return "", ErrGrouping
		}
		if p != "" && !digits(p) {
			return "", ErrNumber
		}
	}
	whole = strings.Join(parts, "")
	if hasMark {
		whole += "." + frac
	}
	return whole, nil
}

// dotGroup reports whether a number has one point with exactly three digits behind it:
// where the comma is the decimal mark, that is a thousand as likely as a fraction.
func dotGroup(s string) bool {
	_, frac, ok := strings.Cut(s, ".")
	return ok && len(frac) == 3
}

// fold turns full-width forms into plain ones: digits, letters, signs and the space of
// Chinese input, several minus signs, and the spaces that typesetting puts in numbers.
func fold(s string) string {
	if ascii(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == '￥':
			return '¥'
		case r == '￡':
			return '£'
		case r == '−' || r == '–':
			return '-'
		case r == '。':
			return '.'
		case r == '，':
			return ','
		case unicode.Is(unicode.Zs, r):
			return ' '
		case r == '\u200b' || r == '\u2060' || r == '\ufeff':
			return -1
		}
		return r
	}, s)
}

// brief is what is shown of a cell in an error: its beginning.
func brief(text string) string {
	const most = 40
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i] + "…"
		}
	}
	return text
}
