package member

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// AttributeKind is the type of an attribute's values.
type AttributeKind string

// The kinds of attributes.
const (
	TextAttribute    AttributeKind = "text"
	NumberAttribute  AttributeKind = "number"  // up to four decimals
	BooleanAttribute AttributeKind = "boolean" // true or false
	DateAttribute    AttributeKind = "date"    // YYYY-MM-DD
	ChoiceAttribute  AttributeKind = "choice"  // one of a list
)

// The bounds of attributes. A number in ten-thousandths stays exact in JSON (2^53).
const (
	maxAttributes    = 200
	maxAttributeText = 500
	maxChoices       = 200
	maxLabel         = 60
	numberScale      = 10_000
	maxNumber        = 900_000_000_000 // ten-thousandths below 2^53
)

// Attribute declares one thing that the programme wants to know of members besides what
// every programme does. Its kind and whether it is personal are fixed for ever: values are
// kept by them.
type Attribute struct {
	Key      string        `json:"key" doc:"The name in requests: a lower-case letter, then letters, digits and _."`
	Kind     AttributeKind `json:"kind" enum:"text,number,boolean,date,choice" doc:"The type of its values; fixed for ever."`
	LabelEN  string        `json:"label_en" doc:"What people read, in English."`
	LabelZH  string        `json:"label_zh" doc:"What people read, in Chinese."`
	Choices  []string      `json:"choices,omitempty" doc:"The values of a choice."`
	Personal bool          `json:"personal" doc:"Its values say who somebody is: they are sealed, and rules cannot use them. Fixed for ever."`
	Archived bool          `json:"archived" doc:"No longer asked for: values stay readable and take no change."`
}

// The refusals of attributes.
var (
	ErrAttributeUnknown = errs.New(errs.Invalid, "member.attribute_unknown",
		"There is no attribute {key}.", "没有属性 {key}。")
	ErrAttributeValue = errs.New(errs.Invalid, "member.attribute_value",
		"The attribute {key} takes a {kind}.", "属性 {key} 的值须为 {kind} 类型。")
	ErrAttributeFixed = errs.New(errs.Conflict, "member.attribute_fixed",
		"Kind and protection of an attribute cannot change. Archive it and make another.",
		"属性的类型与是否个人信息不能更改。请归档后另建。")
	ErrAttributeSchema = errs.New(errs.Invalid, "member.attribute_schema",
		"An attribute needs a key (a lower-case letter, then letters, digits and _; at most 40), a kind, labels in both languages of at most {label} characters and, for a choice only, 1 to {choices} different choices.",
		"属性需要：键（小写字母开头，由小写字母、数字和 _ 组成，最多 40 个字符）、类型、中英文名称（最多 {label} 个字符）；仅选项类型须有 1 至 {choices} 个不同选项。")
	ErrAttributeMany = errs.New(errs.Conflict, "member.attribute_many",
		"There are at most {max} attributes.", "最多 {max} 个属性。")
)

var attributeKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// check returns why a declaration is refused, or nil.
func (a Attribute) check() error {
	refusal := ErrAttributeSchema.With("label", maxLabel, "choices", maxChoices)
	kinds := []AttributeKind{TextAttribute, NumberAttribute, BooleanAttribute, DateAttribute, ChoiceAttribute}
	if !attributeKey.MatchString(a.Key) || !slices.Contains(kinds, a.Kind) {
		return refusal
	}
	if a.LabelEN == "" || a.LabelZH == "" || !printable(a.LabelEN, maxLabel) || !printable(a.LabelZH, maxLabel) {
		return refusal
	}
	if (a.Kind == ChoiceAttribute) != (len(a.Choices) > 0) || len(a.Choices) > maxChoices {
		return refusal
	}
	seen := map[string]bool{}
	for _, c := range a.Choices {
		if c == "" || seen[c] || !printable(c, maxLabel) {
			return refusal
		}
		seen[c] = true
	}
	return nil
}

// value checks what a request gives for the attribute and returns it in its one form:
// string, bool, or float64 for a number of at most four decimals.
func (a Attribute) value(v any) (any, error) {
	bad := ErrAttributeValue.With("key", a.Key, "kind", a.Kind)
	switch a.Kind {
	case BooleanAttribute:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, bad
	case NumberAttribute:
		e4, ok := tenThousandths(v)
		if !ok {
			return nil, bad
		}
		return float64(e4) / numberScale, nil
	}
	text, ok := v.(string)
	if !ok || !utf8.ValidString(text) || !a.takes(text) {
		return nil, bad
	}
	return text, nil
}

// takes reports whether a text is a value of an attribute that is written as text.
func (a Attribute) takes(text string) bool {
	switch a.Kind {
	case DateAttribute:
		_, err := time.Parse(time.DateOnly, text)
		return err == nil
	case ChoiceAttribute:
		return slices.Contains(a.Choices, text)
	}
	return text != "" && printable(text, maxAttributeText)
}

