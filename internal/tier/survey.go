package tier

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// A survey goes over all members; it is good for surveyKept.
const surveyKept = 10 * time.Minute

// bars is how many bars a histogram has, the last one open.
const bars = 31

// metrics are what schemes count.
var metrics = []string{"growth", "spend", "visits"}

// surveys keeps the last survey: whoever asks meanwhile waits for the same one.
type surveys struct {
	mu     sync.Mutex
	edited int64
	at     time.Time
	last   *survey
}

// survey is how many members stand where and have how much, in every live scheme.
type survey struct {
	snap    *Snapshot
	today   Day
	members int64
	stand   [][]int64               // by ladder and rank
	have    []map[string]*histogram // by ladder and metric
}

type histogram struct {
	width int64
	zero  int64
	bars  [bars]int64
}

func newSurvey(snap *Snapshot, today Day) *survey {
	v := &survey{snap: snap, today: today}
	for _, l := range snap.Ladders {
		v.stand = append(v.stand, make([]int64, len(l.Tiers)+1))
		have := map[string]*histogram{}
		for _, m := range metrics {
			have[m] = &histogram{width: l.barWidth(m)}
		}
		v.have = append(v.have, have)
	}
	return v
}

// barWidth makes the bars reach half as far again as the highest threshold.
func (l *Ladder) barWidth(metric string) int64 {
	top := map[string]int64{"growth": 10_000, "spend": 1_000_000, "visits": 60}[metric]
	for _, t := range l.Tiers {
		top = max(top/4, t.Qualify.of(metric)) * 3 / 2
	}
	for _, w := range niceSteps(top) {
		if w*(bars-1) >= top {
			return w
		}
	}
	return top
}

// niceSteps are 1, 2, 5, 10, 20, 50 … up to past a number.
func niceSteps(top int64) (list []int64) {
	for unit := int64(1); unit <= max(1, top); unit *= 10 {
		list = append(list, unit, 2*unit, 5*unit)
	}
	return list
}

// of is what is asked of a metric.
func (c Criteria) of(metric string) int64 {
	switch metric {
	case "growth":
		return c.Growth
	case "spend":
		return c.Spend
	}
	return c.Visits
}

// member counts one member.
func (v *survey) member(p *person) {
	v.members++
	for i, l := range v.snap.Ladders {
		in := Input{Sums: p.sums, Joined: p.joined, Now: v.today, Current: p.row.of(l.ID)}
		v.stand[i][l.rankOf(Evaluate(l, in).Standing)]++
		sum := p.sums.Between(l.currency, l.Window.from(v.today, p.joined, 0), v.today+1)
		for _, m := range metrics {
			v.have[i][m].add(map[string]int64{"growth": sum.Growth, "spend": sum.Spend, "visits": sum.Visits}[m])
		}
	}
}

func (h *histogram) add(n int64) {
	if n <= 0 {
		h.zero++
		return
	}
	h.bars[min(n/h.width, bars-1)]++
}

func (v *survey) join(o *survey) {
	v.members += o.members
	for i := range v.stand {
		for r := range v.stand[i] {
			v.stand[i][r] += o.stand[i][r]
		}
		for m, h := range v.have[i] {
			h.zero += o.have[i][m].zero
			for b := range h.bars {
				h.bars[b] += o.have[i][m].bars[b]
			}
		}
	}
}

// survey goes over all members, or returns the last one.
func (s *Service) survey(ctx context.Context) (*survey, time.Time, error) {
	c := &s.surveys
	c.mu.Lock()
	defer c.mu.Unlock()
	snap, now := s.Snapshot(), s.o.Clock.Now()
	if c.last != nil && c.edited == snap.edited && now.Sub(c.at) < surveyKept {
		return c.last, c.at, nil
	}
	today := s.today()
	all, err := overCrowd(ctx, s, snap, func() *survey { return newSurvey(snap, today) }, (*survey).member, nil)
	if err != nil {
		return nil, now, fmt.Errorf("survey the members: %w", err)
	}
	for _, o := range all[1:] {
		all[0].join(o)
	}
	c.last, c.edited, c.at = all[0], snap.edited, now
	return c.last, c.at, nil
}

