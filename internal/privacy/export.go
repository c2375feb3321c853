package privacy

import (
	"archive/zip"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cell"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Format is a form in which a person's data leave the program.
type Format string

// The formats.
const (
	JSON Format = "json" // one object with a list for each sheet
	CSV  Format = "csv"  // a ZIP folder with a file for each sheet
)

// exportName is what an export says it is; it changes with what a reader must know.
const exportName = "patron member export 1"

// Begin finds whom an export is about and writes down that it was asked for. The export
// itself may come only after that.
func (s *Service) Begin(ctx context.Context, ref member.Ref, f Format) (Person, error) {
	m, err := s.o.Members.Find(ctx, ref)
	if err != nil {
		return Person{}, err
	}
	records, err := s.o.Members.Records(ctx, member.RefID(m))
	if err != nil {
		return Person{}, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, "member.exported", m.String(), nil, map[string]any{"format": f})
	})
	return Person{m, records}, err
}

// Export writes all that is known of a person. Memory stays bounded, and no snapshot lasts
// longer than a page: rows that are written meanwhile may be in it or not.
func (s *Service) Export(ctx context.Context, who Person, f Format, to io.Writer) error {
	w := bufio.NewWriterSize(to, 32<<10)
	var sheets interface {
		Sheets
		close() error
	}
	switch f {
	case CSV:
		sheets = &folder{zip: zip.NewWriter(w), at: s.o.Clock.Now()}
	default:
		sheets = &object{w: w}
	}
	if err := s.head(sheets, who); err != nil {
		return err
	}
	for _, p := range s.parts {
		if err := p.Export(ctx, who, sheets); err != nil {
			return fmt.Errorf("export %s of member %d: %w", p.Name(), who.ID, err)
		}
	}
	return errors.Join(sheets.close(), w.Flush())
}

// head is the first sheet: what this is.
func (s *Service) head(to Sheets, who Person) error {
	if err := to.Sheet("export", "format", "member", "made_at", "records"); err != nil {
		return err
	}
	return to.Row(exportName, who.ID, s.o.Clock.Now(), who.Records)
}

// plain makes a cell what both forms write.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return v.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	case fmt.Stringer:
		return v.String()
	}
	return v
}

// object writes sheets as one JSON object.
type object struct {
	w       *bufio.Writer
	columns []string
	rows    int
	begun   bool
}

func (o *object) Sheet(name string, columns ...string) error {
	if o.begun {
		o.text("\n],\n")
	} else {
		o.text("{\n")
	}
	o.begun, o.columns, o.rows = true, columns, 0
	return o.text(fmt.Sprintf("%q: [", name))
}

func (o *object) Row(cells ...any) error {
	sized(cells, o.columns)
	sep := ",\n  {"
	if o.rows == 0 {
		sep = "\n  {"
	}
	o.rows++
	for i, c := range cells {
		value, err := json.Marshal(plain(c))
		if err != nil {
			return fmt.Errorf("write %s: %w", o.columns[i], err)
		}
		o.text(fmt.Sprintf("%s%q: %s", sep, o.columns[i], value))
		sep = ", "
	}
	return o.text("}")
}

// text writes; the error of a bufio.Writer stays until it is asked for.
func (o *object) text(s string) error {
	_, err := o.w.WriteString(s)
	return err
}

func (o *object) close() error { return o.text("\n]\n}\n") }

// folder writes sheets as files of CSV in a ZIP.
type folder struct {
	zip     *zip.Writer
	at      time.Time
	file    io.Writer
	columns []string
}

func (f *folder) Sheet(name string, columns ...string) (err error) {
	f.columns = columns
	f.file, err = f.zip.CreateHeader(&zip.FileHeader{Name: name + ".csv", Method: zip.Deflate, Modified: f.at})
	if err != nil {
		return err
	}
	_, err = io.WriteString(f.file, "\ufeff"+strings.Join(columns, ",")+"\r\n") // the mark tells Excel that it is UTF-8
	return err
}

