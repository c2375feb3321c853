package portal

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Portal"}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	s.doorRoutes(r)
	s.ownRoutes(r)
	s.moveRoutes(r)
	s.planRoutes(r)
	api.Get(r, "/v1/stores/{id}/join-link", s.getJoinLink, api.Doc{ID: "getJoinLink", Summary: "Get the link and QR code by which guests of a store join.", Tags: []string{"Programme"},
		Needs: staff.ServeMembers, Fails: []error{program.ErrNoStore}})
}

// doorRoutes are those before the sign-in. They are of the class Public, whose places are
// not those of people at work.
func (s *Service) doorRoutes(r *api.Router) {
	address := []error{ErrOne, member.ErrPhone, member.ErrEmail, ErrCode, ErrGuess, ErrPlain}
	api.Get(r, "/portal/v1/program", s.getProgram, api.Doc{ID: "portalProgram", Summary: "Read what the portal shows before the sign-in: name, brand, consent texts, what joining gives.", Tags: tags,
		Public: true, Fails: []error{program.ErrNoStore}})
	api.Get(r, "/portal/v1/logo", s.getLogo, api.Doc{ID: "portalLogo", Summary: "Fetch the programme's logo.", Tags: tags, Public: true, Fails: []error{program.ErrNoLogo}})
	api.Get(r, "/portal/v1/manifest", s.getManifest, api.Doc{ID: "portalManifest", Summary: "Read how the portal looks as an app on a phone.", Tags: tags, Public: true})
	api.Post(r, "/portal/v1/codes", s.postCode, api.Doc{ID: "portalAskCode", Summary: "Ask for a code, to sign in or to join.", Tags: tags, Public: true, Status: 202,
		Description: "The answer is the same for everybody: whether somebody is a member shows only to who has read the code.",
		Fails:       []error{ErrOne, member.ErrPhone, member.ErrEmail, ErrNoChannel, ErrSlow, ErrNotSent}})
	api.Post(r, "/portal/v1/sign-in", s.postSignIn, api.Doc{ID: "portalSignIn", Summary: "Sign in with a code; the session comes as a cookie.", Tags: tags, Public: true, Status: 201,
		Description: "A code that was right and whose owner is no member stays good for joining.", Fails: append(address, ErrNotMember)})
	api.Post(r, "/portal/v1/join", s.postJoin, api.Doc{ID: "portalJoin", Summary: "Join with a code, or sign in who has joined before.", Tags: tags, Public: true, Status: 201,
		Description: "store is the code of the store whose QR code was scanned. Consents are kept with the version of the text that was shown.",
		Fails:       append(address, program.ErrNoStore, privacy.ErrPurpose, privacy.ErrVersion, member.ErrText, member.ErrBirthday, member.ErrLanguage)})
	api.Get(r, "/portal/v1/inbox", s.getInbox, api.Doc{ID: "portalInbox", Summary: "Read the codes that were sent: in a demonstration only.", Tags: tags, Public: true, Fails: []error{ErrNoInbox}})
}

