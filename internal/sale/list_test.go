package sale_test

import (
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Pages have neither gaps nor doubles, whatever the filter and the size of a page, also
// where many documents bear one time.
func TestPages(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other := a.Member(), a.Member()
		var mine, theirs, lost, all []string
		for i := range 9 {
			for _, who := range []string{m, other, ""} {
				edit := J{"at": at(float64(-(i / 3)))}
				if who != "" {
					edit["member"] = who
				}
				var s apptest.Sold
				a.Post("/v1/sales", a.Sale(edit)).Into(&s)
				all = append(all, s.ID)
				switch who {
				case m:
					mine = append(mine, s.ID)
				case other:
					theirs = append(theirs, s.ID)
				default:
					lost = append(lost, s.ID)
				}
			}
		}
		var waiting []string
		for range 5 {
			var r apptest.Returned
			a.Must(202, "POST", "/v1/returns", a.Return(name("never", a.Unique()), nil)).Into(&r)
			waiting, all = append(waiting, r.ID), append(all, r.ID)
		}
		a.Must(200, "POST", "/v1/sales/"+lost[0]+"/assign", J{"member": m})
		mine, lost = append(mine, lost[0]), lost[1:]
		for _, size := range []int{1, 2, 3, 50} {
			for _, tt := range []struct {
				query string
				want  []string
			}{
				{"", all}, {"member=" + m, mine}, {"member=" + other, theirs}, {"unassigned=true", lost}, {"state=waiting", waiting}, {"state=parked", nil},
			} {
				got := list(t, a.Client, tt.query, size)
				want := slices.Sorted(slices.Values(tt.want))
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%q by %d: %d, want %d", tt.query, size, len(got), len(want))
				}
			}
		}
		if got := list(t, a.Client, "from="+at(-1)[:19]+"Z&to="+at(0)[:19]+"Z", 2); len(got) != 9 {
			t.Errorf("%d in the hour before noon, want 9", len(got))
		}
		if got := list(t, a.Client, "member="+m+"&from="+at(-1)[:19]+"Z&to="+at(0)[:19]+"Z", 2); len(got) != 3 {
			t.Errorf("%d of the member in that hour, want 3", len(got))
		}
		for query, code := range map[string]string{"source=till": "sale.filter", "member=" + m + "&unassigned=true": "sale.filter", "from=yesterday": "program.time", "state=posted": "request.invalid"} {
			a.Do("GET", "/v1/sales?"+query, nil).Refused(422, code)
		}
		a.Do("GET", "/v1/sales?cursor=abc", nil).Refused(400, "request.cursor")
		a.Do("GET", "/v1/sales?member=no:8999999", nil).Refused(404, "member.not_found")
	})
}

// The list of a member has what was born under records that were merged into them, and
// what was assigned to those, on pages of any size; the list of such a record is the
// survivor's.
func TestPagesAfterMerge(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		members := []string{a.Member(), a.Member(), a.Member()}
		var want []string
		for i := range 12 {
			var s apptest.Sold
			a.Post("/v1/sales", a.Sale(J{"member": members[i%3]})).Into(&s)
			want = append(want, s.ID)
		}
		for _, m := range members {
			var s apptest.Sold
			a.Post("/v1/sales", a.Sale(nil)).Into(&s)
			a.Must(200, "POST", "/v1/sales/"+s.ID+"/assign", J{"member": m})
			want = append(want, s.ID)
		}
		a.Must(200, "POST", "/v1/members/"+members[0]+"/merge", J{"into": members[1]})
		a.Must(200, "POST", "/v1/members/"+members[1]+"/merge", J{"into": members[2]})
		slices.Sort(want)
		for _, m := range members {
			for _, size := range []int{1, 4, 50} {
				got := list(t, a.Client, "member="+m, size)
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("by %d: %d documents, want %d", size, len(got), len(want))
				}
			}
		}
		first := a.Get("/v1/sales?limit=1&member=" + members[2])
		var page struct {
			Next string `json:"next_cursor"`
		}
		first.Into(&page)
		a.Do("GET", "/v1/sales?member="+a.Member()+"&cursor="+page.Next, nil).Refused(400, "request.cursor")
	})
}

// The list says whose a sale is by name, to those who may read members.
func TestListNames(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var m struct{ ID string }
		a.Post("/v1/members", J{"phone": "13800000001", "name": "王小曼"}).Into(&m)
		a.Post("/v1/sales", a.Sale(J{"member": m.ID}))
		a.Post("/v1/sales", a.Sale(nil))
		for _, tt := range []struct {
			client apptest.Client
			want   string
		}{{a.Client, ",王小曼"}, {a.Key("sales.read"), ","}} {
			var page struct {
				Items []struct {
					Name string `json:"member_name"`
				}
			}
			tt.client.Get("/v1/sales").Into(&page)
			if len(page.Items) != 2 || page.Items[0].Name+","+page.Items[1].Name != tt.want {
				t.Errorf("%+v, want %s", page.Items, tt.want)
			}
		}
	})
}