func (f *folder) Row(cells ...any) error {
	sized(cells, f.columns)
	text := make([]string, len(cells))
	for i, c := range cells {
		var err error
		if text[i], err = csvCell(plain(c)); err != nil {
			return fmt.Errorf("write %s: %w", f.columns[i], err)
		}
	}
	_, err := io.WriteString(f.file, strings.Join(text, ",")+"\r\n")
	return err
}

// csvCell quotes text and makes it inert; numbers stay numbers, lists and objects are JSON.
func csvCell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return quoted(v), nil
	case int, int64, int16, bool:
		return fmt.Sprint(v), nil
	}
	b, err := json.Marshal(v)
	return quoted(string(b)), err
}

func quoted(s string) string { return `"` + strings.ReplaceAll(cell.Inert(s), `"`, `""`) + `"` }

func (f *folder) close() error { return f.zip.Close() }

// sized panics on a row that is not as wide as its sheet: a mistake of the program.
func sized(cells []any, columns []string) {
	if len(cells) != len(columns) {
		panic(fmt.Sprintf("privacy: a row of %d cells under %d columns %v", len(cells), len(columns), columns))
	}
}

// profile is the Part of what member keeps: its level is below ours.
type profile struct{ members *member.Service }

func (profile) Name() string { return "members" }

