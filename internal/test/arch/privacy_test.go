package arch

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Every column of the schema, on both engines, stands once in the registry of personal
// fields, and so does every field of the records that lie in columns as JSON. Whoever adds
// one says there whose it is, in which sheet of an export it comes, and what an erasure does
// with it.
func TestPersonalRegistry(t *testing.T) {
	t.Parallel()
	registered := map[string]int{}
	for _, f := range privacy.Registry() {
		for _, name := range f.Names() {
			registered[name]++
		}
	}
	for name, n := range registered {
		if n != 1 {
			t.Errorf("%s stands %d times in the registry", name, n)
		}
	}
	there := map[string]bool{}
	for _, name := range member.SealedFields() {
		there["member.sealed."+name] = true
	}
	jsonFields(there, "sale.body", reflect.TypeFor[sale.Body]())
	jsonFields(there, "sale.body.l", reflect.TypeFor[sale.Line]())
	for _, e := range dbtest.Engines {
		query := liteColumns
		if e == db.Postgres {
			query = postgresColumns
		}
		for name := range columns(t, dbtest.Open(t, e), query) {
			there[name] = true
		}
	}
	for _, gap := range gaps(registered, there) {
		t.Error(gap)
	}
}

// gaps says what is in one and not in the other.
func gaps(registered map[string]int, there map[string]bool) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if registered[name] == 0 {
			list = append(list, name+" is not in the registry of personal fields: say in internal/privacy/registry.go whose it is")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(registered)) {
		if !there[name] {
			list = append(list, name+" is in the registry of personal fields and nowhere else")
		}
	}
	return list
}

// The rule finds what it is there to find.
func TestGaps(t *testing.T) {
	t.Parallel()
	got := gaps(map[string]int{"a.x": 1, "a.gone": 1}, map[string]bool{"a.x": true, "a.fresh": true})
	if len(got) != 2 || !strings.HasPrefix(got[0], "a.fresh ") || !strings.HasPrefix(got[1], "a.gone ") {
		t.Errorf("gaps: %q", got)
	}
}

func jsonFields(into map[string]bool, prefix string, of reflect.Type) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		into[prefix+"."+name] = true
	}
}

// A line of the registry that names sheets names one for the line or one for each column;
// and what is erased or kept says why.
func TestRegistryLines(t *testing.T) {
	t.Parallel()
	for _, f := range privacy.Registry() {
		sheets := strings.Fields(f.Sheets)
		if n := len(f.Names()); len(sheets) > 1 && len(sheets) != n {
			t.Errorf("%s: %d sheets for %d columns", f.Table, len(sheets), n)
		}
		if f.Class != privacy.Nobody && f.Why == "" {
			t.Errorf("%s %s: no reason", f.Table, f.Columns)
		}
		if f.Class == privacy.Sealed && f.Fate == privacy.Stays {
			t.Errorf("%s %s: sealed, and outlives an erasure", f.Table, f.Columns)
		}
	}
}
