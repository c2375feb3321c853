package rule

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// wrong are the refusals of a definition.
var wrong = []error{
	ErrCode, ErrName, ErrPart, ErrGroup, ledger.ErrCurrency, program.ErrTime,
	cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue,
	cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Rules"}
	with := func(more ...error) []error { return append(slices.Clone(wrong), more...) }
	api.Get(r, "/v1/rules", s.getRules, api.Doc{
		ID: "listRules", Summary: "List earning rules, with filters, in the order in which they were made.", Tags: tags, Needs: staff.ReadRules,
	})
	api.Post(r, "/v1/rules", s.postRule, api.Doc{
		ID: "createRule", Summary: "Make an earning rule, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated, Fails: with(ErrTaken, ErrMany),
	})
	api.Get(r, "/v1/rules/{ref}", s.getRule, api.Doc{
		ID: "getRule", Summary: "Read an earning rule.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrUnknown},
	})
	api.Patch(r, "/v1/rules/{ref}", s.patchRule, api.Doc{
		ID: "changeRule", Summary: "Change the draft of a rule; a published one gets a draft beside it. Parts that are left out stay.", Tags: tags,
		Needs: staff.WriteRules, Fails: with(ErrUnknown, ErrEdited, ErrState),
	})
	api.Delete(r, "/v1/rules/{ref}", s.deleteRule, api.Doc{
		ID: "deleteRule", Summary: "Remove a rule that was never published.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent,
		Fails: []error{ErrUnknown, ErrState},
	})
	api.Post(r, "/v1/rules/{ref}/publish", s.postPublish, api.Doc{
		ID: "publishRule", Summary: "Make the draft of a rule its next version, from now or from an instant on.", Tags: tags, Needs: staff.WriteRules,
		Fails: with(ErrUnknown, ErrEdited, ErrState, ErrNoDraft, ErrMany, ErrFrom),
	})
	api.Post(r, "/v1/rules/{ref}/discard", s.postDiscard, api.Doc{
		ID: "discardRuleDraft", Summary: "Drop the draft beside a published rule.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrNoDraft, ErrEdited},
	})
	api.Post(r, "/v1/rules/{ref}/pause", s.postPause, api.Doc{
		ID: "pauseRule", Summary: "Let a rule give nothing until it is resumed.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrState, ErrEdited},
	})
	api.Post(r, "/v1/rules/{ref}/resume", s.postResume, api.Doc{
		ID: "resumeRule", Summary: "Let a paused rule count again.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrState, ErrEdited},
	})
	api.Post(r, "/v1/rules/{ref}/end", s.postEnd, api.Doc{
		ID: "endRule", Summary: "End a rule for good, now or at an instant.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrState, ErrEdited, program.ErrTime},
	})
	api.Get(r, "/v1/rule-versions", s.getVersions, api.Doc{
		ID: "listRuleVersions", Summary: "List the versions of a rule, the latest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrUnknown},
	})
	api.Get(r, "/v1/rule-groups", s.getGroups, api.Doc{
		ID: "listRuleGroups", Summary: "List the groups of rules of which only some count together.", Tags: tags, Needs: staff.ReadRules,
		Description: "There are no pages: a programme has at most 200.",
	})
	api.Put(r, "/v1/rule-groups/{code}", s.putGroup, api.Doc{
		ID: "putRuleGroup", Summary: "Make a group of rules, or change it.", Tags: tags, Needs: staff.WriteRules,
		Fails: []error{ErrCode, ErrName, ErrPart, ErrEdited, ErrMany},
	})
	api.Delete(r, "/v1/rule-groups/{code}", s.deleteGroup, api.Doc{
		ID: "deleteRuleGroup", Summary: "Remove a group that no rule belongs to.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent,
		Fails: []error{ErrGroup, ErrGroupUse},
	})
	api.Post(r, "/v1/rules/check", s.postCheck, api.Doc{
		ID: "checkRule", Summary: "Check a condition or a whole rule, and tell in words what it does.", Tags: tags, Needs: staff.ReadRules,
		Description: "What is wrong is no error of the request: it stands in the answer, with its place.",
	})
	api.Get(r, "/v1/rules/vocabulary", s.getVocabulary, api.Doc{
		ID: "ruleVocabulary", Summary: "List what conditions may ask, for the visual builder and the documentation.", Tags: tags, Needs: staff.ReadRules,
	})
	api.Post(r, "/v1/rules/tree", s.postTree, api.Doc{
		ID: "ruleTree", Summary: "Turn the text of a condition into the tree of the visual builder, or a tree into text.", Tags: tags, Needs: staff.ReadRules,
		Description: "Give text or tree. The tree is the RuleGroupType of react-querybuilder. A text that the builder cannot show comes back without a tree.",
		Fails:       []error{ErrTree, cond.ErrRule, cond.ErrDeep},
	})
	s.tryRoutes(r)
	s.testRoutes(r)
	s.failureRoutes(r)
}

