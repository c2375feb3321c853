package arch

import (
	"path"
	"slices"
	"strings"
	"testing"

	// Every package that declares statements, so that they are registered in this test.
	_ "github.com/patron-loyalty/patron/internal/catalog"
	_ "github.com/patron-loyalty/patron/internal/connect/export"
	_ "github.com/patron-loyalty/patron/internal/connect/intake"
	_ "github.com/patron-loyalty/patron/internal/connect/stash"
	_ "github.com/patron-loyalty/patron/internal/coupon"
	_ "github.com/patron-loyalty/patron/internal/desk"
	_ "github.com/patron-loyalty/patron/internal/draw"
	_ "github.com/patron-loyalty/patron/internal/insight"
	_ "github.com/patron-loyalty/patron/internal/kit/api"
	_ "github.com/patron-loyalty/patron/internal/kit/db"
	_ "github.com/patron-loyalty/patron/internal/kit/event"
	_ "github.com/patron-loyalty/patron/internal/kit/job"
	_ "github.com/patron-loyalty/patron/internal/ledger"
	_ "github.com/patron-loyalty/patron/internal/member"
	_ "github.com/patron-loyalty/patron/internal/offer"
	_ "github.com/patron-loyalty/patron/internal/plan"
	_ "github.com/patron-loyalty/patron/internal/portal"
	_ "github.com/patron-loyalty/patron/internal/price"
	_ "github.com/patron-loyalty/patron/internal/privacy"
	_ "github.com/patron-loyalty/patron/internal/program"
	_ "github.com/patron-loyalty/patron/internal/quota"
	_ "github.com/patron-loyalty/patron/internal/reward"
	_ "github.com/patron-loyalty/patron/internal/rule"
	_ "github.com/patron-loyalty/patron/internal/sale"
	_ "github.com/patron-loyalty/patron/internal/staff"
	_ "github.com/patron-loyalty/patron/internal/tier"
	_ "github.com/patron-loyalty/patron/internal/till"
	_ "github.com/patron-loyalty/patron/internal/track"
)

// Whoever declares statements in a new package adds it to the imports above.
func TestNouns(t *testing.T) {
	t.Parallel()
	var declare, listed []string
	for _, f := range files(t) {
		if f.name == "internal/test/arch/nouns_test.go" {
			listed = f.imports
		}
		calls := strings.Contains(f.text, "db.Define") || f.dir() == "internal/kit/db"
		if calls && !f.isTest() && !f.forTests() {
			declare = append(declare, module+f.dir())
		}
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(declare))) {
		if !slices.Contains(listed, name) {
			t.Errorf("package %s declares statements and is not imported in nouns_test.go", path.Base(name))
		}
	}
}
