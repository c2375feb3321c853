package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// compiled is one version of a rule, ready to be asked.
type compiled struct {
	id, version int64
	name        string // in entries and traces
	def         *Definition
	stage       int64  // the group's, where there is one
	group       *Group // nil where it stands alone

	when  *cond.Cond // nil: always
	quick *cond.Cond // what of when asks nothing of the member; nil for nothing
	line  *cond.Cond // nil: nothing
	// late: a condition reads what is known under the member's lock only.
	late bool
	// who: a condition reads what the member says of themselves.
	who   bool
	needs []cond.Need

	from, until int64
	weekdays    uint8 // bit 0 is Monday; 0: every day
	fault       error // why it could not be compiled: it fails whenever it is asked
}

// kindOf is what a rule's condition is asked of.
func kindOf(trigger string) cond.Kind {
	switch trigger {
	case OnSale:
		return cond.OfSale
	case OnEvent:
		return cond.OfEvent
	}
	return cond.OfMember
}

// compile makes a definition ready. It has been checked.
func compile(d *Definition, rule, version int64, words *cond.Env, zone *time.Location) (*compiled, error) {
	c := uncompiled(d, rule, version)
	known := festivals(words)
	for _, f := range d.Valid.Festivals {
		if f == "" || !slices.ContainsFunc(known, func(k cond.Choice) bool { return k.Value == f }) {
			return nil, part("valid.festivals", "There is no festival "+f, "没有节日 "+f)
		}
	}
	var err error
	if c.when, err = c.ask(words, d.Condition, kindOf(d.Trigger.On), "body.condition"); err != nil {
		return nil, err
	}
	if c.when != nil {
		c.quick = c.when.Quick()
	}
	if c.line, err = c.ask(words, d.Scope.Line, cond.OfLine, "body.scope.line"); err != nil {
		return nil, err
	}
	return c, nil
}

// uncompiled is a definition with what takes no compiling.
func uncompiled(d *Definition, rule, version int64) *compiled {
	c := &compiled{id: rule, version: version, name: Name(d.Code, version), def: d, stage: d.Stack.Stage}
	if once := d.Trigger.On == OnJoined || d.Trigger.On == OnProfile; once && d.Caps.TimesEver == 0 {
		is := *d // what happens once in a life gives once
		is.Caps.TimesEver, c.def = 1, &is
	}
	c.from, c.until = d.Valid.instants()
	for _, w := range d.Valid.Weekdays {
		c.weekdays |= 1 << (w - 1)
	}
	return c
}

// ask compiles one condition and notes what it reads.
func (c *compiled) ask(words *cond.Env, text string, kind cond.Kind, at string) (*cond.Cond, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	is, err := words.Compile(text, kind)
	if err != nil {
		var e *errs.Error
		if errors.As(err, &e) {
			return nil, e.At(at)
		}
		return nil, fmt.Errorf("compile a condition: %w", err)
	}
	c.needs = append(c.needs, is.Needs()...)
	if len(is.Needs()) > 0 || is.Uses("member.tier.code") || is.Uses("member.tier.rank") {
		c.late = true
	}
	c.who = c.who || is.AsksWho()
	return is, nil
}

// festivals are the festivals that a rule may name.
func festivals(words *cond.Env) []cond.Choice {
	for _, e := range words.Vocabulary() {
		if e.Name == "now.festival" {
			return e.Values
		}
	}
	return nil
}

// today reports whether the calendar of the rule holds at a moment. Its bounds and weekdays
// are asked by the index before. What a date sets off knows no hours.
func (v *Valid) today(now cond.Moment, hours bool) bool {
	t := now.Time()
	if hours && len(v.Hours) > 0 && !slices.ContainsFunc(v.Hours, func(h Hours) bool { return h.holds(t.Format("15:04")) }) {
		return false
	}
	if len(v.MonthDays) > 0 && !slices.ContainsFunc(v.MonthDays, func(d int64) bool { return monthDay(t, d) }) {
		return false
	}
	if len(v.Dates)+len(v.Festivals) == 0 {
		return true
	}
	date := t.Format(time.DateOnly)
	return slices.Contains(v.Dates, date) || slices.Contains(v.Dates, date[len("2026-"):]) ||
		now.Festival() != "" && slices.Contains(v.Festivals, now.Festival())
}

// holds reports whether a time of day lies within; one that ends before it begins runs past
// midnight.
func (h Hours) holds(clock string) bool {
	if h.From < h.Until {
		return h.From <= clock && clock < h.Until
	}
	return clock >= h.From || clock < h.Until
}

// monthDay reports whether a date is a day of the month, counted from its end below 0.
func monthDay(t time.Time, day int64) bool {
	if day > 0 {
		return int64(t.Day()) == day
	}
	last := time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return int64(t.Day()) == int64(last)+1+day
}
