package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

const notePrefix = "not_"

// Note is a remark that a colleague keeps about a member.
type Note struct {
	place
	Version  int64
	Text     string // "" where the member's key was destroyed
	Pinned   bool
	Author   string // "staff:stf_…"
	At       time.Time
	Edited   time.Time // of the text; zero where it is as it was written
	Deleted  time.Time // zero for a note that stands
	DeleteBy string

	sealed []byte
}

// PublicID is what the outside calls the note.
func (n Note) PublicID() string { return n.id(notePrefix) }

// ErrNoNote answers for a note that is not there, or no more.
var ErrNoNote = errs.New(errs.NotFound, "member.no_note", "There is no such note.", "没有这条备注。")

// The bodies of the events of notes; none holds what a note says.
type noteBody struct {
	Note   string   `json:"note"`
	By     string   `json:"by"`
	Pinned bool     `json:"pinned,omitempty"`
	Fields []string `json:"fields,omitempty"` // that changed
}

var insertNoteSQL = db.Define("member.insertNote", `
	INSERT INTO note (shard, member_id, id, version, text, pinned, author, at_ms, edited_ms, deleted_ms, deleted_by)
	VALUES ($1, $2, $3, 1, $4, $5, $6, $7, 0, 0, '')`)

// AddNote writes a note about a member, and tells the colleagues whom it names ("stf_…").
func (s *Service) AddNote(ctx context.Context, ref Ref, text string, pinned bool, mentions ...string) (Note, error) {
	text, err := cleanWritten(text, maxWritten)
	if err != nil {
		return Note{}, errs.As(err).At("body.text")
	}
	named, err := s.colleagues(ctx, mentions)
	if err != nil {
		return Note{}, err
	}
	m, err := s.Find(ctx, ref)
	if err != nil {
		return Note{}, err
	}
	n := Note{Version: 1, Text: text, Pinned: pinned, Author: writer(ctx), At: s.clock.Now()}
	if n.place, err = s.newPlace(ctx, m, "note"); err != nil {
		return Note{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		key, err := s.keyOf(ctx, tx, m)
		if err != nil {
			return err
		}
		sealed := key.Seal([]byte(text), n.aad("note"))
		if _, err := tx.Exec(ctx, insertNoteSQL, m.Shard(), int64(m), n.n, sealed, pinned, n.Author, n.At.UnixMilli()); err != nil {
			return fmt.Errorf("add note to member %d: %w", m, err)
		}
		if err := s.mention(ctx, tx, n.place, inNote, named); err != nil {
			return err
		}
		return s.noted(ctx, tx, "note.added", m, noteBody{Note: n.PublicID(), By: n.Author, Pinned: pinned})
	})
	return n, err
}

// noted tells of a note and puts it on the audit trail.
func (s *Service) noted(ctx context.Context, tx *db.Tx, kind string, m ID, body noteBody) error {
	if err := s.tell(ctx, tx, kind, m, body); err != nil {
		return err
	}
	return s.record(ctx, tx, kind, body.Note, nil, struct {
		Member ID       `json:"member"`
		Pinned bool     `json:"pinned,omitempty"`
		Fields []string `json:"fields,omitempty"`
	}{m, body.Pinned, body.Fields})
}

const noteColumns = `member_id, id, version, text, pinned, author, at_ms, edited_ms, deleted_ms, deleted_by`

func scanNote(scan func(...any) error) (n Note, err error) {
	var at, edited, deleted int64
	err = scan(&n.member, &n.n, &n.Version, &n.sealed, &n.Pinned, &n.Author, &at, &edited, &deleted, &n.DeleteBy)
	n.At, n.Edited, n.Deleted = when(at), when(edited), when(deleted)
	return n, err
}

var noteSQL = db.Define("member.note", `
	SELECT `+noteColumns+`
	FROM note
	WHERE shard = $1 AND member_id = $2 AND id = $3`)

