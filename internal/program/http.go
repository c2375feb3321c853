package program

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Routes adds what this package serves. Everybody who is signed in may read: a till has to
// know its store; to change anything takes Manage.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Programme"}
	api.Get(r, "/v1/program", s.getSettings, api.Doc{ID: "getProgram", Summary: "Read the settings of the programme.", Tags: tags})
	api.Patch(r, "/v1/program", s.patchSettings, api.Doc{ID: "changeProgram", Summary: "Change settings; what is left out stays.", Tags: tags,
		Needs: Manage, Fails: []error{ErrChanged, ErrLimited, ErrZone, ErrLanguage, ErrEarning, ErrLimits, ErrOffline, ErrNoStore, ErrClosed, ErrColor, ErrContrast, ErrTagline, money.ErrCurrency}})
	api.Put(r, "/v1/program/logo", s.putLogo, api.Doc{ID: "putLogo", Summary: "Put a picture in the place of the logo that members see.", Tags: tags,
		Description: "A PNG or WebP picture of at most 200 kB, as the body of the request. It is public: GET /portal/v1/logo.",
		Needs:       Manage, MaxBody: MaxLogo, Takes: []string{"image/png", "image/webp"}, Fails: []error{ErrLogo, ErrLimited, api.ErrTooLarge}})
	api.Delete(r, "/v1/program/logo", s.deleteLogo, api.Doc{ID: "deleteLogo", Summary: "Take the logo away.", Tags: tags, Status: 204, Needs: Manage, Fails: []error{ErrLimited}})
	api.Get(r, "/v1/program/rates", s.getRates, api.Doc{ID: "listRates", Summary: "List the rates of a currency, latest day first.", Tags: tags})
	api.Put(r, "/v1/program/rates", s.putRates, api.Doc{ID: "setRates", Summary: "Set what foreign currencies were worth on a day.", Tags: tags,
		Needs: Manage, Status: 204, Fails: []error{ErrRate, ErrOwnRate, ErrDay, ErrManyRates, ErrLimited, money.ErrCurrency}})
	s.placeRoutes(r)
}

// settingsView is Settings as the outside sees them.
type settingsView struct {
	Version      int64     `json:"version" doc:"Grows with every change of settings or places."`
	NameEN       string    `json:"name_en" doc:"English name."`
	NameZH       string    `json:"name_zh" doc:"Chinese name."`
	Zone         string    `json:"zone" doc:"Time zone (IANA) whose midnight begins a day of the programme." example:"Asia/Shanghai"`
	Currency     string    `json:"currency" doc:"ISO 4217 code of the programme's money." example:"CNY"`
	Languages    []string  `json:"languages" doc:"Languages that members are written to in; the first is the default."`
	DefaultStore string    `json:"default_store" doc:"The store of a sale that names none."`
	Earning      Earning   `json:"earning" doc:"The base rule of earning."`
	Limits       Limits    `json:"limits" doc:"What one request may carry."`
	Modules      Modules   `json:"modules" doc:"Which parts are in use."`
	Offline      Offline   `json:"offline" doc:"What tills may give while the line is down."`
	Brand        BrandView `json:"brand" doc:"How the programme looks to its members."`
}

// BrandView is a Brand as the outside sees it.
type BrandView struct {
	Color     string `json:"color,omitempty" doc:"Ground of buttons and colour of links; absent: the portal's own." example:"#612F4E"`
	TaglineEN string `json:"tagline_en,omitempty" doc:"A line under the name, in English."`
	TaglineZH string `json:"tagline_zh,omitempty" doc:"A line under the name, in Chinese."`
	LogoURL   string `json:"logo_url,omitempty" doc:"Where the logo is; another address with every other picture. Absent where there is none."`
}

// View is the brand as the outside sees it.
func (b Brand) View() BrandView {
	v := BrandView{Color: b.Color, TaglineEN: b.TaglineEN, TaglineZH: b.TaglineZH}
	if b.Logo != "" {
		v.LogoURL = "/portal/v1/logo?v=" + b.Logo
	}
	return v
}

func viewSettings(s *Snapshot) settingsView {
	set := s.Settings
	return settingsView{
		Version: s.Version, NameEN: set.NameEN, NameZH: set.NameZH, Zone: set.Zone, Currency: set.Currency,
		Languages: set.Languages, DefaultStore: StoreID(set.DefaultStore), Earning: set.Earning, Limits: set.Limits, Modules: set.Modules, Offline: set.Offline.settled(),
		Brand: set.Brand.View(),
	}
}

type settingsOut struct{ Body settingsView }

func (s *Service) getSettings(context.Context, *struct{}) (*settingsOut, error) {
	return &settingsOut{viewSettings(s.Snapshot())}, nil
}

