package job

import "time"

// Schedule says when a periodic job is due. Its slots are instants; each slot runs once.
type Schedule struct {
	hour, minute int
	zone         func() *time.Location // nil for an interval
	every        time.Duration
}

// Daily has one slot each day at a wall-clock time in a zone. The zone is asked anew each
// time, since it is a setting. On a day on which the clock jumps over the time, the slot is an
// hour later on the clock; where the clock shows it twice, it is one of the two.
func Daily(hour, minute int, zone func() *time.Location) Schedule {
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || zone == nil {
		panic("job: Daily needs a time of day and a zone")
	}
	return Schedule{hour: hour, minute: minute, zone: zone}
}

// Interval has a slot at each multiple of d since the Unix epoch, so that all nodes agree.
func Interval(d time.Duration) Schedule {
	if d < time.Second {
		panic("job: an interval is a second at least")
	}
	return Schedule{every: d}
}

// last returns the latest slot at or before now.
func (s Schedule) last(now time.Time) time.Time {
	if s.zone == nil {
		ms := now.UnixMilli()
		return time.UnixMilli(ms - ms%s.every.Milliseconds()).UTC()
	}
	slot := s.onDay(now, 0)
	if slot.After(now) {
		slot = s.onDay(now, -1)
	}
	return slot
}

// onDay returns the slot of the day of now, shifted by days. Go resolves a time that does
// not exist to either side of the jump, even to the day before; an hour later it exists.
func (s Schedule) onDay(now time.Time, shift int) time.Time {
	zone := s.zone()
	y, m, d := now.In(zone).Date()
	slot := time.Date(y, m, d+shift, s.hour, s.minute, 0, 0, zone)
	if slot.Hour() != s.hour || slot.Minute() != s.minute {
		slot = time.Date(y, m, d+shift, s.hour+1, s.minute, 0, 0, zone)
	}
	return slot.UTC()
}