func (p profile) Export(ctx context.Context, who Person, to Sheets) error {
	list := make([]member.Member, len(who.Records))
	var err error
	for i, m := range who.Records {
		if list[i], err = p.members.Record(ctx, m); err != nil {
			return err
		}
	}
	err = to.Sheet("profile", "record", "number", "name", "gender", "birthday", "address", "city", "language", "store", "source", "joined_at", "created_at", "merged_into", "tags")
	if err != nil {
		return err
	}
	for _, m := range list {
		var store, into any
		if m.StoreID != 0 {
			store = program.StoreID(m.StoreID)
		}
		if m.MergedInto != 0 {
			into = m.MergedInto
		}
		err := to.Row(m.ID, m.ID.Number(), m.Name, string(m.Gender), string(m.Birthday), m.Address, m.City, m.Language, store, m.Source, m.JoinedAt, m.CreatedAt, into, m.Tags)
		if err != nil {
			return err
		}
	}
	if err := to.Sheet("identifiers", "record", "kind", "value", "verified_at", "source"); err != nil {
		return err
	}
	for _, m := range list {
		for _, i := range m.Identifiers {
			if err := to.Row(m.ID, string(i.Kind), i.Value, i.VerifiedAt, i.Source); err != nil {
				return err
			}
		}
	}
	if err := to.Sheet("attributes", "record", "key", "value"); err != nil {
		return err
	}
	for _, m := range list {
		for key, v := range m.Attributes {
			if err := to.Row(m.ID, key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// written is what staff wrote about the member: notes, calls and tasks.
type written struct{ members *member.Service }

func (written) Name() string { return "written" }

var writtenSheets = [][]string{
	{"notes", "id", "text", "pinned", "at", "edited_at", "deleted_at"},
	{"calls", "id", "direction", "outcome", "text", "at", "duration_s"},
	{"tasks", "id", "title", "text", "outcome", "state", "due_at", "added_at", "done_at"},
}

// Export opens the sheets in turn, as the texts come: they are read once, page by page.
func (w written) Export(ctx context.Context, who Person, to Sheets) error {
	open := 0
	row := func(sheet int, values ...any) error {
		for ; open < sheet; open++ {
			if err := to.Sheet(writtenSheets[open][0], writtenSheets[open][1:]...); err != nil {
				return err
			}
		}
		if len(values) == 0 {
			return nil
		}
		return to.Row(values...)
	}
	err := w.members.EachWritten(ctx, who.ID, func(n member.Note) error {
		return row(1, n.PublicID(), n.Text, n.Pinned, n.At, moment(n.Edited), moment(n.Deleted))
	}, func(c member.Call) error {
		return row(2, c.PublicID(), string(c.Direction), string(c.Outcome), c.Text, c.At, int64(c.Duration.Seconds()))
	}, func(t member.Task) error {
		return row(3, t.PublicID(), t.Title, t.Text, t.Outcome, string(t.State), moment(t.Due), t.Added, moment(t.Done))
	})
	if err != nil {
		return err
	}
	return row(len(writtenSheets))
}

// Erase has nothing left to do: the texts went with the record.
func (written) Erase(context.Context, Erasure) error { return nil }

// moment is a time for a sheet, nothing for none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// Erase destroys the keys. It comes first of all parts, so that nobody finds the member any
// more while the others are at work.
func (p profile) Erase(ctx context.Context, e Erasure) error {
	for _, m := range e.Records {
		if err := p.members.EraseRecord(ctx, m, e.At); err != nil {
			return err
		}
	}
	return nil
}

// happenings is the Part of the event log.
type happenings struct{ db *db.DB }

func (happenings) Name() string { return "events" }

// eventPage is how many events one snapshot reads.
const eventPage = 200

func (h happenings) Export(ctx context.Context, who Person, to Sheets) error {
	if err := to.Sheet("events", "record", "id", "type", "at", "body"); err != nil {
		return err
	}
	for _, m := range who.Records {
		for before := int64(0); ; {
			var list []event.Event
			err := h.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				list, err = event.ListMember(ctx, tx, m.Shard(), int64(m), before, eventPage)
				return err
			})
			if err != nil {
				return err
			}
			for _, e := range list {
				if err := to.Row(m, e.ID(), e.Kind, e.At(), e.Body); err != nil {
					return err
				}
				before = e.Position
			}
			if len(list) < eventPage {
				break
			}
		}
	}
	return nil
}

// Erase empties the events in which somebody else's words stand: what members did outside
// (event.…, with free properties) and what was told of the record itself (member.…, with
// tags and reasons). Those of merges stay, since they are numbers only and a merge may have
// to be finished by them; so do the movements of points, sales and consents.
func (h happenings) Erase(ctx context.Context, e Erasure) error {
	for _, m := range e.Records {
		for before, done := int64(0), false; !done; {
			err := h.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				var next int64
				next, done, err = event.Wipe(ctx, tx, m.Shard(), int64(m), before, spared)
				if err == nil && next != 0 {
					before = next
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// spared reports whether the body of an event of a kind outlives the member.
func spared(kind string) bool {
	switch kind {
	case "member.merged", "member.unmerged":
		return true
	}
	return !strings.HasPrefix(kind, "event.") && !strings.HasPrefix(kind, "member.")
}

// trail is the Part of the audit trail.
type trail struct{ audit *staff.Audit }

func (trail) Name() string { return "audit" }

func (t trail) Export(ctx context.Context, who Person, to Sheets) error {
	if err := to.Sheet("audit", "record", "at", "action", "actor", "before", "after"); err != nil {
		return err
	}
	for _, m := range who.Records {
		for before := int64(0); ; {
			list, err := t.audit.Entries(ctx, staff.Filter{Subject: m.String(), Before: before}, eventPage)
			if err != nil {
				return err
			}
			for _, e := range list {
				if err := to.Row(m, e.At, e.Action, e.ActorKind+":"+e.Actor, raw(e.Before), raw(e.After)); err != nil {
					return err
				}
				before = e.ID
			}
			if len(list) < eventPage {
				break
			}
		}
	}
	return nil
}

// raw is JSON as a cell, nil where there is none.
func raw(b json.RawMessage) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Erase does nothing: the trail only grows, and names fields, never values.
func (trail) Erase(context.Context, Erasure) error { return nil }

// Kept is the Part of the answers that the API keeps for retries.
type Kept struct {
	DB  *db.DB
	API *api.Router
}

// Name is part of Part.
func (Kept) Name() string { return "answers" }

// Export writes nothing: an answer tells what stands elsewhere, as it was for a moment.
func (Kept) Export(context.Context, Person, Sheets) error { return nil }

// Erase takes the answers away.
func (k Kept) Erase(ctx context.Context, e Erasure) error {
	for _, m := range e.Records {
		err := k.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return k.API.ForgetMember(ctx, tx, int64(m)) })
		if err != nil {
			return err
		}
	}
	return nil
}