var distributionSQL = db.Define("tier.distribution", `
	SELECT tier, COUNT(*)
	FROM tier_member
	GROUP BY tier
	ORDER BY tier`)

// Distribution says how many members stand on each tier of the live schemes: of the main one as
// it is written down now, of others as of the last survey.
func (s *Service) Distribution(ctx context.Context) ([]LadderView, error) {
	views := []LadderView{}
	snap := s.Snapshot()
	written, err := s.written(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range snap.Ladders {
		metric, unit := s.metric(l)
		v := LadderView{Scheme: l.Code, NameEN: l.NameEN, NameZH: l.NameZH, Main: l.Main, Metric: metric, Unit: unit, Tiers: []CountView{}, Counted: s.o.Clock.Now().UTC()}
		counts := make([]int64, len(l.Tiers)+1)
		if l == snap.main {
			for code, n := range written {
				counts[l.rank(code)] += n
			}
		} else if counts, v.Counted, err = s.surveyed(ctx, l); err != nil {
			return nil, err
		}
		v.None = counts[0]
		for r := 1; r < len(counts); r++ {
			v.Tiers = append(v.Tiers, CountView{l.viewTier(r), counts[r]})
			v.Members += counts[r]
		}
		v.Members += v.None
		views = append(views, v)
	}
	return views, nil
}

// written is how many members stand in each tier of the main scheme, as lists show them.
func (s *Service) written(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return db.ReadRows(func(rows *db.Rows) error {
			var code string
			var n int64
			err := rows.Scan(&code, &n)
			counts[code] = n
			return err
		})(tx.Query(ctx, distributionSQL))
	})
	delete(counts, out)
	return counts, err
}

// surveyed is how many members stand on each rank of a scheme.
func (s *Service) surveyed(ctx context.Context, l *Ladder) ([]int64, time.Time, error) {
	v, at, err := s.survey(ctx)
	if err != nil {
		return nil, at, err
	}
	for i, other := range v.snap.Ladders {
		if other.ID == l.ID {
			return v.stand[i], at.UTC(), nil
		}
	}
	return make([]int64, len(l.Tiers)+1), at.UTC(), nil
}

// Histogram says how many members have how much of what a scheme counts.
func (s *Service) Histogram(ctx context.Context, scheme, metric string) (Histogram, error) {
	v, at, err := s.survey(ctx)
	if err != nil {
		return Histogram{}, err
	}
	l := v.snap.Ladder(scheme)
	if l == nil {
		return Histogram{}, ErrNoScheme
	}
	name, unit := s.metric(l)
	if metric != "" && metric != name {
		name, unit = metric, s.unitOf(l, metric)
	}
	out := Histogram{Metric: name, Unit: unit, Members: v.members, Bars: []Bar{}, Counted: at.UTC()}
	for i, other := range v.snap.Ladders {
		if other != l {
			continue
		}
		h := v.have[i][name]
		out.Zero = h.zero
		last := bars - 1
		for last >= 0 && h.bars[last] == 0 {
			last--
		}
		for b := 0; b <= last; b++ {
			out.Bars = append(out.Bars, Bar{From: max(1, int64(b)*h.width), To: int64(b+1) * h.width, Members: h.bars[b]})
		}
		if last == bars-1 {
			out.Bars[last].To = 0
		}
	}
	return out, nil
}

// unitOf is what a metric is counted in.
func (s *Service) unitOf(l *Ladder, metric string) string {
	switch metric {
	case "growth":
		return l.Currency
	case "spend":
		return s.o.Program.Snapshot().Settings.Currency
	}
	return ""
}
