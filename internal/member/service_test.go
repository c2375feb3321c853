package member

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// noon is when tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newService(d *db.DB) (*Service, *clock.Manual) {
	c := clock.At(noon)
	return New(d, seal.Test(), c, nil), c
}

func create(t testing.TB, s *Service, e Enrolment) Member {
	t.Helper()
	m, err := s.Create(t.Context(), e)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	return m
}

// ref reads a Ref that the test knows to be good.
func ref(t testing.TB, text string) Ref {
	t.Helper()
	r, err := ParseRef(text)
	if err != nil {
		t.Fatalf("ref: %v", err)
	}
	return r
}

func find(t testing.TB, s *Service, text string) ID {
	t.Helper()
	m, err := s.Find(t.Context(), ref(t, text))
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.Fatalf("find: %v", err)
	}
	return m
}

func putAttr(t testing.TB, s *Service, list ...Attribute) {
	t.Helper()
	for _, a := range list {
		a.LabelEN, a.LabelZH = a.Key, a.Key
		if err := s.PutAttribute(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// events lists the kinds of a member's events in the outbox, in their order.
func events(t testing.TB, d *db.DB, m ID) []string {
	t.Helper()
	var kinds []string
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		kinds = nil
		list, _, err := event.Waiting(ctx, tx, 0, 10_000)
		for _, e := range list {
			if e.Member == int64(m) {
				kinds = append(kinds, e.Kind)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		putAttr(t, s, Attribute{Key: "shoe", Kind: NumberAttribute}, Attribute{Key: "allergy", Kind: TextAttribute, Personal: true}, Attribute{Key: "news", Kind: BooleanAttribute})
		joined := noon.AddDate(-2, 0, 0)
		m := create(t, s, Enrolment{
			External: "Shop/4711", Phone: "138 0013 8000", Email: " Li.Ming@Example.COM ", Card: "Ab12", WeChat: "oX-1",
			Name: " 李  明 ", Gender: Female, Birthday: "2000-02-29", Address: "长安街 1", City: "110000", Language: "zh-cn",
			StoreID: 7, Source: "web", Attributes: map[string]any{"shoe": 38.5, "allergy": "nuts", "news": true},
			Tags: []string{"vip", " new ", "vip"}, JoinedAt: joined,
		})
		again, err := s.Get(t.Context(), RefID(m.ID))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("Get = %+v, %v; want %+v", again, err, m)
		}
		want := Member{
			ID: m.ID, Version: 1, Name: "李 明", Gender: Female, Birthday: "2000-02-29", Address: "长安街 1", City: "110000",
			Language: "zh-CN", StoreID: 7, Source: "web", Attributes: map[string]any{"shoe": 38.5, "allergy": "nuts", "news": true},
			Tags: []string{"new", "vip"}, JoinedAt: joined, CreatedAt: noon,
			Identifiers: []Identifier{
				{Kind: KindExternal, Value: "shop/4711", Source: "web"}, {Kind: KindPhone, Value: "+8613800138000", Source: "web"},
				{Kind: KindEmail, Value: "li.ming@example.com", Source: "web"}, {Kind: KindCard, Value: "Ab12", Source: "web"},
				{Kind: KindWeChat, Value: "oX-1", Source: "web"},
			},
		}
		if !reflect.DeepEqual(m, want) {
			t.Errorf("got  %+v\nwant %+v", m, want)
		}
		for _, text := range []string{m.ID.String(), "no:" + m.ID.Number(), "ext:SHOP/4711", "phone:+86-138-0013-8000", "email:li.ming@example.com", "card:Ab12", "wechat:oX-1"} {
			if got := find(t, s, text); got != m.ID {
				t.Errorf("find by %s: %d, want %d", text[:3], got, m.ID)
			}
		}
		for _, text := range []string{"card:AB12", "phone:13900139000", ID(m.ID + 1).String(), "no:8999999", "qr:x"} {
			if got := find(t, s, text); got != 0 {
				t.Errorf("find by %s: %d, want nobody", text, got)
			}
		}
		if got := events(t, d, m.ID); !slices.Equal(got, []string{"member.joined"}) {
			t.Errorf("events %v", got)
		}
	})
}

// Each row breaks one thing in an enrolment that would pass.
func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		putAttr(t, s, Attribute{Key: "size", Kind: ChoiceAttribute, Choices: []string{"S", "M"}}, Attribute{Key: "since", Kind: DateAttribute},
			Attribute{Key: "n", Kind: NumberAttribute}, Attribute{Key: "old", Kind: TextAttribute, Archived: true})
		create(t, s, Enrolment{Phone: "13800138000"})
		for _, tt := range []struct {
			name string
			edit func(*Enrolment)
			want error
		}{
			{"good", func(*Enrolment) {}, nil},
			{"nothing to be found by", func(e *Enrolment) { e.Card = "" }, ErrIdentifierNeeded},
			{"taken", func(e *Enrolment) { e.Phone = "+86 13800138000" }, ErrIdentifierTaken},
			{"phone", func(e *Enrolment) { e.Phone = "12345" }, ErrPhone},
			{"phone in letters", func(e *Enrolment) { e.Phone = "1-800-FLOWERS" }, ErrPhone},
			{"email", func(e *Enrolment) { e.Email = "a@b" }, ErrEmail},
			{"two ats", func(e *Enrolment) { e.Email = "a@b@c.cn" }, ErrEmail},
			{"card with a space", func(e *Enrolment) { e.Card = "1 2" }, ErrCard},
			{"external id without namespace", func(e *Enrolment) { e.External = "4711" }, ErrExternal},
			{"29 February", func(e *Enrolment) { e.Birthday = "2024-02-29" }, nil},
			{"29 February of no leap year", func(e *Enrolment) { e.Birthday = "2023-02-29" }, ErrBirthday},
			{"29 February of no year", func(e *Enrolment) { e.Birthday = "--02-29" }, nil},
			{"born today", func(e *Enrolment) { e.Birthday = "2026-03-01" }, nil},
			{"born tomorrow", func(e *Enrolment) { e.Birthday = "2026-03-02" }, ErrBirthday},
			{"born 1900", func(e *Enrolment) { e.Birthday = "1900-01-01" }, nil},
			{"born 1899", func(e *Enrolment) { e.Birthday = "1899-12-31" }, ErrBirthday},
			{"long name", func(e *Enrolment) { e.Name = strings.Repeat("明", 100) }, nil},
			{"longer name", func(e *Enrolment) { e.Name = strings.Repeat("明", 101) }, ErrText},
			{"name of two lines", func(e *Enrolment) { e.Name = "a\nb" }, ErrText},
			{"gender", func(e *Enrolment) { e.Gender = "f" }, ErrGender},
			{"language", func(e *Enrolment) { e.Language = "chinese!" }, ErrLanguage},
			{"joined tomorrow", func(e *Enrolment) { e.JoinedAt = noon.AddDate(0, 0, 1) }, ErrJoined},
			{"empty tag", func(e *Enrolment) { e.Tags = []string{" "} }, ErrTag},
			{"unknown attribute", func(e *Enrolment) { e.Attributes = map[string]any{"x": 1} }, ErrAttributeUnknown},
			{"archived attribute", func(e *Enrolment) { e.Attributes = map[string]any{"old": "x"} }, ErrAttributeUnknown},
			{"choice", func(e *Enrolment) { e.Attributes = map[string]any{"size": "M"} }, nil},
			{"no choice", func(e *Enrolment) { e.Attributes = map[string]any{"size": "L"} }, ErrAttributeValue},
			{"text for a number", func(e *Enrolment) { e.Attributes = map[string]any{"n": "1"} }, ErrAttributeValue},
			{"four decimals", func(e *Enrolment) { e.Attributes = map[string]any{"n": 0.0001} }, nil},
			{"five decimals", func(e *Enrolment) { e.Attributes = map[string]any{"n": 0.00001} }, ErrAttributeValue},
			{"no date", func(e *Enrolment) { e.Attributes = map[string]any{"since": "2026-02-30"} }, ErrAttributeValue},
			{"consent", func(e *Enrolment) { e.Consents = []string{"Call 138"} }, ErrConsent},
		} {
			e := Enrolment{Card: "C" + fmt.Sprintf("%x", tt.name), Name: "李明"}
			tt.edit(&e)
			_, err := s.Create(t.Context(), e)
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			if err != nil && e.Card != "" && !strings.Contains(e.Card, " ") && find(t, s, "card:"+e.Card) != 0 {
				t.Errorf("%s: refused, and there all the same", tt.name)
			}
		}
	})
}

