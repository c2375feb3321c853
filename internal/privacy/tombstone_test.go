package privacy

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/member"
)

// Whatever is buried, in whatever pieces and however often, stands in the file once, in the
// order in which it came; and a line that a crash has torn takes nothing else with it.
func TestGraves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		g := &graves{path: filepath.Join(dir, string(rune('a'+n%26))+member.ID(n).String())}
		var want []tombstone
		for range rapid.IntRange(0, 6).Draw(t, "burials") {
			var list []tombstone
			for range rapid.IntRange(0, 3).Draw(t, "stones") {
				s := tombstone{Member: member.ID(rapid.Int64Range(1, 4).Draw(t, "member")), CreatedMS: rapid.Int64Range(5, 6).Draw(t, "created"), AtMS: 9}
				list = append(list, s)
			}
			if err := g.bury(list); err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				if !slices.ContainsFunc(want, func(o tombstone) bool { return o.Member == s.Member && o.CreatedMS == s.CreatedMS }) {
					want = append(want, s)
				}
			}
			if rapid.Bool().Draw(t, "torn") && len(want) > 0 {
				tear(t, g.path)
			}
		}
		got, err := g.read()
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	})
}

// tear leaves the beginning of a line behind, as a crash would.
func tear(t *rapid.T, path string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("mem_8yfvmgqx1px2x9y90eety5jb2r 17"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Something else in the file is an error, and no start goes on as if nobody was erased.
func TestGravesOfStrangers(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"hello\n", "mem_8yfvmgqx1px2x9y90eety5jb2r 5\n", "mem_x 5 6\n", "mem_8yfvmgqx1px2x9y90eety5jb2r x 6\n"} {
		g := &graves{path: filepath.Join(t.TempDir(), "erased.log")}
		if err := os.WriteFile(g.path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := g.read(); err == nil {
			t.Errorf("%q reads as %v", line, list)
		}
	}
}
