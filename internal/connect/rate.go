package connect

import (
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// ErrRate refuses a rate that is no number.
var ErrRate = errs.New(errs.Invalid, "import.rate", "A rate is CURRENCY=NUMBER, as USD=7.1.", "汇率写作 货币=数值，例如 USD=7.1。")

// ParseRates reads what one unit of each currency is worth in the programme's, in
// millionths.
func ParseRates(texts map[string]string) (map[string]int64, error) {
	out := map[string]int64{}
	for code, text := range texts {
		n, err := money.Parse(text, program.RateDecimals)
		if _, derr := money.Decimals(code); err != nil || derr != nil || n <= 0 {
			return nil, ErrRate
		}
		out[code] = n
	}
	return out, nil
}
