package tier

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) figureRoutes(r *api.Router) {
	api.Get(r, "/v1/tiers", s.getTiers, api.Doc{ID: "listTiers", Summary: "Read how many members stand on each tier of the live schemes.", Tags: tags, Needs: staff.ReadRules})
	api.Get(r, "/v1/tiers/histogram", s.getHistogram, api.Doc{ID: "tierHistogram", Summary: "Read how many members have how much of what a scheme counts, in its window as of today.", Tags: tags, Needs: staff.ReadRules,
		Description: "Counted at most once in ten minutes.", Fails: []error{ErrNoScheme}})
	api.Post(r, "/v1/tiers/what-if", s.postTry, api.Doc{ID: "tryTierScheme", Summary: "Work out what a changed scheme would do: who moves, and what it costs. Nothing is kept of it but the answer.", Tags: tags, Needs: staff.ReadRules, Status: 202,
		Description: "Small programmes are answered at once, with state done; otherwise ask for the answer by its id.",
		Fails:       []error{ErrNoScheme, ErrCode, ErrName, ErrWindow, ErrTerm, ErrTwice, ErrOrder, ErrGrowth, ErrFacts}})
	api.Get(r, "/v1/tiers/what-if/{id}", s.getTry, api.Doc{ID: "getTierTry", Summary: "Read what came out of a what-if, or how far it is.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoTry}})
}

// LadderView is a live scheme with how many stand where.
type LadderView struct {
	Scheme  string      `json:"scheme" doc:"Code of the scheme."`
	NameEN  string      `json:"name_en" doc:"Its name in English."`
	NameZH  string      `json:"name_zh" doc:"Its name in Chinese."`
	Main    bool        `json:"main" doc:"Whether it is the main scheme."`
	Members int64       `json:"members" doc:"Members there are."`
	None    int64       `json:"none" doc:"Members who stand on no tier."`
	Tiers   []CountView `json:"tiers" doc:"The tiers, the lowest first."`
	Metric  string      `json:"metric" enum:"growth,spend,visits" doc:"What the scheme counts first: what its histogram shows."`
	Unit    string      `json:"unit,omitempty" doc:"Of growth, the point currency; of spend, the programme's money."`
	Counted time.Time   `json:"counted_at" doc:"As of when the members were counted."`
}

// CountView is a tier with how many stand on it.
type CountView struct {
	TierView
	Members int64 `json:"members" doc:"Who stand on it."`
}

type tiersOut struct{ Body api.List[LadderView] }

func (s *Service) getTiers(ctx context.Context, _ *struct{}) (*tiersOut, error) {
	list, err := s.Distribution(ctx)
	if err != nil {
		return nil, err
	}
	return &tiersOut{api.List[LadderView]{Items: list}}, nil
}

type histogramIn struct {
	Scheme string `query:"scheme" maxLength:"40" doc:"Code of the scheme; the main one where left out."`
	Metric string `query:"metric" enum:"growth,spend,visits" doc:"What to count; what the scheme counts where left out."`
}

// Histogram is how many members have how much.
type Histogram struct {
	Metric  string    `json:"metric" enum:"growth,spend,visits" doc:"What was counted."`
	Unit    string    `json:"unit,omitempty" doc:"Of growth, the point currency; of spend, the programme's money."`
	Members int64     `json:"members" doc:"Members who were counted."`
	Zero    int64     `json:"zero" doc:"Those who have nothing."`
	Bars    []Bar     `json:"bars" doc:"The others, from the least on; empty where there are none."`
	Counted time.Time `json:"counted_at" doc:"As of when."`
}

// Bar is one bar of a histogram.
type Bar struct {
	From    int64 `json:"from" doc:"The least that counts here."`
	To      int64 `json:"to" doc:"What no longer does; 0 in the last bar, which is open."`
	Members int64 `json:"members" doc:"How many have as much."`
}

type histogramOut struct{ Body Histogram }

func (s *Service) getHistogram(ctx context.Context, in *histogramIn) (*histogramOut, error) {
	h, err := s.Histogram(ctx, in.Scheme, in.Metric)
	if err != nil {
		return nil, err
	}
	return &histogramOut{h}, nil
}

type tryIn struct {
	Body struct {
		Scheme string  `json:"scheme" minLength:"1" maxLength:"40" doc:"Code of the scheme; it need not exist yet."`
		Draft  *Scheme `json:"draft,omitempty" doc:"What to try; the saved draft where left out."`
	}
}

// TryView is a what-if.
type TryView struct {
	ID       string    `json:"id" doc:"The what-if."`
	Scheme   string    `json:"scheme" doc:"Code of the scheme."`
	State    string    `json:"state" enum:"running,done,failed" doc:"How far it is."`
	Progress int64     `json:"progress" doc:"Members who were looked at."`
	Total    int64     `json:"total" doc:"Members there are."`
	MadeAt   time.Time `json:"made_at" doc:"When it was asked for."`
	Result   *Result   `json:"result,omitempty" doc:"What came out."`
}

// Result is what a what-if found.
type Result struct {
	Members int64 `json:"members" doc:"Members who were looked at."`
	// Now and Settled are the two answers to "who moves".
	Now     []Move `json:"now" doc:"Who moves on the day on which it is published."`
	Settled []Move `json:"settled" doc:"Who would stand elsewhere if every term ended today: where it leads to."`

	Bonuses    []Cost `json:"bonuses" doc:"Welcome bonuses that are due on that day, by currency."`
	Multiplier []Cost `json:"multipliers" doc:"What the new multipliers would have given more (or less) on what was earned in the last twelve months, by currency, for where members stand on that day."`
}

// Move is how many go from one tier to another.
type Move struct {
	From    string   `json:"from" doc:"Code of the tier now, empty for none."`
	To      string   `json:"to" doc:"Code of the tier then, empty for none; the same for who stay."`
	Members int64    `json:"members" doc:"How many."`
	Sample  []string `json:"sample,omitempty" doc:"Some of those who move, as mem_…; at most ten."`
}

// Cost is an amount of points.
type Cost struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Amount   int64  `json:"amount" doc:"How much, in its smallest unit."`
	Members  int64  `json:"members" doc:"How many members get it."`
}

type tryOut struct{ Body TryView }

func (s *Service) postTry(ctx context.Context, in *tryIn) (*tryOut, error) {
	v, err := s.Try(ctx, in.Body.Scheme, in.Body.Draft)
	if err != nil {
		return nil, err
	}
	return &tryOut{v}, nil
}

type tryRef struct {
	ID string `path:"id" maxLength:"40" doc:"The what-if."`
}

func (s *Service) getTry(ctx context.Context, in *tryRef) (*tryOut, error) {
	_, n, err := id.Decode(tryPrefix, in.ID)
	if err != nil {
		return nil, ErrNoTry
	}
	v, err := s.Tried(ctx, n)
	if err != nil {
		return nil, err
	}
	return &tryOut{v}, nil
}

// stateOf says how far the job of a what-if is.
func stateOf(j job.Job) string {
	switch j.State {
	case job.Failed, job.Cancelled:
		return "failed"
	}
	return "running"
}
