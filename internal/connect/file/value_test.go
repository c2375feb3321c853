package file

import (
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

func values(t testing.TB, currency string) *Values {
	t.Helper()
	v, err := NewValues(nil, currency, time.FixedZone("CST", 8*3600))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		currency, text string
		comma          bool
		want           int64
		err            *errs.Error
	}{
		{"CNY", "12.5", false, 1250, nil},
		{"CNY", " 12.50 ", false, 1250, nil},
		{"CNY", "-12.5", false, -1250, nil},
		{"CNY", "−12.5", false, -1250, nil},
		{"CNY", "(12.50)", false, -1250, nil},
		{"CNY", "+12.5", false, 1250, nil},
		{"CNY", ".5", false, 50, nil},
		{"CNY", "1,234.50", false, 123450, nil},
		{"CNY", "1,234", false, 123400, nil},
		{"CNY", "1 234 567.8", false, 123456780, nil},
		{"CNY", "1,234,567", false, 123456700, nil},
		{"CNY", "12,34", false, 0, ErrGrouping},
		{"CNY", "1,2345", false, 0, ErrGrouping},
		{"CNY", ",123", false, 0, ErrGrouping},
		{"CNY", "1234,567", false, 0, ErrGrouping},
		{"CNY", "¥12.5", false, 1250, nil},
		{"CNY", "￥１２．５０", false, 1250, nil},
		{"CNY", "-￥1,200", false, -120000, nil},
		{"CNY", "￥-1,200", false, -120000, nil},
		{"CNY", "12.5元", false, 1250, nil},
		{"CNY", "CNY 12.5", false, 1250, nil},
		{"CNY", "$12.5", false, 0, ErrSymbol},
		{"CNY", "£12.5", false, 0, ErrSymbol},
		{"GBP", "£12.5", false, 1250, nil},
		{"USD", "$1,000.00", false, 100000, nil},
		{"EUR", "12,50 €", true, 1250, nil},
		{"EUR", "1.234,50", true, 123450, nil},
		{"EUR", "12,5", true, 1250, nil},
		{"EUR", "12.50", true, 1250, nil},
		{"EUR", "1.200", true, 0, ErrGrouping},
		{"JPY", "1,200", false, 1200, nil},
		{"JPY", "1200.5", false, 0, ErrDecimals},
		{"CNY", "12.505", false, 0, ErrDecimals},
		{"CNY", "12.500", false, 1250, nil},
		{"CNY", "", false, 0, ErrMissing},
		{"CNY", "-", false, 0, ErrNumber},
		{"CNY", "--1", false, 0, ErrNumber},
		{"CNY", "1e3", false, 0, ErrNumber},
		{"CNY", "NaN", false, 0, ErrNumber},
		{"CNY", "twelve", false, 0, ErrNumber},
		{"CNY", "99999999999", false, 0, ErrFar},
	} {
		v := values(t, tt.currency)
		v.DecimalComma = tt.comma
		got, err := v.Money(tt.text)
		if got != tt.want || tt.err == nil && err != nil || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s %q = %d, %v; want %d, %v", tt.currency, tt.text, got, err, tt.want, tt.err)
		}
	}
	v := values(t, "CNY")
	v.Spreadsheet = true
	for text, want := range map[string]int64{"2.5499999999999998": 255, "1.2E3": 120000, "9.9999999999999995E-2": 10, "12": 1200} {
		if got, err := v.Money(text); err != nil || got != want {
			t.Errorf("in a workbook %q = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	v := values(t, "CNY")
	for _, tt := range []struct {
		text string
		want int64
		err  *errs.Error
	}{
		{"6", 6000, nil}, {"0.125", 125, nil}, {"-3", -3000, nil}, {"１２", 12000, nil}, {"1,000", 1000000, nil},
		{"0", 0, nil}, {"0.0005", 0, ErrDecimals}, {"6 pcs", 0, ErrNumber}, {"￥6", 0, ErrNumber}, {"", 0, ErrMissing},
	} {
		if got, err := v.Quantity(tt.text); got != tt.want || tt.err == nil && err != nil || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%q = %d, %v; want %d, %v", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func TestLineAmount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		currency, price, quantity string
		want                      int64
		err                       *errs.Error
	}{
		{"GBP", "2.55", "6", 1530, nil},
		{"GBP", "0.001", "1", 0, nil},     // a tenth of a penny
		{"GBP", "0.001", "5", 1, nil},     // half a penny: up
		{"GBP", "0.001", "4.999", 0, nil}, // just under
		{"GBP", "0.005", "-1", -1, nil},   // away from zero for either sign
		{"JPY", "0.5", "1", 1, nil},
		{"KWD", "1.2345", "1", 1235, nil},
		{"CNY", "39.8", "0.235", 935, nil}, // 9.353
		{"CNY", "0", "7", 0, nil},
		{"CNY", "0.123456789", "1", 0, ErrDecimals},
		{"CNY", "9999999999", "9999999", 0, ErrLineAmount},
	} {
		v := values(t, tt.currency)
		q, err := v.Quantity(tt.quantity)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Price(tt.price)
		var got int64
		if err == nil {
			got, err = v.LineAmount(p, q)
		}
		if got != tt.want || tt.err == nil && err != nil || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s %s × %s = %d, %v; want %d, %v", tt.currency, tt.price, tt.quantity, got, err, tt.want, tt.err)
		}
	}
}

// The amount of a line is the exact product, rounded once: the same in big rationals.
func TestLineAmountIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"JPY", "CNY", "KWD"}).Draw(t, "currency")
		decimals := map[string]int{"JPY": 0, "CNY": 2, "KWD": 3}[currency]
		frac := rapid.IntRange(0, 8).Draw(t, "frac")
		text := fmt.Sprint(rapid.Int64Range(0, 9_999).Draw(t, "whole"))
		if frac > 0 {
			text += fmt.Sprintf(".%0*d", frac, rapid.Int64Range(0, pow10(frac)-1).Draw(t, "part"))
		}
		milli := rapid.Int64Range(1, 200_000).Draw(t, "quantity")
		v, err := NewValues(nil, currency, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Price(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.LineAmount(p, milli)
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := new(big.Rat).SetString(text)
		exact.Mul(exact, big.NewRat(milli, 1000))
		exact.Mul(exact, new(big.Rat).SetInt64(pow10(decimals)))
		exact.Add(exact, big.NewRat(1, 2)) // half up is the floor of that
		want := new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
		if got != want {
			t.Fatalf("%s %s × %d/1000 = %d, want %d", currency, text, milli, got, want)
		}
	})
}

