package offer

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func sorted(m map[int64]*ledger.Currency) []*ledger.Currency {
	return slices.SortedFunc(maps.Values(m), func(a, b *ledger.Currency) int { return cmp.Compare(a.ID, b.ID) })
}

// InstanceView is what a member has of an offer.
type InstanceView struct {
	ID        string       `json:"id,omitempty" doc:"The instance; absent of an open offer that is not begun."`
	Offer     string       `json:"offer_id" doc:"The offer."`
	Code      string       `json:"code" doc:"Code of the offer."`
	Version   int64        `json:"version" doc:"The version of the offer that it goes by."`
	State     string       `json:"state" enum:"available,received,viewed,progressing,completed,rewarded,expired,cancelled" doc:"Where it stands. available: an open offer that is not begun."`
	Name      string       `json:"name" doc:"In the language of the caller."`
	Text      string       `json:"text,omitempty" doc:"In the language of the caller."`
	Picture   string       `json:"picture,omitempty" doc:"Address of its picture."`
	Goal      Goal         `json:"goal" doc:"What is to be done."`
	OptIn     bool         `json:"opt_in,omitempty" doc:"It asks for a yes."`
	Waits     bool         `json:"waits,omitempty" doc:"That yes has not been given: purchases do not count yet."`
	Paused    bool         `json:"paused,omitempty" doc:"The offer is paused: purchases do not count just now."`
	Progress  progressView `json:"progress" doc:"How far it is."`
	Reward    rewardView   `json:"reward" doc:"What completing it gives."`
	Received  *time.Time   `json:"received_at,omitempty" doc:"When it was received."`
	Viewed    *time.Time   `json:"viewed_at,omitempty" doc:"When the member looked at it first."`
	Accepted  *time.Time   `json:"accepted_at,omitempty" doc:"When the member said yes."`
	Completed *time.Time   `json:"completed_at,omitempty" doc:"When it was completed: the time of the purchase."`
	Since     *time.Time   `json:"counts_from,omitempty" doc:"Purchases count from this instant."`
	Until     *time.Time   `json:"counts_until,omitempty" doc:"The last instant at which purchases count; absent where it does not end."`
}

// progressView is how far an instance is.
type progressView struct {
	Done     int64  `json:"done" doc:"What is done of all; never more than all."`
	All      int64  `json:"all" doc:"What is to be done."`
	Percent  int64  `json:"percent" minimum:"0" maximum:"100" doc:"The same as a part of 100, rounded down."`
	Unit     string `json:"unit" enum:"money,purchases,days,weeks,pieces" doc:"What is counted."`
	Currency string `json:"currency,omitempty" doc:"Of money: the programme's currency, in its smallest unit."`
}

// rewardView is what an offer gives.
type rewardView struct {
	Currency     string     `json:"currency,omitempty" doc:"Code of the currency."`
	CurrencyName string     `json:"currency_name,omitempty" doc:"Its name, in the language of the caller."`
	Amount       int64      `json:"amount,omitempty" doc:"How much, in its smallest unit."`
	Badge        *BadgeView `json:"badge,omitempty" doc:"A badge."`
}

var units = map[GoalKind]string{Spend: "money", Purchase: "purchases", Visits: "purchases", Products: "pieces"}

func (s *Service) progress(g *Goal, p *Progress) progressView {
	v := progressView{Unit: units[g.Kind]}
	if g.Kind == Streak {
		v.Unit = string(g.Unit) + "s"
	}
	if g.Kind == Spend {
		v.Currency = s.currency()
	}
	v.Done, v.All = g.Reach(p)
	if v.All > 0 {
		v.Percent = v.Done * 100 / v.All
	}
	return v
}

func (s *Service) reward(lang string, r *Reward) rewardView {
	v := rewardView{Currency: r.Currency, Amount: r.Amount}
	if cur := s.o.Ledger.Config().ByCode[r.Currency]; cur != nil {
		v.CurrencyName = i18n.Pick(lang, cur.NameEN, cur.NameZH)
	}
	if b := s.now.Load().badge[r.Badge]; b != nil {
		w := viewBadge(b)
		v.Badge = &w
	}
	return v
}