// ErrTree refuses a tree that cannot be read, and a request with both text and tree or none.
var ErrTree = errs.New(errs.Invalid, "rule.tree", "Give the text of a condition or a tree of the visual builder.", "请提供条件文本或可视化条件树之一。")

type ruleView struct {
	ID        string       `json:"id" doc:"The rule."`
	State     string       `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Where it stands now."`
	Version   int64        `json:"version" doc:"Of rule: which version it is; 0 for a draft that was never published."`
	Latest    int64        `json:"latest_version" doc:"The last that was published; 0 for none."`
	Revision  int64        `json:"revision" doc:"Grows at every change; name it to change only what you have seen."`
	Rule      Definition   `json:"rule" doc:"What it says: the version that counts now, else the one that is planned, else the last, else the draft."`
	Draft     *Definition  `json:"draft,omitempty" doc:"What waits to be published beside it."`
	Words     words2       `json:"words" doc:"What rule does, in words."`
	DraftSays *words2      `json:"draft_words,omitempty" doc:"What draft does, in words."`
	Stage     int64        `json:"stage" doc:"When it runs: its own stage, or its group's."`
	LiveFrom  *time.Time   `json:"live_from,omitempty" doc:"From when on the version that counts has counted, by the sales' own time."`
	Next      *plannedView `json:"next,omitempty" doc:"What is planned."`
	Given     *givenView   `json:"given,omitempty" doc:"What it has given, net of returns; absent for a draft. It follows within seconds."`
	Budget    *budgetView  `json:"budget,omitempty" doc:"How much of its budget is used; absent where it has none."`
	Created   time.Time    `json:"created_at" doc:"When it was made."`
	Changed   time.Time    `json:"changed_at" doc:"When it was last changed."`
}

type words2 struct {
	EN string `json:"en" doc:"In English."`
	ZH string `json:"zh" doc:"In Chinese."`
}

func said(w errs.Word) words2 { return words2{w.EN, w.ZH} }

type plannedView struct {
	Version int64     `json:"version" doc:"Which version will count; 0 where it will end."`
	From    time.Time `json:"from" doc:"From when on."`
}

type givenView struct {
	Points int64 `json:"points" doc:"In the smallest unit of its currency."`
	Times  int64 `json:"times" doc:"How often it has given something."`
}

type budgetView struct {
	Total int64 `json:"total" doc:"The budget of the version that counts."`
	Used  int64 `json:"used" doc:"Given so far, net of returns."`
	Left  int64 `json:"left" doc:"What can still be given."`
}

// view is a rule as the API shows it.
func (s *Service) view(r *Rule, t *teller, f *figures) ruleView {
	now := s.clock.Now().UnixMilli()
	d, version := r.Counts(now)
	v := ruleView{
		ID: ID(r.ID), State: r.State(now), Version: version, Latest: r.Version, Revision: r.Revision, Rule: *d, Words: said(t.say(d)),
		Stage: d.Stack.Stage, Created: r.Created, Changed: r.Changed,
	}
	if g := s.Snapshot().book.group(d.Stack.Group); g != nil {
		v.Stage = g.Stage
	}
	if r.Draft != nil && r.Version > 0 {
		v.Draft = r.Draft
		w := said(t.say(r.Draft))
		v.DraftSays = &w
	}
	for _, run := range r.Runs {
		if run.FromMS <= now && run.Version > 0 {
			from := time.UnixMilli(run.FromMS).UTC()
			v.LiveFrom = &from
		}
	}
	if r.at(now) <= 0 {
		v.LiveFrom = nil
	}
	if p := r.Planned(now); p != nil {
		v.Next = &plannedView{max(0, p.Version), time.UnixMilli(p.FromMS).UTC()}
	}
	if r.Version > 0 {
		g := f.given[r.ID]
		v.Given = &g
		if d.Caps.Budget > 0 {
			used := f.used[r.ID]
			v.Budget = &budgetView{d.Caps.Budget, used, max(0, d.Caps.Budget-used)}
		}
	}
	return v
}

type rulesIn struct {
	api.Page
	State   string `query:"state" enum:"draft,scheduled,live,paused,ended" doc:"Only rules in this state."`
	Trigger string `query:"trigger" enum:"sale,event,joined,birthday,anniversary,schedule,tier_reached,profile_completed" doc:"Only rules with this trigger."`
	Group   string `query:"group" maxLength:"40" doc:"Only rules of this group."`
	Q       string `query:"q" maxLength:"100" doc:"Text to find in code and names, whatever its case."`
}

type rulesOut struct{ Body api.List[ruleView] }

