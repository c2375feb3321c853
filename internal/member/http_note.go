package member

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/staff"
)

var noteTags = []string{"Notes, calls and tasks"}

func (s *Service) noteRoutes(r *api.Router) {
	api.Post(r, "/v1/members/{ref}/notes", s.postNote, api.Doc{
		ID: "addNote", Summary: "Write a note about a member.", Tags: noteTags, Needs: staff.ServeMembers, Status: 201,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrWritten, ErrMention},
	})
	api.Get(r, "/v1/members/{ref}/notes", s.getNotes, api.Doc{
		ID: "listNotes", Summary: "List the notes about a member, newest first.", Tags: noteTags, Needs: staff.ReadMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR},
	})
	api.Get(r, "/v1/notes/{id}", s.getNote, api.Doc{
		ID: "getNote", Summary: "Read a note.", Tags: noteTags, Needs: staff.ReadMembers, Fails: []error{ErrNoNote},
	})
	api.Patch(r, "/v1/notes/{id}", s.patchNote, api.Doc{
		ID: "changeNote", Summary: "Edit a note, or pin it.", Tags: noteTags, Needs: staff.ServeMembers,
		Description: "Only its author edits what a note says; any colleague pins it. With If-Match, the change is refused unless the note still has that version.",
		Fails:       []error{ErrNoNote, ErrWritten, ErrEdited, ErrNotYours, ErrMention},
	})
	api.Delete(r, "/v1/notes/{id}", s.deleteNote, api.Doc{
		ID: "deleteNote", Summary: "Take a note off the member's page.", Tags: noteTags, Needs: staff.ServeMembers, Status: 204,
		Description: "For its author, and for who manages members, who can still list it.", Fails: []error{ErrNoNote, ErrNotYours},
	})
}

type noteView struct {
	ID        string     `json:"id" doc:"The note."`
	Member    ID         `json:"member_id" doc:"Whose page it is on."`
	Version   int64      `json:"version" doc:"Grows at every change; for If-Match."`
	Text      string     `json:"text" doc:"What it says; empty where the member was erased."`
	Pinned    bool       `json:"pinned" doc:"Whether it is to be shown first."`
	Author    string     `json:"author" doc:"Who wrote it, as staff:stf_… or key:key_…"`
	At        time.Time  `json:"at" doc:"When it was written."`
	EditedAt  *time.Time `json:"edited_at,omitempty" doc:"When the text was last edited."`
	DeletedAt *time.Time `json:"deleted_at,omitempty" doc:"When it was deleted."`
	DeletedBy string     `json:"deleted_by,omitempty" doc:"By whom."`
	Mentions  []string   `json:"mentions,omitempty" doc:"The colleagues whom it names, as stf_…"`
}

// moment is nil for the zero time, which JSON then leaves out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewNote(n Note, member ID, mentions []string) noteView {
	return noteView{n.PublicID(), member, n.Version, n.Text, n.Pinned, n.Author, n.At, moment(n.Edited), moment(n.Deleted), n.DeleteBy, mentions}
}

type noteOut struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body noteView
}

// answerNote makes the answer of a use case.
func (s *Service) answerNote(ctx context.Context, n Note, err error) (*noteOut, error) {
	if err != nil {
		return nil, err
	}
	at, _, err := s.follows(ctx, []ID{n.member})
	if err != nil {
		return nil, err
	}
	named, err := s.mentionedIn(ctx, inNote, []place{n.place})
	return &noteOut{tag(n.Version), viewNote(n, at[0], named[n.place])}, err
}

type addNoteIn struct {
	ByRef
	Body struct {
		Text     string   `json:"text" minLength:"1" maxLength:"16000" doc:"What to remember, at most 4000 characters."`
		Pinned   bool     `json:"pinned,omitempty" doc:"To be shown first."`
		Mentions []string `json:"mentions,omitempty" maxItems:"20" doc:"Colleagues whom the text names (stf_…): each finds it at /v1/me/mentions."`
	}
}

func (s *Service) postNote(ctx context.Context, in *addNoteIn) (*noteOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	n, err := s.AddNote(ctx, ref, in.Body.Text, in.Body.Pinned, in.Body.Mentions...)
	return s.answerNote(ctx, n, err)
}

type notesIn struct {
	ByRef
	api.Page
	Pinned  bool `query:"pinned" doc:"Only notes that are pinned."`
	Deleted bool `query:"deleted" doc:"Notes that were deleted, instead; for who manages members."`
}

type notesOut struct{ Body api.List[noteView] }

func (s *Service) getNotes(ctx context.Context, in *notesIn) (*notesOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	after, err := pointOf(in.Cursor, latest)
	if err != nil {
		return nil, err
	}
	who, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	list, err := s.Notes(ctx, RefID(who), NoteFilter{Pinned: in.Pinned, Deleted: in.Deleted}, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, n := range list {
		places = append(places, n.place)
	}
	named, err := s.mentionedIn(ctx, inNote, places)
	if err != nil {
		return nil, err
	}
	return &notesOut{paged(list, in.Limit, func(n Note) noteView { return viewNote(n, who, named[n.place]) }, func(n Note) []int64 { return n.point().parts() })}, nil
}

type noteRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The note."`
}

func (s *Service) getNote(ctx context.Context, in *noteRef) (*noteOut, error) {
	p, err := parsePlace(notePrefix, in.ID, ErrNoNote)
	if err != nil {
		return nil, err
	}
	n, err := s.Note(ctx, p)
	return s.answerNote(ctx, n, err)
}

type changeNoteIn struct {
	ID      string `path:"id" minLength:"1" maxLength:"64" doc:"The note."`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The version that this change is made from, as ETag gave it."`
	Body    struct {
		Text     *string  `json:"text,omitempty" minLength:"1" maxLength:"16000" doc:"What it is to say, at most 4000 characters."`
		Pinned   *bool    `json:"pinned,omitempty" doc:"Whether it is to be shown first."`
		Mentions []string `json:"mentions,omitempty" maxItems:"20" doc:"Colleagues to tell who were not told yet (stf_…)."`
	}
}

func (s *Service) patchNote(ctx context.Context, in *changeNoteIn) (*noteOut, error) {
	p, err := parsePlace(notePrefix, in.ID, ErrNoNote)
	if err != nil {
		return nil, err
	}
	c := NoteChange{Text: in.Body.Text, Pinned: in.Body.Pinned, Mention: in.Body.Mentions}
	if c.Version, err = parseVersion(in.IfMatch, ErrEdited); err != nil {
		return nil, err
	}
	n, err := s.ChangeNote(ctx, p, c)
	return s.answerNote(ctx, n, err)
}

func (s *Service) deleteNote(ctx context.Context, in *noteRef) (*struct{}, error) {
	p, err := parsePlace(notePrefix, in.ID, ErrNoNote)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteNote(ctx, p)
}
