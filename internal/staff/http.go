package staff

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	s.signRoutes(r)
	s.staffRoutes(r)
	s.colleagueRoutes(r)
	s.sessionRoutes(r)
	s.keyRoutes(r)
	s.auditRoutes(r)
}

// signRoutes are the ways in and out.
func (s *Service) signRoutes(r *api.Router) {
	tags := []string{"Sign-in"}
	passwords := []error{ErrPassword, ErrEasy, ErrHashBusy}
	api.Post(r, "/v1/setup", s.postSetup, api.Doc{ID: "setUp", Summary: "Become the first owner by the one-time link, and sign in.", Tags: tags,
		Public: true, Status: 201, Fails: append(passwords, ErrLink, ErrPlain, ErrEmail, ErrName)})
	api.Post(r, "/v1/sign-in", s.postSignIn, api.Doc{ID: "signIn", Summary: "Sign in with e-mail address and password; the session comes as a cookie.", Tags: tags,
		Public: true, Fails: []error{ErrSignIn, ErrSlow, ErrPlain, ErrHashBusy}})
	api.Post(r, "/v1/sign-out", s.postSignOut, api.Doc{ID: "signOut", Summary: "End this session.", Tags: tags, Status: 204, Fails: []error{ErrNoPerson}})
	api.Get(r, "/v1/me", s.getMe, api.Doc{ID: "getMe", Summary: "Read who makes this request, and what they may do.", Tags: tags})
	api.Patch(r, "/v1/me", s.patchMe, api.Doc{ID: "changeMe", Summary: "Change one's own name, language or theme; what is left out stays.", Tags: tags, Fails: []error{ErrNoPerson, ErrName, ErrPreference}})
	api.Post(r, "/v1/me/password", s.postPassword, api.Doc{ID: "changePassword", Tags: tags,
		Summary: "Change one's own password; every session ends and a new one begins.",
		Secret:  true, Status: 204, Fails: append(passwords, ErrNoPerson, ErrWrong, ErrSlow, ErrPlain)})
}

// cookieOut is an answer without a body that sets the cookie.
type cookieOut struct {
	SetCookie string `header:"Set-Cookie"`
}

type meView struct {
	Kind        string           `json:"kind" enum:"staff,key,system" doc:"A person or an API key."`
	ID          string           `json:"id" doc:"Id of the account or key."`
	Name        string           `json:"name" doc:"Its name."`
	Permissions []api.Permission `json:"permissions" doc:"What it may do."`
	Merchants   []string         `json:"merchants" doc:"Where it may act; empty: everywhere."`
	Stores      []string         `json:"stores" doc:"Where it may act; empty: everywhere."`
	Sandbox     bool             `json:"sandbox" doc:"Whether it acts in the sandbox programme."`
	Role        Role             `json:"role,omitempty" doc:"Of a person."`
	Email       string           `json:"email,omitempty" doc:"Of a person: to sign in with."`
	Language    string           `json:"language,omitempty" enum:"zh-CN,en" doc:"What they want to read; absent for what the browser says."`
	Theme       string           `json:"theme,omitempty" enum:"light,dark" doc:"How they want the console; absent for what the browser says."`
}

func viewMe(c api.Caller) meView {
	v := meView{Kind: c.Kind, ID: c.ID, Name: c.Name, Permissions: []api.Permission{}, Sandbox: c.Sandbox,
		Merchants: publicIDs(c.Merchants, program.MerchantID), Stores: publicIDs(c.Stores, program.StoreID)}
	for _, p := range Permissions() {
		if c.Can[p] {
			v.Permissions = append(v.Permissions, p)
		}
	}
	return v
}

func publicIDs(numbers []int64, public func(int64) string) []string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = public(n)
	}
	return out
}

type meOut struct{ Body meView }

// signedIn is the answer to setup and sign-in.
type signedIn struct {
	SetCookie string `header:"Set-Cookie"`
	Body      meView
}

func newSignedIn(b *api.Browser, a Account, token string) *signedIn {
	return &signedIn{SetCookie: b.Set(browserCookie, token), Body: viewMe(a.caller())}
}

// caller is the account as the caller that its sessions make.
func (a Account) caller() api.Caller {
	return api.Caller{Kind: "staff", ID: a.PublicID(), Name: a.Name, Can: a.Role.Can(), Merchants: a.Merchants, Stores: a.Stores}
}

