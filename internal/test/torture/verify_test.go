//go:build torture

package torture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// A million entries are verified within a minute; here a small book at that pace, and time
// to start and to see to the rest of the file. TORTURE_ENTRIES=1000000 tries the whole.
func TestVerifyInTime(t *testing.T) {
	t.Parallel()
	const pace, start = time.Minute / 1_000_000, 10 * time.Second
	p := newPlace(t, db.SQLite)
	s := p.start(t)
	want, have := soak.Count("TORTURE_ENTRIES", 20_000), 0
	for have < want {
		said, err := p.tool("bench", "earn", "--url", s.url, "--key", p.key, "--batch", "100", "--in-flight", "8", "--members", "5000", "--seconds", "5", "--warm-up", "0", "--json")
		if err != nil {
			t.Fatal(err)
		}
		var ran struct{ Ops int }
		if err := json.Unmarshal([]byte(said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]), &ran); err != nil || ran.Ops == 0 {
			t.Fatalf("what bench says: %v\n%s", err, said)
		}
		have += ran.Ops
	}
	s.stop(t)
	began := time.Now()
	said, err := p.tool("verify")
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	var members, entries int
	lines := strings.Split(strings.TrimSpace(said), "\n") // the head of the audit trail comes first
	if _, err := fmt.Sscanf(lines[len(lines)-1], "%d members, %d entries", &members, &entries); err != nil || entries < want {
		t.Fatalf("what verify says: %v\n%s", err, said)
	}
	if most := start + pace*time.Duration(entries); took > most {
		t.Errorf("%d entries took %v, %v at most", entries, took, most)
	}
	t.Logf("%d entries in %v", entries, took)
}
