package member

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// edit is a text of a JSON merge patch: left out, null, or a value. A pointer cannot tell
// the first two apart.
type edit struct{ to *string }

// UnmarshalJSON reads null as the empty text. It is not called for what is left out.
func (e *edit) UnmarshalJSON(text []byte) error {
	e.to = new(string)
	if string(text) == "null" {
		return nil
	}
	return json.Unmarshal(text, e.to)
}

// Schema tells the reference that null is a value.
func (edit) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[string](), true, "")
	s.Nullable = true
	return &s
}

// patchBody is what PATCH takes.
type patchBody struct {
	External   edit           `json:"external_id,omitempty" maxLength:"200" doc:"namespace/value."`
	Phone      edit           `json:"phone,omitempty" maxLength:"40" doc:"Any spelling; without a country code, mainland China."`
	Email      edit           `json:"email,omitempty" maxLength:"254" doc:"E-mail address."`
	Card       edit           `json:"card,omitempty" maxLength:"64" doc:"Number of a member card."`
	WeChat     edit           `json:"wechat,omitempty" maxLength:"64" doc:"WeChat open id."`
	Name       edit           `json:"name,omitempty" maxLength:"400" doc:"Full name, at most 100 characters."`
	Gender     edit           `json:"gender,omitempty" maxLength:"10" doc:"female, male, other or unknown."`
	Birthday   edit           `json:"birthday,omitempty" maxLength:"10" doc:"YYYY-MM-DD, or --MM-DD without the year."`
	Address    edit           `json:"address,omitempty" maxLength:"1200" doc:"Postal address in one line, at most 300 characters."`
	City       edit           `json:"city,omitempty" maxLength:"256" doc:"City, as a code or a name."`
	Language   edit           `json:"language,omitempty" maxLength:"35" doc:"Language tag."`
	Store      edit           `json:"store,omitempty" maxLength:"64" doc:"Id or code of a store."`
	Source     edit           `json:"source,omitempty" maxLength:"256" doc:"Where they come from."`
	Advisor    edit           `json:"advisor,omitempty" maxLength:"40" doc:"The colleague who is responsible (stf_…)."`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Custom attributes by key; null removes one."`
}

// change is the patch as the service takes it.
func (b patchBody) change(s *Service) (Change, error) {
	c := Change{
		External: b.External.to, Phone: b.Phone.to, Email: b.Email.to, Card: b.Card.to, WeChat: b.WeChat.to,
		Name: b.Name.to, Birthday: b.Birthday.to, Address: b.Address.to, Gender: (*Gender)(b.Gender.to),
		City: b.City.to, Language: b.Language.to, Source: b.Source.to, Attributes: b.Attributes,
	}
	if b.Store.to == nil {
		return c, nil
	}
	store, err := s.StoreID(*b.Store.to)
	if refusal := errs.As(err); refusal != nil {
		return c, refusal.At("body.store")
	}
	c.StoreID = &store
	return c, nil
}
