package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/qrcode"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

type joinIn struct {
	api.Browser
	Body struct {
		Address
		Proof
		Store    string `json:"store,omitempty" maxLength:"64" doc:"Code or id of the store whose QR code was scanned."`
		Name     string `json:"name,omitempty" maxLength:"400" doc:"Full name, at most 100 characters."`
		Birthday string `json:"birthday,omitempty" maxLength:"10" doc:"YYYY-MM-DD, or --MM-DD without the year." example:"1990-02-28"`
		Language string `json:"language,omitempty" maxLength:"35" doc:"Language tag; that of the request where absent."`
		Consents []word `json:"consents,omitempty" maxItems:"20" doc:"What was ticked, and what was not."`
	}
}

func (s *Service) postJoin(ctx context.Context, in *joinIn) (*signedIn, error) {
	if in.Plain() {
		return nil, ErrPlain
	}
	ref, err := in.Body.ref()
	if err != nil {
		return nil, err
	}
	n, err := s.enrolment(ctx, in, ref)
	if err != nil {
		return nil, err
	}
	said := words(in.Body.Consents)
	if err := s.o.Privacy.Check(ctx, said); err != nil {
		return nil, err
	}
	kind, value := ref.Identifier()
	t, err := s.check(ctx, asked{kind: kind, value: value, purpose: toSignIn}, in.Body.Challenge, in.Body.Code)
	if err != nil {
		return nil, err
	}
	m, fresh, err := s.enrol(ctx, ref, n)
	if err != nil {
		return nil, err
	}
	if len(said) > 0 {
		if _, err := s.o.Privacy.Speak(api.WithCaller(ctx, as(m)), member.RefID(m), said); err != nil {
			return nil, err
		}
	}
	// The code goes last: who was cut off on the way joins again with it, and is signed in.
	token, err := s.open(ctx, m, t, in.Token(cookie))
	if err != nil {
		return nil, err
	}
	return newSignedIn(&in.Browser, m, token, fresh), nil
}

// enrolment is who would join.
func (s *Service) enrolment(ctx context.Context, in *joinIn, ref member.Ref) (member.Enrolment, error) {
	b := in.Body
	n := member.Enrolment{Verified: true, Name: b.Name, Birthday: b.Birthday, Language: b.Language, Source: "portal"}
	if n.Language == "" {
		n.Language = api.Language(ctx)
	}
	switch kind, value := ref.Identifier(); kind {
	case member.KindPhone:
		n.Phone = value
	default:
		n.Email = value
	}
	if b.Store != "" {
		st, err := s.openStore(b.Store)
		if err != nil {
			return n, at(err, "body.store")
		}
		n.StoreID = st.ID
	}
	return n, nil
}

// openStore finds a store that guests may join at.
func (s *Service) openStore(ref string) (program.Store, error) {
	st, err := s.o.Program.Snapshot().FindStore(ref)
	if err == nil && !st.Open {
		err = program.ErrNoStore
	}
	return st, err
}

// enrol makes a member, or finds who has the identifier already: of two who join with one
// number at once, one is made.
func (s *Service) enrol(ctx context.Context, ref member.Ref, n member.Enrolment) (m member.ID, fresh bool, err error) {
	if m, err = s.o.Members.Find(ctx, ref); err == nil {
		kind, value := ref.Identifier()
		return m, false, s.proved(ctx, m, kind, value)
	}
	if !errors.Is(err, member.ErrNotFound) {
		return 0, false, err
	}
	made, err := s.o.Members.Create(api.WithCaller(ctx, api.Caller{Kind: "system", ID: "portal"}), n)
	if errors.Is(err, member.ErrIdentifierTaken) {
		m, err = s.o.Members.Find(ctx, ref)
		return m, false, err
	}
	return made.ID, err == nil, err
}

type programIn struct {
	Store string `query:"store" maxLength:"64" doc:"Code or id of the store whose QR code was scanned."`
}

type programOut struct{ Body programView }

// programView is what strangers read of the programme.
type programView struct {
	NameEN    string            `json:"name_en" doc:"English name."`
	NameZH    string            `json:"name_zh" doc:"Chinese name."`
	Zone      string            `json:"zone" doc:"Time zone (IANA) whose midnight begins a day of the programme."`
	Brand     program.BrandView `json:"brand" doc:"How it looks."`
	Languages []string          `json:"languages" doc:"Languages of the programme; the first is the default."`
	SignIn    []member.Kind     `json:"sign_in" doc:"What codes can be sent to here: phone, email, both, or none."`
	Joining   joiningView       `json:"joining" doc:"What joining gives."`
	Consents  []PurposeView     `json:"consents" doc:"What a member may agree to, with the latest texts."`
	Store     *storeView        `json:"store,omitempty" doc:"The store that was asked for."`
	Demo      *demoView         `json:"demo,omitempty" doc:"Present where this is a demonstration."`
}

