package member

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/seal"
)

// The bounds of a member's texts, in characters, and of its lists.
const (
	maxAddress     = 300
	maxCity        = 64
	maxSource      = 64
	maxTag         = 50
	maxTags        = 100
	maxIdentifiers = 20
)

// record is everything of one member in memory, as it is read, changed and written.
type record struct {
	id         ID
	version    int64
	wrapped    []byte
	key        seal.RecordKey
	personal   personal
	gender     Gender
	city       string
	language   string
	storeID    int64
	source     string
	joinedMS   int64
	createdMS  int64
	mergedInto ID
	erasedMS   int64          // 0 but for one who was erased: then there is no key and nothing sealed
	marks      map[hash]mark  // of the identifiers in personal, by blind index
	attributes map[string]any // the ones that are not personal
}

// hash is a blind index entry.
type hash = [seal.BlindSize]byte

// mark is what the identifier table knows besides the owner.
type mark struct {
	kind       Kind
	verifiedMS int64
	source     string
	addedMS    int64
}

// personal is what is sealed. Its JSON names are in old records too: never reuse one.
type personal struct {
	Name        string         `json:"name,omitempty"`
	Birthday    Birthday       `json:"birthday,omitempty"`
	Address     string         `json:"address,omitempty"`
	Identifiers []named        `json:"ids,omitempty"` // in the order they were added
	Attributes  map[string]any `json:"attrs,omitempty"`
}

type named struct {
	Kind  Kind   `json:"k"`
	Value string `json:"v"` // normalised
}

// Change is an edit of a member: nil leaves a field, "" (or a nil attribute) empties it.
// A phone, an e-mail and the like take the place of the first identifier of their kind.
type Change struct {
	Phone, Email, Card, External, WeChat *string
	Name, Birthday, Address              *string
	Gender                               *Gender
	City, Language, Source               *string
	StoreID                              *int64
	Attributes                           map[string]any
	Version                              *int64 // refuse unless the member has this version
}

// scene is what a change is checked against.
type scene struct {
	today  time.Time // the programme's date, in its zone
	schema map[string]Attribute
}

// apply makes a change in memory, or refuses it whole, naming every field at fault.
func (r *record) apply(c Change, sc scene) error {
	var faults faults
	faults.add("name", setText(&r.personal.Name, c.Name, maxName))
	faults.add("address", setText(&r.personal.Address, c.Address, maxAddress))
	faults.add("city", setText(&r.city, c.City, maxCity))
	faults.add("source", setText(&r.source, c.Source, maxSource))
	faults.add("gender", r.setGender(c.Gender))
	faults.add("language", r.setLanguage(c.Language))
	faults.add("birthday", r.setBirthday(c.Birthday, sc.today))
	faults.add("external_id", r.setFirst(KindExternal, c.External))
	faults.add("phone", r.setFirst(KindPhone, c.Phone))
	faults.add("email", r.setFirst(KindEmail, c.Email))
	faults.add("card", r.setFirst(KindCard, c.Card))
	faults.add("wechat", r.setFirst(KindWeChat, c.WeChat))
	for _, key := range slices.Sorted(maps.Keys(c.Attributes)) {
		faults.add("attributes", r.setAttribute(key, c.Attributes[key], sc.schema))
	}
	if c.StoreID != nil {
		r.storeID = *c.StoreID
	}
	return faults.err
}

// faults gathers refusals into one that names every field.
type faults struct{ err error }

func (f *faults) add(field string, err error) {
	refusal := errs.As(err)
	if refusal == nil {
		return
	}
	refusal = refusal.At("body." + field)
	if first := errs.As(f.err); first != nil {
		first.Fields = append(first.Fields, refusal.Fields...)
		return
	}
	f.err = refusal
}

// setText trims, joins runs of spaces and composes letters, so that equal texts are equal
// bytes.
func setText(to *string, from *string, limit int) error {
	if from == nil {
		return nil
	}
	if !utf8.ValidString(*from) || strings.ContainsFunc(*from, isBreak) {
		return ErrText.With("max", limit)
	}
	text := strings.Join(strings.Fields(norm.NFC.String(*from)), " ")
	if !printable(text, limit) {
		return ErrText.With("max", limit)
	}
	*to = text
	return nil
}

func isBreak(r rune) bool { return r < ' ' || r == 0x7f }

func (r *record) setGender(g *Gender) error {
	if g == nil {
		return nil
	}
	switch *g {
	case "":
		r.gender = Unknown
	case Female, Male, Other, Unknown:
		r.gender = *g
	default:
		return ErrGender
	}
	return nil
}

func (r *record) setLanguage(text *string) error {
	if text == nil {
		return nil
	}
	if *text == "" {
		r.language = ""
		return nil
	}
	tag, err := language.Parse(*text)
	if err != nil {
		return ErrLanguage
	}
	r.language = tag.String()
	return nil
}

