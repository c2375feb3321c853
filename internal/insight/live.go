package insight

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Bounds of the live feed. A listener reads the log by themselves, a page at a time, so that
// one who is slow keeps nobody waiting and holds nothing in memory.
const (
	livePage    = 200                    // events that are read at once
	livePause   = 250 * time.Millisecond // between two pages
	liveBehind  = 1000                   // events that a listener may lag before some are skipped
	liveBefore  = 100                    // events of the past that a new listener is shown, at most
	liveBackoff = time.Second            // after an error
)

// Happening is one line of the live feed.
type Happening struct {
	Position int64       `json:"position" doc:"Its place in the event log; also the id of the message."`
	Kind     string      `json:"kind" enum:"sale,return,assign,join,points,skipped" doc:"What it is. skipped: the listener was too slow, and position is where the feed goes on."`
	Type     string      `json:"type,omitempty" doc:"Type of the event, as in /v1/events."`
	At       *time.Time  `json:"at,omitempty" doc:"When it happened."`
	Member   string      `json:"member_id,omitempty" doc:"Whose it is, where the caller may see members."`
	Number   string      `json:"member_number,omitempty" doc:"The member's number, as above."`
	Name     string      `json:"member_name,omitempty" doc:"The member's name, masked, as above."`
	Store    string      `json:"store,omitempty" doc:"Where."`
	Sale     string      `json:"sale_id,omitempty" doc:"The sale or return."`
	Currency string      `json:"currency,omitempty" doc:"The currency of money."`
	Total    int64       `json:"total,omitempty" doc:"Of a sale, or what a return gave back, in minor units."`
	Points   []LivePoint `json:"points" doc:"What it moved, where the caller may see points."`
	Skipped  int64       `json:"skipped,omitempty" doc:"Of skipped: how many events."`
}

// LivePoint is one movement.
type LivePoint struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Kind     string `json:"kind" doc:"Kind of the ledger entry."`
	Amount   int64  `json:"amount" doc:"Signed, in the smallest unit."`
	Pending  bool   `json:"-"`
}

