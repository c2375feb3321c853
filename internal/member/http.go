package member

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// routeTags is the group of these routes in the reference.
var routeTags = []string{"Members"}

// refused are the refusals of every route that takes the fields of a member.
var refused = []error{
	ErrIdentifierTaken, ErrIdentifierMany, ErrPhone, ErrEmail, ErrCard, ErrExternal, ErrText, ErrGender,
	ErrLanguage, ErrBirthday, ErrAttributeUnknown, ErrAttributeValue,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Post(r, "/v1/members", s.postMember, api.Doc{
		ID: "createMember", Summary: "Enrol a member.", Tags: routeTags, Needs: staff.ServeMembers, Status: 201,
		Fails: append([]error{ErrIdentifierNeeded, ErrJoined, ErrTag, ErrConsent, ErrAdvisor}, refused...),
	})
	s.batchRoute(r)
	api.Get(r, "/v1/members", s.getMembers, api.Doc{
		ID: "listMembers", Summary: "List or search members.", Tags: routeTags, Needs: staff.ReadMembers,
		Description: "q is an identifier in any spelling, exactly, or words of a name: two or more letters from the beginning of a word, or two or more Chinese characters that follow one another. Phones, e-mails and cards are masked in lists.",
	})
	api.Get(r, "/v1/members/{ref}", s.getMember, api.Doc{
		ID: "getMember", Summary: "Read a member with wallets and tier.", Tags: routeTags, Needs: staff.ReadMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR},
	})
	api.Patch(r, "/v1/members/{ref}", s.patchMember, api.Doc{
		ID: "changeMember", Summary: "Change fields of a member.", Tags: routeTags, Needs: staff.ServeMembers,
		Description: "JSON merge patch: what is left out stays, null empties. A phone, e-mail, card or external id takes the place of the first one of its kind. With If-Match, the change is refused unless the member still has that version.",
		Fails:       append([]error{ErrNotFound, ErrRef, ErrQR, ErrChanged, ErrIdentifierLast, ErrAdvisor}, refused...),
	})
	api.Post(r, "/v1/members/{ref}/tags", s.postTags, api.Doc{
		ID: "tagMember", Summary: "Put tags on a member and take others off.", Tags: routeTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrTag},
	})
	s.bulkTagRoutes(r)
	s.identifierRoutes(r)
	s.mergeRoutes(r)
	s.attributeRoutes(r)
	s.timelineRoutes(r)
	s.noteRoutes(r)
	s.mentionRoutes(r)
	s.callRoutes(r)
	s.taskRoutes(r)
}

// ByRef is embedded by the input of every route of one member. Its name is exported because
// Huma fills no embedded field with another.
type ByRef struct {
	Ref string `path:"ref" maxLength:"400" doc:"The member: mem_…, no:8000123, ext:source/id, phone:+86…, email:…, card:…, wechat:… or qr:…; a slash is written %2F."`
}

func (in ByRef) parse() (Ref, error) {
	ref, err := ParseRef(in.Ref)
	if refusal := errs.As(err); refusal != nil && refusal.Kind != errs.NotFound {
		return Ref{}, refusal.At("path.ref")
	}
	return ref, err
}

// memberOut is the answer of every route that gives one member.
type memberOut struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body memberView
}

// answer makes the answer of a use case, with the cards.
func (s *Service) answer(ctx context.Context, m Member, err error) (*memberOut, error) {
	if err != nil {
		return nil, err
	}
	v := viewMember(m)
	if err := s.deal(ctx, m.ID, &v); err != nil {
		return nil, err
	}
	return &memberOut{ETag: tag(m.Version), Body: v}, nil
}

type enrolIn struct{ Body NewMember }

// NewMember is a member as a caller enrols one. Its name is exported because Huma fills no
// embedded struct with another.
type NewMember struct {
	External   string         `json:"external_id,omitempty" maxLength:"200" doc:"namespace/value: the member's id in another system." example:"shop/4711"`
	Phone      string         `json:"phone,omitempty" maxLength:"40" doc:"Any spelling; without a country code, mainland China." example:"13800138000"`
	Email      string         `json:"email,omitempty" maxLength:"254" doc:"E-mail address."`
	Card       string         `json:"card,omitempty" maxLength:"64" doc:"Number of a member card; upper and lower case differ."`
	WeChat     string         `json:"wechat,omitempty" maxLength:"64" doc:"WeChat open id."`
	Verified   bool           `json:"verified,omitempty" doc:"The identifiers were proved to be the member's."`
	Name       string         `json:"name,omitempty" maxLength:"400" doc:"Full name, at most 100 characters."`
	Gender     Gender         `json:"gender,omitempty" doc:"female, male, other or unknown."`
	Birthday   string         `json:"birthday,omitempty" maxLength:"10" doc:"YYYY-MM-DD, or --MM-DD without the year." example:"1990-02-28"`
	Address    string         `json:"address,omitempty" maxLength:"1200" doc:"Postal address in one line, at most 300 characters."`
	City       string         `json:"city,omitempty" maxLength:"256" doc:"City, as a code or a name."`
	Language   string         `json:"language,omitempty" maxLength:"35" doc:"Language tag." example:"zh-CN"`
	Store      string         `json:"store,omitempty" maxLength:"64" doc:"Id or code of the store where they join."`
	Source     string         `json:"source,omitempty" maxLength:"256" doc:"Where they come from." example:"web"`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Custom attributes by key."`
	Tags       []string       `json:"tags,omitempty" maxItems:"100" doc:"Tags."`
	Consents   []string       `json:"consents,omitempty" maxItems:"20" doc:"Purposes that the member agrees to." example:"marketing_email"`
	Advisor    string         `json:"advisor,omitempty" maxLength:"64" doc:"The colleague who looks after them: stf_…."`
	JoinedAt   string         `json:"joined_at,omitempty" maxLength:"40" doc:"When they joined, if not now: RFC 3339, or a date or time in the programme's zone."`
}