type joiningView struct {
	Currency    string `json:"currency" doc:"Code of the point currency that purchases earn."`
	NameEN      string `json:"name_en" doc:"Its name in English."`
	NameZH      string `json:"name_zh" doc:"Its name in Chinese."`
	Decimals    int    `json:"decimals" doc:"Amounts are integers of the smallest unit."`
	Points      int64  `json:"points" doc:"Earned for every per; 0: purchases earn nothing by themselves."`
	Per         int64  `json:"per" doc:"Money, in minor units."`
	Money       string `json:"money" doc:"ISO 4217 code of that money."`
	PendingDays int    `json:"pending_days" doc:"Days until they can be used."`
}

type storeView struct {
	Code    string `json:"code" doc:"Its code."`
	NameEN  string `json:"name_en" doc:"English name."`
	NameZH  string `json:"name_zh" doc:"Chinese name."`
	Address string `json:"address,omitempty" doc:"Where it is."`
}

type demoView struct {
	Phone string `json:"phone,omitempty" doc:"Somebody to sign in as."`
	Inbox string `json:"inbox" doc:"Where the codes are shown."`
}

func (s *Service) getProgram(ctx context.Context, in *programIn) (*programOut, error) {
	set := s.o.Program.Snapshot().Settings
	v := programView{NameEN: set.NameEN, NameZH: set.NameZH, Zone: set.Zone, Brand: set.Brand.View(), Languages: set.Languages, SignIn: []member.Kind{}}
	for _, k := range []member.Kind{member.KindPhone, member.KindEmail} {
		if _, err := s.sender(k); err == nil {
			v.SignIn = append(v.SignIn, k)
		}
	}
	v.Joining = joiningView{Currency: set.Earning.Currency, Points: set.Earning.Points, Per: set.Earning.Per, Money: set.Currency, PendingDays: set.Earning.PendingDays}
	if c := s.o.Ledger.Config().ByCode[set.Earning.Currency]; c != nil {
		v.Joining.NameEN, v.Joining.NameZH, v.Joining.Decimals = c.NameEN, c.NameZH, c.Policy.Decimals
		v.Joining.PendingDays = max(v.Joining.PendingDays, c.Policy.PendingDays)
	}
	if in.Store != "" {
		st, err := s.openStore(in.Store)
		if err != nil {
			return nil, at(err, "query.store")
		}
		v.Store = &storeView{st.Code, st.NameEN, st.NameZH, st.Address}
	}
	if s.demo() {
		v.Demo = &demoView{strings.TrimPrefix(set.Demo, "phone:"), "/portal/v1/inbox"}
	}
	var err error
	v.Consents, err = s.purposes(ctx)
	return &programOut{v}, err
}

type logoIn struct {
	Version string `query:"v" maxLength:"16" doc:"As the brand names it; the answer may then be kept for long."`
	Match   string `header:"If-None-Match" maxLength:"256" doc:"The ETag that the caller has."`
}

type logoOut struct {
	Status      int
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

func (s *Service) getLogo(ctx context.Context, in *logoIn) (*logoOut, error) {
	logo, err := s.o.Program.Logo(ctx)
	if err != nil {
		return nil, err
	}
	out := &logoOut{Status: http.StatusOK, ETag: `"` + logo.Version + `"`, ContentType: logo.Kind, Cache: "public, max-age=300", Body: logo.Body}
	if in.Version == logo.Version {
		out.Cache = "public, max-age=31536000, immutable"
	}
	if strings.Contains(in.Match, out.ETag) {
		out.Status, out.Body, out.ContentType = http.StatusNotModified, nil, ""
	}
	return out, nil
}

type joinLinkIn struct {
	api.Browser
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"Id or code of the store."`
}

type joinLinkOut struct {
	Body struct {
		URL   string `json:"url" doc:"Where guests join." example:"https://club.example/portal/join?store=bund-1"`
		Store string `json:"store" doc:"Code of the store."`
		SVG   string `json:"svg" doc:"The link as a QR code, to print in any size."`
	}
}

func (s *Service) getJoinLink(ctx context.Context, in *joinLinkIn) (*joinLinkOut, error) {
	snap := s.o.Program.Snapshot()
	st, err := snap.FindStore(in.ID)
	if err != nil || !snap.SeesStore(api.CallerOf(ctx), st.ID) {
		return nil, program.ErrNoStore
	}
	origin := s.o.PublicURL
	if origin == "" {
		origin = in.Origin()
	}
	out := &joinLinkOut{}
	out.Body.URL, out.Body.Store = strings.TrimSuffix(origin, "/")+"/portal/join?store="+url.QueryEscape(st.Code), st.Code
	out.Body.SVG, err = qrcode.SVG(out.Body.URL)
	return out, err
}
