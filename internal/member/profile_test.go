package member_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Who is named twice has each tag once; those who ask at the same time get their own.
func TestProfiles(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var ids []member.ID
		for _, tag := range []string{"a", "b"} {
			text := a.Member()
			a.Must(200, "POST", "/v1/members/"+text+"/tags", apptest.J{"add": []string{tag, "vip"}})
			m, err := member.ParseID(text)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, m)
		}
		list, err := a.Members.Profiles(a.Context(), []member.ID{ids[0], ids[1], ids[0], 7})
		if err != nil || len(list) != 2 || !slices.Equal(list[ids[0]].Tags, []string{"a", "vip"}) || !slices.Equal(list[ids[1]].Tags, []string{"b", "vip"}) {
			t.Errorf("%v, %v", list, err)
		}
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				p, err := a.Members.Profile(a.Context(), ids[i%2])
				if err != nil || !slices.Equal(p.Tags, []string{"ab"[i%2 : i%2+1], "vip"}) {
					t.Errorf("%d: %v, %v", i, p, err)
				}
			})
		}
		all.Wait()
		if _, err := a.Members.Profile(a.Context(), 7); !errors.Is(err, member.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
