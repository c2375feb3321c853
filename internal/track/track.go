// Package track takes in what members do besides buying: a visit, a completed profile,
// anything that rules, segments and journeys listen to.
//
// Life: an event is told once under its type and key, for ever; told again it gets the
// first answer. It becomes a domain event of its member, kind "event.<type>".
package track

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// maxAhead is how far a sender's clock may be ahead of ours.
const maxAhead = 5 * time.Minute

// maxMerges bounds a chain of merges.
const maxMerges = 8

// maxProperties bounds the properties of one event, in bytes of JSON.
const maxProperties = 16 << 10

var (
	// ErrType refuses a type that is no name.
	ErrType = errs.New(errs.Invalid, "track.type", "A type is up to 64 lower-case letters and _, in words joined by a dot, as visit or cart.left.", "类型须为不超过 64 个小写字母与下划线，可用点分段，例如 visit 或 cart.left。")
	// ErrTaken refuses a key that came before with other content.
	ErrTaken = errs.New(errs.Conflict, "track.key_taken", "An event of this type and key was told with other content.", "该类型与键的事件已上报，内容不同。")
	// ErrFuture refuses a time ahead of the clock.
	ErrFuture = errs.New(errs.Invalid, "track.future", "The time lies more than five minutes ahead.", "时间超前超过五分钟。")
	// ErrLarge refuses too many properties.
	ErrLarge = errs.New(errs.Invalid, "track.large", "The properties take more than 16 KiB.", "属性超过 16 KiB。")
)