func (s *Service) postMember(ctx context.Context, in *enrolIn) (*memberOut, error) {
	n, err := in.Body.enrolment(s)
	if err != nil {
		return nil, err
	}
	if n := in.Body; n.Advisor != "" { // before anything is made
		if _, err := s.colleague(ctx, n.Advisor); err != nil {
			return nil, errs.As(err).At("body.advisor")
		}
	}
	m, err := s.Create(ctx, n)
	if err == nil && in.Body.Advisor != "" {
		m, err = s.Advise(ctx, RefID(m.ID), in.Body.Advisor)
	}
	return s.answer(ctx, m, err)
}

func (n *NewMember) enrolment(s *Service) (Enrolment, error) {
	store, err := s.StoreID(n.Store)
	if refusal := errs.As(err); refusal != nil {
		return Enrolment{}, refusal.At("body.store")
	}
	joined, err := s.parseTime(n.JoinedAt)
	if err != nil {
		return Enrolment{}, ErrJoined.At("body.joined_at")
	}
	return Enrolment{
		External: n.External, Phone: n.Phone, Email: n.Email, Card: n.Card, WeChat: n.WeChat, Verified: n.Verified,
		Name: n.Name, Gender: n.Gender, Birthday: n.Birthday, Address: n.Address, City: n.City, Language: n.Language,
		StoreID: store, Source: n.Source, Attributes: n.Attributes, Tags: n.Tags, Consents: n.Consents, JoinedAt: joined,
	}, nil
}

// parseTime reads a time of a request; without a zone it is in the programme's.
func (s *Service) parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return program.ParseTime(text, s.zone())
}

func (s *Service) getMember(ctx context.Context, in *ByRef) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.Get(ctx, ref)
	return s.answer(ctx, m, err)
}

type membersIn struct {
	api.Page
	Q           string `query:"q" maxLength:"400" doc:"An identifier, or words of a name."`
	Tag         string `query:"tag" maxLength:"200" doc:"Only members with this tag."`
	Tier        string `query:"tier" maxLength:"40" doc:"Only members in this tier of the main scheme, by its code."`
	Advisor     string `query:"advisor" maxLength:"40" doc:"Only members of this colleague (stf_…), or of the caller: me."`
	JoinedFrom  string `query:"joined_from" maxLength:"40" doc:"Only members who joined at this time or later."`
	JoinedUntil string `query:"joined_until" maxLength:"40" doc:"Only members who joined before this time."`
}

type membersOut struct{ Body api.List[lineView] }

func (s *Service) getMembers(ctx context.Context, in *membersIn) (*membersOut, error) {
	from, err := s.parseTime(in.JoinedFrom)
	if err != nil {
		return nil, ErrJoined.At("query.joined_from")
	}
	until, err := s.parseTime(in.JoinedUntil)
	if err != nil {
		return nil, ErrJoined.At("query.joined_until")
	}
	advisor, err := advisorNamed(ctx, in.Advisor)
	if err != nil {
		return nil, err
	}
	page, next, err := s.List(ctx, Search{Q: in.Q, Tag: in.Tag, Tier: in.Tier, Advisor: advisor, JoinedFrom: from, JoinedUntil: until, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := &membersOut{}
	out.Body.Items = make([]lineView, len(page))
	for i, m := range page {
		out.Body.Items[i] = viewLine(m)
	}
	out.Body.NextCursor = next
	return out, nil
}

type patchIn struct {
	ByRef
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The version that this change is made from, as ETag gave it."`
	Body    patchBody
}

func (s *Service) patchMember(ctx context.Context, in *patchIn) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	c, err := in.Body.change(s)
	if err != nil {
		return nil, err
	}
	if c.Version, err = parseVersion(in.IfMatch, ErrChanged); err != nil {
		return nil, err
	}
	advisor := in.Body.Advisor.to
	if advisor != nil && *advisor != "" { // before anything is changed
		if _, err := s.colleague(ctx, *advisor); err != nil {
			return nil, errs.As(err).At("body.advisor")
		}
	}
	m, err := s.Patch(ctx, ref, c)
	if err == nil && advisor != nil {
		m, err = s.Advise(ctx, RefID(m.ID), *advisor)
	}
	return s.answer(ctx, m, err)
}

// tag writes a version as an ETag.
func tag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// parseVersion reads If-Match: nil where the request bears none, the refusal where no tag
// of ours can be meant.
func parseVersion(header string, changed *errs.Error) (*int64, error) {
	if header == "" {
		return nil, nil
	}
	version, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(header, "W/"), `"`), 10, 64)
	if err != nil {
		return nil, changed.At("header.If-Match")
	}
	return &version, nil
}

type tagsIn struct {
	ByRef
	Body struct {
		Add    []string `json:"add,omitempty" maxItems:"100" doc:"Tags to put on; one that is there stays."`
		Remove []string `json:"remove,omitempty" maxItems:"100" doc:"Tags to take off; one that is not there is no error."`
	}
}

func (s *Service) postTags(ctx context.Context, in *tagsIn) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.retag(ctx, ref, in.Body.Add, in.Body.Remove)
	return s.answer(ctx, m, err)
}
