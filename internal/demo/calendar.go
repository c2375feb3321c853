package demo

import (
	"math/rand/v2"
	"time"
)

// zone is that of Shanghai, which has had no summer time since 1991.
var zone = time.FixedZone("UTC+8", 8*60*60)

// midnight is when the day of t began in the shop.
func midnight(t time.Time) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// closings are the hours at which the tills hand in what they sold: the demo's clock goes
// from one to the next.
var closings = [...]int{15, 22}

// hours says how many of a day's visits begin in each hour from eight.
var hours = [...]int{3, 4, 5, 6, 10, 9, 8, 10, 9, 7, 7, 8, 6, 3}

const firstHour = 8

// weekdays says how a day compares with the average, from Sunday.
var weekdays = [...]float64{1.25, 0.85, 0.88, 0.90, 0.95, 1.12, 1.35}

// The first days of Spring Festival and of Mid-Autumn, which follow the moon.
var (
	springFestivals = days("2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03")
	midAutumns      = days("2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15", "2028-10-03", "2029-09-22", "2030-09-12")
)

// days reads a table of dates.
func days(texts ...string) []time.Time {
	list := make([]time.Time, len(texts))
	for i, text := range texts {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			panic(err) // the table is wrong
		}
		list[i] = at
	}
	return list
}

// busy is how much a day has of an average day's visits.
func busy(day time.Time) float64 {
	return weekdays[day.Weekday()] * festive(day)
}

func festive(day time.Time) float64 {
	if n, ok := daysTo(day, springFestivals); ok && n <= 0 && n >= -6 {
		return 0.45 // people are at home
	} else if ok && n > 0 && n <= 12 {
		return 1.35 // presents
	}
	if n, ok := daysTo(day, midAutumns); ok && n >= 0 && n <= 14 {
		return 1.4
	}
	switch m, d := day.Month(), day.Day(); {
	case m == time.October && d <= 7:
		return 1.3
	case m == time.May && (d == 1 || d == 2 || d == 20), m == time.November && d == 11, m == time.December && d >= 24 && d <= 25, m == time.January && d == 1:
		return 1.45
	case m == time.June || m == time.July || m == time.August:
		return 1.12 // cold drinks
	}
	return 1
}

// daysTo is how far the nearest of a list of dates lies ahead of a midnight, within a
// month; negative for one that has passed.
func daysTo(day time.Time, list []time.Time) (int, bool) {
	for _, at := range list {
		if n := int(at.Sub(day).Hours() / 24); n > -31 && n < 31 {
			return n, true
		}
	}
	return 0, false
}

// sold reports whether a product is on the menu of a day.
func (s season) sold(day time.Time) bool {
	m := day.Month()
	switch s {
	case summer:
		return m >= time.May && m <= time.September
	case winter:
		return m >= time.November || m <= time.February
	case mooncake:
		n, ok := daysTo(day, midAutumns)
		return ok && n >= 0
	}
	return true
}

// moment picks an instant of a day by the rhythm of the shop. rhythm moves the choice: -1
// for those who come in the morning, 1 for the evening.
func moment(r *rand.Rand, day time.Time, rhythm int) time.Time {
	hour := pick(r, len(hours), func(i int) int {
		w := hours[i] * 2
		if rhythm < 0 && i < 4 || rhythm > 0 && i > 9 {
			w *= 4
		}
		return w
	})
	return day.Add(time.Duration(firstHour+hour)*time.Hour + time.Duration(r.IntN(3600))*time.Second)
}

// pick chooses one of n by their weights.
func pick(r *rand.Rand, n int, weight func(int) int) int {
	sum := 0
	for i := range n {
		sum += weight(i)
	}
	at := r.IntN(sum)
	for i := range n {
		if at -= weight(i); at < 0 {
			return i
		}
	}
	panic("demo: weights changed while they were added up")
}
