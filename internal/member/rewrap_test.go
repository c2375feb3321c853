package member

import (
	"fmt"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// After a rotation all keys move to the new wrapping key, the old one goes, and everybody
// is still readable and found.
func TestRewrap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		const n = 2*rewrapPage + 7
		list := make([]Enrolment, n)
		for i := range list {
			list[i] = Enrolment{Card: fmt.Sprint(i), Name: fmt.Sprint("Name", i)}
		}
		if _, err := s.CreateMany(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		if err := s.box.Rotate(); err != nil {
			t.Fatal(err)
		}
		create(t, s, Enrolment{Card: "after"}) // under the new key already
		for _, want := range []int64{n, 0} {
			if moved, err := s.Rewrap(t.Context(), nil); err != nil || moved != want {
				t.Fatalf("moved %d, %v; want %d", moved, err, want)
			}
		}
		if err := s.box.Retire(); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			m, err := s.Get(t.Context(), ref(t, fmt.Sprint("card:", i)))
			if err != nil || m.Name != fmt.Sprint("Name", i) {
				t.Fatalf("member %d: %q, %v", i, m.Name, err)
			}
		}
	})
}