// A refusal names every field at fault, in both languages, and repeats no value.
func TestRefusalNamesFields(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s, _ := newService(d)
	_, err := s.Create(t.Context(), Enrolment{Phone: "canary-1", Email: "canary-2", Birthday: "canary-3"})
	e := errs.As(err)
	if e == nil || len(e.Fields) != 3 {
		t.Fatalf("got %v", err)
	}
	var at []string
	for _, f := range e.Fields {
		at = append(at, f.Location)
		if f.EN == "" || f.ZH == "" {
			t.Errorf("%s lacks a language", f.Location)
		}
	}
	slices.Sort(at)
	if !slices.Equal(at, []string{"body.birthday", "body.email", "body.phone"}) {
		t.Errorf("fields %v", at)
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("a value is repeated: %v", err)
	}
}

// Of many who enrol one phone at once, in many spellings, exactly one does.
func TestCreateRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		const callers = 16
		spellings := []string{"13800138000", "+86 138 0013 8000", "138-0013-8000"}
		ids := make([]ID, callers)
		failures := make([]error, callers)
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				m, err := s.Create(t.Context(), Enrolment{Phone: spellings[i%3], Card: fmt.Sprint("card", i)})
				ids[i], failures[i] = m.ID, err
			})
		}
		all.Wait()
		var won []ID
		for i := range callers {
			if failures[i] == nil {
				won = append(won, ids[i])
			} else if !errors.Is(failures[i], ErrIdentifierTaken) {
				t.Errorf("caller %d: %v", i, failures[i])
			} else if got := find(t, s, fmt.Sprint("card:card", i)); got != 0 {
				t.Errorf("caller %d lost and left a card", i)
			}
		}
		if len(won) != 1 || find(t, s, "phone:13800138000") != won[0] {
			t.Fatalf("%d members got the phone, want 1", len(won))
		}
	})
}