func (r *record) setBirthday(text *string, today time.Time) error {
	if text == nil {
		return nil
	}
	if *text == "" {
		r.personal.Birthday = ""
		return nil
	}
	b, err := parseBirthday(*text, today)
	if err != nil {
		return err
	}
	r.personal.Birthday = b
	return nil
}

// setFirst puts an identifier in the place of the first of its kind, or removes that one
// where the text is empty.
func (r *record) setFirst(k Kind, text *string) error {
	if text == nil {
		return nil
	}
	at := slices.IndexFunc(r.personal.Identifiers, func(n named) bool { return n.Kind == k })
	if strings.TrimSpace(*text) == "" {
		if at >= 0 {
			r.personal.Identifiers = slices.Delete(r.personal.Identifiers, at, at+1)
		}
		return nil
	}
	value, err := normalise(k, *text)
	if err != nil {
		return err
	}
	fresh := named{k, value}
	if slices.Contains(r.personal.Identifiers, fresh) {
		return nil
	}
	if at >= 0 {
		r.personal.Identifiers[at] = fresh
		return nil
	}
	return r.addIdentifier(fresh)
}

func (r *record) addIdentifier(n named) error {
	if len(r.personal.Identifiers) >= maxIdentifiers {
		return ErrIdentifierMany.With("max", maxIdentifiers)
	}
	r.personal.Identifiers = append(r.personal.Identifiers, n)
	return nil
}

func (r *record) setAttribute(key string, v any, schema map[string]Attribute) error {
	a, known := schema[key]
	if !known || a.Archived {
		if !attributeKey.MatchString(key) {
			key = "?" // what was sent may be anything: it is not repeated
		}
		return ErrAttributeUnknown.With("key", key)
	}
	to := &r.attributes
	if a.Personal {
		to = &r.personal.Attributes
	}
	if v == nil {
		delete(*to, key)
		return nil
	}
	v, err := a.value(v)
	if err != nil {
		return err
	}
	if *to == nil {
		*to = map[string]any{}
	}
	(*to)[key] = v
	return nil
}

// clone copies what apply may change.
func (r *record) clone() *record {
	c := *r
	c.personal.Identifiers = slices.Clone(r.personal.Identifiers)
	c.personal.Attributes = maps.Clone(r.personal.Attributes)
	c.attributes = maps.Clone(r.attributes)
	c.marks = maps.Clone(r.marks)
	return &c
}

// changed names the fields in which two states of a member differ, for the event and the
// audit trail, which hold no values.
func changed(a, b *record) []string {
	var names []string
	note := func(name string, differs bool) {
		if differs {
			names = append(names, name)
		}
	}
	note("name", a.personal.Name != b.personal.Name)
	note("gender", a.gender != b.gender)
	note("birthday", a.personal.Birthday != b.personal.Birthday)
	note("address", a.personal.Address != b.personal.Address)
	note("city", a.city != b.city)
	note("language", a.language != b.language)
	note("store", a.storeID != b.storeID)
	note("source", a.source != b.source)
	for _, k := range kinds {
		note(fieldOf(k), !slices.Equal(a.values(k), b.values(k)))
	}
	note("attributes", !maps.Equal(a.attributes, b.attributes) || !maps.Equal(a.personal.Attributes, b.personal.Attributes))
	return names
}

// fieldOf is the name of a kind of identifier in requests.
func fieldOf(k Kind) string {
	if k == KindExternal {
		return "external_id"
	}
	return string(k)
}

func (r *record) values(k Kind) []string {
	var list []string
	for _, n := range r.personal.Identifiers {
		if n.Kind == k {
			list = append(list, n.Value)
		}
	}
	return list
}

// aad binds a sealed record to its member and to what it is.
func aad(m ID) []byte { return fmt.Appendf(nil, "member/%d/personal/1", m) }

// seal encrypts the personal part.
func (r *record) seal() ([]byte, error) {
	text, err := json.Marshal(r.personal)
	if err != nil {
		return nil, fmt.Errorf("seal member %d: %w", r.id, err)
	}
	return r.key.Seal(text, aad(r.id)), nil
}

// open decrypts the personal part into r, with its key. Of one who was erased there is none.
func (r *record) open(box *seal.Box, sealed []byte) error {
	if r.erasedMS != 0 {
		return nil
	}
	key, err := box.Unwrap(r.wrapped)
	if err != nil {
		return fmt.Errorf("open member %d: %w", r.id, err)
	}
	text, err := key.Open(sealed, aad(r.id))
	if err != nil {
		return fmt.Errorf("open member %d: %w", r.id, err)
	}
	if err := json.Unmarshal(text, &r.personal); err != nil {
		return fmt.Errorf("open member %d: the record is no JSON", r.id) // the cause would quote it
	}
	r.key = key
	return nil
}
