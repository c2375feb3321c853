package cond

import "time"

// Moment is an instant with the calendar parts that conditions ask for, in one zone. Make it
// with NewMoment.
type Moment struct{ at time.Time }

// NewMoment reads the calendar of zone at an instant.
func NewMoment(at time.Time, zone *time.Location) Moment { return Moment{at.In(zone)} }
