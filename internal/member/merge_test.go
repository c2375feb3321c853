package member

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A merged record is found as the survivor by everything it had; unmerged, both are what
// they were, but for the version.
func TestMergeUnmerge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a := create(t, s, Enrolment{Phone: "13800138000", Name: "李明", Tags: []string{"new", "vip"}})
		b := create(t, s, Enrolment{Email: "a@b.cn", Name: "Li Ming", Tags: []string{"vip"}})
		preview, err := s.PreviewMerge(t.Context(), RefID(a.ID), RefID(b.ID))
		if err != nil || len(preview.Identifiers) != 1 || !slices.Equal(preview.Tags, []string{"new"}) {
			t.Errorf("preview %+v, %v", preview, err)
		}
		find(t, s, "phone:13800138000") // so that the caches know it
		got, err := s.Merge(t.Context(), ref(t, "phone:13800138000"), RefID(b.ID))
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != b.ID || got.Name != "Li Ming" || !slices.Equal(got.Tags, []string{"new", "vip"}) || !slices.Equal(got.Merged, []ID{a.ID}) {
			t.Errorf("survivor %+v", got)
		}
		want := []Identifier{{Kind: KindEmail, Value: "a@b.cn"}, {Kind: KindPhone, Value: "+8613800138000", From: a.ID}}
		if !reflect.DeepEqual(got.Identifiers, want) {
			t.Errorf("identifiers %+v, want %+v", got.Identifiers, want)
		}
		for _, text := range []string{"phone:13800138000", a.ID.String(), "no:" + a.ID.Number(), "email:a@b.cn"} {
			if got := find(t, s, text); got != b.ID {
				t.Errorf("%s leads to %d, want %d", text, got, b.ID)
			}
		}
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); !errors.Is(err, ErrMergeSelf) {
			t.Errorf("a second time: %v", err)
		}
		if _, err := s.Create(t.Context(), Enrolment{Phone: "13800138000"}); !errors.Is(err, ErrIdentifierTaken) {
			t.Errorf("the merged record's phone for another: %v", err)
		}
		back, err := s.Unmerge(t.Context(), ref(t, "phone:13800138000"))
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.Get(t.Context(), RefID(b.ID))
		if err != nil {
			t.Fatal(err)
		}
		back.Version, other.Version = a.Version, b.Version
		if !reflect.DeepEqual(back, a) || !reflect.DeepEqual(other, b) {
			t.Errorf("after unmerging\n%+v\n%+v\nwant\n%+v\n%+v", back, other, a, b)
		}
		if got := find(t, s, "phone:13800138000"); got != a.ID {
			t.Errorf("the phone leads to %d, want %d", got, a.ID)
		}
		if _, err := s.Unmerge(t.Context(), RefID(a.ID)); !errors.Is(err, ErrNotMerged) {
			t.Errorf("unmerge twice: %v", err)
		}
		for _, m := range []ID{a.ID, b.ID} {
			if got := events(t, d, m); !slices.Equal(got, []string{"member.joined", "member.merged", "member.unmerged"}) {
				t.Errorf("events %v", got)
			}
		}
	})
}

// Whatever is merged and unmerged in whatever order, Find agrees with a model that keeps
// nothing but a pointer for each record, and when all is unmerged, all is as it was.
func TestMergeLaw(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s, _ := newService(d)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		const n = 5
		round++
		var first [n]Member
		for i := range first {
			m, err := s.Create(t.Context(), Enrolment{Card: fmt.Sprintf("%d-%d", round, i), Tags: []string{fmt.Sprint(i), "all"}})
			if err != nil {
				t.Fatalf("create: %v", err)
			}
			first[i] = m
		}
		into := [n]int{-1, -1, -1, -1, -1}
		root := func(i int) int {
			for into[i] >= 0 {
				i = into[i]
			}
			return i
		}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			if rapid.Bool().Draw(t, "merge") {
				_, err := s.Merge(t.Context(), RefID(first[a].ID), RefID(first[b].ID))
				if same := root(a) == root(b); same != errors.Is(err, ErrMergeSelf) || !same && err != nil {
					t.Fatalf("merge %d into %d: %v", a, b, err)
				}
				if err == nil {
					into[root(a)] = root(b)
				}
			} else {
				_, err := s.Unmerge(t.Context(), RefID(first[a].ID))
				if alone := into[a] < 0; alone != errors.Is(err, ErrNotMerged) || !alone && err != nil {
					t.Fatalf("unmerge %d: %v", a, err)
				}
				into[a] = -1
			}
			for i := range first {
				if got, err := s.Find(t.Context(), RefID(first[i].ID)); err != nil || got != first[root(i)].ID {
					t.Fatalf("%d is found as %d, %v; want %d", i, got, err, first[root(i)].ID)
				}
			}
		}
		for i := range first {
			if into[i] < 0 {
				continue
			}
			if _, err := s.Unmerge(t.Context(), RefID(first[i].ID)); err != nil {
				t.Fatalf("unmerge %d: %v", i, err)
			}
		}
		for i := range first {
			got, err := s.Get(t.Context(), RefID(first[i].ID))
			got.Version = first[i].Version
			got.Tags = slices.DeleteFunc(got.Tags, func(tag string) bool { return tag != "all" && tag != fmt.Sprint(i) })
			if err != nil || !reflect.DeepEqual(got, first[i]) {
				t.Fatalf("after all: %+v, %v; want %+v", got, err, first[i])
			}
		}
	})
}

