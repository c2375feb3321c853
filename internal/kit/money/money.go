// Package money holds amounts as integers of the smallest unit and does the arithmetic
// that must not overflow or lose a remainder.
package money

import (
	"math"
	"math/bits"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Max bounds every amount of money and points in the program: far above any real one,
// far enough under the limits of int64 that sums of a million of them stay exact.
const Max = int64(1_000_000_000_000) // 10 billion yuan

var (
	// ErrTooBig refuses an amount past Max, or a sum that would pass it.
	ErrTooBig = errs.New(errs.Invalid, "money.too_big", "This amount is past the limit of 10,000,000,000.00.", "金额超过上限 10,000,000,000.00。")
	// ErrCurrency refuses a currency code that is not in ISO 4217.
	ErrCurrency = errs.New(errs.Invalid, "money.currency", "{code} is not a currency code of ISO 4217.", "{code} 不是 ISO 4217 货币代码。")
	// ErrNumber refuses text that is no decimal number of the currency.
	ErrNumber = errs.New(errs.Invalid, "money.number", "This is not an amount: digits with up to {decimals} decimals are.", "这不是金额：应为最多 {decimals} 位小数的数字。")
)

// Money is an amount in the minor unit of a currency.
type Money struct {
	Amount   int64  `json:"amount" doc:"In the smallest unit of the currency, as fen or cents."`
	Currency string `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code." example:"CNY"`
}

// Add returns a + b, and false where either side or the sum passes Max in size.
func Add(a, b int64) (int64, bool) {
	if a > Max || a < -Max || b > Max || b < -Max {
		return 0, false
	}
	s := a + b // cannot overflow: both are far under the limits of int64
	return s, s <= Max && s >= -Max
}

// Rounding says what becomes of a fraction.
type Rounding string

// The rounding modes.
const (
	Floor    Rounding = "floor"     // towards zero for the non-negative amounts that we round
	HalfUp   Rounding = "half_up"   // 0.5 goes up
	HalfEven Rounding = "half_even" // 0.5 goes to the even neighbour
	Ceil     Rounding = "ceil"      // up
)

// Valid reports whether r is one of the modes.
func (r Rounding) Valid() bool { return r == Floor || r == HalfUp || r == HalfEven || r == Ceil }

// MulDiv returns a × b ÷ c rounded once, computed exactly in 128 bits. a and b are not
// negative and c is positive; anything else is a programmer's error and panics. It gives
// false where the quotient passes Max.
func MulDiv(a, b, c int64, r Rounding) (int64, bool) {
	if a < 0 || b < 0 || c <= 0 {
		panic("money: MulDiv of a negative")
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	q, rem := bits.Div64(hi, lo, uint64(c))
	if roundsUp(q, rem, uint64(c), r) {
		q++
	}
	if q > uint64(Max) {
		return 0, false
	}
	return int64(q), true
}

func roundsUp(q, rem, c uint64, r Rounding) bool {
	if rem == 0 {
		return false
	}
	switch r {
	case Floor:
		return false
	case Ceil:
		return true
	case HalfUp:
		return rem >= c-rem
	case HalfEven:
		return rem > c-rem || rem == c-rem && q%2 == 1
	}
	panic("money: unknown rounding " + string(r))
}

// Split shares total out by weights so that the shares add up to it exactly: each gets
// its floor, and what is left goes one unit each to the largest remainders, the earlier
// first among equals. All-zero weights share evenly. Nothing is negative.
func Split(total int64, weights []int64) []int64 {
	if len(weights) == 0 {
		return nil
	}
	shares := make([]int64, len(weights))
	SplitInto(shares, make([]uint64, len(weights)), total, weights)
	return shares
}

// SplitInto is Split into slices of the caller, for whoever splits thousands of times a
// request. shares and rems are as long as weights; shares may be weights itself.
func SplitInto(shares []int64, rems []uint64, total int64, weights []int64) {
	var sum uint64
	for _, w := range weights {
		if w < 0 || total < 0 {
			panic("money: Split of a negative")
		}
		sum += uint64(w)
	}
	if sum > math.MaxInt64 {
		panic("money: Split of weights past the limit")
	}
	even := sum == 0
	if even {
		sum = uint64(len(weights))
	}
	left := total
	for i, w := range weights {
		if even {
			w = 1
		}
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, rem := bits.Div64(hi, lo, sum) // hi < sum because w <= sum and total < 2^63
		shares[i], rems[i] = int64(q), rem
		left -= int64(q)
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rems {
			if rems[i] > rems[best] {
				best = i
			}
		}
		shares[best]++
		rems[best] = 0
	}
}

// decimals of the currencies of ISO 4217 whose minor unit is not a hundredth.
var unusual = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3, "CLF": 4, "UYW": 4,
}

const usual = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG "

// Decimals returns how many decimals a currency has, or ErrCurrency.
func Decimals(currency string) (int, error) {
	if d, ok := unusual[currency]; ok {
		return d, nil
	}
	if len(currency) == 3 && strings.Contains(usual, " "+currency+" ") {
		return 2, nil
	}
	return 0, ErrCurrency.With("code", currency)
}

// Parse reads a plain decimal number ("-12.5", "1000") as units of 10^-decimals. More
// decimals are taken only where they are zeros.
func Parse(text string, decimals int) (int64, error) {
	bad := ErrNumber.With("decimals", decimals)
	s, negative := strings.CutPrefix(text, "-")
	whole, frac, dot := strings.Cut(s, ".")
	if whole == "" && frac == "" || dot && frac == "" {
		return 0, bad
	}
	for len(frac) > decimals {
		if frac[len(frac)-1] != '0' {
			return 0, bad
		}
		frac = frac[:len(frac)-1]
	}
	frac += strings.Repeat("0", decimals-len(frac))
	var v int64
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return 0, bad
		}
		if v > Max {
			return 0, ErrTooBig
		}
		v = v*10 + int64(c-'0')
	}
	if v > Max {
		return 0, ErrTooBig
	}
	if negative {
		v = -v
	}
	return v, nil
}
