package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
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
