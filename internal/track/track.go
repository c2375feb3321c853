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
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
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
	Givers  []Giver // who may give something for an event, in order
	// Told is called after an event was taken in, once more for each time that it is sent again:
	// for what a noun does of events of its own type. Nil for nothing.
	Told func(ctx context.Context, kind string, member, atMS int64) error
}

// Giver gives something for events: the noun that keeps the rules.
type Giver interface {
	// Event returns what it makes of an event of a member, before the batch; nil for nothing.
	Event(ctx context.Context, owner member.ID, kind string, at time.Time, properties map[string]any) (Gift, error)
}

// Gift is what a Giver makes of one event.
type Gift interface {
	// Needs is what Decide looks at beside the owner's account.
	Needs(owner int64) ledger.Needs
	// Decide is pure; sale.ErrStale asks for all to be prepared anew.
	Decide(s *ledger.State, a *ledger.Account) ([]Lot, error)
}

// Lot is one lot that an event gave.
type Lot struct {
	Currency string        `json:"c"`
	Amount   int64         `json:"m"`
	Rule     string        `json:"r"`
	Key      ledger.LotKey `json:"l"`
}

// earnedTable keeps what events gave, for an event that is told again.
var earnedTable = ledger.DefineTable("event_earned", 3, "shard int, member_id int, seq int, body text")

func earnedRow(m, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: earnedTable, Key: []any{int64(id.Shard(m)), m, seq}}
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
	gifts     []Gift
}

// Answer is what an event earned.
type Answer struct {
	MemberID string  `json:"member_id"`
	Points   []Given `json:"points" doc:"What it earned by rules on events."`

	repeated bool
}

// Given is one lot that an event earned.
type Given struct {
	Currency  string `json:"currency" doc:"Code of the point currency."`
	Amount    int64  `json:"amount" doc:"In its smallest unit."`
	Rule      string `json:"rule" doc:"What gave it: code and version."`
	LotID     string `json:"lot_id"`
	UsableAt  string `json:"usable_at" doc:"From when it can be used."`
	ExpiresAt string `json:"expires_at,omitempty" doc:"The first instant at which it can no longer be used; absent where it does not end."`
}

func (c *told) doc() ledger.Document {
	return ledger.Document{Kind: ledger.DocEvent, Source: c.kind, Document: c.key}
}

// Needs names the member and the event's key.
func (c *told) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}, Fresh: []ledger.RowKey{c.doc().Need()}}
	for _, g := range c.gifts {
		n.Add(g.Needs(c.member))
	}
	return n
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
	var lots []Lot
	for _, g := range c.gifts {
		more, err := g.Decide(s, a)
		if err != nil {
			return nil, err
		}
		lots = append(lots, more...)
	}
	out := &Answer{MemberID: member.ID(a.ID).String(), Points: givenOf(s, lots)}
	said := map[string]any{"key": c.key, "properties": c.props, "quiet": c.quiet}
	if len(lots) > 0 {
		said["earned"] = earnedBody(lots)
	}
	body, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	s.Event(a, "event."+c.kind, c.atMS, string(body))
	s.PutDoc(c.doc(), ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: a.EventN, Content: content})
	if len(lots) > 0 {
		if body, err = json.Marshal(lots); err != nil {
			return nil, err
		}
		s.Put(earnedTable, int64(a.Shard), a.ID, a.EventN, string(body))
	}
	return out, nil
}

// earnedBody is what an event earned as its domain event tells it.
func earnedBody(lots []Lot) (out []map[string]any) {
	for _, l := range lots {
		out = append(out, map[string]any{"lot_id": ledger.LotID(l.Key.Member, l.Key.Seq), "currency": l.Currency, "amount": l.Amount, "rule": l.Rule})
	}
	return out
}

func givenOf(s *ledger.State, lots []Lot) []Given {
	out := []Given{}
	for _, x := range lots {
		g := Given{Currency: x.Currency, Amount: x.Amount, Rule: x.Rule, LotID: ledger.LotID(x.Key.Member, x.Key.Seq)}
		if home, err := s.Account(x.Key.Member); err == nil {
			if l := s.Lot(home, x.Key.Seq); l != nil {
				g.UsableAt = iso(l.ActiveMS)
				if l.ExpiresMS < ledger.Never {
					g.ExpiresAt = iso(l.ExpiresMS)
				}
			}
		}
		out = append(out, g)
	}
	return out
}

func iso(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00") }

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
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{earnedRow(was.Member, was.Seq)}}); err != nil {
		return nil, err
	}
	var lots []Lot
	if row := s.Row(earnedTable, earnedRow(was.Member, was.Seq).Key...); row != nil {
		if err := json.Unmarshal([]byte(row[3].(string)), &lots); err != nil {
			return nil, err
		}
	}
	var n ledger.Needs
	for _, l := range lots {
		n.Members, n.LotSeqs = append(n.Members, l.Key.Member), append(n.LotSeqs, l.Key)
	}
	if err := s.Require(n); err != nil {
		return nil, err
	}
	return &Answer{MemberID: member.ID(a.ID).String(), Points: givenOf(s, lots), repeated: true}, nil
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
			if err := s.prepare(ctx, todo[i]); err != nil {
				return nil, err
			}
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
		if errors.As(a.Err, &to) || errors.Is(a.Err, sale.ErrStale) {
			next := *todo[i]
			if to != nil {
				next.member = to.To
			}
			if err := s.prepare(ctx, &next); err != nil {
				out[i].Err = err
				continue
			}
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

// prepare asks who may give something for the event of a command whose member is known.
func (s *Service) prepare(ctx context.Context, c *told) error {
	c.gifts = nil
	for _, g := range s.o.Givers {
		var props map[string]any
		if err := json.Unmarshal(c.props, &props); err != nil {
			return err
		}
		gift, err := g.Event(ctx, member.ID(c.member), c.kind, time.UnixMilli(c.atMS), props)
		if err != nil {
			return err
		}
		if gift != nil {
			c.gifts = append(c.gifts, gift)
		}
	}
	return nil
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
		if err := s.prepare(ctx, &next); err != nil {
			return ledger.Answer{Err: err}
		}
		r.Command = &next
		a := s.o.Engine.Do(ctx, r)
		var moved *ledger.Moved
		if errors.Is(a.Err, sale.ErrStale) {
			continue
		}
		if !errors.As(a.Err, &moved) {
			if v, ok := a.Value.(*Answer); ok && v.repeated {
				a.Raw.Replayed = true
			}
			if s.o.Told != nil && a.Err == nil && !r.DryRun {
				if err := s.o.Told(ctx, kind, int64(who), c.atMS); err != nil {
					return ledger.Answer{Err: err}
				}
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
