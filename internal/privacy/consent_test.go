package privacy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// word is one row of a test: who said what, when.
type said struct {
	record  int // 0 survivor, 1 the one who is merged into it
	purpose Purpose
	channel Channel
	granted bool
	at      int
}

// lastOf is the answer of one record for a topic, by looking back through what it said: the
// oracle knows nothing of tables.
func lastOf(list []said, record int, p Purpose, c Channel, from, until int) (granted, spoken bool) {
	for i := len(list) - 1; i >= 0; i-- {
		w := list[i]
		if w.record == record && w.purpose == p && (w.channel == c || w.channel == Any) && w.at >= from && w.at < until {
			return w.granted, true
		}
	}
	return false, false
}

// However a person's two records spoke: what is said after the merge counts; before it a no
// of either counts, and then a yes of either; and who said nothing has not agreed.
func TestMergedConsents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "words")
		merge := rapid.IntRange(0, n).Draw(t, "merged after")
		var list []said
		var h history
		var other history
		for i := range n {
			w := said{rapid.IntRange(0, 1).Draw(t, "record"), rapid.SampledFrom([]Purpose{Marketing, Sharing}).Draw(t, "purpose"),
				rapid.SampledFrom([]Channel{Any, SMS, Email}).Draw(t, "channel"), rapid.Bool().Draw(t, "granted"), 2 * i}
			if i >= merge {
				w.record = 0 // the other one speaks no more
			}
			list = append(list, w)
			c := Consent{Seq: int64(i + 1), Purpose: w.purpose, Channel: w.channel, Granted: w.granted, At: time.UnixMilli(int64(w.at))}
			if w.record == 0 {
				h.rows = append(h.rows, c)
			} else {
				other.rows = append(other.rows, c)
			}
		}
		at := 2*merge - 1
		h.merged = []merged{{time.UnixMilli(int64(at)), other}}
		st := h.stand()
		for _, p := range []Purpose{Marketing, Sharing} {
			for _, c := range []Channel{Any, SMS, Email, Push} {
				want, spoken := lastOf(list, 0, p, c, at, 1<<30)
				if !spoken {
					mine, m := lastOf(list, 0, p, c, 0, at)
					theirs, o := lastOf(list, 1, p, c, 0, at)
					want = (m || o) && (!m || mine) && (!o || theirs)
				}
				if got := st[topic{p, c}].Granted; got != want {
					t.Fatalf("%s by %s: granted %v, want %v, after %+v merged at %d", p, c, got, want, list, at)
				}
			}
		}
	})
}

func TestParseConsent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text    string
		purpose Purpose
		channel Channel
		ok      bool
	}{
		{"marketing", Marketing, Any, true},
		{"marketing_email", Marketing, Email, true},
		{"profiling_any", Profiling, Any, true},
		{"spam", "", "", false},
		{"marketing_pigeon", "", "", false},
		{"_email", "", "", false},
		{"", "", "", false},
	} {
		p, c, err := parse(tt.text)
		if p != tt.purpose || c != tt.channel || (err == nil) != tt.ok {
			t.Errorf("parse(%q) = %q, %q, %v", tt.text, p, c, err)
		}
	}
}