// FromText reads a value out of a file, where everything is text.
func (a Attribute) FromText(text string) (any, error) {
	text = strings.TrimSpace(text)
	switch a.Kind {
	case NumberAttribute:
		return a.value(json.Number(text))
	case BooleanAttribute:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, ErrAttributeValue.With("key", a.Key, "kind", a.Kind)
		}
		return b, nil
	}
	return a.value(text)
}

// tenThousandths reads a JSON number of at most four decimals.
func tenThousandths(v any) (int64, bool) {
	var f float64
	switch n := v.(type) {
	case float64:
		f = n
	case int:
		f = float64(n)
	case int64:
		f = float64(n)
	case json.Number:
		var err error
		if f, err = n.Float64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	if math.IsNaN(f) || math.Abs(f) > maxNumber {
		return 0, false
	}
	e4 := math.Round(f * numberScale)
	return int64(e4), e4/numberScale == f
}

// columns splits a value into what member_attribute keeps.
func (a Attribute) columns(v any) (text string, e4 int64) {
	switch v := v.(type) {
	case string:
		return v, 0
	case bool:
		if v {
			return "", numberScale
		}
		return "", 0
	case float64:
		return "", int64(math.Round(v * numberScale))
	}
	panic(fmt.Sprintf("member: attribute value of type %T", v)) // value makes no other
}

// fromColumns is the reverse of columns.
func fromColumns(kind AttributeKind, text string, e4 int64) any {
	switch kind {
	case BooleanAttribute:
		return e4 != 0
	case NumberAttribute:
		return float64(e4) / numberScale
	}
	return text
}

// Attributes lists the schema, archived ones too, by key.
func (s *Service) Attributes(ctx context.Context) ([]Attribute, error) {
	schema, err := s.readSchema(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Attribute, 0, len(schema))
	for _, a := range schema {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Attribute) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// PutAttribute declares an attribute, or changes labels, choices and archiving of one that
// is there. Members keep a choice that was taken from the list.
func (s *Service) PutAttribute(ctx context.Context, a Attribute) error {
	if err := a.check(); err != nil {
		return err
	}
	schema, err := s.readSchema(ctx)
	if err != nil {
		return err
	}
	before, known := schema[a.Key]
	if !known && len(schema) >= maxAttributes {
		return ErrAttributeMany.With("max", maxAttributes)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := putAttribute(ctx, tx, a); err != nil {
			return err
		}
		return s.record(ctx, tx, "member.attribute_changed", a.Key, before, a)
	})
	s.schema.forget(schemaKey)
	return err
}

// schemaKey is the only key of the schema's cache.
const schemaKey = 0

// readSchema returns the schema by key. Do not change it.
func (s *Service) readSchema(ctx context.Context) (map[string]Attribute, error) {
	now := s.clock.Now()
	schema, mark, ok := s.schema.get(schemaKey, now, time.Time{})
	if ok {
		return schema, nil
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		schema, err = listAttributes(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read attribute schema: %w", err)
	}
	s.schema.put(schemaKey, schema, mark, now)
	return schema, nil
}

var putAttributeSQL = db.Define("member.putAttribute", `
	INSERT INTO attribute (key, kind, label_en, label_zh, choices, personal, archived)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (key) DO UPDATE
	SET label_en = excluded.label_en, label_zh = excluded.label_zh, choices = excluded.choices, archived = excluded.archived
	WHERE attribute.kind = excluded.kind AND attribute.personal = excluded.personal`)

// putAttribute writes a declaration; the guard on what is fixed stands in the statement.
func putAttribute(ctx context.Context, tx *db.Tx, a Attribute) error {
	choices, err := json.Marshal(a.Choices)
	if err != nil {
		return fmt.Errorf("put attribute %s: %w", a.Key, err)
	}
	n, err := tx.Exec(ctx, putAttributeSQL, a.Key, string(a.Kind), a.LabelEN, a.LabelZH, string(choices), bit(a.Personal), bit(a.Archived))
	if err != nil {
		return fmt.Errorf("put attribute %s: %w", a.Key, err)
	}
	if n == 0 {
		return ErrAttributeFixed
	}
	return nil
}

var listAttributesSQL = db.Define("member.listAttributes", `
	SELECT key, kind, label_en, label_zh, choices, personal, archived
	FROM attribute
	ORDER BY key`)

func listAttributes(ctx context.Context, tx *db.Tx) (map[string]Attribute, error) {
	schema := map[string]Attribute{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var a Attribute
		var choices string
		var personal, archived int
		if err := rows.Scan(&a.Key, &a.Kind, &a.LabelEN, &a.LabelZH, &choices, &personal, &archived); err != nil {
			return err
		}
		a.Personal, a.Archived = personal != 0, archived != 0
		schema[a.Key] = a
		if err := json.Unmarshal([]byte(choices), &a.Choices); err != nil {
			return err
		}
		schema[a.Key] = a
		return nil
	})(tx.Query(ctx, listAttributesSQL))
	return schema, err
}

// bit is a boolean as the database keeps it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