// A list answers for each: refused ones do not hold up the others, and leave nothing.
func TestCreateMany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		putAttr(t, s, Attribute{Key: "size", Kind: ChoiceAttribute, Choices: []string{"S", "M"}})
		old := create(t, s, Enrolment{Phone: "13800000001"})
		const n = 600
		list := make([]Enrolment, n)
		for i := range list {
			list[i] = Enrolment{External: fmt.Sprintf("shop/%d", i), Phone: fmt.Sprintf("1390000%04d", i), Name: "王小明", Tags: []string{"import"}, Attributes: map[string]any{"size": "S"}}
		}
		list[5].Phone = "13800000001"      // taken by old
		list[7].Phone = list[6].Phone      // twice in the list
		list[8] = Enrolment{Phone: "nope"} // no phone
		results, err := s.CreateMany(t.Context(), list)
		if err != nil || len(results) != n {
			t.Fatalf("%d results, %v", len(results), err)
		}
		refs := make([]Ref, n)
		for i := range list {
			refs[i] = ref(t, fmt.Sprintf("ext:shop/%d", i))
		}
		found, err := s.FindMany(t.Context(), refs)
		if err != nil {
			t.Fatal(err)
		}
		want := map[int]error{5: ErrIdentifierTaken, 7: ErrIdentifierTaken, 8: ErrPhone}
		for i, r := range results {
			if !errors.Is(r.Err, want[i]) || (r.ID != 0) != (want[i] == nil) || r.ID != found[i] {
				t.Errorf("%d: id %d, %v, found %d; want %v", i, r.ID, r.Err, found[i], want[i])
			}
		}
		m, err := s.Get(t.Context(), refs[599])
		if err != nil || m.Name != "王小明" || !slices.Equal(m.Tags, []string{"import"}) || m.Attributes["size"] != "S" {
			t.Errorf("the last: %+v, %v", m, err)
		}
		// A refused one gave back what it had claimed: the next may have it.
		create(t, s, Enrolment{External: "shop/5", Phone: "13800000002"})
		if got := find(t, s, "phone:13800000001"); got != old.ID {
			t.Errorf("the taken phone leads to %d, want %d", got, old.ID)
		}
	})
}

func text(s string) *string { return &s }

func TestPatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		putAttr(t, s, Attribute{Key: "shoe", Kind: NumberAttribute}, Attribute{Key: "allergy", Kind: TextAttribute, Personal: true})
		m := create(t, s, Enrolment{Phone: "13800138000", Email: "a@b.cn", Name: "李明", City: "bj", Attributes: map[string]any{"shoe": 40.0, "allergy": "nuts"}})
		me := RefID(m.ID)
		got, err := s.Patch(t.Context(), me, Change{Phone: text("13900139000"), Email: text(""), Name: text("Li Ming"), Attributes: map[string]any{"shoe": nil, "allergy": "milk"}})
		if err != nil {
			t.Fatal(err)
		}
		want := m
		want.Version, want.Name = 2, "Li Ming"
		want.Attributes = map[string]any{"allergy": "milk"}
		want.Identifiers = []Identifier{{Kind: KindPhone, Value: "+8613900139000"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if find(t, s, "phone:13800138000") != 0 || find(t, s, "email:a@b.cn") != 0 || find(t, s, "phone:13900139000") != m.ID {
			t.Error("the identifiers did not follow")
		}
		if names(t, s, "李明") != "" || names(t, s, "ming") != "Li Ming" {
			t.Error("the search did not follow")
		}
		same, err := s.Patch(t.Context(), me, Change{Name: text(" Li  Ming ")})
		if err != nil || same.Version != 2 {
			t.Errorf("a change of nothing: version %d, %v", same.Version, err)
		}
		if _, err := s.Patch(t.Context(), me, Change{Phone: text("")}); !errors.Is(err, ErrIdentifierLast) {
			t.Errorf("the last identifier: %v", err)
		}
		one := int64(1)
		if _, err := s.Patch(t.Context(), me, Change{Name: text("x"), Version: &one}); !errors.Is(err, ErrChanged) {
			t.Errorf("an old version: %v", err)
		}
		other := create(t, s, Enrolment{Card: "c1"})
		if _, err := s.Patch(t.Context(), RefID(other.ID), Change{Name: text("no"), Phone: text("13900139000")}); !errors.Is(err, ErrIdentifierTaken) {
			t.Errorf("somebody's phone: %v", err)
		}
		if after, err := s.Get(t.Context(), RefID(other.ID)); err != nil || !reflect.DeepEqual(after, other) {
			t.Errorf("a refused change left %+v, %v", after, err)
		}
		if got := events(t, d, m.ID); !slices.Equal(got, []string{"member.joined", "member.changed"}) {
			t.Errorf("events %v", got)
		}
	})
}

// Changes of one member at once all take effect: none overwrites another.
func TestPatchRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Phone: "13800138000"})
		edits := []Change{{Name: text("李明")}, {City: text("bj")}, {Address: text("街 1")}, {Email: text("a@b.cn")}, {Card: text("c1")}, {Birthday: text("2000-01-01")}}
		var all sync.WaitGroup
		for _, c := range edits {
			all.Go(func() {
				if _, err := s.Patch(t.Context(), RefID(m.ID), c); err != nil {
					t.Errorf("patch: %v", err)
				}
			})
		}
		all.Wait()
		got, err := s.Get(t.Context(), RefID(m.ID))
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "李明" || got.City != "bj" || got.Address != "街 1" || got.First(KindEmail) != "a@b.cn" || got.First(KindCard) != "c1" || got.Birthday != "2000-01-01" {
			t.Errorf("an edit was lost: %+v", got)
		}
		if got.Version != int64(1+len(edits)) {
			t.Errorf("version %d, want %d", got.Version, 1+len(edits))
		}
	})
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		m := create(t, s, Enrolment{Phone: "13800138000"})
		me := RefID(m.ID)
		ctx := t.Context()
		if _, err := s.AddIdentifier(ctx, me, KindPhone, "13900139000", true); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
		got, err := s.VerifyIdentifier(ctx, me, KindPhone, "13900139000")
		if err != nil || len(got.Identifiers) != 2 || !got.Identifiers[0].VerifiedAt.IsZero() || !got.Identifiers[1].VerifiedAt.Equal(noon) {
			t.Errorf("%+v, %v: the first proof counts", got.Identifiers, err)
		}
		if _, err := s.VerifyIdentifier(ctx, me, KindCard, "x"); !errors.Is(err, ErrIdentifierUnknown) {
			t.Errorf("verify what is not there: %v", err)
		}
		if _, err := s.AddIdentifier(ctx, me, "passport", "x", false); !errors.Is(err, ErrKind) {
			t.Errorf("unknown kind: %v", err)
		}
		if got, err = s.RemoveIdentifier(ctx, me, KindPhone, "138 0013 8000"); err != nil || got.First(KindPhone) != "+8613900139000" {
			t.Errorf("remove: %+v, %v", got.Identifiers, err)
		}
		if _, err := s.RemoveIdentifier(ctx, me, KindPhone, "13800138000"); !errors.Is(err, ErrIdentifierUnknown) {
			t.Errorf("remove twice: %v", err)
		}
		// What one gave up, another may take; whoever looks finds the new owner at once.
		other := create(t, s, Enrolment{Phone: "13800138000"})
		if got := find(t, s, "phone:13800138000"); got != other.ID {
			t.Errorf("the phone leads to %d, want %d", got, other.ID)
		}
		if got := events(t, d, m.ID); !slices.Equal(got, []string{"member.joined", "member.changed", "member.verified", "member.changed"}) {
			t.Errorf("events %v", got)
		}
	})
}