type setupIn struct {
	api.Browser
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"128" doc:"What stands behind # in the link."`
		Email    string `json:"email" minLength:"3" maxLength:"254" doc:"To sign in with."`
		Name     string `json:"name" minLength:"1" maxLength:"100" doc:"Of the person."`
		Password string `json:"password" minLength:"1" maxLength:"512" doc:"15 to 128 characters."`
	}
}

func (s *Service) postSetup(ctx context.Context, in *setupIn) (*signedIn, error) {
	if in.Plain() {
		return nil, ErrPlain
	}
	b := in.Body
	a, token, err := s.Setup(ctx, b.Token, NewAccount{Email: b.Email, Name: b.Name, Password: b.Password})
	if err != nil {
		return nil, err
	}
	return newSignedIn(&in.Browser, a, token), nil
}

type signInIn struct {
	api.Browser
	Body struct {
		Email    string `json:"email" maxLength:"254" doc:"Capitals do not matter."`
		Password string `json:"password" maxLength:"512" doc:"As it was set."`
	}
}

func (s *Service) postSignIn(ctx context.Context, in *signInIn) (*signedIn, error) {
	if in.Plain() {
		return nil, ErrPlain
	}
	a, token, err := s.SignIn(ctx, in.Body.Email, in.Body.Password, in.Token(browserCookie))
	if err != nil {
		return nil, err
	}
	return newSignedIn(&in.Browser, a, token), nil
}

type browserIn struct{ api.Browser }

func (s *Service) postSignOut(ctx context.Context, in *browserIn) (*cookieOut, error) {
	if _, err := self(ctx); err != nil {
		return nil, err
	}
	if err := s.SignOut(ctx, in.Token(browserCookie)); err != nil {
		return nil, err
	}
	return &cookieOut{in.Set(browserCookie, "")}, nil
}

func (s *Service) getMe(ctx context.Context, _ *struct{}) (*meOut, error) {
	v := viewMe(api.CallerOf(ctx))
	n, err := self(ctx)
	if err != nil { // a key
		return &meOut{v}, nil
	}
	return s.person(ctx, n, v)
}

// person adds what is a person's own.
func (s *Service) person(ctx context.Context, n int64, v meView) (*meOut, error) {
	a, err := s.account(ctx, n)
	if err != nil {
		return nil, err
	}
	p, err := s.Preference(ctx, n)
	if err != nil {
		return nil, err
	}
	v.Name, v.Role, v.Email, v.Language, v.Theme = a.Name, a.Role, a.Email, p.Language, p.Theme
	return &meOut{v}, nil
}

type changeMeIn struct {
	Body struct {
		Name     *string `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"Of the person."`
		Language *string `json:"language,omitempty" maxLength:"10" doc:"zh-CN or en; empty for what the browser says."`
		Theme    *string `json:"theme,omitempty" maxLength:"10" doc:"light or dark; empty for what the browser says."`
	}
}

func (s *Service) patchMe(ctx context.Context, in *changeMeIn) (*meOut, error) {
	n, err := self(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		if _, err := s.Rename(ctx, *in.Body.Name); err != nil {
			return nil, err
		}
	}
	if in.Body.Language != nil || in.Body.Theme != nil {
		if err := s.Prefer(ctx, in.Body.Language, in.Body.Theme); err != nil {
			return nil, err
		}
	}
	return s.person(ctx, n, viewMe(api.CallerOf(ctx)))
}

type passwordIn struct {
	api.Browser
	Body struct {
		Present  string `json:"present" maxLength:"512" doc:"The password until now."`
		Password string `json:"password" minLength:"1" maxLength:"512" doc:"The new one: 15 to 128 characters."`
	}
}

func (s *Service) postPassword(ctx context.Context, in *passwordIn) (*cookieOut, error) {
	if in.Plain() {
		return nil, ErrPlain
	}
	token, err := s.ChangePassword(ctx, in.Body.Present, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return &cookieOut{in.Set(browserCookie, token)}, nil
}

// number reads a public id of one of the tables of this package.
func number(prefix, text string, missing error) (int64, error) {
	_, n, err := id.Decode(prefix, text)
	if err != nil {
		return 0, missing
	}
	return n, nil
}

// optional is nil for the zero time, which JSON then leaves out.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
