package member

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/canary"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// canaries are personal values that occur nowhere else, as they are kept.
var canaries = []string{
	"+8613812345679", "canary.mail@example.com", "CanaryCard77", "canary-ext-9", "canaryWeChat5",
	"Canary Quill", "金丝雀", "Canary Road 8", "1987-06-05", "canary allergy",
	"canary remark", "canary talk", "canary errand", "canary particulars", "canary upshot",
}

// Nothing personal lies in the database file, its log, or what is logged, in any of the
// forms in which values hide; and nothing that a refusal repeats.
func TestNothingPersonalAtRest(t *testing.T) {
	t.Parallel()
	o := dbtest.Options(t, db.SQLite)
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Log = log
	d := dbtest.OpenAt(t, o)
	s := New(d, seal.Test(), clock.At(noon), log)
	putAttr(t, s, Attribute{Key: "allergy", Kind: TextAttribute, Personal: true})
	e := Enrolment{
		Phone: "13812345679", Email: "canary.mail@example.com", Card: "CanaryCard77", External: "shop/canary-ext-9", WeChat: "canaryWeChat5",
		Name: "Canary Quill 金丝雀", Address: "Canary Road 8", Birthday: "1987-06-05", City: "plain-city", Attributes: map[string]any{"allergy": "canary allergy"},
	}
	m := create(t, s, e)
	other := create(t, s, Enrolment{Card: "b"})
	if _, err := s.Create(t.Context(), e); errs.As(err) == nil {
		t.Errorf("a second time: %v", err)
	} else {
		log.Error("refused", "error", err)
	}
	if _, err := s.Patch(t.Context(), RefID(m.ID), Change{Name: text("Canary Quill-Two")}); err != nil {
		t.Fatal(err)
	}
	writeCanaries(t, s, m.ID)
	if _, err := s.Merge(t.Context(), RefID(m.ID), RefID(other.ID)); err != nil {
		t.Fatal(err)
	}
	var before []byte
	for _, name := range files(t, o.Dir) { // with the log, while it is open
		before = append(before, read(t, name)...)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	places := map[string][]byte{"database and log": before, "database after close": read(t, filepath.Join(o.Dir, "patron.db")), "log lines": logged.Bytes()}
	for place, bytes := range places {
		canary.None(t, place, bytes, canaries)
	}
	if !bytes.Contains(before, []byte("member.joined")) || canary.Find(before, "plain-city") == "" {
		t.Error("the test looks in the wrong place: even plain values are not there")
	}
}

// writeCanaries writes everything that staff can write about a member.
func writeCanaries(t *testing.T, s *Service, m ID) {
	t.Helper()
	ctx := as(t.Context(), "stf_a")
	n, err := s.AddNote(ctx, RefID(m), "canary remark", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeNote(ctx, n.place, NoteChange{Text: text("canary remark, again")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LogCall(ctx, RefID(m), NewCall{Direction: CallIn, Outcome: Reached, Text: "canary talk"}); err != nil {
		t.Fatal(err)
	}
	task, err := s.AddTask(ctx, RefID(m), TaskChange{Title: text("canary errand"), Text: text("canary particulars"), Due: text("2026-03-05"), Remind: text("2026-03-04")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloseTask(ctx, task.place, "canary upshot"); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(list) < 2 {
		t.Fatalf("%v, %v: want the database and its log", list, err)
	}
	return list
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var swapSQL = `UPDATE member SET sealed = (SELECT x.sealed FROM member x WHERE x.id = $1), wrapped_key = (SELECT x.wrapped_key FROM member x WHERE x.id = $1) WHERE id = $2`

// One member's sealed record put in the row of another, key and all, does not open.
func TestSwappedRecord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a, b := create(t, s, Enrolment{Card: "a", Name: "李明"}), create(t, s, Enrolment{Card: "b"})
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, swapSQL, int64(a.ID), int64(b.ID))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), RefID(b.ID)); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("read %+v, %v; want ErrSealed", got, err)
		}
	})
}
