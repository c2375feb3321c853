package ledger

import (
	"encoding/json"
	"fmt"
	"time"
)

// window sums: for each day what was earned, spent, transferred and put on hold. They are
// written by the postings themselves, only for currencies that have limits, and kept for
// as long as a monthly limit can ask for them. A limit therefore counts from the day on
// which it is set; "ever" counts from the beginning.
type daySums map[string][4]int64 // "2026-11-22" → sums by action

var actions = map[string]int{"earn": 0, "spend": 1, "transfer": 2, "hold": 3}

// keptDays is how many days of sums a wallet keeps: a month and the week by which a sale
// may come late.
const keptDays = 40

func (s *State) local(ms int64) (int, time.Month, int) {
	return time.UnixMilli(ms).In(s.Config.Zone).Date()
}

func (s *State) dayOf(ms int64) string {
	y, m, d := s.local(ms)
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

func (w *Wallet) sums() daySums {
	out := daySums{}
	if w.Days == "" {
		return out
	}
	if err := json.Unmarshal([]byte(w.Days), &out); err != nil {
		panic("ledger: day sums cannot be read: " + err.Error())
	}
	return out
}

// addCounters adds the counters of a member who was merged to the survivor's, or takes
// them away again (sign -1): the merged wallet keeps its own, and nothing counts there
// meanwhile. So nobody gets around a limit by having two cards.
func (w *Wallet) addCounters(from *Wallet, sign int64) {
	w.Earned, w.Spent = add(w.Earned, sign*from.Earned), add(w.Spent, sign*from.Spent)
	w.SentN, w.HeldEver = add(w.SentN, sign*from.SentN), add(w.HeldEver, sign*from.HeldEver)
	if from.Days == "" {
		return
	}
	sums := w.sums()
	for d, v := range from.sums() {
		have := sums[d]
		for k := range v {
			have[k] = max(0, add(have[k], sign*v[k]))
		}
		sums[d] = have
	}
	w.keepSums(sums)
}

// room is how much more a member may move at an instant under the currency's limits.
func (s *State) room(c *Currency, w *Wallet, action string, atMS int64) int64 {
	left, _ := s.tightest(c, w, action, atMS)
	return left
}

// tightest returns the room under the limit that leaves least, and that limit.
func (s *State) tightest(c *Currency, w *Wallet, action string, atMS int64) (int64, *Limit) {
	room, which := MaxPoints, (*Limit)(nil)
	if len(c.Policy.Limits) == 0 {
		return room, nil
	}
	if atMS == 0 {
		atMS = s.NowMS
	}
	day, sums := s.dayOf(atMS), w.sums()
	for i := range c.Policy.Limits {
		l := &c.Policy.Limits[i]
		if l.Action != action {
			continue
		}
		if left := max(0, l.Amount-used(w, sums, l, day)); left < room {
			room, which = left, l
		}
	}
	return room, which
}

func used(w *Wallet, sums daySums, l *Limit, day string) int64 {
	k := actions[l.Action]
	var n int64
	switch l.Window {
	case "day":
		n = sums[day][k]
	case "month":
		for d, v := range sums {
			if d[:7] == day[:7] {
				n += v[k]
			}
		}
	case "ever":
		n = [...]int64{w.Earned, w.Spent, w.SentN, w.HeldEver}[k]
	}
	return n
}

// checkRoom refuses an amount that passes a limit.
func (s *State) checkRoom(c *Currency, w *Wallet, action string, atMS, amount int64) error {
	if left, l := s.tightest(c, w, action, atMS); left < amount && l != nil {
		return ErrLimit.With("limit", c.Format(l.Amount), "window", l.Window, "left", c.Format(left))
	}
	return nil
}

// count adds a movement to the day on which it took effect.
func (s *State) count(c *Currency, w *Wallet, action string, atMS, amount int64) {
	if len(c.Policy.Limits) == 0 {
		return
	}
	if atMS == 0 {
		atMS = s.NowMS
	}
	sums := w.sums()
	v := sums[s.dayOf(atMS)]
	v[actions[action]] = max(0, add(v[actions[action]], amount))
	sums[s.dayOf(atMS)] = v
	oldest := s.dayOf(s.NowMS - keptDays*24*time.Hour.Milliseconds())
	for d := range sums {
		if d < oldest {
			delete(sums, d)
		}
	}
	w.keepSums(sums)
}

func (w *Wallet) keepSums(sums daySums) {
	b, err := json.Marshal(sums)
	if err != nil {
		panic(err) // a map of numbers marshals
	}
	w.Days = string(b)
}
