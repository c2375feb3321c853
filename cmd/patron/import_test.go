package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Beside a running server the command runs inside it. The names of files are still those
// of the directory that the caller stands in.
func TestImportBesideServer(t *testing.T) {
	t.Parallel()
	flags := where(t, db.SQLite)
	serve(t, flags...)
	here := t.TempDir()
	for name, text := range map[string]string{
		"members.csv": "external_id,phone\n1,+8612000000001\n2,12\n",
		"patron.yaml": "default_language: zh-CN\n",
	} {
		if err := os.WriteFile(filepath.Join(here, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := spawn(t, append([]string{"import", "members", "members.csv", "--source", "crm", "--errors", "errors.csv", "--config", "patron.yaml", "--json"}, flags...)...)
	cmd.Dir = here
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"lines":2,"taken":1,"parked":0,"refused":1`) {
		t.Fatalf("%v\n%s", err, out)
	}
	refused, err := os.ReadFile(filepath.Join(here, "errors.csv"))
	if err != nil || !strings.Contains(string(refused), "2,12") {
		t.Errorf("the refused row: %v\n%s", err, refused)
	}
}

// An import takes its rows many at a time, and answers for each as if it were alone: of a
// product that comes twice both rows count, and one that is refused holds up no other.
func TestImportTogether(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		for _, tt := range []struct{ name, kind, text, first, second string }{
			{
				"products", "products", "sku,name,price\nA,Tea,1.00\nB,Cup,2.00\nA,Green tea,1.50\nA,Green tea,1.50\n" + strings.Repeat("x", 300) + ",Long,1\nC,Pot,3.00\n",
				`"lines":6,"taken":4,"parked":0,"refused":1,"repeated":1`, `"taken":2,"parked":0,"refused":1,"repeated":3`,
			},
			{
				"events", "events", "type,member,at,key\nvisit," + m + ",2026-03-01,1\nvisit,no:8999999,2026-03-01,2\nVISIT," + m + ",2026-03-01,3\nvisit," + m + ",2026-03-02,4\nvisit," + m + ",2026-03-02,4\nvisit," + m + ",2026-03-03,4\n",
				`"lines":6,"taken":2,"parked":0,"refused":3,"repeated":1`, `"taken":0,"parked":0,"refused":3,"repeated":3`,
			},
		} {
			file := filepath.Join(t.TempDir(), tt.name+".csv")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{tt.first, tt.second} {
				if out := string(command(t, a, "import", tt.kind, file, "--source", "crm", "--json")); !strings.Contains(out, want) {
					t.Errorf("%s: %s, want %s", tt.name, out, want)
				}
			}
		}
		a.Drain()
		if n := a.Number("SELECT COUNT(*) FROM event WHERE kind = 'event.visit'"); n != 2 {
			t.Errorf("%d visits", n)
		}
		if n := a.Number("SELECT COUNT(*) FROM product"); n != 3 {
			t.Errorf("%d products", n)
		}
	})
}
