package staff

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

// rights is who may do what, as a person would check it. A change of the table in roles.go
// has to be made here too, and so is seen in review.
const rights = `
members.read     owner manager cashier agent auditor integrator
members.write    owner manager cashier agent integrator
members.manage   owner manager
sales.read       owner manager cashier agent analyst auditor integrator
sales.write      owner manager cashier integrator
points.read      owner manager cashier agent analyst auditor integrator
points.write     owner manager cashier integrator
points.adjust    owner manager agent
points.approve   owner manager
catalog.read     owner manager cashier agent analyst auditor integrator
catalog.write    owner manager integrator
rules.read       owner manager cashier agent analyst auditor integrator
rules.write      owner manager
events.read      owner manager agent analyst auditor integrator
events.write     owner manager cashier integrator
reports.read     owner manager analyst auditor
lists.export     owner manager analyst auditor
lists.import     owner manager
program.manage   owner manager
staff.manage     owner
keys.manage      owner integrator
audit.read       owner auditor
system.operate   owner
`

func TestRoleTable(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	got.WriteByte('\n')
	for _, p := range Permissions() {
		fmt.Fprintf(&got, "%-16s", p)
		for _, c := range columns {
			if c.Role.Can()[p] {
				got.WriteString(" " + string(c.Role))
			}
		}
		got.WriteByte('\n')
	}
	if got.String() != rights {
		t.Errorf("the table says:%s", got.String())
	}
}

// Every row of the table has a mark for every role, and labels in both languages.
func TestTableIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[api.Permission]bool{}
	for _, g := range table {
		marks := strings.Fields(g.roles)
		if len(marks) != len(columns) || strings.Trim(strings.Join(marks, ""), "x.") != "" {
			t.Errorf("%s has marks %q", g.Permission, g.roles)
		}
		if g.EN == "" || g.ZH == "" || g.EN == g.ZH || seen[g.Permission] {
			t.Errorf("%s has labels %q and %q, or stands twice", g.Permission, g.EN, g.ZH)
		}
		seen[g.Permission] = true
	}
	if Role("").Valid() || len(Role("root").Can()) != 0 || !Role("owner").Valid() {
		t.Error("a role that is none has rights")
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	if !maps.Equal(scope([]string{All}), Owner.Can()) {
		t.Error("all is not everything")
	}
	if got := scope([]string{"sales.read", "sales.write"}); len(got) != 2 || !got[ReadSales] || !got[WriteSales] {
		t.Errorf("scope = %v", got)
	}
	if !covers(Owner.Can(), Manager.Can()) || covers(Manager.Can(), Owner.Can()) || !covers(nil, nil) {
		t.Error("covers is wrong")
	}
	if got, err := checkScopes([]string{"sales.write", "sales.read", "sales.read"}); err != nil || !slices.Equal(got, []string{"sales.read", "sales.write"}) {
		t.Errorf("checkScopes = %v, %v", got, err)
	}
	for _, bad := range [][]string{nil, {}, {""}, {"sales"}, {"all", "sales.read"}, {"sales.read", "SALES.READ"}} {
		if _, err := checkScopes(bad); err == nil {
			t.Errorf("checkScopes(%q) passed", bad)
		}
	}
}
