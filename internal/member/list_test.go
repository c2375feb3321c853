package member

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// names lists the names that a search finds, joined with commas, youngest first.
func names(t testing.TB, s *Service, q string) string {
	t.Helper()
	page, _, err := s.List(t.Context(), Search{Q: q, Limit: 200})
	if err != nil {
		t.Fatalf("search: %v", err)
	}
	var list []string
	for _, m := range page {
		list = append(list, m.Name)
	}
	return strings.Join(list, ",")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		for i, name := range []string{"王小明", "欧阳明日香", "Zoë Müller-Smith", "zoe 李明", "王", "Alexandrinawilhelmine"} {
			create(t, s, Enrolment{Card: fmt.Sprint("card", i), Name: name, Phone: fmt.Sprint("1380013800", i)})
		}
		for _, tt := range []struct{ q, want string }{
			{"王小明", "王小明"},
			{"小明", "王小明"},
			{"王明", ""},
			{"明日", "欧阳明日香"},
			{"欧阳明日香", "欧阳明日香"},
			{"阳明香", ""},
			{"zoe", "zoe 李明,Zoë Müller-Smith"},
			{"ZOË mul", "Zoë Müller-Smith"},
			{"smith zo", "Zoë Müller-Smith"},
			{"zoe 李明", "zoe 李明"},
			{"mith", ""},
			{"王", "王"},
			{"alexandrinawilhelmi", "Alexandrinawilhelmine"},
			{"alexandrinawilhelmx", ""},
			{"138 0013 8000", "王小明"},
			{"phone:+8613800138001", "欧阳明日香"},
			{"card3", "zoe 李明"},
			{"no:8000005", "王"},
			{"8000005", "王"},
			{"8000099", ""},
			{"!!", ""},
		} {
			if got := names(t, s, tt.q); got != tt.want {
				t.Errorf("%q finds %q, want %q", tt.q, got, tt.want)
			}
		}
	})
}

// A name is found by each pair of Chinese characters that follow one another in it, and by
// each beginning of two letters or more of its other words.
func TestSearchLaw(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s, _ := newService(d)
	next := 0
	rapid.Check(t, func(t *rapid.T) {
		han := rapid.StringOfN(rapid.RuneFrom([]rune("王李明小丽欧阳张伟芳")), 2, 5, -1).Draw(t, "han")
		latin := rapid.StringOfN(rapid.RuneFrom([]rune("abcéÄß")), 2, 15, -1).Draw(t, "latin")
		next++
		e := Enrolment{Card: fmt.Sprint(next), Name: han + " " + latin}
		m, err := s.Create(t.Context(), e)
		if err != nil {
			t.Fatalf("create: %v", err)
		}
		var queries []string
		for h := []rune(han); len(h) >= 2; h = h[1:] {
			queries = append(queries, string(h[:2]))
		}
		for n := 2; n <= len([]rune(latin)); n++ {
			queries = append(queries, string([]rune(latin)[:n]))
		}
		for _, q := range queries {
			if !finds(t, s, q, m.ID) {
				t.Fatalf("%q does not find %q", q, e.Name)
			}
		}
	})
}

// finds reads all pages of a search until the member turns up.
func finds(t *rapid.T, s *Service, q string, want ID) bool {
	for cursor := ""; ; {
		page, next, err := s.List(t.Context(), Search{Q: q, Limit: 200, Cursor: cursor})
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		if slices.ContainsFunc(page, func(m Member) bool { return m.ID == want }) {
			return true
		}
		if cursor = next; next == "" {
			return false
		}
	}
}

// Pages put together are the whole list: nobody twice, nobody left out, though many joined
// in the same millisecond.
func TestPaging(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		const n = 60
		list := make([]Enrolment, n)
		for i := range list {
			list[i] = Enrolment{Card: fmt.Sprint(i), Name: "王小明", JoinedAt: noon.AddDate(0, 0, -i/20), Tags: []string{[]string{"even", "odd"}[i%2]}}
		}
		results, err := s.CreateMany(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		gone := results[3].ID
		if _, err := s.Merge(t.Context(), RefID(gone), RefID(results[5].ID)); err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			q    Search
			want func(i int) bool
		}{
			"all":         {Search{}, func(int) bool { return true }},
			"tag":         {Search{Tag: "odd"}, func(i int) bool { return i%2 == 1 }},
			"name":        {Search{Q: "小明"}, func(int) bool { return true }},
			"name, tag":   {Search{Q: "小明", Tag: "even"}, func(i int) bool { return i%2 == 0 }},
			"joined":      {Search{JoinedFrom: noon.AddDate(0, 0, -1), JoinedUntil: noon}, func(i int) bool { return i/20 == 1 }},
			"joined, tag": {Search{JoinedUntil: noon.AddDate(0, 0, -1), Tag: "odd"}, func(i int) bool { return i/20 == 2 && i%2 == 1 }},
		} {
			want := map[ID]bool{}
			for i, r := range results {
				if tt.want(i) && r.ID != gone {
					want[r.ID] = true
				}
			}
			got, pages := map[ID]bool{}, 0
			for q := tt.q; ; pages++ {
				q.Limit = 7
				page, next, err := s.List(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range page {
					if got[m.ID] || !want[m.ID] {
						t.Errorf("%s: member %d a second time, or wrongly", name, m.ID)
					}
					got[m.ID] = true
				}
				if q.Cursor = next; next == "" {
					break
				}
			}
			if len(got) != len(want) || pages > len(want)/7+1 {
				t.Errorf("%s: %d of %d members on %d pages", name, len(got), len(want), pages+1)
			}
		}
	})
}

func TestListNewestFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		for i, days := range []int{3, 1, 2} {
			create(t, s, Enrolment{Card: fmt.Sprint(i), Name: fmt.Sprint(days), JoinedAt: noon.Add(-time.Duration(days) * 24 * time.Hour)})
		}
		if got := names(t, s, ""); got != "1,2,3" {
			t.Errorf("order %s, want the newest first", got)
		}
	})
}

// A search whose candidates fill several looks, few of which bear the tag, finds them all.
func TestSearchManyLooks(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s, _ := newService(d)
	list := make([]Enrolment, 3*namedPage)
	for i := range list {
		list[i] = Enrolment{Card: fmt.Sprint(i), Name: "王小明"}
		if i <= 2*namedPage+1 { // the last of the first look is one, and so are the next
			list[i].Tags = []string{"old"}
		}
	}
	if _, err := s.CreateMany(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	got := 0
	for q := (Search{Q: "小明", Tag: "old", Limit: 150}); ; {
		page, next, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got += len(page)
		if q.Cursor = next; next == "" {
			break
		}
	}
	if want := 2*namedPage + 2; got != want {
		t.Errorf("%d members, want %d", got, want)
	}
}
