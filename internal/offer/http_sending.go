package offer

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) sendingRoutes(r *api.Router) {
	sends := slices.Concat(wrong[7:], []error{ErrNotFound, ErrNotLive, ErrWhom, ErrMany, ErrFuture, ErrNameTaken, ErrSent, program.ErrTime})
	api.Post(r, "/v1/offers/{id}/send", s.postSend, api.Doc{ID: "sendOffer", Summary: "Send an offer to members, in the background.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusAccepted,
		Description: "To members that are named, to all for whom a condition holds, or to all; of the last two, only those of the offer's audience. Each receipt is an instance of its own. at may lie in the past, for receipts that are told late.",
		Fails:       slices.Concat(sends, []error{member.ErrRef, member.ErrNotFound, member.ErrQR})})
	api.Post(r, "/v1/offers/{id}/send-file", s.postSendFile, api.Doc{ID: "sendOfferToFile", Summary: "Send an offer to the members of a file, in the background.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusAccepted,
		Description: "CSV in UTF-8 with a header: member, by any identifier, and where it differs at, the time of the receipt. A file that is sent again under the same name sends nothing twice.",
		Upload:      true, MaxBody: maxFile, Fails: slices.Concat(sends, []error{ErrFile, member.ErrQR, api.ErrTooLarge, api.ErrBodyCut})})
	api.Get(r, "/v1/offers/{id}/sendings", s.getSendings, api.Doc{ID: "listOfferSendings", Summary: "List the sendings of an offer, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/v1/offer-sendings/{id}", s.getSending, api.Doc{ID: "getOfferSending", Summary: "Show a sending and how far it is.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoSending}})
	api.Post(r, "/v1/offer-sendings/{id}/cancel", s.postCancelSending, api.Doc{ID: "cancelOfferSending", Summary: "Stop a sending; what was sent stays.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNoSending, ErrSent}})
}

func (s *Service) grantRoutes(r *api.Router) {
	asks := slices.Concat(wrong[7:], []error{ErrGrant, ErrWhom, ErrMany, ErrNameTaken, program.ErrTime, ledger.ErrDates})
	api.Post(r, "/v1/grants", s.postGrant, api.Doc{ID: "addGrant", Summary: "Ask for points or growth value to be given to many members; a second person decides.", Tags: tags, Needs: staff.AdjustPoints, Status: http.StatusAccepted,
		Description: "To members that are named, to all for whom a condition holds, or to all. It begins when the approval is given, and gives nobody twice.", Fails: slices.Concat(asks, []error{member.ErrRef, member.ErrNotFound, member.ErrQR})})
	api.Post(r, "/v1/grants/file", s.postGrantFile, api.Doc{ID: "addGrantToFile", Summary: "The same, to the members of a file.", Tags: tags, Needs: staff.AdjustPoints, Status: http.StatusAccepted,
		Description: "CSV in UTF-8 with a header: member, by any identifier.", Upload: true, MaxBody: maxFile, Fails: slices.Concat(asks, []error{ErrFile, member.ErrQR, api.ErrTooLarge, api.ErrBodyCut})})
	api.Get(r, "/v1/grants", s.getGrants, api.Doc{ID: "listGrants", Summary: "List grants to many, the newest first.", Tags: tags, Needs: staff.ReadPoints, Fails: []error{api.ErrCursor}})
	api.Get(r, "/v1/grants/{id}", s.getGrant, api.Doc{ID: "getGrant", Summary: "Show a grant and how far it is.", Tags: tags, Needs: staff.ReadPoints, Fails: []error{ErrNoSending}})
	api.Post(r, "/v1/grants/{id}/cancel", s.postCancelGrant, api.Doc{ID: "cancelGrant", Summary: "Stop a grant; what was given stays.", Tags: tags, Needs: staff.AdjustPoints, Fails: []error{ErrNoSending, ErrSent}})
}

// Whom is the part of a body that says to whom.
type Whom struct {
	Members   []string `json:"members,omitempty" maxItems:"1000" doc:"These members, by any identifier, each as often as they stand here."`
	Condition string   `json:"condition,omitempty" maxLength:"8000" doc:"Or all for whom this holds: a condition of kind member."`
	All       bool     `json:"all,omitempty" doc:"Or everybody."`
	Name      string   `json:"name,omitempty" maxLength:"100" doc:"What it is called; the same again under one name does nothing twice."`
}

func (s *Service) whom(ctx context.Context, w Whom) (list, error) {
	if len(w.Members) == 0 {
		return nil, nil
	}
	return s.listed(ctx, w.Members)
}

type sendIn struct {
	OfferRef
	Body struct {
		Whom
		At    string `json:"at,omitempty" maxLength:"40" doc:"When it is received; as it is sent where absent."`
		Quiet bool   `json:"quiet,omitempty" doc:"From the past: nobody is told."`
	}
}

// sendingView is a job for many and how far it is.
type sendingView struct {
	ID        string     `json:"id" doc:"The sending or grant."`
	Offer     string     `json:"offer_id,omitempty" doc:"The offer that is sent."`
	Name      string     `json:"name" doc:"What it is called."`
	State     string     `json:"state" enum:"filling,waiting,running,done,rejected,cancelled" doc:"filling: its list is read. waiting: for a second person."`
	Job       string     `json:"job_id,omitempty" doc:"The job that does it."`
	Approval  string     `json:"approval_id,omitempty" doc:"What a second person decides on."`
	Condition string     `json:"condition,omitempty" doc:"To whom."`
	All       bool       `json:"all,omitempty" doc:"To everybody."`
	Currency  string     `json:"currency,omitempty" doc:"Of points: which."`
	Amount    int64      `json:"amount,omitempty" doc:"Of points: how much each."`
	Reason    string     `json:"reason,omitempty" doc:"Of points: why."`
	Total     int64      `json:"total" doc:"How many it is for; 0 where a condition says."`
	Looked    int64      `json:"looked_at" doc:"How many were looked at so far."`
	Sent      int64      `json:"sent" doc:"Of these, received it or were given."`
	Passed    int64      `json:"passed_over" doc:"Of these, not of the audience, or the condition does not hold."`
	Refused   int64      `json:"refused" doc:"Not known, gone, blocked or full."`
	Maker     string     `json:"maker" doc:"Who asked for it, as staff:stf_…"`
	Made      time.Time  `json:"made_at" doc:"When."`
	Done      *time.Time `json:"done_at,omitempty" doc:"When it ended."`
}

func (s *Service) viewSending(x *Sending) sendingView {
	v := sendingView{
		ID: x.PublicID(), Name: x.Name, State: x.State, Approval: x.Approval, Condition: x.Plan.Condition, All: x.Plan.All, Currency: x.Plan.Currency, Amount: x.Plan.Amount,
		Reason: x.Plan.Reason, Total: x.Total, Looked: x.Looked, Sent: x.Sent, Passed: x.Passed, Refused: x.Refused, Maker: x.Maker, Made: x.Made,
	}
	if o := s.now.Load().offers[x.Offer]; o != nil {
		v.Offer = o.PublicID()
	}
	if x.Job != 0 {
		v.Job = job.ID(x.Job).String()
	}
	if !x.Done.IsZero() {
		v.Done = &x.Done
	}
	return v
}

type sendingOut struct{ Body sendingView }

func (s *Service) answerSending(x *Sending, err error) (*sendingOut, error) {
	if err != nil {
		return nil, err
	}
	return &sendingOut{s.viewSending(x)}, nil
}

func (s *Service) postSend(ctx context.Context, in *sendIn) (*sendingOut, error) {
	p := Plan{Condition: in.Body.Condition, All: in.Body.All, Quiet: in.Body.Quiet}
	if in.Body.At != "" {
		var err error
		if p.AtMS, err = s.when(in.Body.At, "body.at"); err != nil {
			return nil, err
		}
	}
	to, err := s.whom(ctx, in.Body.Whom)
	if err != nil {
		return nil, err
	}
	return s.answerSending(s.Send(ctx, in.ID, in.Body.Name, p, to))
}

type sendFileIn struct {
	OfferRef
	Name  string `query:"name" minLength:"1" maxLength:"100" required:"true" doc:"What it is called; the same file again under one name sends nothing twice."`
	At    string `query:"at" maxLength:"40" doc:"When it is received, where the file does not say; as it is sent where absent."`
	Quiet bool   `query:"quiet" doc:"From the past: nobody is told."`
}

func (s *Service) postSendFile(ctx context.Context, in *sendFileIn) (*sendingOut, error) {
	p := Plan{Quiet: in.Quiet}
	if in.At != "" {
		var err error
		if p.AtMS, err = s.when(in.At, "query.at"); err != nil {
			return nil, err
		}
	}
	to, err := s.filed(ctx, api.BodyOf(ctx))
	if err != nil {
		return nil, err
	}
	return s.answerSending(s.Send(ctx, in.ID, in.Name, p, to))
}

type sendingsIn struct {
	OfferRef
	api.Page
}

type sendingsOut struct{ Body api.List[sendingView] }

func (s *Service) sendings(ctx context.Context, offer int64, p api.Page) (*sendingsOut, error) {
	list, next, err := s.Sendings(ctx, offer, p)
	if err != nil {
		return nil, err
	}
	out := &sendingsOut{api.List[sendingView]{Items: []sendingView{}, NextCursor: next}}
	for _, x := range list {
		out.Body.Items = append(out.Body.Items, s.viewSending(x))
	}
	return out, nil
}

func (s *Service) getSendings(ctx context.Context, in *sendingsIn) (*sendingsOut, error) {
	o, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	return s.sendings(ctx, o.ID, in.Page)
}

type sendingRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The sending: ofs_…"`
}

func (s *Service) getSending(ctx context.Context, in *sendingRef) (*sendingOut, error) {
	return s.answerSending(s.Sending(ctx, in.ID))
}

func (s *Service) postCancelSending(ctx context.Context, in *sendingRef) (*sendingOut, error) {
	return s.answerSending(s.CancelSending(ctx, in.ID))
}

type grantIn struct {
	Body struct {
		Whom
		Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of a currency of points or growth value."`
		Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000" doc:"How much each gets, in its smallest unit."`
		Reason   string `json:"reason" minLength:"1" maxLength:"200" doc:"Why: members read it."`
		Expires  string `json:"expires_at,omitempty" maxLength:"40" doc:"The first instant at which it can no longer be used; as the currency says where absent."`
	}
}

func (s *Service) postGrant(ctx context.Context, in *grantIn) (*sendingOut, error) {
	b := &in.Body
	p := Plan{Condition: b.Condition, All: b.All, Currency: b.Currency, Amount: b.Amount, Reason: b.Reason}
	if err := s.expires(&p, b.Expires, "body.expires_at"); err != nil {
		return nil, err
	}
	to, err := s.whom(ctx, b.Whom)
	if err != nil {
		return nil, err
	}
	return s.answerSending(s.Grant(ctx, b.Name, p, to))
}

func (s *Service) expires(p *Plan, text, location string) error {
	if text == "" {
		return nil
	}
	t, err := s.o.Program.Snapshot().ParseTime(text)
	if err != nil {
		return at(err, location)
	}
	if !t.After(s.o.Clock.Now()) {
		return ledger.ErrDates.At(location)
	}
	p.EndMS = t.UnixMilli()
	return nil
}

type grantFileIn struct {
	Name     string `query:"name" minLength:"1" maxLength:"100" required:"true" doc:"What it is called; the same file again under one name gives nothing twice."`
	Currency string `query:"currency" minLength:"1" maxLength:"40" required:"true" doc:"Code of a currency of points or growth value."`
	Amount   int64  `query:"amount" minimum:"1" maximum:"1000000000" required:"true" doc:"How much each gets."`
	Reason   string `query:"reason" minLength:"1" maxLength:"200" required:"true" doc:"Why: members read it."`
	Expires  string `query:"expires_at" maxLength:"40" doc:"The first instant at which it can no longer be used."`
}

func (s *Service) postGrantFile(ctx context.Context, in *grantFileIn) (*sendingOut, error) {
	p := Plan{Currency: in.Currency, Amount: in.Amount, Reason: in.Reason}
	if err := s.expires(&p, in.Expires, "query.expires_at"); err != nil {
		return nil, err
	}
	to, err := s.filed(ctx, api.BodyOf(ctx))
	if err != nil {
		return nil, err
	}
	return s.answerSending(s.Grant(ctx, in.Name, p, to))
}

type grantsIn struct{ api.Page }

func (s *Service) getGrants(ctx context.Context, in *grantsIn) (*sendingsOut, error) {
	return s.sendings(ctx, 0, in.Page)
}

type grantRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The grant: grt_…"`
}

func (s *Service) getGrant(ctx context.Context, in *grantRef) (*sendingOut, error) {
	return s.answerSending(s.Sending(ctx, in.ID))
}

func (s *Service) postCancelGrant(ctx context.Context, in *grantRef) (*sendingOut, error) {
	return s.answerSending(s.CancelSending(ctx, in.ID))
}
