package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// A start that cannot be says why in one line that an operator can act on, and never shows
// the password of the database.
func TestBadStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.MkdirAll(garbage, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(garbage, "patron.db"), bytes.Repeat([]byte("shopping list "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, says string
		args       []string
	}{
		{"a file for a folder", "not a directory", []string{"--data-dir", file}},
		{"nobody there", "The database does not answer (", []string{"--data-dir", dir, "--database-url", "postgres://x:canary-secret@127.0.0.1:1/y"}},
		{"no database", "is full or fails (", []string{"--data-dir", garbage}},
		{"nowhere to listen", "listen on 192.0.2.1:1", []string{"--data-dir", filepath.Join(dir, "new"), "--listen", "192.0.2.1:1", "--trusted-proxy", "192.0.2.2"}},
		{"in the open", "--tls-local", []string{"--data-dir", filepath.Join(dir, "new"), "--listen", "0.0.0.0:0"}},
		{"a profiler for all", "debug_listen", []string{"--data-dir", dir, "--config", configFile(t, "debug_listen: 0.0.0.0:1\n")}},
	} {
		cmd := spawn(t, append([]string{"serve"}, tt.args...)...)
		cmd.Env = append(cmd.Env, "LC_ALL=C", "PATRON_LOG_LEVEL=error")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		last := lastLine(stderr.String())
		if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(last, "patron: ") || !strings.Contains(last, tt.says) {
			t.Errorf("%s: %v, status %d\n%s", tt.name, err, cmd.ProcessState.ExitCode(), stderr.String())
		}
		if strings.Contains(stderr.String(), "canary-secret") {
			t.Errorf("%s: it shows the password: %s", tt.name, stderr.String())
		}
	}
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "patron.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestPlain(t *testing.T) {
	t.Parallel()
	cause := errs.New(errs.Internal, "x", "disk\nis full", "")
	if got := errs.As(plain(db.ErrStorage.Because(cause))).Text("zh-CN"); !strings.Contains(got, "磁盘") || !strings.Contains(got, "disk is full") {
		t.Errorf("a full disk: %s", got)
	}
	if got := plain(db.ErrStorage); got != error(db.ErrStorage) {
		t.Errorf("without a cause: %v", got)
	}
	if got := plain(cause); got != error(cause) {
		t.Errorf("another error: %v", got)
	}
}