var typeForm = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z_]*)*$`)

// Options are what a Service is made of.
type Options struct {
	Program *program.Service
	Members *member.Service
	Engine  *ledger.Engine
	Clock   clock.Clock
}

// Service takes in events.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o} }

// told is the command that takes an event in.
type told struct {
	kind, key string
	member    int64
	atMS      int64
	props     json.RawMessage
	quiet     bool
}

// Answer is what an event earned.
type Answer struct {
	MemberID string   `json:"member_id"`
	Points   []string `json:"points" doc:"What it earned: lots. Rules on events give them."`

	repeated bool
}

func (c *told) doc() ledger.Document {
	return ledger.Document{Kind: ledger.DocEvent, Source: c.kind, Document: c.key}
}

// Needs names the member and the event's key.
func (c *told) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Fresh: []ledger.RowKey{c.doc().Need()}}
}

// Decide takes the event in, once.
func (c *told) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	content := ledger.ContentHash([]any{c.atMS, c.props})
	if was, seen := s.FindDoc(c.doc()); seen {
		return c.again(s, a, was, content)
	}
	body, err := json.Marshal(map[string]any{"key": c.key, "properties": c.props, "quiet": c.quiet})
	if err != nil {
		return nil, err
	}
	s.Event(a, "event."+c.kind, c.atMS, string(body))
	s.PutDoc(c.doc(), ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: a.EventN, Content: content})
	return &Answer{MemberID: member.ID(a.ID).String(), Points: []string{}}, nil
}

// again answers an event that was told before: the first one's answer, if it says the same
// of the same member, or of one who was merged into them since.
func (c *told) again(s *ledger.State, a *ledger.Account, was ledger.Doc, content [16]byte) (any, error) {
	who := was.Member
	for range maxMerges {
		if who == a.ID {
			break
		}
		if err := s.Require(ledger.Needs{Members: []int64{who}}); err != nil {
			return nil, err
		}
		first, err := s.Account(who)
		if err != nil {
			return nil, err
		}
		if first.MergedInto == 0 {
			break
		}
		who = first.MergedInto
	}
	if who != a.ID || was.Content != content {
		return nil, ErrTaken
	}
	return &Answer{MemberID: member.ID(a.ID).String(), Points: []string{}, repeated: true}, nil
}

// Event is one thing that a member did, as a file tells it.
type Event struct {
	Type, Member, Key string
	At                time.Time
	Properties        map[string]any
}

// Imported is what became of one.
type Imported struct {
	Repeated bool // it was told before
	Err      error
}

// Import takes in events of the past, quietly, those of a list together, and answers for
// each in its order.
func (s *Service) Import(ctx context.Context, list []Event) ([]Imported, error) {
	out := make([]Imported, len(list))
	refs := make([]member.Ref, len(list))
	todo := make([]*told, len(list))
	for i, e := range list {
		if todo[i], out[i].Err = s.check(e.Type, e.Key, e.At, e.Properties); out[i].Err != nil {
			continue
		}
		todo[i].quiet = true
		ref, err := member.ParseRef(e.Member)
		if refs[i] = ref; err != nil {
			out[i].Err = at(err, "body.member")
		}
	}
	ids, err := s.o.Members.FindMany(ctx, refs)
	if err != nil {
		return nil, err
	}
	var places []int
	for i := range list {
		switch {
		case out[i].Err != nil:
		case ids[i] == 0:
			out[i].Err = member.ErrNotFound.At("body.member")
		default:
			todo[i].member = int64(ids[i])
			places = append(places, i)
		}
	}
	for range maxMerges {
		if places = s.postAll(ctx, todo, places, out); len(places) == 0 {
			return out, nil
		}
	}
	for _, i := range places {
		out[i].Err = ledger.ErrMember
	}
	return out, nil
}

// postAll posts the events at places together, and returns the places of those whose
// member was merged meanwhile.
func (s *Service) postAll(ctx context.Context, todo []*told, places []int, out []Imported) (moved []int) {
	requests := make([]ledger.Request, len(places))
	for j, i := range places {
		requests[j] = ledger.Request{Command: todo[i], Bulk: true}
	}
	for j, a := range s.o.Engine.DoMany(ctx, requests) {
		i := places[j]
		var to *ledger.Moved
		if errors.As(a.Err, &to) {
			next := *todo[i]
			next.member = to.To
			todo[i], moved = &next, append(moved, i)
			continue
		}
		v, _ := a.Value.(*Answer)
		out[i] = Imported{v != nil && v.repeated, a.Err}
	}
	return moved
}

// at names the field of a refusal.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}

// check makes the command of an event, without its member.
func (s *Service) check(kind, key string, when time.Time, props map[string]any) (*told, error) {
	body, err := json.Marshal(props)
	switch {
	case err != nil:
		return nil, err
	case len(kind) > 64 || !typeForm.MatchString(kind):
		return nil, ErrType.At("body.type")
	case when.After(s.o.Clock.Now().Add(maxAhead)):
		return nil, ErrFuture.At("body.at")
	case len(body) > maxProperties:
		return nil, ErrLarge.At("body.properties")
	}
	return &told{kind: kind, key: key, atMS: when.UnixMilli(), props: body}, nil
}

// post checks an event and sends its command.
func (s *Service) post(ctx context.Context, kind, ref, key string, when time.Time, props map[string]any, r ledger.Request) ledger.Answer {
	c, err := s.check(kind, key, when, props)
	if err != nil {
		return ledger.Answer{Err: err}
	}
	parsed, err := member.ParseRef(ref)
	if err != nil {
		return ledger.Answer{Err: at(err, "body.member")}
	}
	who, err := s.o.Members.Find(ctx, parsed)
	if err != nil {
		return ledger.Answer{Err: at(err, "body.member")}
	}
	for range maxMerges {
		next := *c
		next.member = int64(who)
		r.Command = &next
		a := s.o.Engine.Do(ctx, r)
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) {
			if v, ok := a.Value.(*Answer); ok && v.repeated {
				a.Raw.Replayed = true
			}
			return a
		}
		who = member.ID(moved.To)
	}
	return ledger.Answer{Err: ledger.ErrMember}
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Post(r, "/v1/events", s.postEvent, api.Doc{
		ID: "tellEvent", Summary: "Tell what a member did: what rules, segments and journeys listen to.", Tags: []string{"Events"},
		Needs: staff.WriteEvents, Status: 201, KeyRequired: true, OwnKey: true, Fails: []error{ErrType, ErrTaken, ErrFuture, ErrLarge, member.ErrNotFound, member.ErrQR},
	})
}

type eventIn struct {
	api.DryRun
	Body struct {
		Type       string         `json:"type" minLength:"1" maxLength:"64" doc:"What happened, as visit or profile_completed."`
		Member     string         `json:"member" minLength:"1" maxLength:"255" doc:"Who did it, by any identifier."`
		At         string         `json:"at" minLength:"1" maxLength:"40" doc:"When."`
		Key        string         `json:"key" minLength:"1" maxLength:"128" doc:"Unique for ever with the type."`
		Properties map[string]any `json:"properties,omitempty" doc:"Anything else about it."`
	}
}

func (s *Service) postEvent(ctx context.Context, in *eventIn) (*api.RawOf[Answer], error) {
	when, err := s.o.Program.Snapshot().ParseTime(in.Body.At)
	if err != nil {
		return nil, at(err, "body.at")
	}
	b := in.Body
	a := s.post(ctx, b.Type, b.Member, b.Key, when, b.Properties, ledger.RequestOf(ctx, nil, in.DryRun.DryRun))
	if a.Raw.Status == 0 {
		return nil, a.Err
	}
	return &api.RawOf[Answer]{Raw: a.Raw}, nil
}
