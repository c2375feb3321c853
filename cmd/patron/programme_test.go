package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// The programme is exported, compared and applied by the command line, beside a running server,
// which knows of it within two seconds. The statuses are those of diff.
func TestProgrammeBesideServer(t *testing.T) {
	t.Parallel()
	for _, e := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			flags := where(t, e)
			secret := key(t, flags)
			server := serve(t, flags...)
			here := t.TempDir()
			tool := func(status int, args ...string) string {
				t.Helper()
				cmd := spawn(t, append(append([]string{"programme"}, args...), flags...)...)
				cmd.Dir = here
				out, err := cmd.CombinedOutput()
				if got := cmd.ProcessState.ExitCode(); got != status {
					t.Fatalf("programme %v: exit %d, want %d (%v)\n%s", args, got, status, err, out)
				}
				return string(out)
			}
			tool(0, "export", "a.yaml")
			text, err := os.ReadFile(filepath.Join(here, "a.yaml"))
			if err != nil || !strings.HasPrefix(string(text), "# yaml-language-server: $schema=") {
				t.Fatalf("%v\n%s", err, text)
			}
			tool(0, "diff", "a.yaml")
			edited := strings.Replace(string(text), "plans: []", "plans:\n  - code: gold\n    state: live\n    name_en: Gold\n    name_zh: 金卡\n    every: month\n    price: {amount: 2500, currency: CNY}\n    trial_days: 0\n    grace_days: 0\n    remind_days: 0\n    benefits: {multiplier: 1500}", 1)
			if err := os.WriteFile(filepath.Join(here, "b.yaml"), []byte(edited), 0o600); err != nil {
				t.Fatal(err)
			}
			if out := tool(1, "diff", "b.yaml"); out != "+ plans gold\n" {
				t.Errorf("diff: %q", out)
			}
			if out := tool(0, "plan", "b.yaml"); out != "would add plan gold\n" {
				t.Errorf("plan: %q", out)
			}
			tool(0, "apply", "b.yaml")
			begun := time.Now()
			for {
				req, _ := http.NewRequest("GET", server.url+"/v1/plans/gold", nil)
				req.Header.Set("Authorization", "Bearer "+secret)
				r, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = r.Body.Close()
				if r.StatusCode == 200 {
					break
				}
				if time.Since(begun) > within {
					t.Fatalf("the server answers %d", r.StatusCode)
				}
				time.Sleep(20 * time.Millisecond)
			}
			tool(0, "diff", "b.yaml")
			if out := tool(1, "apply", "a.yaml.missing"); !strings.Contains(out, "a.yaml.missing") {
				t.Errorf("a file that is not there: %q", out)
			}
			wrong := strings.Replace(edited, "every: month", "every: week", 1)
			if err := os.WriteFile(filepath.Join(here, "c.yaml"), []byte(wrong), 0o600); err != nil {
				t.Fatal(err)
			}
			if out := tool(1, "apply", "c.yaml"); !strings.Contains(out, "plans[0].every") || !strings.Contains(out, "line ") {
				t.Errorf("a wrong file: %q", out)
			}
		})
	}
}
