// Package arch keeps the shape of the house: who may import whom, what must be the same on
// both engines, and how long a file may grow.
//
// Life: tests only; nothing imports this package.
//
// Law: what is checked here is written here as a table. Whoever adds a folder adds a line.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/patron-loyalty/patron/"

// levels says how high each folder stands. A folder may import what stands lower, and
// nothing beside it. A folder inside a noun stands where the noun does, and may import its
// siblings there.
var levels = map[string]int{
	"internal/kit/errs":   0,
	"internal/kit/cell":   1,
	"internal/kit/clock":  1,
	"internal/kit/trace":  1,
	"internal/kit/config": 1,
	"internal/kit/i18n":   2,
	"internal/kit/id":     1,
	"internal/kit/money":  1,
	"internal/kit/qrcode": 1,
	"internal/kit/seal":   1,
	"internal/kit/spa":    1,
	"internal/kit/db":     2,
	"internal/kit/backup": 3,
	"internal/kit/cond":   3,
	"internal/kit/cert":   3,
	"internal/kit/api":    3,
	"internal/kit/event":  4,
	"internal/kit/job":    4,

	"internal/program":   11,
	"internal/staff":     12,
	"internal/member":    13,
	"internal/privacy":   14,
	"internal/activity":  14,
	"internal/ledger":    15,
	"internal/catalog":   15,
	"internal/quota":     16,
	"internal/discount":  16,
	"internal/sale":      17,
	"internal/tier":      18,
	"internal/segment":   18,
	"internal/coupon":    19,
	"internal/rule":      20,
	"internal/offer":     20,
	"internal/plan":      20,
	"internal/reward":    20,
	"internal/draw":      21,
	"internal/price":     21,
	"internal/message":   21,
	"internal/till":      22,
	"internal/survey":    22,
	"internal/desk":      22,
	"internal/community": 22,
	"internal/referral":  22,
	"internal/track":     22,
	"internal/campaign":  23,
	"internal/alliance":  24,
	"internal/connect":   24,
	"internal/insight":   24,
	"internal/portal":    25, // the members' face: it shows what all others keep, and nothing stands on it

	"web":              0, // the built faces, as data
	"internal/app":     30,
	"internal/bench":   31, // a client: it knows the API from outside; its tests start the program
	"internal/replay":  31, // a client too
	"internal/tillsim": 31, // and this
	"internal/demo":    31,
	"cmd":              40,
	"test/replay":      40,
}

// folder returns the line of levels that a folder of the repository belongs to, or "".
func folder(dir string) string {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := levels[dir]; ok {
			return dir
		}
	}
	return ""
}

// root is the repository. Tests run in their own folder.
var root = filepath.Join("..", "..", "..")

// file is one Go file of the repository.
type file struct {
	name    string // with slashes, from the root
	imports []string
	pack    string // name of the package
	doc     bool   // has the package's doc
	text    string
}

func (f file) dir() string    { return path.Dir(f.name) }
func (f file) isTest() bool   { return strings.HasSuffix(f.name, "_test.go") }
func (f file) forTests() bool { return strings.HasPrefix(f.name, "internal/test/") }

// files reads every Go file of the repository.
func files(t *testing.T) (list []file) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); d.IsDir() && (base == "node_modules" || base == "testdata" || base == ".git") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, name)
		f := file{name: filepath.ToSlash(short), pack: tree.Name.Name, doc: tree.Doc != nil, text: string(text)}
		for _, i := range tree.Imports {
			f.imports = append(f.imports, strings.Trim(i.Path.Value, `"`))
		}
		list = append(list, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d Go files under %s", len(list), root)
	}
	return list
}

// wrong says why a file may not import a package of this repository, or "".
func wrong(f file, imported string) string {
	if strings.HasPrefix(imported, "internal/test/") {
		if f.isTest() || f.forTests() {
			return ""
		}
		return "the program imports what is for tests"
	}
	if f.forTests() {
		return "" // tests of the whole see the whole
	}
	from, to := folder(f.dir()), folder(imported)
	switch {
	case from == "":
		return "the folder has no level; add it to the table"
	case to == "":
		return "what it imports has no level; add it to the table"
	case from == to:
		return ""
	case levels[to] > levels[from]:
		return "upward: talk by event, or let the higher register with the lower"
	case levels[to] == levels[from]:
		return "sideways: neither stands on the other"
	}
	return ""
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		for _, i := range f.imports {
			imported, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			if why := wrong(f, imported); why != "" {
				t.Errorf("%s imports %s: %s", f.name, imported, why)
			}
		}
		if !f.forTests() && strings.HasPrefix(f.name, "internal/") && folder(f.dir()) == "" {
			t.Errorf("%s: the folder has no level; add it to the table", f.name)
		}
	}
}

// The rule refuses what it is there to refuse.
func TestWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, to string
		ok             bool
	}{
		{"down", "internal/sale/service.go", "internal/member", true},
		{"to the kit", "internal/sale/service.go", "internal/kit/db", true},
		{"inside a noun", "internal/connect/shop/shop.go", "internal/connect/file", true},
		{"up", "internal/member/service.go", "internal/sale", false},
		{"up from inside", "internal/connect/file/file.go", "internal/app", false},
		{"sideways", "internal/ledger/engine.go", "internal/catalog", false},
		{"kit to a noun", "internal/kit/api/api.go", "internal/staff", false},
		{"kit sideways", "internal/kit/event/event.go", "internal/kit/job", false},
		{"unknown", "internal/misc/x.go", "internal/kit/db", false},
		{"to unknown", "internal/sale/service.go", "internal/misc", false},
		{"test to tests", "internal/kit/db/db_test.go", "internal/test/dbtest", true},
		{"program to tests", "internal/kit/db/db.go", "internal/test/dbtest", false},
		{"test upward", "internal/member/service_test.go", "internal/sale", false},
		{"tests of the whole", "internal/test/apptest/apptest.go", "internal/app", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if why := wrong(file{name: tt.from}, tt.to); (why == "") != tt.ok {
				t.Errorf("%s imports %s: %q", tt.from, tt.to, why)
			}
		})
	}
}
