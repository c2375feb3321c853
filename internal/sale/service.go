package sale

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Catalog is what sales need to know of products.
type Catalog interface {
	// Under reports whether a category is another or lies below it.
	Under(category, ancestor string) bool
	// CategoryOf is the category of a product, "" where it is not known.
	CategoryOf(sku string) string
	// Seen tells of a product that was sold, so that unknown ones are added. It must not block.
	Seen(sku, name, category, brand string)
}

// Options are what a Service is made of.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Engine  *ledger.Engine
	Audit   *staff.Audit
	Catalog Catalog
	Steps   []Step // beside the base rule of the settings, in the order in which they run
}

// Service records sales and returns.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	program *program.Service
	members *member.Service
	engine  *ledger.Engine
	audit   *staff.Audit
	catalog Catalog
	steps   []Step
}

// NewService makes the service.
func NewService(o Options) *Service {
	return &Service{db: o.DB, clock: o.Clock, log: o.Log, program: o.Program, members: o.Members, engine: o.Engine, audit: o.Audit, catalog: o.Catalog, steps: o.Steps}
}

// Result is what became of a posting: an answer, or a refusal.
type Result struct {
	Answer *Answer // of a sale, nil where it was refused or its answer was kept from before
	Return *ReturnAnswer
	Raw    api.Raw // where the request bears a key
	Err    error
}

// Repeated reports whether the document was recorded before.
func (r Result) Repeated() bool {
	return r.Answer != nil && r.Answer.repeated || r.Return != nil && r.Return.repeated
}

// Waits reports whether it is a return whose sale has not come yet.
func (r Result) Waits() bool { return r.Return != nil && r.Return.State == Waiting.String() }

// ParkedLines are the lines of a return that match no sale.
func (r Result) ParkedLines() []int {
	if r.Return == nil {
		return nil
	}
	return r.Return.parked
}

// Ask says how a request is to be treated.
type Ask struct {
	DryRun  bool
	Explain bool
	History bool // from the past: quiet
	Bulk    bool // give way to others
	HTTP    bool // render the answer, and refusals that are kept
	Key     api.Key

	// Price takes off a sale what whoever records it has found out before, in place of what
	// its coupons say.
	Price func(context.Context, *Basket) (Part, error)

	refused error            // why this one is not even tried
	rates   map[string]int64 // in millionths; they go before those of the settings
	crowd   *crowd           // of owners, where several sales are posted together
}

// Record posts a sale.
func (s *Service) Record(ctx context.Context, n New, ask Ask) Result {
	return s.RecordMany(ctx, []New{n}, []Ask{ask})[0]
}

// RecordMany posts sales together; answers stand in their order. Sales of one member take
// effect in that order.
func (s *Service) RecordMany(ctx context.Context, list []New, asks []Ask) []Result {
	out := make([]Result, len(list))
	owners := s.owners(ctx, list, out)
	all := s.together(owners)
	var todo []posting
	for i, n := range list {
		asks[i].crowd = all
		if asks[i].refused != nil {
			out[i].Err = asks[i].refused
		}
		if out[i].Err != nil {
			continue
		}
		p := posting{at: i, owner: owners[i], build: s.recording(n, asks[i]), ask: asks[i]}
		if p.command, out[i].Err = p.build(ctx, p.owner); out[i].Err == nil {
			todo = append(todo, p)
		}
	}
	s.post(ctx, todo, out)
	for _, p := range todo {
		if out[p.at].Err == nil && !asks[p.at].DryRun {
			s.learn(list[p.at].Lines)
		}
	}
	return out
}

// owners finds the members of sales in one go.
func (s *Service) owners(ctx context.Context, list []New, out []Result) []member.ID {
	refs := make([]member.Ref, len(list))
	for i, n := range list {
		if n.Member == "" {
			continue
		}
		ref, err := member.ParseRef(n.Member)
		if err != nil {
			out[i].Err = at(err, "body.member")
		}
		refs[i] = ref
	}
	ids, err := s.members.FindToPost(ctx, refs)
	if err != nil {
		for i := range out {
			out[i].Err = fmt.Errorf("find members of sales: %w", err)
		}
		return make([]member.ID, len(list))
	}
	for i, n := range list {
		if n.Member != "" && ids[i] == 0 && out[i].Err == nil {
			out[i].Err = member.ErrNotFound.At("body.member")
		}
	}
	return ids
}

// recording returns what checks a sale, works out what it does for an owner, and makes its
// command.
func (s *Service) recording(n New, ask Ask) func(context.Context, member.ID) (ledger.Command, error) {
	return func(ctx context.Context, owner member.ID) (ledger.Command, error) {
		snap := s.program.Snapshot()
		if ask.HTTP {
			if err := n.checkSize(snap.Settings.Limits); err != nil {
				return nil, err
			}
		}
		d, holds, err := s.draft(ctx, n, ask.History)
		if err != nil {
			return nil, err
		}
		sent := d.content() // before anything is taken off
		p, err := s.prepare(ctx, d, owner, ask)
		if err != nil {
			return nil, err
		}
		d.own(owner)
		return &record{doc: d, sent: sent, plan: p, steps: s.steps, explain: ask.Explain, holds: holds, snap: snap, reach: reachOf(ctx)}, nil
	}
}

