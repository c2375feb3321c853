package member

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

// identifierRoutes take values in the body only: a path ends in the logs of proxies.
func (s *Service) identifierRoutes(r *api.Router) {
	api.Post(r, "/v1/members/{ref}/identifiers", s.postIdentifier, api.Doc{
		ID: "addIdentifier", Summary: "Add one more identifier to a member.", Tags: routeTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrKind, ErrPhone, ErrEmail, ErrCard, ErrExternal, ErrIdentifierTaken, ErrIdentifierMany},
	})
	api.Post(r, "/v1/members/{ref}/identifiers/remove", s.postRemoveIdentifier, api.Doc{
		ID: "removeIdentifier", Summary: "Take an identifier from a member.", Tags: routeTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrKind, ErrIdentifierUnknown, ErrIdentifierLast},
	})
	api.Post(r, "/v1/members/{ref}/identifiers/verify", s.postVerifyIdentifier, api.Doc{
		ID: "verifyIdentifier", Summary: "Note that an identifier was proved to be the member's.", Tags: routeTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrKind, ErrIdentifierUnknown},
	})
}

type identifierIn struct {
	ByRef
	Body struct {
		Kind     Kind   `json:"kind" doc:"phone, email, card, ext or wechat."`
		Value    string `json:"value" minLength:"1" maxLength:"254" doc:"The identifier, in any spelling."`
		Verified bool   `json:"verified,omitempty" doc:"It was proved to be the member's."`
	}
}

type knownIn struct {
	ByRef
	Body struct {
		Kind  Kind   `json:"kind" doc:"phone, email, card, ext or wechat."`
		Value string `json:"value" minLength:"1" maxLength:"254" doc:"The identifier, in any spelling."`
	}
}

func (s *Service) postIdentifier(ctx context.Context, in *identifierIn) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.AddIdentifier(ctx, ref, in.Body.Kind, in.Body.Value, in.Body.Verified)
	return s.answer(ctx, m, atValue(err))
}

func (s *Service) postRemoveIdentifier(ctx context.Context, in *knownIn) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.RemoveIdentifier(ctx, ref, in.Body.Kind, in.Body.Value)
	return s.answer(ctx, m, atValue(err))
}

func (s *Service) postVerifyIdentifier(ctx context.Context, in *knownIn) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.VerifyIdentifier(ctx, ref, in.Body.Kind, in.Body.Value)
	return s.answer(ctx, m, atValue(err))
}

// atValue names the field of a refused value.
func atValue(err error) error {
	if refusal := errs.As(err); refusal != nil && refusal.Kind == errs.Invalid && len(refusal.Fields) == 0 {
		return refusal.At("body.value")
	}
	return err
}

func (s *Service) attributeRoutes(r *api.Router) {
	api.Get(r, "/v1/attributes", s.getAttributes, api.Doc{
		ID: "listAttributes", Summary: "List the custom attributes of members.", Tags: routeTags, Needs: staff.ReadMembers,
	})
	api.Put(r, "/v1/attributes/{key}", s.putAttributeRoute, api.Doc{
		ID: "putAttribute", Summary: "Declare a custom attribute, or change its labels, choices and archiving.", Tags: routeTags, Needs: staff.ManageProgram,
		Fails: []error{ErrAttributeSchema, ErrAttributeFixed, ErrAttributeMany},
	})
}

type attributesOut struct {
	Body struct {
		Items []Attribute `json:"items" doc:"All attributes, by key."`
	}
}

func (s *Service) getAttributes(ctx context.Context, _ *struct{}) (*attributesOut, error) {
	list, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	out := &attributesOut{}
	out.Body.Items = list
	return out, nil
}

type attributeIn struct {
	Key  string `path:"key" maxLength:"40" doc:"The name in requests."`
	Body struct {
		Kind     AttributeKind `json:"kind" enum:"text,number,boolean,date,choice" doc:"The type of its values; fixed for ever."`
		LabelEN  string        `json:"label_en" minLength:"1" maxLength:"240" doc:"What people read, in English."`
		LabelZH  string        `json:"label_zh" minLength:"1" maxLength:"240" doc:"What people read, in Chinese."`
		Choices  []string      `json:"choices,omitempty" maxItems:"200" doc:"The values of a choice."`
		Personal bool          `json:"personal,omitempty" doc:"Seal its values; fixed for ever."`
		Archived bool          `json:"archived,omitempty" doc:"Take no more values."`
	}
}

type attributeOut struct{ Body Attribute }

func (s *Service) putAttributeRoute(ctx context.Context, in *attributeIn) (*attributeOut, error) {
	b := in.Body
	a := Attribute{Key: in.Key, Kind: b.Kind, LabelEN: b.LabelEN, LabelZH: b.LabelZH, Choices: b.Choices, Personal: b.Personal, Archived: b.Archived}
	if err := s.PutAttribute(ctx, a); err != nil {
		return nil, err
	}
	return &attributeOut{a}, nil
}
