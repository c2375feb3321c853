package cond

import "time"

// Moment is an instant with the calendar parts that conditions ask for, in one zone. Make it
// with NewMoment: the zero Moment is refused at evaluation.
type Moment struct {
	at               time.Time
	day              int32 // days since 1 January 1970
	year, month, dom int
	hour, minute     int
	weekday          int // 1 is Monday
	date, clock      string
	lunar            lunarDate
	festival         string
}

// NewMoment reads the calendar of zone at an instant.
func NewMoment(at time.Time, zone *time.Location) Moment {
	at = at.In(zone)
	year, month, dom := at.Date()
	n := Moment{
		at: at, year: year, month: int(month), dom: dom, hour: at.Hour(), minute: at.Minute(),
		day: dayOf(year, int(month), dom), weekday: (int(at.Weekday())+6)%7 + 1,
	}
	n.date, n.clock = at.Format(time.DateOnly), at.Format("15:04")
	n.lunar = lunarOf(n.day)
	n.festival = festivalOf(n.year, n.month, n.dom, n.lunar)
	return n
}

// Time is the instant, in the zone.
func (n Moment) Time() time.Time { return n.at }

const daySeconds = 24 * 60 * 60

// dayOf numbers the dates: 0 is 1 January 1970.
func dayOf(year, month, dom int) int32 {
	return int32(time.Date(year, time.Month(month), dom, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

// dateText writes the date of a day as 2026-03-01.
func dateText(day int32) string {
	return time.Unix(int64(day)*daySeconds, 0).UTC().Format(time.DateOnly)
}

func leap(year int) bool { return daysIn(year, 2) == 29 }

// daysIn is how many days a month has.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Festival is the festival that the day is, as now.festival; "" for none.
func (n Moment) Festival() string { return n.festival }