func (s *Service) learn(lines []NewLine) {
	for _, l := range lines {
		s.catalog.Seen(l.SKU, l.Name, l.Category, l.Brand)
	}
}

// posting is one command on its way, with the place of its answer.
type posting struct {
	at      int
	owner   member.ID
	command ledger.Command
	build   func(context.Context, member.ID) (ledger.Command, error) // makes it anew
	ask     Ask
}

// maxTries bounds how often a command is made anew: for the survivor of a member who was
// merged, or because something changed while it was prepared.
const maxTries = 100

// post sends commands to the engine, and once more those that have to be made anew.
func (s *Service) post(ctx context.Context, todo []posting, out []Result) {
	for range maxTries {
		if len(todo) == 0 {
			return
		}
		rs := make([]ledger.Request, len(todo))
		for i, p := range todo {
			rs[i] = ledger.RequestOf(ctx, p.command, p.ask.DryRun)
			rs[i].Key, rs[i].Bulk = p.ask.Key, p.ask.Bulk
			if !p.ask.HTTP {
				rs[i].Refusal = nil
			}
		}
		var again []posting
		for i, a := range s.engine.DoMany(ctx, rs) {
			p := todo[i]
			var moved *ledger.Moved
			if errors.As(a.Err, &moved) {
				p.owner = member.ID(moved.To)
			} else if !errors.Is(a.Err, ErrStale) {
				out[p.at] = resultOf(a)
				continue
			}
			if p.command, out[p.at].Err = p.build(ctx, p.owner); out[p.at].Err == nil {
				again = append(again, p)
			}
		}
		todo = again
	}
	for _, p := range todo {
		out[p.at].Err = ErrStale
	}
}

func resultOf(a ledger.Answer) Result {
	r := Result{Raw: a.Raw, Err: a.Err}
	switch v := a.Value.(type) {
	case *Answer:
		r.Answer = v
	case *ReturnAnswer:
		r.Return = v
	}
	r.Raw.Replayed = r.Raw.Replayed || r.Repeated()
	return r
}

// NewReturn is a return as a caller sends it.
type NewReturn struct {
	Source   string
	Document string
	At       string
	Of       *Of // by document
	Sale     ledger.LotKey
	Store    string
	Lines    []Asked
	// What is no part of what the document says: sent again with other words, it is the same.
	Till, Staff string
	Payments    []Payment // how the money went back
	Flags       Flags     // Void, or nothing
	Reason      string
}

// TakeBack posts a return: of a sale that is named by its key or its document, or, where
// neither is given, of the latest sales of its member. owner is whose the caller says the
// sale is, 0 where that is not said.
func (s *Service) TakeBack(ctx context.Context, n NewReturn, owner member.ID, ask Ask) Result {
	return s.ImportMany(ctx, []Item{{Return: &n, Owner: owner}}, nil, ask)[0]
}

func (s *Service) draftReturn(ctx context.Context, n NewReturn, ask Ask) (*Document, error) {
	snap := s.program.Snapshot()
	when, flags, err := s.when(n.At, snap, ask.History)
	if err != nil {
		return nil, at(err, "body.at")
	}
	store, err := storeOf(ctx, snap, n.Store)
	if err != nil {
		return nil, at(err, "body.store")
	}
	d := &Document{
		Kind: Return, Source: n.Source, Document: n.Document, Store: store, Till: n.Till, Staff: n.Staff,
		AtMS: when.UnixMilli(), Flags: flags | n.Flags, Body: Body{Payments: n.Payments},
	}
	if n.Reason != "" {
		d.Body.Attributes = map[string]any{"reason": n.Reason}
	}
	return d, nil
}

// Assign gives a sale to a member, who earns as of its day.
func (s *Service) Assign(ctx context.Context, sale ledger.LotKey, ref member.Ref, ask Ask) Result {
	to, err := s.members.Find(ctx, ref)
	if err != nil {
		return Result{Err: at(err, "body.member")}
	}
	d, err := s.Get(ctx, sale)
	if err != nil {
		return Result{Err: err}
	}
	build := func(ctx context.Context, owner member.ID) (ledger.Command, error) {
		p, err := s.prepare(ctx, d, owner, ask)
		if err != nil {
			return nil, err
		}
		return &assign{sale: sale, to: int64(owner), plan: p, steps: s.steps, explain: ask.Explain, flags: d.Flags}, nil
	}
	out := make([]Result, 1)
	p := posting{owner: to, build: build, ask: ask}
	if p.command, err = build(ctx, to); err != nil {
		return Result{Err: err}
	}
	s.post(ctx, []posting{p}, out)
	return out[0]
}

// Get returns a sale or return by its key, or ErrNotFound. A caller who is limited to
// stores finds only those of theirs.
func (s *Service) Get(ctx context.Context, key ledger.LotKey) (*Document, error) {
	d, err := s.get(ctx, key)
	if err != nil {
		return nil, err
	}
	if !s.program.Snapshot().SeesStore(api.CallerOf(ctx), d.Store) {
		return nil, ErrNotFound
	}
	return d, nil
}