// Merges against each other never make a ring: of a into b and b into a at once, one is
// made and the other refused.
func TestMergeRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		for round := range 10 {
			a := create(t, s, Enrolment{Card: fmt.Sprint("a", round)}).ID
			b := create(t, s, Enrolment{Card: fmt.Sprint("b", round)}).ID
			links := []Link{{From: a, Into: b, At: noon}, {From: b, Into: a, At: noon}}
			failures := make([]error, 2)
			var both sync.WaitGroup
			for i, l := range links {
				both.Go(func() {
					failures[i] = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return LinkMerged(ctx, tx, l) })
				})
			}
			both.Wait()
			made := 0
			for _, err := range failures {
				if err == nil {
					made++
				} else if !errors.Is(err, ErrMerged) {
					t.Errorf("refused with %v", err)
				}
			}
			if made != 1 {
				t.Fatalf("%d merges were made, want 1", made)
			}
			if find(t, s, "card:"+fmt.Sprint("a", round)) != find(t, s, "card:"+fmt.Sprint("b", round)) {
				t.Error("the two are not one")
			}
		}
	})
}

// A chain of merges has an end: one link more is refused and changes nothing.
func TestMergeDeep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		var ids []ID
		for i := range maxMergeHeight + 2 {
			ids = append(ids, create(t, s, Enrolment{Card: fmt.Sprint("c", i)}).ID)
		}
		for i := range maxMergeHeight {
			if _, err := s.Merge(t.Context(), RefID(ids[i]), RefID(ids[i+1])); err != nil {
				t.Fatalf("link %d: %v", i, err)
			}
		}
		last := ids[maxMergeHeight]
		if _, err := s.Merge(t.Context(), RefID(last), RefID(ids[maxMergeHeight+1])); !errors.Is(err, ErrMergeDeep) {
			t.Errorf("one link more: %v", err)
		}
		if got := find(t, s, "card:c0"); got != last {
			t.Errorf("the first leads to %d, want %d", got, last)
		}
		if m, err := s.Get(t.Context(), RefID(ids[0])); err != nil || len(m.Merged) != maxMergeHeight {
			t.Errorf("the survivor holds %d records, %v", len(m.Merged), err)
		}
	})
}

// A changed record is not written to once it has been merged: the change goes to the
// survivor, as every read does.
func TestChangeAfterMerge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		find(t, s, a.ID.String()) // this node now remembers that a stands for itself
		merge := Link{From: a.ID, Into: b.ID, At: noon}
		if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return LinkMerged(ctx, tx, merge) }); err != nil {
			t.Fatal(err) // as another node does it, without a word to this one
		}
		m, err := s.Patch(t.Context(), RefID(a.ID), Change{City: text("bj")})
		if err != nil || m.ID != b.ID || m.City != "bj" {
			t.Errorf("patched %d, %v; want the survivor %d", m.ID, err, b.ID)
		}
		find(t, s, "card:a")
		m, err = s.AddTags(t.Context(), RefID(a.ID), []string{"x"})
		if err != nil || m.ID != b.ID {
			t.Errorf("tagged %d, %v; want the survivor %d", m.ID, err, b.ID)
		}
	})
}

// ledger stands for the noun that posts the points of a merge: it links in its own
// transaction, and may refuse.
type ledger struct {
	db  *db.DB
	err error
}

func (l ledger) Merge(ctx context.Context, k Link) error {
	return l.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := LinkMerged(ctx, tx, k); err != nil {
			return err
		}
		return l.err
	})
}

func (l ledger) Unmerge(ctx context.Context, k Link) error {
	return l.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := UnlinkMerged(ctx, tx, k); err != nil {
			return err
		}
		return l.err
	})
}

func TestMergeWithLedger(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		refusal := errors.New("too little")
		s.Use(Hooks{Merger: ledger{d, refusal}})
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); !errors.Is(err, refusal) {
			t.Errorf("merge: %v", err)
		}
		if find(t, s, "card:a") != a.ID {
			t.Error("a refused merge was made all the same")
		}
		s.Use(Hooks{Merger: ledger{d, nil}})
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); err != nil || find(t, s, "card:a") != b.ID {
			t.Errorf("merge: %v", err)
		}
		if _, err := s.Unmerge(t.Context(), RefID(a.ID)); err != nil || find(t, s, "card:a") != a.ID {
			t.Errorf("unmerge: %v", err)
		}
	})
}

// The survivor's timeline holds what happened with both, newest first, page by page.
func TestTimeline(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(noon)
		s := New(d, seal.Test(), c, nil)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		create(t, s, Enrolment{Card: "c"})
		if _, err := s.AddTags(t.Context(), RefID(a.ID), []string{"x"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); err != nil {
			t.Fatal(err)
		}
		dispatch(t, d, c)
		var got []string
		var before int64
		for {
			page, err := s.Timeline(t.Context(), RefID(b.ID), nil, before, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				got = append(got, fmt.Sprintf("%s %d", e.Kind, e.Member))
				before = e.Position
			}
			if len(page) < 2 {
				break
			}
		}
		want := []string{
			fmt.Sprintf("member.merged %d", b.ID), fmt.Sprintf("member.merged %d", a.ID), fmt.Sprintf("member.tagged %d", a.ID),
			fmt.Sprintf("member.joined %d", b.ID), fmt.Sprintf("member.joined %d", a.ID),
		}
		if !slices.Equal(got, want) {
			t.Errorf("timeline %v, want %v", got, want)
		}
	})
}

// dispatch moves the outbox to the log.
func dispatch(t *testing.T, d *db.DB, c clock.Clock) {
	t.Helper()
	if err := event.New(d, c, nil).Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}