// readNote reads a note with its text.
func (s *Service) readNote(ctx context.Context, tx *db.Tx, p place) (Note, error) {
	n, err := scanNote(tx.QueryRow(ctx, noteSQL, p.member.Shard(), int64(p.member), p.n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Note{}, ErrNoNote
	}
	if err != nil {
		return Note{}, fmt.Errorf("read note %d of member %d: %w", p.n, p.member, err)
	}
	list := []Note{n}
	err = s.openNotes(ctx, tx, list)
	return list[0], err
}

// openNotes reads the texts of notes.
func (s *Service) openNotes(ctx context.Context, tx *db.Tx, list []Note) error {
	var members []ID
	for _, n := range list {
		members = append(members, n.member)
	}
	keys, err := s.keyring(ctx, tx, members)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Text, err = keys.open(list[i].sealed, list[i].place, "note"); err != nil {
			return err
		}
	}
	return nil
}

// Note reads a note that stands.
func (s *Service) Note(ctx context.Context, p place) (n Note, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err = s.readNote(ctx, tx, p)
		return err
	})
	if err == nil && !n.Deleted.IsZero() {
		return Note{}, ErrNoNote
	}
	return n, err
}

// NoteChange is an edit of a note: nil leaves a field.
type NoteChange struct {
	Text    *string // by its author only
	Pinned  *bool
	Mention []string // colleagues to tell, "stf_…"
	Version *int64   // refuse unless the note has this version
}

var updateNoteSQL = db.Define("member.updateNote", `
	UPDATE note
	SET version = version + 1, text = $5, pinned = $6, edited_ms = $7
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND version = $4 AND deleted_ms = 0`)

// ChangeNote edits a note. An edit that meets another runs again on what that one left,
// unless the caller named the version that they saw.
func (s *Service) ChangeNote(ctx context.Context, p place, c NoteChange) (Note, error) {
	if c.Text != nil {
		text, err := cleanWritten(*c.Text, maxWritten)
		if err != nil {
			return Note{}, errs.As(err).At("body.text")
		}
		c.Text = &text
	}
	named, err := s.colleagues(ctx, c.Mention)
	if err != nil {
		return Note{}, err
	}
	for range maxRaces {
		var after Note
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			if after, err = s.changeNote(ctx, tx, p, c); err == nil {
				err = s.mention(ctx, tx, p, inNote, named)
			}
			return err
		})
		if !errors.Is(err, errRaced) {
			return after, err
		}
	}
	return Note{}, ErrEdited
}

func (s *Service) changeNote(ctx context.Context, tx *db.Tx, p place, c NoteChange) (Note, error) {
	n, err := s.readNote(ctx, tx, p)
	if err != nil {
		return Note{}, err
	}
	fields := n.differs(c)
	switch {
	case !n.Deleted.IsZero():
		return Note{}, ErrNoNote
	case c.Version != nil && *c.Version != n.Version:
		return Note{}, ErrEdited
	case len(fields) == 0:
		return n, nil
	case c.Text != nil && *c.Text != n.Text && n.Author != writer(ctx):
		return Note{}, ErrNotYours
	}
	if err := s.editNote(ctx, tx, &n, c); err != nil {
		return Note{}, err
	}
	count, err := tx.Exec(ctx, updateNoteSQL, p.member.Shard(), int64(p.member), p.n, n.Version, n.sealed, n.Pinned, milli(n.Edited))
	if err != nil {
		return Note{}, fmt.Errorf("change note %d of member %d: %w", p.n, p.member, err)
	}
	if count == 0 {
		return Note{}, errRaced
	}
	n.Version++
	return n, s.noted(ctx, tx, "note.changed", p.member, noteBody{Note: n.PublicID(), By: writer(ctx), Pinned: n.Pinned, Fields: fields})
}