type settingsIn struct {
	Body struct {
		Version      int64     `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		NameEN       *string   `json:"name_en,omitempty" minLength:"1" maxLength:"200" doc:"English name."`
		NameZH       *string   `json:"name_zh,omitempty" minLength:"1" maxLength:"200" doc:"Chinese name."`
		Zone         *string   `json:"zone,omitempty" minLength:"1" maxLength:"60" doc:"Time zone (IANA)."`
		Currency     *string   `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"ISO 4217 code."`
		Languages    *[]string `json:"languages,omitempty" minItems:"1" maxItems:"2" doc:"zh-CN and en, the default first."`
		DefaultStore *string   `json:"default_store,omitempty" minLength:"1" maxLength:"64" doc:"Id or code of an open store."`
		Earning      *Earning  `json:"earning,omitempty" doc:"The whole rule."`
		Limits       *Limits   `json:"limits,omitempty" doc:"All limits."`
		Brand        *brandIn  `json:"brand,omitempty" doc:"The whole brand but the logo, which has a route of its own."`
		Modules      *Modules  `json:"modules,omitempty" doc:"All modules."`
		Offline      *Offline  `json:"offline,omitempty" doc:"All bounds for tills without a line."`
	}
}

type brandIn struct {
	Color     string `json:"color,omitempty" maxLength:"7" doc:"# and six hexadecimal digits; white text on it must be readable (4.5:1)." example:"#612F4E"`
	TaglineEN string `json:"tagline_en,omitempty" maxLength:"240" doc:"At most 60 characters."`
	TaglineZH string `json:"tagline_zh,omitempty" maxLength:"240" doc:"At most 60 characters."`
}

func (s *Service) patchSettings(ctx context.Context, in *settingsIn) (*settingsOut, error) {
	b := in.Body
	change := SettingsChange{
		Version: b.Version, NameEN: b.NameEN, NameZH: b.NameZH, Zone: b.Zone, Currency: b.Currency,
		Languages: b.Languages, DefaultStore: b.DefaultStore, Earning: b.Earning, Limits: b.Limits, Modules: b.Modules, Offline: b.Offline,
	}
	if b.Brand != nil {
		change.Brand = &Brand{Color: strings.ToUpper(b.Brand.Color), TaglineEN: strings.TrimSpace(b.Brand.TaglineEN), TaglineZH: strings.TrimSpace(b.Brand.TaglineZH)}
	}
	now, err := s.ChangeSettings(ctx, change)
	if err != nil {
		return nil, err
	}
	return &settingsOut{viewSettings(now)}, nil
}

type logoIn struct {
	RawBody []byte `contentType:"image/png" required:"true"`
}

func (s *Service) putLogo(ctx context.Context, in *logoIn) (*settingsOut, error) {
	if len(in.RawBody) == 0 {
		return nil, ErrLogo.With("most", maxSide).At("body")
	}
	now, err := s.SetLogo(ctx, bytes.Clone(in.RawBody))
	if err != nil {
		return nil, err
	}
	return &settingsOut{viewSettings(now)}, nil
}

func (s *Service) deleteLogo(ctx context.Context, _ *struct{}) (*struct{}, error) {
	_, err := s.SetLogo(ctx, nil)
	return nil, err
}

// rateView is a Rate as the outside sees it: a decimal text, since a JSON number may lose
// digits on its way.
type rateView struct {
	Currency string `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code." example:"USD"`
	Day      string `json:"day" minLength:"10" maxLength:"10" doc:"The date, in the programme's zone." example:"2026-03-01"`
	Rate     string `json:"rate" minLength:"1" maxLength:"20" doc:"Units of the programme's currency for one of this; up to 6 decimals." example:"7.1"`
}

type ratesIn struct {
	api.Page
	Currency string `query:"currency" required:"true" minLength:"3" maxLength:"3" doc:"ISO 4217 code."`
}

type ratesOut struct{ Body api.List[rateView] }

func (s *Service) getRates(ctx context.Context, in *ratesIn) (*ratesOut, error) {
	if _, err := money.Decimals(in.Currency); err != nil {
		return nil, errs.As(err).At("query.currency")
	}
	list, err := s.RatesBefore(ctx, in.Currency, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &ratesOut{}
	out.Body.Items = []rateView{}
	for i, r := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(int64(list[i-1].Day))
			break
		}
		out.Body.Items = append(out.Body.Items, rateView{in.Currency, r.Day.String(), formatRate(r.Millionths)})
	}
	return out, nil
}

type putRatesIn struct {
	Body struct {
		Rates []rateView `json:"rates" minItems:"1" maxItems:"1000" doc:"One rate for a currency and day; a later one of the same day wins."`
	}
}

func (s *Service) putRates(ctx context.Context, in *putRatesIn) (*struct{}, error) {
	rates := make([]Rate, len(in.Body.Rates))
	for i, v := range in.Body.Rates {
		day, err := ParseDay(v.Day)
		if err != nil {
			return nil, errs.As(err).At(fmt.Sprintf("body.rates[%d].day", i))
		}
		n, err := money.Parse(v.Rate, RateDecimals)
		if err != nil {
			return nil, ErrRate.Because(err).At(fmt.Sprintf("body.rates[%d].rate", i))
		}
		rates[i] = Rate{v.Currency, day, n}
	}
	return nil, s.SetRates(ctx, rates)
}
