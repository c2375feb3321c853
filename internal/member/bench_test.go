package member

import (
	"fmt"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// How fast an import enrols members with name and phone.
func BenchmarkCreateMany(b *testing.B) {
	for _, e := range dbtest.Engines {
		for _, name := range []string{"王小明", "Alice Johnson"} {
			b.Run(e.String()+"/"+name, func(b *testing.B) {
				s, _ := newService(dbtest.Open(b, e))
				b.ResetTimer()
				made := 0
				for b.Loop() {
					list := make([]Enrolment, 1000)
					for i := range list {
						list[i] = Enrolment{Phone: fmt.Sprintf("138%08d", made+i), Name: name}
					}
					if _, err := s.CreateMany(b.Context(), list); err != nil {
						b.Fatal(err)
					}
					made += len(list)
				}
				b.ReportMetric(float64(made)/b.Elapsed().Seconds(), "members/s")
			})
		}
	}
}

// What a sale pays to find its member: kept, and read anew.
func BenchmarkFind(b *testing.B) {
	s, c := newService(dbtest.Open(b, db.SQLite))
	if _, err := s.Create(b.Context(), Enrolment{Phone: "13800138000"}); err != nil {
		b.Fatal(err)
	}
	for name, step := range map[string]func(){"kept": func() {}, "read": func() { c.Advance(staleFor) }} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				step()
				r, err := ParseRef("phone:13800138000")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Find(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
