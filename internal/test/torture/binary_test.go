//go:build torture

package torture

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the repository. Tests run in their own folder.
var root, _ = filepath.Abs(filepath.Join("..", "..", ".."))

// built is where the binaries lie while the tests run.
var built string

// patron is the program as it is shipped.
func patron() string { return filepath.Join(built, "patron") }

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if built, err = os.MkdirTemp("", "patron-torture-"); err == nil {
			defer os.RemoveAll(built)
			err = build(patron())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func build(to string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", to, "./cmd/patron")...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %v\n%s", err, said)
	}
	return nil
}

// weak builds the program with a line of it changed, past the tree: the compiler is handed
// another text for one file. So nothing in the program can be switched to be weaker.
func weak(t *testing.T, file string, changes ...string) string {
	t.Helper()
	file = filepath.Join(root, file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(string(text), changes[i]) != 1 {
			t.Fatalf("%s no longer holds %q once: the weakened program cannot be made", file, changes[i])
		}
	}
	changed, overlay := filepath.Join(t.TempDir(), "changed.go"), filepath.Join(t.TempDir(), "overlay.json")
	swap, _ := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}}) // strings are always JSON
	for name, content := range map[string]string{changed: strings.NewReplacer(changes...).Replace(string(text)), overlay: string(swap)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(t.TempDir(), "patron")
	if err := build(to, "-overlay", overlay); err != nil {
		t.Fatal(err)
	}
	return to
}