// ownRoutes read and change what is the member's.
func (s *Service) ownRoutes(r *api.Router) {
	api.Post(r, "/portal/v1/sign-out", s.postSignOut, api.Doc{ID: "portalSignOut", Summary: "End this session.", Tags: tags, Status: 204})
	api.Get(r, "/portal/v1/sessions", s.getSessions, api.Doc{ID: "portalSessions", Summary: "List where one is signed in, the one used last first.", Tags: tags})
	api.Delete(r, "/portal/v1/sessions/{id}", s.deleteSession, api.Doc{ID: "portalEndSession", Summary: "End one of one's own sessions.", Tags: tags, Status: 204, Fails: []error{ErrNoSession}})
	api.Delete(r, "/portal/v1/sessions", s.deleteSessions, api.Doc{ID: "portalEndSessions", Summary: "End all of one's own sessions, this one too.", Tags: tags, Status: 204})

	api.Get(r, "/portal/v1/me", s.getHome, api.Doc{ID: "portalHome", Summary: "Read the member's card and what they have.", Tags: tags})
	api.Get(r, "/portal/v1/tier", s.getTier, api.Doc{ID: "portalTier", Summary: "Read one's tier, how far the next one is, and what each tier gives.", Tags: tags})
	api.Get(r, "/portal/v1/qr", s.getQR, api.Doc{ID: "portalQR", Summary: "Get the code that a till scans; good for a minute.", Tags: tags,
		Description: "Ask again after refresh_seconds. A till finds the member as qr:… once and goes on with the member's id."})
	api.Get(r, "/portal/v1/vouchers/{code}/qr", s.getVoucherQR, api.Doc{ID: "portalVoucherQR", Summary: "Draw the code of a voucher as a QR code.", Tags: tags,
		Description: "Any code is drawn as it stands, without being looked up: it tells nothing of what exists."})
	api.Get(r, "/portal/v1/history", s.getHistory, api.Doc{ID: "portalHistory", Summary: "List what moved one's points, newest first, each with its why.", Tags: tags, Fails: []error{ledger.ErrCurrency, api.ErrCursor}})
	api.Get(r, "/portal/v1/purchases", s.getPurchases, api.Doc{ID: "portalPurchases", Summary: "List one's purchases and returns, what was recorded last first.", Tags: tags, Fails: []error{api.ErrCursor}})
	api.Get(r, "/portal/v1/purchases/{id}", s.getPurchase, api.Doc{ID: "portalPurchase", Summary: "Read one of one's purchases, with its returns.", Tags: tags, Fails: []error{sale.ErrNotFound}})

	api.Get(r, "/portal/v1/profile", s.getProfile, api.Doc{ID: "portalProfile", Summary: "Read what is known of oneself.", Tags: tags})
	api.Patch(r, "/portal/v1/profile", s.patchProfile, api.Doc{ID: "portalChangeProfile", Summary: "Change what is known of oneself; what is left out stays.", Tags: tags,
		Description: "A birthday is set once; a year may be added to one without.",
		Fails:       []error{ErrBirthday, member.ErrText, member.ErrBirthday, member.ErrGender, member.ErrLanguage, member.ErrChanged}})
	api.Get(r, "/portal/v1/consents", s.getConsents, api.Doc{ID: "portalConsents", Summary: "Read what one agrees to, with the latest texts.", Tags: tags})
	api.Post(r, "/portal/v1/consents", s.postConsents, api.Doc{ID: "portalSpeak", Summary: "Give consents or take them back.", Tags: tags,
		Description: "All of it is kept or nothing. To take one back is granted false.", Fails: []error{privacy.ErrPurpose, privacy.ErrVersion, privacy.ErrBusy}})
	api.Get(r, "/portal/v1/export", s.getExport, api.Doc{ID: "portalExport", Summary: "Download everything that is known of oneself.", Tags: tags, Stream: true,
		Description: "json is one object with a list for each sheet; csv a ZIP folder with a file for each.", Fails: []error{ErrOften}})
}

// moveRoutes give points away and close the account.
func (s *Service) moveRoutes(r *api.Router) {
	gives := []error{ErrUnknownFriend, ErrLooking, member.ErrRef, member.ErrQR, member.ErrPhone, member.ErrEmail, ledger.ErrCurrency, ledger.ErrAmount, ledger.ErrInsufficient, ledger.ErrNoTransfer,
		ledger.ErrTransferSize, ledger.ErrSelf, ledger.ErrMayNotEarn, ledger.ErrMayNotSpend, ledger.ErrNotSpendable, ledger.ErrLimit, ledger.ErrFull}
	api.Post(r, "/portal/v1/transfers/preview", s.postPreview, api.Doc{ID: "portalPreviewTransfer", Summary: "See whom a gift would go to, masked, and what would leave; nothing is kept.", Tags: tags,
		Description: "The answer's to is what the gift itself names.", Fails: gives})
	api.Post(r, "/portal/v1/transfers", s.postTransfer, api.Doc{ID: "portalTransfer", Summary: "Give points to a friend.", Tags: tags, Status: 201, KeyRequired: true, OwnKey: true, Fails: gives})
	api.Post(r, "/portal/v1/close/code", s.postCloseCode, api.Doc{ID: "portalAskCloseCode", Summary: "Ask for the code that confirms that the account is closed.", Tags: tags, Status: 202,
		Fails: []error{ErrNoAddress, ErrNoChannel, ErrSlow, ErrNotSent}})
	api.Post(r, "/portal/v1/close", s.postClose, api.Doc{ID: "portalClose", Summary: "Close the account for good: personal data are erased, points forfeited.", Tags: tags,
		Description: "There is no way back. Who has stored value is refused, unless they give it up.", Fails: []error{ErrCode, ErrGuess, ledger.ErrStoredLeft, privacy.ErrBusy}})
}

// Address is the part of a body that says whom a code goes to.
type Address struct {
	Phone string `json:"phone,omitempty" maxLength:"40" doc:"Any spelling; without a country code, mainland China." example:"13800138000"`
	Email string `json:"email,omitempty" maxLength:"254" doc:"E-mail address, instead of a phone."`
}

func (a Address) ref() (member.Ref, error) {
	switch {
	case (a.Phone == "") == (a.Email == ""):
		return member.Ref{}, ErrOne.At("body.phone")
	case a.Phone != "":
		ref, err := member.RefTo(member.KindPhone, a.Phone)
		return ref, at(err, "body.phone")
	}
	ref, err := member.RefTo(member.KindEmail, a.Email)
	return ref, at(err, "body.email")
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}

type codeIn struct {
	Body struct{ Address }
}

type codeOut struct{ Body CodeView }

