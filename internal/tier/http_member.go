package tier

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// TierView is a tier as people see it.
type TierView struct {
	Code     string   `json:"code" doc:"Its short name."`
	Rank     int      `json:"rank" doc:"Its place from below, from 1."`
	NameEN   string   `json:"name_en" doc:"Its name in English."`
	NameZH   string   `json:"name_zh" doc:"Its name in Chinese."`
	Color    string   `json:"color,omitempty" doc:"Colour of its card."`
	Icon     string   `json:"icon,omitempty" doc:"Name of its icon."`
	Benefits Benefits `json:"benefits" doc:"What it gives."`
}

// StandingView is where a member stands in one scheme.
type StandingView struct {
	Scheme string    `json:"scheme" doc:"Code of the scheme."`
	NameEN string    `json:"scheme_name_en" doc:"Its name in English."`
	NameZH string    `json:"scheme_name_zh" doc:"Its name in Chinese."`
	Main   bool      `json:"main" doc:"Whether it is the main scheme."`
	Tier   *TierView `json:"tier,omitempty" doc:"The tier; absent for none."`
	Since  string    `json:"since,omitempty" format:"date" doc:"First day of the tier."`
	From   string    `json:"term_from,omitempty" format:"date" doc:"First day of the running term."`
	Until  string    `json:"until,omitempty" format:"date" doc:"First day after the term; absent where it does not end."`
	Grace  string    `json:"grace_until,omitempty" format:"date" doc:"First day after the grace; absent where there is none."`
	Hand   bool      `json:"by_hand" doc:"Whether the running term was given by hand."`
	Lock   *LockView `json:"lock,omitempty" doc:"What keeps the rules from moving it."`
	Next   *Progress `json:"next,omitempty" doc:"How far the next tier is; absent at the top."`
	Keep   *Progress `json:"keep,omitempty" doc:"What is needed to keep the tier; absent where nothing is."`
}

// LockView is a lock on a tier.
type LockView struct {
	Until  string `json:"until,omitempty" format:"date" doc:"First day on which it is open again; absent for no end."`
	Reason string `json:"reason" doc:"Why."`
}

// Progress is how far a member is from a tier.
type Progress struct {
	Tier     TierView `json:"tier" doc:"The tier."`
	Percent  int      `json:"percent" doc:"How much of the way is gone, 0 to 100."`
	Until    string   `json:"until,omitempty" format:"date" doc:"First day on which what was done does not count any more, or the term is judged; absent for no such day."`
	Evidence Evidence `json:"evidence" doc:"What counts, what there is and what is missing."`
}

type memberTierOut struct {
	Body struct {
		Items []StandingView `json:"items" doc:"One for each live scheme, the main one first."`
	}
}

func (s *Service) getMemberTier(ctx context.Context, in *member.ByRef) (*memberTierOut, error) {
	m, err := s.find(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &memberTierOut{}
	out.Body.Items, err = s.Standing(ctx, m)
	return out, err
}

// find returns the member that a path names.
func (s *Service) find(ctx context.Context, in *member.ByRef) (member.ID, error) {
	ref, err := member.ParseRef(in.Ref)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return m, nil
		}
	}
	if e := errs.As(err); e != nil && e.Kind != errs.NotFound {
		return 0, e.At("path.ref")
	}
	return 0, err
}

type historyIn struct {
	member.ByRef
	api.Page
	Scheme string `query:"scheme" maxLength:"40" doc:"Only this scheme."`
}

// HistoryView is one change of a standing.
type HistoryView struct {
	Scheme   string    `json:"scheme" doc:"Code of the scheme."`
	Kind     Kind      `json:"kind" enum:"upgraded,downgraded,kept,left,set,unlocked" doc:"What it was."`
	From     string    `json:"from" doc:"Code of the tier before, empty for none."`
	To       string    `json:"to" doc:"Code of the tier after it, empty for none."`
	Day      string    `json:"day" format:"date" doc:"From which day on it holds."`
	Until    string    `json:"until,omitempty" format:"date" doc:"First day after the term; absent for no end."`
	At       time.Time `json:"at" doc:"When it was written down."`
	Actor    string    `json:"actor,omitempty" doc:"Who brought it about."`
	Reason   string    `json:"reason,omitempty" doc:"Why, of what was done by hand."`
	Evidence *Evidence `json:"evidence,omitempty" doc:"The sums that counted."`
}

type historyOut struct{ Body api.List[HistoryView] }

func (s *Service) getHistory(ctx context.Context, in *historyIn) (*historyOut, error) {
	m, err := s.find(ctx, &in.ByRef)
	if err != nil {
		return nil, err
	}
	page, err := s.History(ctx, m, in.Scheme, in.Page)
	if err != nil {
		return nil, err
	}
	return &historyOut{page}, nil
}

type setIn struct {
	member.ByRef
	api.DryRun
	Body struct {
		Scheme string `json:"scheme,omitempty" maxLength:"40" doc:"Code of the scheme; the main one where left out."`
		Tier   string `json:"tier" maxLength:"40" doc:"Code of the tier; empty for none."`
		Until  string `json:"until,omitempty" maxLength:"10" doc:"Last day for which it is given, as 2027-03-31; the scheme's own term where left out, or with a lock for good." example:"2027-03-31"`
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why."`
		Lock   bool   `json:"lock,omitempty" doc:"Whether nothing is to move it by itself until then."`
	}
}

func (s *Service) postMemberTier(ctx context.Context, in *setIn) (*api.RawOf[SetAnswer], error) {
	m, err := s.find(ctx, &in.ByRef)
	if err != nil {
		return nil, err
	}
	b := in.Body
	a := s.Set(ctx, m, By{Scheme: b.Scheme, Tier: b.Tier, Last: b.Until, Reason: b.Reason, Lock: b.Lock}, in.DryRun.DryRun)
	return raw(a)
}

type unlockIn struct {
	member.ByRef
	Scheme string `query:"scheme" maxLength:"40" doc:"Code of the scheme; the main one where left out."`
	Reason string `query:"reason" maxLength:"500" doc:"Why."`
}

func (s *Service) deleteLock(ctx context.Context, in *unlockIn) (*api.RawOf[SetAnswer], error) {
	m, err := s.find(ctx, &in.ByRef)
	if err != nil {
		return nil, err
	}
	return raw(s.Unlock(ctx, m, in.Scheme, in.Reason))
}

// raw hands an answer of the engine on.
func raw(a ledger.Answer) (*api.RawOf[SetAnswer], error) {
	if a.Raw.Status == 0 {
		if a.Err != nil {
			return nil, a.Err
		}
		body, err := json.Marshal(a.Value)
		return &api.RawOf[SetAnswer]{Raw: api.Raw{Status: 200, Body: body}}, err
	}
	return &api.RawOf[SetAnswer]{Raw: a.Raw}, nil
}