type liveIn struct {
	api.LastEvent
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"Begin after this position of the event log; -1 for the latest few. Last-Event-ID goes before it."`
}

// feed follows the log for listeners.
type feed struct{ s *Service }

func newFeed(s *Service) *feed { return &feed{s} }

// openLive begins a live feed.
func (s *Service) openLive(ctx context.Context, in *liveIn) (api.Source[Happening], error) {
	after := in.After
	if n, err := strconv.ParseInt(in.LastEventID, 10, 64); err == nil && n >= 0 {
		after = n
	}
	return func(ctx context.Context, send func(api.Message[Happening]) error) error {
		return s.live.follow(ctx, after, send)
	}, nil
}

// follow sends what happens after a position until ctx ends.
func (f *feed) follow(ctx context.Context, after int64, send func(api.Message[Happening]) error) error {
	for ctx.Err() == nil {
		next, err := f.page(ctx, after, send)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case next > after:
			after = next
			f.rest(ctx, livePause)
			continue
		}
		after = next
		if err := f.s.o.Events.WaitFor(ctx, after+1); err != nil && ctx.Err() == nil {
			f.rest(ctx, liveBackoff)
		}
	}
	return nil
}

func (f *feed) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// page sends the next events, and returns the position that it has come to.
func (f *feed) page(ctx context.Context, after int64, send func(api.Message[Happening]) error) (int64, error) {
	var list []event.Event
	var skipped int64
	err := f.s.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		newest, err := event.Position(ctx, tx)
		if err != nil {
			return err
		}
		skipped = 0
		switch {
		case after < 0:
			after = max(0, newest-liveBefore)
		case after > newest: // of a log that is no more: a backup was restored
			after = newest
		case newest-after > liveBehind:
			skipped = newest - livePage - after
			after += skipped
		}
		list, _, err = event.List(ctx, tx, after, "", livePage)
		return err
	})
	if err != nil {
		return after, err
	}
	if skipped > 0 {
		m := api.Message[Happening]{ID: strconv.FormatInt(after, 10), Kind: "skipped", Data: Happening{Position: after, Kind: "skipped", Points: []LivePoint{}, Skipped: skipped}}
		if err := send(m); err != nil {
			return after, err
		}
	}
	shown, err := f.show(ctx, list)
	if err != nil {
		return after, err
	}
	for _, h := range shown {
		if err := send(api.Message[Happening]{ID: strconv.FormatInt(h.Position, 10), Kind: h.Kind, Data: h}); err != nil {
			return after, err
		}
	}
	if n := len(list); n > 0 {
		after = list[n-1].Position
	}
	return after, nil
}

// show makes lines of what the caller may see of events.
func (f *feed) show(ctx context.Context, list []event.Event) ([]Happening, error) {
	who, snap, cfg := api.CallerOf(ctx), f.s.o.Program.Snapshot(), f.s.o.Ledger.Config()
	var out []Happening
	var whose []member.ID // of each
	for i := range list {
		h, m, ok := happening(&list[i], who, snap, cfg)
		if ok {
			out, whose = append(out, h), append(whose, m)
		}
	}
	if !who.Can[staff.ReadMembers] {
		return out, nil
	}
	var people []member.ID
	for _, m := range whose {
		if m > 0 {
			people = append(people, m)
		}
	}
	names, err := f.s.o.Members.Names(ctx, people)
	if err != nil {
		return nil, err
	}
	for i, m := range whose {
		if m > 0 {
			out[i].Member, out[i].Number, out[i].Name = m.String(), m.Number(), maskName(names[m])
		}
	}
	return out, nil
}

// happening is what a caller may see of an event, and whose it is; false for nothing.
func happening(e *event.Event, who api.Caller, snap *program.Snapshot, cfg *ledger.Config) (h Happening, m member.ID, ok bool) {
	at := e.At()
	h = Happening{Position: e.Position, Type: e.Kind, At: &at, Points: []LivePoint{}}
	need := staff.ReadPoints
	switch e.Kind {
	case "sale.recorded":
		h.Kind, need = "sale", staff.ReadSales
	case "sale.returned":
		h.Kind, need = "return", staff.ReadSales
	case "sale.assigned":
		h.Kind, need = "assign", staff.ReadSales
	case "member.joined":
		h.Kind, need = "join", staff.ReadMembers
	default:
		if !strings.HasPrefix(e.Kind, "points.") && e.Kind != "hold.captured" {
			return h, 0, false
		}
		h.Kind = "points"
	}
	var b struct {
		told
		Quiet bool `json:"quiet"`
		Past  bool `json:"history"`
	}
	if !who.Can[need] || json.Unmarshal(e.Body, &b) != nil || b.Quiet || b.Past {
		return h, 0, false
	}
	moves, err := b.Moves.Of(e.Member, e.AtMS)
	if err != nil {
		return h, 0, false
	}
	store := int64(b.Store)
	for _, mv := range moves {
		if store == 0 {
			store = mv.Store
		}
	}
	if len(who.Stores)+len(who.Merchants) > 0 && !snap.SeesStore(who, store) {
		return h, 0, false
	}
	if store != 0 {
		h.Store = program.StoreID(store)
	}
	if need == staff.ReadSales {
		h.Sale, h.Currency, h.Total = b.ID, b.Currency, b.Total
	}
	if who.Can[staff.ReadPoints] {
		for _, mv := range moves {
			if c := cfg.Currencies[mv.Currency]; c != nil {
				h.Points = append(h.Points, LivePoint{Currency: c.Code, Kind: mv.Kind.String(), Amount: mv.Net})
			}
		}
	}
	return h, member.ID(max(e.Member, 0)), true
}

// maskName keeps of a name what it takes to recognise it: the first character of a Chinese
// one, the first word and an initial of another.
func maskName(name string) string {
	runes := []rune(strings.TrimSpace(name))
	if len(runes) == 0 {
		return ""
	}
	words := strings.Fields(name)
	if unicode.Is(unicode.Han, runes[0]) || len(words) == 1 {
		return string(runes[0]) + "**"
	}
	last := []rune(words[len(words)-1])
	return words[0] + " " + string(last[0]) + "."
}