// An identifier that goes back and forth is never found at one who has given it up, while
// others look it up all the time: the answers between two moves are those of the moves.
func TestFindWhileMoving(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		pair := []Member{create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})}
		ctx, stop := context.WithCancel(t.Context())
		var lookers sync.WaitGroup
		phone := ref(t, "phone:13800138000")
		for range 4 {
			lookers.Go(func() {
				for ctx.Err() == nil {
					if _, err := s.Find(ctx, phone); err != nil && !errors.Is(err, ErrNotFound) && ctx.Err() == nil {
						t.Errorf("find: %v", err)
						return
					}
				}
			})
		}
		for i := range 20 {
			me := pair[i%2]
			if _, err := s.AddIdentifier(t.Context(), RefID(me.ID), KindPhone, "13800138000", false); err != nil {
				t.Errorf("add: %v", err)
				break
			}
			if got := find(t, s, "phone:13800138000"); got != me.ID {
				t.Errorf("move %d: found at %d, want %d", i, got, me.ID)
			}
			if _, err := s.RemoveIdentifier(t.Context(), RefID(me.ID), KindPhone, "13800138000"); err != nil {
				t.Errorf("remove: %v", err)
				break
			}
			if got := find(t, s, "phone:13800138000"); got != 0 {
				t.Errorf("move %d: still found at %d", i, got)
			}
		}
		stop()
		lookers.Wait()
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Card: "a", Tags: []string{"vip"}})
		me := RefID(m.ID)
		got, err := s.AddTags(t.Context(), me, []string{"new", "vip"})
		if err != nil || !slices.Equal(got.Tags, []string{"new", "vip"}) {
			t.Errorf("add: %v, %v", got.Tags, err)
		}
		if got, err = s.RemoveTags(t.Context(), me, []string{"vip", "none"}); err != nil || !slices.Equal(got.Tags, []string{"new"}) {
			t.Errorf("remove: %v, %v", got.Tags, err)
		}
		if _, err = s.AddTags(t.Context(), me, []string{"new"}); err != nil {
			t.Errorf("add again: %v", err)
		}
		if got := events(t, d, m.ID); !slices.Equal(got, []string{"member.joined", "member.tagged", "member.tagged"}) {
			t.Errorf("events %v: a change of nothing tells nothing", got)
		}
		var many []string
		for i := range maxTags {
			many = append(many, fmt.Sprint("t", i))
		}
		if _, err := s.AddTags(t.Context(), me, many); !errors.Is(err, ErrTag) {
			t.Errorf("one tag too many: %v", err)
		}
	})
}

func TestAttributeSchema(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a := Attribute{Key: "size", Kind: ChoiceAttribute, LabelEN: "Size", LabelZH: "尺码", Choices: []string{"S"}}
		if err := s.PutAttribute(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.Choices = []string{"S", "M"}
		if err := s.PutAttribute(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		list, err := s.Attributes(t.Context())
		if err != nil || !reflect.DeepEqual(list, []Attribute{a}) {
			t.Errorf("list %+v, %v", list, err)
		}
		for name, edit := range map[string]func(*Attribute){
			"personal": func(a *Attribute) { a.Personal = true },
			"kind":     func(a *Attribute) { a.Kind, a.Choices = TextAttribute, nil },
		} {
			b := a
			edit(&b)
			if err := s.PutAttribute(t.Context(), b); !errors.Is(err, ErrAttributeFixed) {
				t.Errorf("change of %s: %v", name, err)
			}
		}
		for name, edit := range map[string]func(*Attribute){
			"upper-case key":   func(a *Attribute) { a.Key = "Size" },
			"no label":         func(a *Attribute) { a.LabelZH = "" },
			"no choices":       func(a *Attribute) { a.Choices = nil },
			"a choice twice":   func(a *Attribute) { a.Choices = []string{"S", "S"} },
			"choices of text":  func(a *Attribute) { a.Kind = TextAttribute },
			"an unknown kind":  func(a *Attribute) { a.Kind = "colour" },
			"an overlong name": func(a *Attribute) { a.LabelEN = strings.Repeat("x", 61) },
		} {
			b := a
			edit(&b)
			if err := s.PutAttribute(t.Context(), b); !errors.Is(err, ErrAttributeSchema) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A database is bound to its key file at the first start.
func TestGuard(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box := seal.Test()
		c := clock.At(noon)
		for range 2 {
			if err := New(d, box, c, nil).Guard(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := New(d, seal.Test(), c, nil).Guard(t.Context()); !errors.Is(err, ErrKeyFile) {
			t.Errorf("a foreign key file: %v, want ErrKeyFile", err)
		}
	})
}
