package file

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// The reasons for which a time in a cell is refused.
var (
	ErrTime      = errs.New(errs.Invalid, "value.time", "“{text}” is not a time: 2026-03-01, 2026-03-01 15:04:05, 2026/3/1, 2026年3月1日 and RFC 3339 are.", "“{text}”不是时间，应为 2026-03-01、2026-03-01 15:04:05、2026/3/1、2026年3月1日 或 RFC 3339 格式。")
	ErrTimeOrder = errs.New(errs.Invalid, "value.time_order", "“{text}” does not say which part is the day and which the month. Say in which order the dates are: dmy or mdy.", "“{text}”分不清日和月，请指明日期顺序：dmy（日在前）或 mdy（月在前）。")
	ErrTimeRange = errs.New(errs.Invalid, "value.time_range", "“{text}” is not between the years 1900 and 2199.", "“{text}”不在 1900 年至 2199 年之间。")
)

// DateOrder says how dates like 3/4/2026 are to be read.
type DateOrder string

// The orders. There is no default between them: half of the world is wrong with either.
const (
	OrderNone DateOrder = ""
	DayFirst  DateOrder = "dmy"
	MonthDay  DateOrder = "mdy"
)

// Values turns the text of cells into values. Its fields are the conventions of one file.
type Values struct {
	Currency     string         // ISO 4217, of all amounts
	Location     *time.Location // of times that name no zone
	DecimalComma bool           // "1.234,50" is a number
	Spreadsheet  bool           // numbers carry the noise of floating point
	Epoch1904    bool           // days of a workbook count from 1904
	Order        DateOrder
	decimals     int
}

// NewValues makes the conventions of a file that r reads, in a currency and a zone.
func NewValues(r *Reader, currency string, loc *time.Location) (*Values, error) {
	v := &Values{Currency: currency, Location: loc}
	if r != nil {
		v.DecimalComma, v.Spreadsheet, v.Epoch1904 = r.Comma == ';', r.Spreadsheet, r.Epoch1904
	}
	var err error
	v.decimals, err = money.Decimals(currency)
	return v, err
}

// Time reads a time. Without a zone it is in v.Location, without a time of day it is the
// beginning of the day. A number of five digits is a day of a workbook.
func (v *Values) Time(text string) (time.Time, error) {
	s := strings.TrimSpace(fold(text))
	if s == "" {
		return time.Time{}, ErrMissing
	}
	t, ok := v.shaped(s)
	if !ok {
		t, ok = v.serial(s)
	}
	if !ok && slashed(s) {
		if v.Order == OrderNone {
			return time.Time{}, ErrTimeOrder.With("text", brief(text))
		}
		t, ok = v.slashed(s)
	}
	if !ok {
		return time.Time{}, ErrTime.With("text", brief(text))
	}
	if y := t.Year(); y < 1900 || y > 2199 {
		return time.Time{}, ErrTimeRange.With("text", brief(text))
	}
	return t, nil
}

// Date reads a day, as of a birthday, and returns it as 2006-01-02. A time of day behind
// it is dropped, as exports of databases write midnight.
func (v *Values) Date(text string) (string, error) {
	t, err := v.Time(text)
	if err != nil {
		return "", err
	}
	return t.Format(time.DateOnly), nil
}

// shaped reads year-month-day in digits, with any of the usual marks between, a time of
// day with or without seconds and fractions, and a zone. It is written out because
// trying layouts of package time one after another took half of the time of an import.
func (v *Values) shaped(s string) (time.Time, bool) {
	var part [7]int // year, month, day, hour, minute, second, nanosecond
	rest, ok := takeDate(s, part[:3])
	if !ok {
		return time.Time{}, false
	}
	zone := v.Location
	if rest != "" {
		if rest, ok = takeClock(rest, part[3:]); !ok {
			return time.Time{}, false
		}
		if zone, ok = zoneOf(rest, v.Location); !ok {
			return time.Time{}, false
		}
	}
	return build(part, zone)
}

// build refuses days and hours that no calendar has, which time.Date would carry over.
func build(p [7]int, zone *time.Location) (time.Time, bool) {
	if p[1] < 1 || p[1] > 12 || p[2] < 1 || p[3] > 23 || p[4] > 59 || p[5] > 59 {
		return time.Time{}, false
	}
	if p[2] > time.Date(p[0], time.Month(p[1])+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return time.Time{}, false
	}
	return time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], p[6], zone), true
}

