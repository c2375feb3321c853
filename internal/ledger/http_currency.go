package ledger

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
)

// currencyRoutes adds the currencies. Everybody who is signed in may read them: a till has
// to know how many decimals its points have.
func (s *Service) currencyRoutes(r *api.Router) {
	tags := []string{"Point currencies"}
	api.Get(r, "/v1/currencies", s.listCurrencies, api.Doc{ID: "listCurrencies", Summary: "List point currencies.", Tags: tags})
	api.Post(r, "/v1/currencies", s.postCurrency, api.Doc{ID: "addCurrency", Summary: "Make a point currency.", Tags: tags, Needs: program.Manage, Status: 201,
		Fails: []error{ErrCurrencyTaken, ErrCurrencyCode, ErrCurrencies, ErrExpiryPolicy, ErrExpiryDates, ErrTransferRule, ErrTopUps, program.ErrName, program.ErrLimited}})
	api.Patch(r, "/v1/currencies/{code}", s.patchCurrency, api.Doc{ID: "changeCurrency", Summary: "Change names, policy or use of a point currency.", Tags: tags, Needs: program.Manage,
		Description: "Points that are there keep the instants that they were given with; a new policy counts from the next posting on. Code, kind and decimals are fixed.",
		Fails:       []error{ErrNoCurrency, ErrCurrencyChanged, ErrCurrencyInUse, ErrDecimals, ErrExpiryPolicy, ErrExpiryDates, ErrTransferRule, ErrTopUps, program.ErrName, program.ErrLimited}})
	api.Get(r, "/v1/currencies/{code}/preview", s.previewCurrency, api.Doc{ID: "previewCurrency", Summary: "Say when points would become usable and end.", Tags: tags,
		Fails: []error{ErrNoCurrency, program.ErrTime}})
}

// CurrencyRef names the currency that a path is about.
type CurrencyRef struct {
	Code string `path:"code" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
}

// currencyView is a currency as the outside sees it.
type currencyView struct {
	Code    string `json:"code" doc:"What requests call it."`
	Kind    Kind   `json:"kind" enum:"points,growth,stored" doc:"points: earned and spent. growth: a score, never spent. stored: money paid in."`
	NameEN  string `json:"name_en" doc:"English name."`
	NameZH  string `json:"name_zh" doc:"Chinese name."`
	Policy  Policy `json:"policy" doc:"How it behaves."`
	Active  bool   `json:"active" doc:"Whether new points are given and used. Those that are there stay, and expire."`
	Version int64  `json:"version" doc:"Grows with every change."`
}

func viewCurrency(c *CurrencyRow) currencyView {
	return currencyView{c.Code, c.Kind, c.NameEN, c.NameZH, c.Policy, c.Active, c.Version}
}

type currencyOut struct{ Body currencyView }

type currenciesOut struct{ Body api.List[currencyView] }

// listCurrencies answers all of them on one page: there are few.
func (s *Service) listCurrencies(ctx context.Context, _ *struct{}) (*currenciesOut, error) {
	list, err := s.Currencies(ctx)
	if err != nil {
		return nil, err
	}
	out := &currenciesOut{}
	out.Body.Items = []currencyView{}
	for _, c := range list {
		out.Body.Items = append(out.Body.Items, viewCurrency(c))
	}
	return out, nil
}

type newCurrencyIn struct {
	Body struct {
		Code   string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on." example:"growth"`
		Kind   Kind   `json:"kind" enum:"points,growth,stored" doc:"points: earned and spent. growth: a score, never spent. stored: money paid in."`
		NameEN string `json:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
		NameZH string `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
		Policy Policy `json:"policy" doc:"How it behaves."`
	}
}

func (s *Service) postCurrency(ctx context.Context, in *newCurrencyIn) (*currencyOut, error) {
	b := &in.Body
	c, err := s.AddCurrency(ctx, Currency{Code: b.Code, Kind: b.Kind, NameEN: b.NameEN, NameZH: b.NameZH, Policy: b.Policy})
	if err != nil {
		return nil, err
	}
	return &currencyOut{viewCurrency(c)}, nil
}

type changeCurrencyIn struct {
	CurrencyRef
	Body struct {
		Version int64   `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		NameEN  *string `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH  *string `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		Policy  *Policy `json:"policy,omitempty" doc:"The whole policy."`
		Active  *bool   `json:"active,omitempty" doc:"False: no new points are given or used."`
	}
}

func (s *Service) patchCurrency(ctx context.Context, in *changeCurrencyIn) (*currencyOut, error) {
	b := &in.Body
	c, err := s.ChangeCurrency(ctx, in.Code, CurrencyChange{b.Version, b.NameEN, b.NameZH, b.Policy, b.Active})
	if err != nil {
		return nil, err
	}
	return &currencyOut{viewCurrency(c)}, nil
}

type previewIn struct {
	CurrencyRef
	EarnedAt string `query:"earned_at" maxLength:"40" doc:"A time or a day; now where absent."`
}

type previewOut struct {
	Body struct {
		UsableAt  string `json:"usable_at" format:"date-time" doc:"From when points that are earned then could be used."`
		ExpiresAt string `json:"expires_at,omitempty" format:"date-time" doc:"The first instant at which they could no longer be used, without activity in between; absent where they do not end."`
	}
}

func (s *Service) previewCurrency(_ context.Context, in *previewIn) (*previewOut, error) {
	cfg := s.Config()
	c := cfg.ByCode[in.Code]
	if c == nil {
		return nil, ErrNoCurrency.At("path.code")
	}
	earned, err := instant(in.EarnedAt, cfg.Zone, 0, "query.earned_at")
	if err != nil {
		return nil, err
	}
	if in.EarnedAt == "" {
		earned = s.clock.Now().UnixMilli()
	}
	active := activeAt(earned, c.Policy.PendingDays, cfg.Zone)
	e := c.Policy.Expiry
	out := &previewOut{}
	out.Body.UsableAt = stamp(active)
	out.Body.ExpiresAt = stamp(min(e.End(active, cfg.Zone), e.Slide(active, cfg.Zone)))
	return out, nil
}