func (s *Service) getRules(ctx context.Context, in *rulesIn) (*rulesOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = []int64{0}
	}
	snap, now := s.Snapshot(), s.clock.Now().UnixMilli()
	f, err := s.figures(ctx)
	if err != nil {
		return nil, err
	}
	t := s.teller(snap.words)
	out := &rulesOut{}
	out.Body.Items = []ruleView{}
	for _, r := range snap.book.rules {
		d, _ := r.Counts(now)
		if r.ID <= after[0] || in.State != "" && r.State(now) != in.State || in.Trigger != "" && d.Trigger.On != in.Trigger ||
			in.Group != "" && d.Stack.Group != in.Group || in.Q != "" && !finds(d, in.Q) {
			continue
		}
		if len(out.Body.Items) == in.Limit {
			last := out.Body.Items[in.Limit-1]
			out.Body.NextCursor = api.EncodeCursor(numberOf(last.ID))
			break
		}
		out.Body.Items = append(out.Body.Items, s.view(r, t, f))
	}
	return out, nil
}

func finds(d *Definition, q string) bool {
	q = strings.ToLower(q)
	return strings.Contains(d.Code, q) || strings.Contains(strings.ToLower(d.NameEN), q) || strings.Contains(strings.ToLower(d.NameZH), q)
}

type ruleRef struct {
	Ref string `path:"ref" maxLength:"60" doc:"The rule: its id or its code."`
}

type ruleOut struct{ Body ruleView }

// answer shows a rule.
func (s *Service) answer(ctx context.Context, r *Rule, err error) (*ruleOut, error) {
	if err != nil {
		return nil, err
	}
	f, err := s.figures(ctx)
	if err != nil {
		return nil, err
	}
	return &ruleOut{s.view(r, s.teller(s.Snapshot().words), f)}, nil
}

func (s *Service) getRule(ctx context.Context, in *ruleRef) (*ruleOut, error) {
	r, err := s.Get(in.Ref)
	return s.answer(ctx, r, err)
}

type newRuleIn struct{ Body Definition }

func (s *Service) postRule(ctx context.Context, in *newRuleIn) (*ruleOut, error) {
	r, err := s.Create(ctx, in.Body)
	return s.answer(ctx, r, err)
}

type patchIn struct {
	Ref  string `path:"ref" maxLength:"60" doc:"The rule: its id or its code."`
	Body struct {
		Revision      int64    `json:"revision,omitempty" minimum:"1" doc:"The revision that this change is made from; another one meanwhile is a conflict."`
		NameEN        *string  `json:"name_en,omitempty" maxLength:"100" doc:"Name in English."`
		NameZH        *string  `json:"name_zh,omitempty" maxLength:"100" doc:"Name in Chinese."`
		DescriptionEN *string  `json:"description_en,omitempty" maxLength:"2000" doc:"For colleagues, in English."`
		DescriptionZH *string  `json:"description_zh,omitempty" maxLength:"2000" doc:"For colleagues, in Chinese."`
		Trigger       *Trigger `json:"trigger,omitempty" doc:"As a whole."`
		Condition     *string  `json:"condition,omitempty" maxLength:"8000" doc:"Empty: always."`
		Scope         *Scope   `json:"scope,omitempty" doc:"As a whole."`
		Effect        *Effect  `json:"effect,omitempty" doc:"As a whole."`
		Valid         *Valid   `json:"valid,omitempty" doc:"As a whole."`
		Caps          *Caps    `json:"caps,omitempty" doc:"As a whole."`
		Stack         *Stack   `json:"stack,omitempty" doc:"As a whole."`
	}
}

func (s *Service) patchRule(ctx context.Context, in *patchIn) (*ruleOut, error) {
	b := in.Body
	r, err := s.Change(ctx, in.Ref, b.Revision, func(d *Definition) {
		set(&d.NameEN, b.NameEN)
		set(&d.NameZH, b.NameZH)
		set(&d.DescriptionEN, b.DescriptionEN)
		set(&d.DescriptionZH, b.DescriptionZH)
		set(&d.Trigger, b.Trigger)
		set(&d.Condition, b.Condition)
		set(&d.Scope, b.Scope)
		set(&d.Effect, b.Effect)
		set(&d.Valid, b.Valid)
		set(&d.Caps, b.Caps)
		set(&d.Stack, b.Stack)
	})
	return s.answer(ctx, r, err)
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) deleteRule(ctx context.Context, in *ruleRef) (*struct{}, error) {
	return nil, s.Delete(ctx, in.Ref)
}