// viewInstance shows an instance, with the words of the offer as it is now and the goal as it
// was received.
func (s *Service) viewInstance(ctx context.Context, i *Instance) (InstanceView, bool) {
	n := s.now.Load()
	v, o := n.of(i), n.offers[i.Offer]
	if v == nil || o == nil {
		return InstanceView{}, false
	}
	out := s.viewVersion(ctx, v, o, &i.Progress)
	out.ID, out.State, out.Waits = i.ID(), i.Standing(s.nowMS()), i.Waits
	out.Received, out.Viewed, out.Accepted, out.Completed = moment(i.Received), moment(i.Viewed), moment(i.Accepted), moment(i.Done)
	out.Since, out.Until = moment(i.From), moment(i.Until)
	return out, true
}

func (s *Service) viewVersion(ctx context.Context, v *version, o *Offer, p *Progress) InstanceView {
	lang, now := api.Language(ctx), &o.Terms
	return InstanceView{
		Offer: o.PublicID(), Code: o.Code, Version: v.n, State: "available", Name: i18n.Pick(lang, now.NameEN, now.NameZH), Text: i18n.Pick(lang, now.TextEN, now.TextZH),
		Picture: now.Picture, Goal: v.terms.Goal, OptIn: v.terms.OptIn, Paused: o.State == Paused, Progress: s.progress(&v.terms.Goal, p), Reward: s.reward(lang, &v.terms.Reward),
	}
}

func (s *Service) viewInstances(ctx context.Context, list []*Instance) []InstanceView {
	out := []InstanceView{}
	for _, i := range list {
		if v, ok := s.viewInstance(ctx, i); ok {
			out = append(out, v)
		}
	}
	return out
}

// viewAvailable shows an open offer that is not begun.
func (s *Service) viewAvailable(ctx context.Context, v *version) InstanceView {
	out := s.viewVersion(ctx, v, v.offer, &Progress{})
	_, until := v.terms.span(s.zone())
	out.Waits, out.Until = v.terms.OptIn, moment(until)
	return out
}

func (s *Service) memberRoutes(r *api.Router) {
	finds := []error{member.ErrRef, member.ErrNotFound, member.ErrQR}
	acts := slices.Concat(finds, []error{ErrNoInstance, ErrOver, ErrNotLive, ErrAudience, ErrOften, ErrFull, ErrFuture, program.ErrTime, ledger.ErrMember})
	api.Get(r, "/v1/members/{ref}/offers", s.getMemberOffers, api.Doc{ID: "listMemberOffers", Summary: "List what a member has of offers, with progress, the newest first.", Tags: tags, Needs: staff.ReadMembers,
		Description: "With available=true, open offers that the member can have and has not begun stand first.", Fails: slices.Concat(finds, []error{api.ErrCursor})})
	api.Post(r, "/v1/members/{ref}/offers/{instance}/view", s.postView, api.Doc{ID: "viewMemberOffer", Summary: "Note that a member has looked at an offer.", Tags: tags, Needs: staff.ServeMembers,
		Description: "The instance (ofi_…), or an open offer (off_… or its code), which the member then has.", Fails: acts})
	api.Post(r, "/v1/members/{ref}/offers/{instance}/accept", s.postAccept, api.Doc{ID: "acceptMemberOffer", Summary: "Note a member's yes to an offer: purchases count from then on.", Tags: tags, Needs: staff.ServeMembers, Fails: acts})
	api.Post(r, "/v1/members/{ref}/offers/{instance}/cancel", s.postCancelOffer, api.Doc{ID: "cancelMemberOffer", Summary: "Take an open offer back from a member.", Tags: tags, Needs: staff.WriteRules, Fails: slices.Concat(finds, []error{ErrNoInstance, ErrOver})})
	api.Get(r, "/v1/members/{ref}/badges", s.getMemberBadges, api.Doc{ID: "listMemberBadges", Summary: "List the badges of a member.", Tags: tags, Needs: staff.ReadMembers, Fails: finds})
}

type memberOffersIn struct {
	api.Page
	Ref       string `path:"ref" minLength:"1" maxLength:"255" doc:"The member, by any identifier."`
	Available bool   `query:"available" doc:"Add open offers that are not begun, before the first page."`
}

