package program

import (
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Day is a date of the calendar, without a zone: days since 1 January 1970.
type Day int32

// ErrDay refuses text that is no date.
var ErrDay = errs.New(errs.Invalid, "program.day", "This is not a date like 2026-03-01.", "这不是形如 2026-03-01 的日期。")

// ErrTime refuses text that is no time.
var ErrTime = errs.New(errs.Invalid, "program.time", "This is not a time like 2026-03-01T12:00:00+08:00.", "这不是形如 2026-03-01T12:00:00+08:00 的时间。")

const daySeconds = 24 * 60 * 60

// DayOf returns the date that clocks in zone show at t.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// ParseDay reads "2026-03-01"; years run from 1970 to 9999.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1970 {
		return 0, ErrDay.Because(err)
	}
	return Day(t.Unix() / daySeconds), nil
}

// String writes d as "2026-03-01".
func (d Day) String() string {
	return time.Unix(int64(d)*daySeconds, 0).UTC().Format(time.DateOnly)
}

// Start returns the first instant of d in zone. The day ends where the next one starts:
// it is 23 or 25 hours long where the clocks are changed.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, day := time.Unix(int64(d)*daySeconds, 0).UTC().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	from, until := t.ZoneBounds()
	switch {
	case DayOf(t, zone) < d: // midnight was skipped: the day begins where the clocks went on
		return until
	case DayOf(t.Add(-1), zone) == d && !from.IsZero(): // midnight came twice: the first counts
		_, offset := from.Add(-1).Zone()
		return time.Unix(int64(d)*daySeconds-int64(offset), 0).In(zone)
	}
	return t
}

// layouts are the ways to write a time without a zone, in requests and in files.
var layouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// ParseTime reads RFC 3339, or a date or time without a zone, which is then in zone. The
// result is UTC and whole milliseconds, as the database keeps it.
func ParseTime(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC().Truncate(time.Millisecond), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t.UTC().Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, ErrTime
}
