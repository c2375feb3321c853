package program

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// RateOne is the rate of a currency to itself: rates are counted in millionths.
const RateOne = 1_000_000

// RateDecimals is how many decimals a written rate has.
const RateDecimals = 6

// Rate says what one unit of a currency was worth on a day.
type Rate struct {
	Currency   string // ISO 4217; not the programme's own
	Day        Day
	Millionths int64 // of one unit of the programme's currency; 1 to 10^12
}

// MaxRates bounds what SetRates takes at once: its transaction stays short.
const MaxRates = 1000

const maxRate = 1_000_000 * RateOne

var (
	// ErrRate refuses a rate out of range.
	ErrRate = errs.New(errs.Invalid, "program.rate", "A rate is a number above 0, up to 1,000,000, with up to 6 decimals.", "汇率应大于 0，不超过 1,000,000，最多 6 位小数。")
	// ErrOwnRate refuses a rate of the programme's currency to itself.
	ErrOwnRate = errs.New(errs.Invalid, "program.own_rate", "{currency} is the currency of the programme; its rate is 1.", "{currency} 是计划本位币，其汇率固定为 1。")
	// ErrManyRates refuses too long a list.
	ErrManyRates = errs.New(errs.Invalid, "program.many_rates", "Between 1 and {most} rates may be set at once.", "一次可设置 1 至 {most} 个汇率。")
)

// rateBook holds the rates that were asked for, by currency. A change of any rate starts
// a new book. Twenty years of thirty currencies take about 10 MB.
type rateBook struct {
	byCurrency sync.Map // currency string → map[Day]int64, never written after it is put in
}

// Rate returns what one unit of a currency was worth on a day, in millionths of a unit
// of the programme's currency, and false where nobody has said so. There is no falling
// back to another day: points are not earned on a guess.
func (s *Service) Rate(ctx context.Context, currency string, day Day) (int64, bool, error) {
	if currency == s.Snapshot().Settings.Currency {
		return RateOne, true, nil
	}
	if _, err := money.Decimals(currency); err != nil {
		return 0, false, err
	}
	book := s.rates.Load()
	if days, ok := book.byCurrency.Load(currency); ok {
		rate, ok := days.(map[Day]int64)[day]
		return rate, ok, nil
	}
	var days map[Day]int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		days, err = readRates(ctx, tx, currency)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("rates of %s: %w", currency, err)
	}
	book.byCurrency.Store(currency, days)
	rate, ok := days[day]
	return rate, ok, nil
}

// SetRates writes rates; a day that has one already gets the new one. All or none.
func (s *Service) SetRates(ctx context.Context, rates []Rate) error {
	if err := wholeProgram(ctx); err != nil {
		return err
	}
	if len(rates) == 0 || len(rates) > MaxRates {
		return ErrManyRates.With("most", MaxRates).At("body.rates")
	}
	own := s.Snapshot().Settings.Currency
	for i, r := range rates {
		if err := r.check(own); err != nil {
			return err.At(fmt.Sprintf("body.rates[%d]", i))
		}
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := raiseRatesVersion(ctx, tx, s.clock.Now()); err != nil {
			return err
		}
		for _, r := range rates {
			if err := upsertRate(ctx, tx, r); err != nil {
				return err
			}
		}
		return s.audit.Record(ctx, tx, "program.rates", "program", nil, describe(rates))
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

func (r Rate) check(own string) *errs.Error {
	if _, err := money.Decimals(r.Currency); err != nil {
		return errs.As(err)
	}
	if r.Currency == own {
		return ErrOwnRate.With("currency", own)
	}
	if r.Day < 0 {
		return ErrDay
	}
	if r.Millionths < 1 || r.Millionths > maxRate {
		return ErrRate
	}
	return nil
}

// RatesBefore reads up to n rates of a currency, latest day first, after a cursor.
func (s *Service) RatesBefore(ctx context.Context, currency, cursor string, n int) ([]Rate, error) {
	before, err := api.DecodeCursor(cursor, 1)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = []int64{math.MaxInt32}
	}
	var list []Rate
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = readRatesPage(ctx, tx, currency, before[0], n)
		return err
	})
	return list, err
}

// formatRate writes millionths as a decimal number without needless zeros: "7.1".
func formatRate(millionths int64) string {
	text := fmt.Sprintf("%d.%06d", millionths/RateOne, millionths%RateOne)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// describe writes rates for the audit trail: "USD 2026-03-01" → millionths.
func describe(rates []Rate) map[string]int64 {
	out := make(map[string]int64, len(rates))
	for _, r := range rates {
		out[r.Currency+" "+r.Day.String()] = r.Millionths
	}
	return out
}

// Convert returns an amount of a foreign currency in the programme's, both in their
// minor units, rounded half to even; false where it passes money.Max. The amount is not
// negative, the currencies are known.
func Convert(amount int64, from, to string, rate int64) (int64, bool) {
	if from == to {
		return amount, amount <= money.Max
	}
	// amount / 10^df × rate / 10^6 × 10^dt; the factors stay under 10^16 and 10^10.
	return money.MulDiv(amount, rate*power(to), RateOne*power(from), money.HalfEven)
}

func power(currency string) int64 {
	n, err := money.Decimals(currency)
	if err != nil {
		panic("program: " + err.Error())
	}
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