func TestTime(t *testing.T) {
	t.Parallel()
	day := "2026-03-01T00:00:00+08:00"
	clock := "2026-03-01T15:04:05+08:00"
	for _, tt := range []struct {
		text, want string
		order      DateOrder
		err        *errs.Error
	}{
		{"2026-03-01", day, "", nil},
		{"2026/3/1", day, "", nil},
		{"2026.03.01", day, "", nil},
		{"20260301", day, "", nil},
		{"2026年3月1日", day, "", nil},
		{"２０２６年３月１日", day, "", nil},
		{"46082", day, "", nil},
		{"2026-03-01 15:04:05", clock, "", nil},
		{"2026-03-01T15:04:05", clock, "", nil},
		{"2026/3/1 15:04:05", clock, "", nil},
		{"2026年3月1日 15:04:05", clock, "", nil},
		{"20260301 15:04:05", clock, "", nil},
		{"46082.627835648149", clock, "", nil},
		{"2026-03-01 15:04", "2026-03-01T15:04:00+08:00", "", nil},
		{"2026-03-01 9:04", "2026-03-01T09:04:00+08:00", "", nil},
		{"2026-03-01T15:04:05Z", "2026-03-01T15:04:05Z", "", nil},
		{"2026-03-01T15:04:05.25+09:30", "2026-03-01T15:04:05.25+09:30", "", nil},
		{"2026-03-01 15:04:05 +0800", clock, "", nil},
		{"1/3/2026", day, DayFirst, nil},
		{"3/1/2026 15:04:05", clock, MonthDay, nil},
		{"3/1/2026", "", "", ErrTimeOrder},
		{"31/1/2026", "", MonthDay, ErrTime},
		{"2024-02-29", "2024-02-29T00:00:00+08:00", "", nil},
		{"2026-02-29", "", "", ErrTime},
		{"2026-13-01", "", "", ErrTime},
		{"2026-03-01 24:00", "", "", ErrTime},
		{"2026-03-01 15:04:05 CST", "", "", ErrTime},
		{"2026-03/01", "", "", ErrTime},
		{"2026", "", "", ErrTime},
		{"yesterday", "", "", ErrTime},
		{"", "", "", ErrMissing},
		{"1066-10-14", "", "", ErrTimeRange},
		{"2026年3月", "", "", ErrTime},
	} {
		v := values(t, "CNY")
		v.Order = tt.order
		got, err := v.Time(tt.text)
		if tt.err != nil {
			if !errors.Is(err, tt.err) {
				t.Errorf("%q: %v, %v; want %v", tt.text, got, err, tt.err)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339Nano) != tt.want {
			t.Errorf("%q = %s, %v; want %s", tt.text, got.Format(time.RFC3339Nano), err, tt.want)
		}
	}
	v := values(t, "CNY")
	v.Epoch1904 = true
	if got, err := v.Date("44620"); err != nil || got != "2026-03-01" {
		t.Errorf("day 44620 from 1904 is %s, %v", got, err)
	}
}

// What package time writes in the usual layouts is read back as the same instant.
func TestTimeAgreesWithPackageTime(t *testing.T) {
	t.Parallel()
	v := values(t, "CNY")
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(-2_000_000_000, 7_000_000_000).Draw(t, "second"), 0).In(v.Location)
		layout := rapid.SampledFrom([]string{time.RFC3339, time.DateTime, "2006/1/2 15:04:05", "2006年1月2日 15:04:05", "20060102 15:04:05"}).Draw(t, "layout")
		got, err := v.Time(want.Format(layout))
		if err != nil || !got.Equal(want) {
			t.Fatalf("%q is %v, %v", want.Format(layout), got, err)
		}
	})
}

// FuzzValues: no cell makes the readers of values panic.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{"1,2.3", "(", "()", "￥", "-", "1e999", "2026年1月", "2026-", "12345.", "$$", "３０"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range []*Values{values(t, "CNY"), {Currency: "JPY", Location: time.UTC, DecimalComma: true, Order: DayFirst}, {Currency: "GBP", decimals: 2, Location: time.UTC, Spreadsheet: true}} {
			_, e1 := v.Money(text)
			_, e2 := v.Quantity(text)
			_, e3 := v.Price(text)
			_, e4 := v.Time(text)
			for _, err := range []error{e1, e2, e3, e4} {
				if err != nil && errs.As(err) == nil {
					t.Fatalf("%q: refused without a reason: %v", text, err)
				}
			}
		}
	})
}