type publishIn struct {
	Ref  string `path:"ref" maxLength:"60" doc:"The rule: its id or its code."`
	Body struct {
		Revision int64  `json:"revision,omitempty" minimum:"1" doc:"The revision that you have seen; another one meanwhile is a conflict."`
		From     string `json:"from,omitempty" maxLength:"40" doc:"From when on it counts, by the sales' own time; now where absent, and for a first version the beginning of today. A first version may count from the past: for sales that are yet to be brought in."`
	}
}

func (s *Service) postPublish(ctx context.Context, in *publishIn) (*ruleOut, error) {
	from, err := s.instant(in.Body.From, "body.from")
	if err != nil {
		return nil, err
	}
	r, err := s.Publish(ctx, in.Ref, in.Body.Revision, from)
	return s.answer(ctx, r, err)
}

// instant reads a time of a request; the zero time where there is none.
func (s *Service) instant(text, location string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := s.program.Snapshot().ParseTime(text)
	if err != nil {
		return t, at(err, location)
	}
	return t, nil
}

func (s *Service) postDiscard(ctx context.Context, in *ruleRef) (*ruleOut, error) {
	r, err := s.Discard(ctx, in.Ref)
	return s.answer(ctx, r, err)
}

func (s *Service) postPause(ctx context.Context, in *ruleRef) (*ruleOut, error) {
	r, err := s.Pause(ctx, in.Ref)
	return s.answer(ctx, r, err)
}

func (s *Service) postResume(ctx context.Context, in *ruleRef) (*ruleOut, error) {
	r, err := s.Resume(ctx, in.Ref)
	return s.answer(ctx, r, err)
}

type endIn struct {
	Ref  string `path:"ref" maxLength:"60" doc:"The rule: its id or its code."`
	Body struct {
		At string `json:"at,omitempty" maxLength:"40" doc:"When it ends; now where absent."`
	}
}

func (s *Service) postEnd(ctx context.Context, in *endIn) (*ruleOut, error) {
	when, err := s.instant(in.Body.At, "body.at")
	if err != nil {
		return nil, err
	}
	r, err := s.End(ctx, in.Ref, when)
	return s.answer(ctx, r, err)
}

type versionsIn struct {
	api.Page
	Rule string `query:"rule" required:"true" maxLength:"60" doc:"The rule: its id or its code."`
}

type versionView struct {
	Version   int64      `json:"version" doc:"Its number."`
	Rule      Definition `json:"rule" doc:"What it said."`
	Words     words2     `json:"words" doc:"In words."`
	Published time.Time  `json:"published_at" doc:"When it was published."`
	By        string     `json:"published_by" doc:"Who published it, as staff:stf_…"`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *versionsIn) (*versionsOut, error) {
	before, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = []int64{never}
	}
	list, err := s.Versions(ctx, in.Rule, before[0], in.Limit+1)
	if err != nil {
		return nil, err
	}
	t := s.teller(s.Snapshot().words)
	out := &versionsOut{}
	out.Body.Items = []versionView{}
	for i, p := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].Version)
			break
		}
		out.Body.Items = append(out.Body.Items, versionView{p.Version, *p.Rule, said(t.say(p.Rule)), p.At, p.By})
	}
	return out, nil
}

type groupsOut struct{ Body api.List[Group] }

func (s *Service) getGroups(_ context.Context, _ *struct{}) (*groupsOut, error) {
	out := &groupsOut{}
	out.Body.Items = append([]Group{}, s.Snapshot().book.groups...)
	return out, nil
}

type groupIn struct {
	Code string `path:"code" maxLength:"40" doc:"The group."`
	Body struct {
		NameEN   string `json:"name_en,omitempty" maxLength:"100" doc:"Name in English; one of the two is needed."`
		NameZH   string `json:"name_zh,omitempty" maxLength:"100" doc:"Name in Chinese."`
		Mode     string `json:"mode" enum:"all,first,best,least" doc:"Which of its rules count: all, the first by priority that gives anything, the one that gives most, or the one that gives least."`
		Stage    int64  `json:"stage" minimum:"0" maximum:"99" doc:"When they run."`
		Revision int64  `json:"revision,omitempty" minimum:"1" doc:"The revision that this change is made from; another one meanwhile is a conflict."`
	}
}

type groupOut struct{ Body Group }

func (s *Service) putGroup(ctx context.Context, in *groupIn) (*groupOut, error) {
	b := in.Body
	g, err := s.PutGroup(ctx, Group{Code: in.Code, NameEN: b.NameEN, NameZH: b.NameZH, Mode: b.Mode, Stage: b.Stage, Revision: b.Revision})
	if err != nil {
		return nil, err
	}
	return &groupOut{g}, nil
}

func (s *Service) deleteGroup(ctx context.Context, in *struct {
	Code string `path:"code" maxLength:"40" doc:"The group."`
}) (*struct{}, error) {
	return nil, s.DeleteGroup(ctx, in.Code)
}
