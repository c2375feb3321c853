package rule

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

type checkIn struct {
	Body struct {
		Kind      string      `json:"kind,omitempty" enum:"member,sale,line,event" doc:"Of condition: what it is asked of; sale where absent."`
		Condition string      `json:"condition,omitempty" maxLength:"20000" doc:"The text of one condition."`
		Rule      *Definition `json:"rule,omitempty" doc:"Instead: a whole rule."`
	}
}

type checkOut struct {
	Body struct {
		OK     bool        `json:"ok" doc:"Nothing is wrong."`
		Errors []faultView `json:"errors" doc:"What is wrong."`
		Words  words2      `json:"words" doc:"What the condition or the rule says, in words; empty where it cannot be told."`
	}
}

type faultView struct {
	Location string `json:"location,omitempty" doc:"Which part, as rule.effect.per." example:"condition"`
	Code     string `json:"code" doc:"Stable name of what is wrong."`
	Message  string `json:"message" doc:"In the caller's language, with a hint."`
	Line     int    `json:"line,omitempty" doc:"In the text of a condition, from 1."`
	Column   int    `json:"column,omitempty" doc:"In characters, from 1."`
}

func faultOf(ctx context.Context, err error, in string) (faultView, bool) {
	e := errs.As(err)
	if e == nil || errs.KindOf(err) == errs.Internal {
		return faultView{}, false
	}
	v := faultView{Code: e.Code, Message: e.Text(api.Language(ctx)), Location: in}
	for _, f := range e.Fields {
		v.Location = strings.TrimPrefix(in+strings.TrimPrefix(f.Location, "body"), ".")
	}
	v.Line, v.Column = cond.Where(err)
	return v, true
}

func kindNamed(name string) cond.Kind {
	for _, k := range []cond.Kind{cond.OfMember, cond.OfLine, cond.OfEvent} {
		if k.String() == name {
			return k
		}
	}
	return cond.OfSale
}

func (s *Service) postCheck(ctx context.Context, in *checkIn) (*checkOut, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	out := &checkOut{}
	out.Body.Errors = []faultView{}
	fault := func(err error, in string) error {
		v, ok := faultOf(ctx, err, in)
		if !ok {
			return err
		}
		out.Body.Errors = append(out.Body.Errors, v)
		return nil
	}
	if d := in.Body.Rule; d != nil {
		if err := s.accept(words, d); err != nil {
			return out, fault(err, "rule")
		}
		if err := s.Snapshot().book.fits(d); err != nil {
			return out, fault(err, "rule")
		}
		out.Body.OK, out.Body.Words = true, said(s.teller(words).say(d))
		return out, nil
	}
	kind := kindNamed(in.Body.Kind)
	if strings.TrimSpace(in.Body.Condition) != "" { // an empty one always holds
		if _, err := words.Compile(in.Body.Condition, kind); err != nil {
			return out, fault(err, "condition")
		}
	}
	text := in.Body.Condition
	if strings.TrimSpace(text) == "" {
		text = "true"
	}
	out.Body.OK, out.Body.Words = true, said(words.Say(text, kind))
	return out, nil
}

type vocabularyIn struct {
	Kind string `query:"kind" enum:"member,sale,line,event" doc:"Only what conditions of this kind may ask."`
}

type vocabularyOut struct{ Body api.List[cond.Entry] }

func (s *Service) getVocabulary(ctx context.Context, in *vocabularyIn) (*vocabularyOut, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	out := &vocabularyOut{}
	out.Body.Items = []cond.Entry{}
	for _, e := range words.Vocabulary() {
		if in.Kind == "" || slices.Contains(e.Kinds, in.Kind) {
			out.Body.Items = append(out.Body.Items, e)
		}
	}
	return out, nil
}

// Tree is a tree of the visual builder, as it travels.
type Tree json.RawMessage

// MarshalJSON writes it as it is.
func (t Tree) MarshalJSON() ([]byte, error) { return json.RawMessage(t).MarshalJSON() }

// UnmarshalJSON keeps it as it is.
func (t *Tree) UnmarshalJSON(b []byte) error {
	*t = append((*t)[:0], b...)
	return nil
}

// Schema tells the reference what it looks like: rules and groups may nest, so only the outermost
// group is told.
func (Tree) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: "object", Description: "A RuleGroupType of react-querybuilder: {combinator: and|or, not?, rules: [{field, args?, operator, value} or a group]}.",
		AdditionalProperties: true,
	}
}

type treeIn struct {
	Body struct {
		Kind string `json:"kind,omitempty" enum:"member,sale,line,event" doc:"What the condition is asked of; sale where absent."`
		Text string `json:"text,omitempty" maxLength:"20000" doc:"The text of a condition; empty always holds."`
		Tree Tree   `json:"tree,omitempty" doc:"Instead: a tree."`
	}
}

type treeOut struct {
	Body struct {
		Text  string `json:"text" doc:"The condition as text; empty where it always holds."`
		Tree  Tree   `json:"tree,omitempty" doc:"As a tree; absent where the builder cannot show it."`
		Words words2 `json:"words" doc:"In words."`
	}
}

func (s *Service) postTree(ctx context.Context, in *treeIn) (*treeOut, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	kind, text := kindNamed(in.Body.Kind), strings.TrimSpace(in.Body.Text)
	if len(in.Body.Tree) > 0 {
		var t cond.Tree
		if text != "" || json.Unmarshal(in.Body.Tree, &t) != nil {
			return nil, ErrTree.At("body.tree")
		}
		if text, err = words.Text(t); err != nil {
			return nil, at(err, "body.tree")
		}
	}
	if text == "" {
		text = "true"
	}
	out := &treeOut{}
	out.Body.Words = said(words.Say(text, kind))
	if t, ok := words.ParseTree(text, kind); ok {
		if out.Body.Tree, err = json.Marshal(t); err != nil {
			return nil, err
		}
	}
	if text != "true" {
		out.Body.Text = text
	}
	return out, nil
}
