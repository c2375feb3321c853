package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/tillsim"
)

// The till is driven through the sandbox of a server in a process of its own, by a key of the
// sandbox; a key that is not is refused unless one says that one means it.
func TestTillSim(t *testing.T) {
	t.Parallel()
	flags := where(t, db.SQLite)
	live := key(t, flags)
	test := key(t, append(flags, "--test"))
	server := serve(t, flags...)
	out, err := spawn(t, "till-sim", "--url", server.url, "--key", live).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--live") {
		t.Errorf("a live key: %v %s", err, out)
	}
	out, err = spawn(t, "till-sim", "--url", server.url, "--key", test, "--json").Output()
	var v tillsim.Verdict
	if jerr := json.Unmarshal(out, &v); err != nil || jerr != nil || !v.Pass || v.Passed+v.Skips != len(v.Cases) || v.Passed < 20 {
		t.Errorf("the sandbox: %v %v\n%s", err, jerr, out)
	}
	if len(v.Cases) > 0 && len(v.Cases[0].Steps) > 0 && v.Cases[0].Steps[0].Messages != nil {
		t.Error("messages were not asked for")
	}
	out, err = spawn(t, "till-sim", "--url", server.url, "--key", test, "--store", "nowhere").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "404") && !strings.Contains(string(out), "422") {
		t.Errorf("a store that is not there: %v %s", err, out)
	}
}