// differs names what a change would change.
func (n Note) differs(c NoteChange) (fields []string) {
	if c.Text != nil && *c.Text != n.Text {
		fields = append(fields, "text")
	}
	if c.Pinned != nil && *c.Pinned != n.Pinned {
		fields = append(fields, "pinned")
	}
	return fields
}

func (s *Service) editNote(ctx context.Context, tx *db.Tx, n *Note, c NoteChange) error {
	if c.Pinned != nil {
		n.Pinned = *c.Pinned
	}
	if c.Text == nil || *c.Text == n.Text {
		return nil
	}
	key, err := s.keyOf(ctx, tx, n.member)
	if err != nil {
		return err
	}
	n.Text, n.Edited = *c.Text, s.clock.Now()
	n.sealed = key.Seal([]byte(n.Text), n.aad("note"))
	return nil
}

// milli writes a time as a column; the zero time is 0.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

var deleteNoteSQL = db.Define("member.deleteNote", `
	UPDATE note
	SET version = version + 1, deleted_ms = $4, deleted_by = $5
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND deleted_ms = 0`)

// DeleteNote takes a note off the member's page. The row stays, for who manages members
// and for the trail. It is for the author, and for who manages members.
func (s *Service) DeleteNote(ctx context.Context, p place) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := s.readNote(ctx, tx, p)
		if err != nil {
			return err
		}
		if err := mayDelete(ctx, n.Author); err != nil {
			return err
		}
		count, err := tx.Exec(ctx, deleteNoteSQL, p.member.Shard(), int64(p.member), p.n, s.clock.Now().UnixMilli(), writer(ctx))
		if err != nil {
			return fmt.Errorf("delete note %d of member %d: %w", p.n, p.member, err)
		}
		if count == 0 {
			return ErrNoNote
		}
		return s.noted(ctx, tx, "note.deleted", p.member, noteBody{Note: n.PublicID(), By: writer(ctx)})
	})
}

// mayDelete lets people delete what they wrote, and those who manage members all of it.
func mayDelete(ctx context.Context, author string) error {
	if author == writer(ctx) || api.Require(ctx, staff.ManageMembers) == nil {
		return nil
	}
	return ErrNotYours
}

// NoteFilter says which notes of a member to list.
type NoteFilter struct {
	Pinned  bool // only these
	Deleted bool // only these, instead of those that stand; for who manages members
}

var notesSQL = db.Define("member.notes", `
	SELECT `+noteColumns+`
	FROM note
	WHERE shard = $1 AND member_id = $2 AND (at_ms, id) < ($3, $4)
		AND pinned >= $5 AND (deleted_ms <> 0) = (CAST($6 AS BIGINT) <> 0)
	ORDER BY at_ms DESC, id DESC
	LIMIT $7`)

// Notes lists the notes of a member and of the records merged into it, newest first, after
// a point.
func (s *Service) Notes(ctx context.Context, ref Ref, f NoteFilter, after point, limit int) ([]Note, error) {
	if f.Deleted {
		if err := api.Require(ctx, staff.ManageMembers); err != nil {
			return nil, err
		}
	}
	return s.notes(ctx, ref, f, after, limit)
}

func (s *Service) notes(ctx context.Context, ref Ref, f NoteFilter, after point, limit int) (list []Note, err error) {
	m, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		records, err := recordsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		list, err = gather(records, limit, func(r ID) (part []Note, err error) {
			err = db.ReadRows(func(rows *db.Rows) error {
				n, err := scanNote(rows.Scan)
				part = append(part, n)
				return err
			})(tx.Query(ctx, notesSQL, r.Shard(), int64(r), after.ms, after.n, flag(f.Pinned), flag(f.Deleted), limit))
			return part, err
		}, func(a, b Note) int { return newest(a.point(), b.point()) })
		if err != nil {
			return err
		}
		return s.openNotes(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("notes of member %d: %w", m, err)
	}
	return list, nil
}

func (n Note) point() point { return point{n.At.UnixMilli(), n.n} }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
