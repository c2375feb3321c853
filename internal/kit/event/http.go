package event

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// The permissions stand in the table of package staff under the same words; kit is below
// it and cannot name them from there.
const (
	mayRead    api.Permission = "events.read"
	mayOperate api.Permission = "system.operate"
)

// ErrSubscriber refuses to replay for a name that nobody subscribed under.
var ErrSubscriber = errs.New(errs.NotFound, "event.unknown_subscriber",
	"There is no subscriber of this name.", "没有此名称的订阅者。")

// Routes adds what this package serves.
func (d *Dispatcher) Routes(r *api.Router) {
	api.Get(r, "/v1/events", d.getEvents, api.Doc{
		ID:      "listEvents",
		Summary: "Read the domain events in order, after a position.",
		Description: "Begin with after=0 and go on with the position of the last event you have dealt with. " +
			"Positions have no gap and what is before one never changes, so nothing is missed.",
		Tags:  []string{"Events"},
		Needs: mayRead,
	})
	api.Get(r, "/v1/event-failures", d.getFailures, api.Doc{
		ID:      "listEventFailures",
		Summary: "List the events that a subscriber could not take and that wait for another try.",
		Tags:    []string{"System"},
		Needs:   mayOperate,
	})
	api.Post(r, "/v1/event-failures/replay", d.postReplay, api.Doc{
		ID:      "replayEventFailures",
		Summary: "Try the events again that were set aside, at once.",
		Tags:    []string{"System"},
		Needs:   mayOperate,
		Fails:   []error{ErrSubscriber},
	})
}

type eventsIn struct {
	After int64  `query:"after" minimum:"0" default:"0" doc:"The position after which to read; 0 for the beginning."`
	Type  string `query:"type" maxLength:"100" doc:"Only events of this type."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many events to return at most."`
}

type eventItem struct {
	Position int64           `json:"position" doc:"Place in the log, from 1, without gaps."`
	ID       string          `json:"id" doc:"The same wherever this event is delivered."`
	Type     string          `json:"type" doc:"What happened, as in sale.recorded."`
	Member   string          `json:"member" doc:"Whose it is; empty for events of no member."`
	At       time.Time       `json:"at" doc:"When it happened."`
	Body     json.RawMessage `json:"body" doc:"What there is to know, by type."`
}

type eventsOut struct {
	Body struct {
		Items []eventItem `json:"items" doc:"The events, in order of position."`
		Last  int64       `json:"last" doc:"The position to go on after: that of the last item, or how far the search for a type has come; what was asked where there is nothing new."`
	}
}

func (d *Dispatcher) getEvents(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	var list []Event
	var last int64
	err := d.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, last, err = List(ctx, tx, in.After, in.Type, in.Limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out eventsOut
	out.Body.Items = make([]eventItem, 0, len(list))
	out.Body.Last = last
	for _, e := range list {
		out.Body.Items = append(out.Body.Items, e.item())
	}
	return &out, nil
}

func (e Event) item() eventItem {
	i := eventItem{Position: e.Position, ID: e.ID(), Type: e.Kind, At: e.At(), Body: e.Body}
	if e.Member > 0 { // a stand-in for people unknown is nobody to the outside
		i.Member = id.Encode("mem_", e.Member, 0)
	}
	return i
}

type failureItem struct {
	Subscriber string    `json:"subscriber" doc:"Who could not take the events."`
	First      int64     `json:"first" doc:"Position of the first event."`
	Last       int64     `json:"last" doc:"Position of the last event."`
	Tries      int       `json:"tries" doc:"How often a single event has been tried again."`
	Next       time.Time `json:"next" doc:"When it is tried again."`
	Error      string    `json:"error" doc:"The last error, for whoever operates the server."`
}

type failuresOut struct {
	Body struct {
		Items []failureItem `json:"items" doc:"The ranges, oldest first; at most 200."`
	}
}

func (d *Dispatcher) getFailures(ctx context.Context, _ *struct{}) (*failuresOut, error) {
	list, err := d.Failures(ctx)
	if err != nil {
		return nil, err
	}
	var out failuresOut
	out.Body.Items = make([]failureItem, 0, len(list))
	for _, f := range list {
		out.Body.Items = append(out.Body.Items, failureItem{
			f.Subscriber, f.First, f.Last, f.Tries, time.UnixMilli(f.NextMS).UTC(), f.Error,
		})
	}
	return &out, nil
}

type replayIn struct {
	Body struct {
		Subscriber string `json:"subscriber,omitempty" maxLength:"100" doc:"Only for this subscriber; all without it."`
	}
}

type replayOut struct {
	Body struct {
		Ranges int64 `json:"ranges" doc:"How many ranges of events will be tried."`
	}
}

func (d *Dispatcher) postReplay(ctx context.Context, in *replayIn) (*replayOut, error) {
	if name := in.Body.Subscriber; name != "" && !d.has(name) {
		return nil, ErrSubscriber
	}
	n, err := d.Replay(ctx, in.Body.Subscriber)
	if err != nil {
		return nil, err
	}
	var out replayOut
	out.Body.Ranges = n
	return &out, nil
}

func (d *Dispatcher) has(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.named(name) != nil
}