// takeDate reads 2006-01-02, 2006/1/2, 2006.1.2, 2006年1月2日 or 20060102.
func takeDate(s string, part []int) (rest string, ok bool) {
	year, rest, n := number(s)
	if n == 8 {
		part[0], part[1], part[2] = year/10000, year/100%100, year%100
		return rest, true
	}
	if n != 4 || rest == "" {
		return "", false
	}
	part[0] = year
	mark := rest[:1]
	chinese := strings.HasPrefix(rest, "年")
	marks := []string{mark, mark, ""}
	if chinese {
		marks = []string{"年", "月", "日"}
	} else if !strings.Contains("-/.", mark) {
		return "", false
	}
	for i := 1; i <= 2; i++ {
		if rest, ok = strings.CutPrefix(rest, marks[i-1]); !ok {
			return "", false
		}
		if part[i], rest, n = number(rest); n < 1 || n > 2 {
			return "", false
		}
	}
	return strings.CutPrefix(rest, marks[2])
}

// takeClock reads 15:04, 15:04:05 or 15:04:05.999, behind spaces or a T.
func takeClock(s string, part []int) (rest string, ok bool) {
	var n int
	s = strings.TrimPrefix(strings.TrimLeft(s, " "), "T")
	if part[0], rest, n = number(s); n < 1 || n > 2 {
		return "", false
	}
	if rest, ok = strings.CutPrefix(rest, ":"); !ok {
		return "", false
	}
	if part[1], rest, n = number(rest); n != 2 {
		return "", false
	}
	after, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return rest, true
	}
	if part[2], rest, n = number(after); n != 2 {
		return "", false
	}
	if after, ok = strings.CutPrefix(rest, "."); ok {
		frac, left, n := number(after)
		if n < 1 || n > 9 {
			return "", false
		}
		part[3], rest = frac*int(pow10(9-n)), left
	}
	return rest, true
}

// number reads the digits at the beginning of s, up to nine.
func number(s string) (value int, rest string, n int) {
	for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
		value = value*10 + int(s[n]-'0')
		n++
	}
	return value, s[n:], n
}

// zoneOf reads Z, +08:00 or +0800 behind a time, or nothing.
func zoneOf(s string, otherwise *time.Location) (*time.Location, bool) {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return otherwise, true
	case "Z", "UTC":
		return time.UTC, true
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Location(), true
		}
	}
	return nil, false
}

// serial reads a number of days as workbooks store dates: day 1 is 1900-01-01, and a day
// that never was, 1900-02-29, counts too, so that from 1900-03-01 on days count from
// 1899-12-30. Only five digits are taken (1927 to 2173): fewer could be a year.
func (v *Values) serial(s string) (time.Time, bool) {
	whole, _, _ := strings.Cut(s, ".")
	if len(whole) != 5 || !isPlain(s) {
		return time.Time{}, false
	}
	days, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return time.Time{}, false
	}
	if v.Epoch1904 {
		days += 1462
	}
	whole64, frac := math.Modf(days)
	// A day is 86,400 s and the number has about 1e-11 days of precision; hundredths of a
	// second are noise.
	seconds := int(math.Round(frac * 86400))
	return time.Date(1899, 12, 30+int(whole64), 0, 0, seconds, 0, v.Location), true
}

// slashed reports whether a date has its year last: 3/4/2026 or 3.4.2026 or 3-4-2026.
func slashed(s string) bool {
	var part [3]int
	_, ok := takeYearLast(s, &part)
	return ok
}

func takeYearLast(s string, part *[3]int) (rest string, ok bool) {
	rest = s
	var n int
	for i := range 2 {
		if part[i], rest, n = number(rest); n < 1 || n > 2 || rest == "" || !strings.Contains("-/.", rest[:1]) {
			return "", false
		}
		rest = rest[1:]
	}
	if part[2], rest, n = number(rest); n != 4 {
		return "", false
	}
	return rest, true
}

func (v *Values) slashed(s string) (time.Time, bool) {
	var p [3]int
	rest, ok := takeYearLast(s, &p)
	day, month := p[0], p[1]
	if v.Order == MonthDay {
		day, month = month, day
	}
	if !ok {
		return time.Time{}, false
	}
	return v.shaped(strconv.Itoa(p[2]) + "-" + strconv.Itoa(month) + "-" + strconv.Itoa(day) + rest)
}

// denoise undoes what floating point does to the decimals of a workbook: 2.55 is stored
// as 2.5499999999999998. Excel itself shows no more than 15 digits. Text that is no such
// number is returned as it is.
func denoise(s string) string {
	noisy := strings.ContainsAny(s, "Ee") || len(s) > 15 && strings.Contains(s, ".")
	if !noisy || strings.Trim(s, "0123456789.+-Ee") != "" {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	f, err = strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
