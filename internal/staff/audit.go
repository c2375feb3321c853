package staff

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Audit is the trail of what was changed, by whom and from where. It depends on nothing
// but the database, so that lower nouns can be given it.
type Audit struct {
	db    *db.DB
	clock clock.Clock
}

// NewAudit makes the trail.
func NewAudit(d *db.DB, c clock.Clock) *Audit { return &Audit{d, c} }

// Entry is one row of the trail.
type Entry struct {
	ID                   int64
	At                   time.Time
	ActorKind, Actor     string // "staff", "stf_…"; "system", "import"
	Action, Subject      string // "store.change", "sto_…"
	Before, After        json.RawMessage
	IP, UserAgent, Trace string
}

// PublicID is what the outside calls the entry.
func (e Entry) PublicID() string { return id.Encode(entryPrefix, 0, e.ID) }

// Record notes inside tx that the caller of ctx did action to subject: the change and its
// entry are kept together or not at all. before and after are written as JSON; nil stands
// for nothing there. They hold no personal data in the clear: name the fields that
// changed, or give values that are sealed. Without a caller the actor is "anonymous".
func (a *Audit) Record(ctx context.Context, tx *db.Tx, action, subject string, before, after any) error {
	was, err := asJSON(before)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	is, err := asJSON(after)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	e := a.entry(ctx, action, subject)
	e.Before, e.After = was, is
	return insertEntry(ctx, tx, e)
}

// RecordEach is Record of one action that the caller did to many, without what was before
// and after.
func (a *Audit) RecordEach(ctx context.Context, tx *db.Tx, action string, subjects []string) error {
	list := make([]Entry, len(subjects))
	for i, subject := range subjects {
		list[i] = a.entry(ctx, action, subject)
	}
	return insertEntries(ctx, tx, list)
}

func (a *Audit) entry(ctx context.Context, action, subject string) Entry {
	c, info := api.CallerOf(ctx), api.RequestInfo(ctx)
	if c.Kind == "" {
		c.Kind = "anonymous"
	}
	if c.Kind == "member" || c.Kind == "system" {
		info.IP, info.UserAgent = "", "" // of people who do not work here, for ever: no
	}
	return Entry{
		At: a.clock.Now(), ActorKind: c.Kind, Actor: c.ID, Action: action, Subject: subject,
		IP: info.IP, UserAgent: info.UserAgent, Trace: info.TraceID,
	}
}

func asJSON(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// Filter says which entries to read; what is zero does not filter.
type Filter struct {
	Actor, Action, Subject string
	From, Until            time.Time // of At; Until is exclusive
	Before                 int64     // ID; for the next page
}

// Entries reads up to n entries, newest first.
func (a *Audit) Entries(ctx context.Context, f Filter, n int) (list []Entry, err error) {
	err = a.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readEntries(ctx, tx, f, n)
		return err
	})
	return list, err
}

// where writes the filter as SQL. Only what is asked for stands in it, so that an index
// can serve it; the values are parameters.
func (f Filter) where() (text string, args []any) {
	var parts []string
	add := func(condition string, value any) {
		args = append(args, value)
		parts = append(parts, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if f.Actor != "" {
		add("actor =", f.Actor)
	}
	if f.Action != "" {
		add("action =", f.Action)
	}
	if f.Subject != "" {
		add("subject =", f.Subject)
	}
	if !f.From.IsZero() {
		add("at_ms >=", f.From.UnixMilli())
	}
	if !f.Until.IsZero() {
		add("at_ms <", f.Until.UnixMilli())
	}
	if f.Before != 0 {
		add("id <", f.Before)
	}
	if len(parts) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(parts, " AND "), args
}