type instancesOut struct{ Body api.List[InstanceView] }

func (s *Service) getMemberOffers(ctx context.Context, in *memberOffersIn) (*instancesOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	return s.instancesOf(ctx, m, in.Page, in.Available)
}

func (s *Service) instancesOf(ctx context.Context, m int64, p api.Page, available bool) (*instancesOut, error) {
	list, next, err := s.OfMember(ctx, m, p)
	if err != nil {
		return nil, err
	}
	out := &instancesOut{api.List[InstanceView]{Items: s.viewInstances(ctx, list), NextCursor: next}}
	if available && p.Cursor == "" {
		open, err := s.Available(ctx, m)
		if err != nil {
			return nil, err
		}
		var first []InstanceView
		for _, v := range open {
			first = append(first, s.viewAvailable(ctx, v))
		}
		out.Body.Items = append(first, out.Body.Items...)
	}
	return out, nil
}

type instanceIn struct {
	Ref      string `path:"ref" minLength:"1" maxLength:"255" doc:"The member, by any identifier."`
	Instance string `path:"instance" minLength:"1" maxLength:"64" doc:"The instance: ofi_…; of an open offer its id or code will do."`
	Body     *struct {
		At string `json:"at,omitempty" maxLength:"40" doc:"When; now where absent. The past is for who tells late."`
	}
}

func (in *instanceIn) at() string {
	if in.Body == nil {
		return ""
	}
	return in.Body.At
}

type instanceOut struct{ Body InstanceView }

func (s *Service) answerInstance(ctx context.Context, i *Instance, err error) (*instanceOut, error) {
	if err != nil {
		return nil, err
	}
	v, ok := s.viewInstance(ctx, i)
	if !ok {
		return nil, ErrNoInstance
	}
	return &instanceOut{v}, nil
}

func (s *Service) acted(ctx context.Context, in *instanceIn, do func(context.Context, int64, string, int64) (*Instance, error)) (*instanceOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	atMS, err := s.when(in.at(), "body.at")
	if err != nil {
		return nil, err
	}
	i, err := do(ctx, m, in.Instance, atMS)
	return s.answerInstance(ctx, i, err)
}

func (s *Service) postView(ctx context.Context, in *instanceIn) (*instanceOut, error) {
	return s.acted(ctx, in, s.See)
}

func (s *Service) postAccept(ctx context.Context, in *instanceIn) (*instanceOut, error) {
	return s.acted(ctx, in, s.Accept)
}

type cancelIn struct {
	Ref      string `path:"ref" minLength:"1" maxLength:"255" doc:"The member, by any identifier."`
	Instance string `path:"instance" minLength:"1" maxLength:"64" doc:"The instance: ofi_…"`
	Body     *struct {
		Reason string `json:"reason,omitempty" maxLength:"200" doc:"Why. It should name nobody."`
	}
}

func (s *Service) postCancelOffer(ctx context.Context, in *cancelIn) (*instanceOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	i, err := s.Cancel(ctx, m, in.Instance, reason)
	return s.answerInstance(ctx, i, err)
}

type offerInstancesIn struct {
	OfferRef
	api.Page
	State string `query:"state" enum:"open,completed,rewarded,expired,cancelled" doc:"Only those that stand there, as written down last."`
}

type offerInstanceView struct {
	InstanceView
	Member string `json:"member_id" doc:"Whose it is, as it was received."`
}

type offerInstancesOut struct {
	Body api.List[offerInstanceView]
}

func (s *Service) getInstances(ctx context.Context, in *offerInstancesIn) (*offerInstancesOut, error) {
	o, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Instances(ctx, o, in.State, in.Page)
	if err != nil {
		return nil, err
	}
	out := &offerInstancesOut{api.List[offerInstanceView]{Items: []offerInstanceView{}, NextCursor: next}}
	for _, i := range list {
		if v, ok := s.viewInstance(ctx, i); ok {
			out.Body.Items = append(out.Body.Items, offerInstanceView{v, member.ID(i.Member).String()})
		}
	}
	return out, nil
}
