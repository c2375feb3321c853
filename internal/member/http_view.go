package member

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
)

// memberView is a member as the outside sees it.
type memberView struct {
	ID          ID               `json:"id" doc:"The member."`
	Number      string           `json:"number" doc:"The member's number for people." example:"8000123"`
	Version     int64            `json:"version" doc:"Grows with every change."`
	External    string           `json:"external_id,omitempty" doc:"The first external id."`
	Name        string           `json:"name,omitempty" doc:"Full name."`
	Phone       string           `json:"phone,omitempty" doc:"The first phone, E.164."`
	Email       string           `json:"email,omitempty" doc:"The first e-mail address."`
	Card        string           `json:"card,omitempty" doc:"The first card."`
	Identifiers []identifierView `json:"identifiers" doc:"All that the member is found by, besides the number."`
	Gender      Gender           `json:"gender" doc:"female, male, other or unknown."`
	Birthday    Birthday         `json:"birthday,omitempty" doc:"YYYY-MM-DD, or --MM-DD without the year."`
	Address     string           `json:"address,omitempty" doc:"Postal address."`
	City        string           `json:"city,omitempty" doc:"City."`
	Language    string           `json:"language,omitempty" doc:"Language tag."`
	Store       string           `json:"store,omitempty" doc:"Where they joined."`
	Source      string           `json:"source,omitempty" doc:"Where they came from."`
	Attributes  map[string]any   `json:"attributes" doc:"Custom attributes by key."`
	Tags        []string         `json:"tags" doc:"Tags, sorted."`
	Advisor     string           `json:"advisor,omitempty" doc:"The colleague who is responsible, as stf_…"`
	JoinedAt    time.Time        `json:"joined_at" doc:"When they joined."`
	CreatedAt   time.Time        `json:"created_at" doc:"When this record was made."`
	ErasedAt    *time.Time       `json:"erased_at,omitempty" doc:"When the member's data were erased; nothing else is left then but the number."`
	MergedInto  *ID              `json:"merged_into,omitempty" doc:"The member that this record was merged into."`
	Merged      []ID             `json:"merged,omitempty" doc:"The records that were merged into this member."`
	Wallets     any              `json:"wallets,omitempty" doc:"Balances by currency."`
	Tier        any              `json:"tier,omitempty" doc:"Code of the tier in the main scheme."`
	Cards       map[string]any   `json:"cards,omitempty" doc:"What else is known, by name."`
}

type identifierView struct {
	Kind       Kind       `json:"kind" doc:"phone, email, card, ext or wechat."`
	Value      string     `json:"value" doc:"The one spelling that is kept."`
	VerifiedAt *time.Time `json:"verified_at,omitempty" doc:"When it was proved to be the member's."`
	Source     string     `json:"source,omitempty" doc:"Where it came from."`
	From       *ID        `json:"from,omitempty" doc:"The merged record that it belongs to."`
}

func viewMember(m Member) memberView {
	v := memberView{
		ID: m.ID, Number: m.ID.Number(), Version: m.Version, Name: m.Name,
		External: m.First(KindExternal), Phone: m.First(KindPhone), Email: m.First(KindEmail), Card: m.First(KindCard),
		Identifiers: viewIdentifiers(m.Identifiers), Gender: m.Gender, Birthday: m.Birthday, Address: m.Address,
		City: m.City, Language: m.Language, Source: m.Source, Attributes: m.Attributes,
		Tags: append([]string{}, m.Tags...), Advisor: m.Advisor, JoinedAt: m.JoinedAt, CreatedAt: m.CreatedAt,
		MergedInto: present(m.MergedInto), Merged: m.Merged,
	}
	if m.StoreID != 0 {
		v.Store = program.StoreID(m.StoreID)
	}
	if !m.ErasedAt.IsZero() {
		v.ErasedAt = &m.ErasedAt
	}
	return v
}

func viewIdentifiers(list []Identifier) []identifierView {
	views := make([]identifierView, len(list))
	for i, one := range list {
		views[i] = identifierView{Kind: one.Kind, Value: one.Value, Source: one.Source, From: present(one.From)}
		if !one.VerifiedAt.IsZero() {
			views[i].VerifiedAt = &one.VerifiedAt
		}
	}
	return views
}

// present is nil for nobody.
func present(m ID) *ID {
	if m == 0 {
		return nil
	}
	return &m
}

// deal puts the cards of the higher nouns on a member's page.
func (s *Service) deal(ctx context.Context, m ID, v *memberView) error {
	for _, c := range s.cards {
		name, value, err := c.Card(ctx, m)
		if err != nil {
			return fmt.Errorf("card %s of member %d: %w", name, m, err)
		}
		switch name {
		case "wallets":
			v.Wallets = value
		case "tier":
			v.Tier = value
		default:
			if v.Cards == nil {
				v.Cards = map[string]any{}
			}
			v.Cards[name] = value
		}
	}
	return nil
}

// lineView is a member in a list. Identifiers are masked: a list is on the screen of
// whoever walks past, and what is wanted from it is to recognise, not to write down.
type lineView struct {
	ID       ID        `json:"id" doc:"The member."`
	Number   string    `json:"number" doc:"The member's number for people."`
	Name     string    `json:"name,omitempty" doc:"Full name."`
	Phone    string    `json:"phone,omitempty" doc:"The first phone, masked." example:"138****6027"`
	Email    string    `json:"email,omitempty" doc:"The first e-mail address, masked."`
	Card     string    `json:"card,omitempty" doc:"The first card, masked."`
	Gender   Gender    `json:"gender" doc:"female, male, other or unknown."`
	City     string    `json:"city,omitempty" doc:"City."`
	Store    string    `json:"store,omitempty" doc:"Where they joined."`
	Source   string    `json:"source,omitempty" doc:"Where they came from."`
	Advisor  string    `json:"advisor,omitempty" doc:"The colleague who is responsible, as stf_…"`
	Tags     []string  `json:"tags" doc:"Tags, sorted."`
	Tier     string    `json:"tier,omitempty" doc:"Code of the tier in the main scheme."`
	JoinedAt time.Time `json:"joined_at" doc:"When they joined."`
}

func viewLine(m Member) lineView {
	v := lineView{
		ID: m.ID, Number: m.ID.Number(), Name: m.Name, Gender: m.Gender, City: m.City, Source: m.Source, Advisor: m.Advisor,
		Phone: masked(m, KindPhone), Email: masked(m, KindEmail), Card: masked(m, KindCard),
		Tags: append([]string{}, m.Tags...), Tier: m.Tier, JoinedAt: m.JoinedAt,
	}
	if m.StoreID != 0 {
		v.Store = program.StoreID(m.StoreID)
	}
	return v
}

func masked(m Member, k Kind) string {
	if value := m.First(k); value != "" {
		return Mask(k, value)
	}
	return ""
}
