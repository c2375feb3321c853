package member

import (
	"log/slog"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Two nodes on one database: what the one takes away and gives to another member, the other
// knows after its next look, and until then it trusts its memory no longer than staleFor.
func TestMovedIdentifier(t *testing.T) {
	t.Parallel()
	d, box := dbtest.Open(t, db.Postgres), seal.Test()
	c := clock.At(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	here, there := New(d, box, c, slog.Default()), New(d, box, c, slog.Default())
	ctx := t.Context()
	first, err := here.Create(ctx, Enrolment{Phone: "13800138000", Card: "A1"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := here.Create(ctx, Enrolment{Card: "A2"})
	if err != nil {
		t.Fatal(err)
	}
	phone, err := RefTo(KindPhone, "13800138000")
	if err != nil {
		t.Fatal(err)
	}
	finds := func(when string, want ID) {
		t.Helper()
		if got, err := there.Find(ctx, phone); err != nil || got != want {
			t.Fatalf("%s: found %v, %v; want %v", when, got, err, want)
		}
	}
	look := func() {
		t.Helper()
		if err := there.follow(ctx); err != nil {
			t.Fatal(err)
		}
	}
	look()
	finds("at first", first.ID)
	if _, err := here.RemoveIdentifier(ctx, RefID(first.ID), KindPhone, "13800138000"); err != nil {
		t.Fatal(err)
	}
	if _, err := here.AddIdentifier(ctx, RefID(second.ID), KindPhone, "13800138000", false); err != nil {
		t.Fatal(err)
	}
	finds("before it looks, by memory", first.ID)
	c.Advance(staleFor)
	finds("when it has not looked for too long", second.ID)

	look()
	finds("after a look", second.ID)
	for range 10 { // looks that find nothing keep the memory good for any time
		c.Advance(staleFor - time.Millisecond)
		look()
	}
	if _, _, ok := there.owner.get(there.blind(named{KindPhone, "+8613800138000"}), c.Now(), there.moves.trusted()); !ok {
		t.Error("an owner was forgotten though nothing moved")
	}
}