// CodeView is what who asked for a code is told: the same, whoever asks.
type CodeView struct {
	Challenge string    `json:"challenge" doc:"Goes with the code when it is used. Keep it in this browser."`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when the code is good."`
	Resend    int       `json:"resend_seconds" doc:"After how many seconds another one may be asked for."`
	Digits    int       `json:"digits" doc:"How many digits it has."`
}

func viewCode(c Challenge) CodeView {
	return CodeView{c.Text, c.Until, int(codeGap / time.Second), 6}
}

func (s *Service) postCode(ctx context.Context, in *codeIn) (*codeOut, error) {
	ref, err := in.Body.ref()
	if err != nil {
		return nil, err
	}
	kind, value := ref.Identifier()
	c, err := s.send(ctx, asked{kind: kind, value: value, purpose: toSignIn})
	if err != nil {
		return nil, err
	}
	return &codeOut{viewCode(c)}, nil
}

// Proof is the part of a body that bears a code.
type Proof struct {
	Challenge string `json:"challenge" minLength:"1" maxLength:"64" doc:"As it was given with the code."`
	Code      string `json:"code" minLength:"6" maxLength:"6" pattern:"^[0-9]{6}$" doc:"The six digits." example:"123456"`
}

type signInIn struct {
	api.Browser
	Body struct {
		Address
		Proof
	}
}

// signedIn is the answer that opens a session.
type signedIn struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		Member member.ID `json:"member_id" doc:"The member."`
		Number string    `json:"number" doc:"Their number for people."`
		New    bool      `json:"new" doc:"They have joined just now."`
	}
}

func newSignedIn(b *api.Browser, m member.ID, token string, fresh bool) *signedIn {
	out := &signedIn{SetCookie: b.Set(cookie, token)}
	out.Body.Member, out.Body.Number, out.Body.New = m, m.Number(), fresh
	return out
}

func (s *Service) postSignIn(ctx context.Context, in *signInIn) (*signedIn, error) {
	if in.Plain() {
		return nil, ErrPlain
	}
	ref, err := in.Body.ref()
	if err != nil {
		return nil, err
	}
	m, token, err := s.signIn(ctx, ref, in.Body.Challenge, in.Body.Code, in.Token(cookie))
	if err != nil {
		return nil, err
	}
	return newSignedIn(&in.Browser, m, token, false), nil
}

type browserIn struct{ api.Browser }

type cookieOut struct {
	SetCookie string `header:"Set-Cookie"`
}

func (s *Service) postSignOut(ctx context.Context, in *browserIn) (*cookieOut, error) {
	t, _ := parseToken(in.Token(cookie))
	if err := s.end(ctx, t.session); err != nil {
		return nil, err
	}
	return &cookieOut{in.Set(cookie, "")}, nil
}

type sessionsOut struct {
	Body struct {
		Items []sessionView `json:"items" doc:"The one used last first; there are few."`
	}
}

type sessionView struct {
	ID      string    `json:"id" doc:"The session."`
	Device  string    `json:"device,omitempty" doc:"What kind of device." example:"iPhone"`
	Started time.Time `json:"started_at" doc:"When it began."`
	Seen    time.Time `json:"seen_at" doc:"When it was last used, to the hour."`
	Current bool      `json:"current" doc:"It is this one."`
}

func (s *Service) getSessions(ctx context.Context, in *browserIn) (*sessionsOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.sessions(ctx, m)
	if err != nil {
		return nil, err
	}
	mine, _ := parseToken(in.Token(cookie))
	out := &sessionsOut{}
	out.Body.Items = []sessionView{}
	for _, x := range list {
		out.Body.Items = append(out.Body.Items, sessionView{x.ID(), x.Device, x.Started, x.Seen, x.ID() == mine.session.ID()})
	}
	return out, nil
}

type sessionIn struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The session (pss_…)."`
}

func (s *Service) deleteSession(ctx context.Context, in *sessionIn) (*struct{}, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	who, n, err := id.Decode(sessionPrefix, in.ID)
	if err != nil {
		return nil, ErrNoSession
	}
	list, err := s.sessions(ctx, m)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.Member == member.ID(who) && x.N == n {
			return nil, s.end(ctx, x)
		}
	}
	return nil, ErrNoSession
}

func (s *Service) deleteSessions(ctx context.Context, in *browserIn) (*cookieOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.sessions(ctx, m)
	if err == nil {
		err = s.end(ctx, list...)
	}
	if err != nil {
		return nil, err
	}
	return &cookieOut{in.Set(cookie, "")}, nil
}

type exportIn struct {
	Format privacy.Format `query:"format" enum:"json,csv" default:"json" doc:"One object, or a folder of tables."`
}

func (s *Service) getExport(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { // each is a long read, and a line of the trail
		c := count{s.o.Box.Blind("portal count", fmt.Sprintf("export %d", m)), noGap, hourlyExport, ErrOften}
		return c.take(ctx, tx, s.o.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return s.o.Privacy.Download(ctx, member.RefID(m), in.Format)
}
