package offer

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Offers"}

// wrong is why terms may be refused.
var wrong = []error{
	ErrNames, ErrPicture, ErrGoal, ErrWindow, ErrRepeat, ErrReward, ErrBadge, ErrFacts, program.ErrNoStore, program.ErrTime,
	cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Get(r, "/v1/offers", s.getOffers, api.Doc{ID: "listOffers", Summary: "List offers, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/offers", s.postOffer, api.Doc{ID: "addOffer", Summary: "Make an offer, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated,
		Fails: slices.Concat(wrong, []error{ErrCode, ErrTaken, ErrMany})})
	api.Get(r, "/v1/offers/{id}", s.getOffer, api.Doc{ID: "getOffer", Summary: "Show an offer.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Patch(r, "/v1/offers/{id}", s.patchOffer, api.Doc{ID: "changeOffer", Summary: "Change what an offer says; what is left out stays.", Tags: tags, Needs: staff.WriteRules,
		Description: "Each change is a version. Who has received the offer goes on by the version that they received.",
		Fails:       slices.Concat(wrong, []error{ErrNotFound, ErrEdited, ErrMove})})
	api.Delete(r, "/v1/offers/{id}", s.deleteOffer, api.Doc{ID: "removeOffer", Summary: "Delete a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent, Fails: []error{ErrNotFound, ErrStarted}})
	for _, m := range []struct {
		path, id, summary string
		to                State
	}{
		{"publish", "publishOffer", "Publish a draft: it is live from its time on.", Live},
		{"pause", "pauseOffer", "Pause an offer: until it is resumed it is not received, and purchases do not count.", Paused},
		{"resume", "resumeOffer", "Go on with a paused offer.", Live},
		{"end", "endOffer", "End an offer for good.", Ended},
	} {
		api.Post(r, "/v1/offers/{id}/"+m.path, s.mover(m.to), api.Doc{ID: m.id, Summary: m.summary, Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNotFound, ErrMove, ErrEdited}})
	}
	api.Get(r, "/v1/offers/{id}/versions", s.getVersions, api.Doc{ID: "listOfferVersions", Summary: "List what an offer said, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Get(r, "/v1/offers/{id}/figures", s.getFigures, api.Doc{ID: "offerFigures", Summary: "Say what an offer came to: receipts, completions, cost, and by day.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Get(r, "/v1/offers/{id}/instances", s.getInstances, api.Doc{ID: "listOfferInstances", Summary: "List who has an offer, the first to receive it first.", Tags: tags, OneOf: []api.Permission{staff.ReadMembers},
		Description: "Of instances that are open, progress is what was written last; the member's own list has it to the moment.", Fails: []error{ErrNotFound, api.ErrCursor}})
	s.sendingRoutes(r)
	s.memberRoutes(r)
	s.portalRoutes(r)
	s.badgeRoutes(r)
	s.checkInRoutes(r)
	s.boardRoutes(r)
	s.grantRoutes(r)
}

// OfferRef names the offer that a path is about.
type OfferRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The offer: off_…, or its code."`
}

// offerView is an offer as the outside sees it.
type offerView struct {
	ID      string `json:"id" doc:"The offer."`
	Code    string `json:"code" doc:"Unique and fixed." example:"spring-beans"`
	State   State  `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Where it stands now; scheduled until its time begins, ended when it is over."`
	Version int64  `json:"version" doc:"Of what it says; grows with every change."`
	Terms
	MoneyCurrency string     `json:"money_currency" doc:"The currency of goal.amount: the programme's."`
	Made          time.Time  `json:"made_at" doc:"When it was made."`
	Changed       time.Time  `json:"changed_at" doc:"When it was changed last."`
	Ended         *time.Time `json:"ended_at,omitempty" doc:"When it was ended by hand."`
	Failing       string     `json:"failing,omitempty" doc:"Why a condition of it could not be worked out for a sale, lately on this node; the sale went through without it."`
}

func (s *Service) view(o *Offer) offerView {
	v := offerView{
		ID: o.PublicID(), Code: o.Code, State: o.Standing(s.nowMS(), s.zone()), Version: o.Version, Terms: o.Terms, MoneyCurrency: s.currency(),
		Made: o.Made, Changed: o.Changed, Ended: moment(o.EndedMS),
	}
	if f := s.Failing(o); f != nil {
		v.Failing = f.Why.Error()
	}
	return v
}

// moment is an instant of an answer; 0, and what never comes, have none.
func moment(ms int64) *time.Time {
	if ms == 0 || ms >= never || ms <= minMS {
		return nil
	}
	t := timeOf(ms)
	return &t
}

type offerOut struct{ Body offerView }

func (s *Service) answer(o *Offer, err error) (*offerOut, error) {
	if err != nil {
		return nil, err
	}
	return &offerOut{s.view(o)}, nil
}

type offersIn struct {
	api.Page
	State State  `query:"state" enum:"draft,scheduled,live,paused,ended" doc:"Only those that stand there."`
	Q     string `query:"q" maxLength:"100" doc:"Only those whose code or name has this in it."`
}

type offersOut struct{ Body api.List[offerView] }

func (s *Service) getOffers(_ context.Context, in *offersIn) (*offersOut, error) {
	list, next, err := page(s.List(in.State, in.Q), func(o *Offer) int64 { return o.ID }, in.Page)
	if err != nil {
		return nil, err
	}
	out := &offersOut{api.List[offerView]{Items: []offerView{}, NextCursor: next}}
	for _, o := range list {
		out.Body.Items = append(out.Body.Items, s.view(o))
	}
	return out, nil
}

type newOfferIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on: lower-case letters, digits, dashes and underscores." example:"spring-beans"`
		Terms
	}
}

func (s *Service) postOffer(ctx context.Context, in *newOfferIn) (*offerOut, error) {
	return s.answer(s.Add(ctx, in.Body.Code, in.Body.Terms))
}

func (s *Service) getOffer(_ context.Context, in *OfferRef) (*offerOut, error) {
	return s.answer(s.Find(in.ID))
}

type changeOfferIn struct {
	OfferRef
	Body struct {
		Version  int64     `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		NameEN   *string   `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH   *string   `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		TextEN   *string   `json:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
		TextZH   *string   `json:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
		Picture  *string   `json:"picture,omitempty" maxLength:"500" doc:"Address of a picture; empty for none."`
		Goal     *Goal     `json:"goal,omitempty" doc:"What is to be done."`
		Counts   *Counts   `json:"counts,omitempty" doc:"Which purchases count: all of it anew."`
		Audience *string   `json:"audience,omitempty" maxLength:"8000" doc:"Who may have it; empty for everybody."`
		Delivery *Delivery `json:"delivery,omitempty" enum:"sent,open" doc:"sent or open."`
		OptIn    *bool     `json:"opt_in,omitempty" doc:"Counts only from when the member has said yes."`
		From     *string   `json:"from,omitempty" maxLength:"40" doc:"From when on; empty for no bound."`
		Until    *string   `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it is over; empty for no bound."`
		Hours    *int64    `json:"hours,omitempty" minimum:"0" maximum:"43920" doc:"How many hours from receipt; 0 for no bound."`
		Repeat   *Repeat   `json:"repeat,omitempty" doc:"Whether and how often it can be had again."`
		Reward   *Reward   `json:"reward,omitempty" doc:"What completing it gives."`
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) patchOffer(ctx context.Context, in *changeOfferIn) (*offerOut, error) {
	b := &in.Body
	return s.answer(s.Change(ctx, in.ID, b.Version, func(t *Terms) {
		set(&t.NameEN, b.NameEN)
		set(&t.NameZH, b.NameZH)
		set(&t.TextEN, b.TextEN)
		set(&t.TextZH, b.TextZH)
		set(&t.Picture, b.Picture)
		set(&t.Goal, b.Goal)
		set(&t.Counts, b.Counts)
		set(&t.Audience, b.Audience)
		set(&t.Delivery, b.Delivery)
		set(&t.OptIn, b.OptIn)
		set(&t.From, b.From)
		set(&t.Until, b.Until)
		set(&t.Hours, b.Hours)
		set(&t.Repeat, b.Repeat)
		set(&t.Reward, b.Reward)
	}))
}

func (s *Service) deleteOffer(ctx context.Context, in *OfferRef) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

func (s *Service) mover(to State) func(context.Context, *OfferRef) (*offerOut, error) {
	return func(ctx context.Context, in *OfferRef) (*offerOut, error) {
		return s.answer(s.Move(ctx, in.ID, to))
	}
}

type versionView struct {
	Version int64 `json:"version" doc:"Its number."`
	Terms
	Actor string    `json:"actor" doc:"Who wrote it, as staff:stf_…"`
	At    time.Time `json:"at" doc:"When."`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *OfferRef) (*versionsOut, error) {
	o, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Versions(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{api.List[versionView]{Items: []versionView{}}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, versionView{v.Number, v.Terms, v.Actor, timeOf(v.AtMS)})
	}
	return out, nil
}

type figuresIn struct {
	OfferRef
	Days int `query:"days" minimum:"1" maximum:"400" default:"90" doc:"For how many days back to tell by day."`
}

type figuresOut struct {
	Body struct {
		Received  int64           `json:"received" doc:"Instances that were received."`
		Viewed    int64           `json:"viewed" doc:"Of these, viewed."`
		Accepted  int64           `json:"accepted" doc:"Of these, accepted where a yes was asked for."`
		Completed int64           `json:"completed" doc:"Of these, completed and not taken back by returns."`
		Expired   int64           `json:"expired" doc:"Of these, over without being completed, as far as that is written down."`
		Cancelled int64           `json:"cancelled" doc:"Of these, taken back by staff."`
		Cost      []costView      `json:"cost" doc:"What rewards came to, less what returns took back."`
		Days      []figureDayView `json:"days" doc:"By day of the programme, on which it happened."`
	}
}

type costView struct {
	Currency string `json:"currency" doc:"Code of the currency."`
	Amount   int64  `json:"amount" doc:"In its smallest unit."`
}

type figureDayView struct {
	Day       string `json:"day" format:"date" doc:"The day."`
	Received  int64  `json:"received" doc:"Received on it."`
	Viewed    int64  `json:"viewed" doc:"Viewed on it."`
	Accepted  int64  `json:"accepted" doc:"Accepted on it."`
	Completed int64  `json:"completed" doc:"Completed on it, less those that returns of that day took back."`
	Expired   int64  `json:"expired" doc:"Over on it."`
	Cancelled int64  `json:"cancelled" doc:"Taken back on it."`
}

func (s *Service) getFigures(ctx context.Context, in *figuresIn) (*figuresOut, error) {
	o, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	f, err := s.Figures(ctx, o)
	if err != nil {
		return nil, err
	}
	days, err := s.Days(ctx, o, s.o.Program.Snapshot().Day(s.o.Clock.Now())-program.Day(in.Days)+1)
	if err != nil {
		return nil, err
	}
	out := &figuresOut{}
	b := &out.Body
	b.Received, b.Viewed, b.Accepted, b.Completed, b.Expired, b.Cancelled = f.Received, f.Viewed, f.Accepted, f.Completed, f.Expired, f.Cancelled
	b.Cost, b.Days = []costView{}, []figureDayView{}
	for _, cur := range sorted(s.o.Ledger.Config().Currencies) {
		if n, some := f.Given[cur.ID]; some {
			b.Cost = append(b.Cost, costView{cur.Code, n})
		}
	}
	for _, d := range days {
		b.Days = append(b.Days, figureDayView{d.Day.String(), d.Received, d.Viewed, d.Accepted, d.Completed, d.Expired, d.Cancelled})
	}
	return out, nil
}

// memberOf finds the member that a request names.
func (s *Service) memberOf(ctx context.Context, text string) (int64, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return int64(m), nil
		}
	}
	return 0, at(err, "path.ref")
}

// currencyCode is what the outside calls a currency.
func (s *Service) currencyCode(n int64) string {
	if c := s.o.Ledger.Config().Currencies[n]; c != nil {
		return c.Code
	}
	return ""
}
