package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var at = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

func newKey(t testing.TB) backup.Key {
	t.Helper()
	k, err := backup.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// written is a backup of a fresh SQLite database, and the keys that open it.
func written(t testing.TB) (path string, key, extra backup.Key) {
	t.Helper()
	d := dbtest.Open(t, db.SQLite)
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		random := make([]byte, 200<<10) // which cannot be packed: the file has more than one chunk
		_, _ = rand.Read(random)
		_, err := tx.ExecText(ctx, `INSERT INTO request (shard, hash, body_hash, status, answer, at_ms) VALUES (1, $1, $1, 200, $2, 0)`, []byte{1}, random)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key, extra = newKey(t), newKey(t)
	path = filepath.Join(t.TempDir(), "x.backup")
	draft, err := write(t, d, path, key.Public(), extra)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the backup has its name before it is kept")
	}
	if err := draft.Keep(); err != nil {
		t.Fatal(err)
	}
	return path, key, extra
}

func write(t testing.TB, d *db.DB, path, public string, extra backup.Key) (*backup.Draft, error) {
	t.Helper()
	frozen, err := d.Freeze(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := frozen.Close(); err != nil {
			t.Error(err)
		}
	}()
	return backup.Write(t.Context(), path, backup.Header{Program: "1", At: at, Keys: []byte("keys")}, frozen, public, extra)
}

// readAll reads a backup to its end.
func readAll(path string, key backup.Key) (h backup.Header, content []byte, err error) {
	r, err := backup.Open(path, key)
	if err != nil {
		return h, nil, err
	}
	defer r.Close()
	for {
		_, part, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header, content, r.End()
		}
		if err != nil {
			return h, nil, err
		}
		if content, err = io.ReadAll(part); err != nil {
			return h, nil, err
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	path, key, extra := written(t)
	for name, k := range map[string]backup.Key{"the key": key, "the extra key": extra} {
		h, content, err := readAll(path, k)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if h.Program != "1" || !h.At.Equal(at) || string(h.Keys) != "keys" || h.Engine != "sqlite" || len(h.Schema) == 0 || h.Bytes != int64(len(content)) {
			t.Errorf("%s: header %+v, content %d bytes", name, h, len(content))
		}
		if !bytes.HasPrefix(content, []byte("SQLite format 3\x00")) {
			t.Errorf("%s: the content begins %q", name, content[:16])
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, clear := range []string{"SQLite", "sequence", "keys\"", "schema"} {
		if bytes.Contains(raw, []byte(clear)) {
			t.Errorf("the file says %q in the clear", clear)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// Whatever is cut off, and whatever bit is turned, the backup is refused, by the end of
// reading at the latest.
func TestDamage(t *testing.T) {
	t.Parallel()
	path, key, _ := written(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	refused := func(t interface{ Fatalf(string, ...any) }, what string, file []byte) {
		name := filepath.Join(dir, "damaged")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatalf("%v", err)
		}
		_, _, err := readAll(name, key)
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrForeign) && !errors.Is(err, backup.ErrKey) {
			t.Fatalf("%s of %d: %v", what, len(file), err)
		}
	}
	for _, n := range []int{0, 1, 22, 100, len(whole) / 2, len(whole) - 1} {
		refused(t, "the first bytes", whole[:n])
	}
	// Cut between two chunks of age, each that is left is as it was written.
	mac := bytes.Index(whole, []byte("\n--- ")) + 1
	const nonce, chunk = 16, 64<<10 + 16
	begin := mac + bytes.IndexByte(whole[mac:], '\n') + 1 + nonce
	if len(whole) < begin+2*chunk {
		t.Fatalf("the file has %d bytes: too few for this test", len(whole))
	}
	for n := begin; n < len(whole); n += chunk {
		refused(t, "whole chunks", whole[:n])
	}
	refused(t, "the file and more", append(slices.Clone(whole), 0))
	rapid.Check(t, func(t *rapid.T) {
		file := slices.Clone(whole)
		file[rapid.IntRange(0, len(file)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		refused(t, "a turned bit", file)
	})
	for i := range 600 { // the header of age, where every byte means something else
		file := slices.Clone(whole)
		file[i] ^= 1
		refused(t, "a turned bit", file)
	}
}

// Both halves are refused in both languages with the name of the file, and with the right
// words for each.
func TestRefusals(t *testing.T) {
	t.Parallel()
	path, key, _ := written(t)
	other := newKey(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("age-encryption.org/v0\nno"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		key        backup.Key
		want       error
	}{
		{"wrong key", path, other, backup.ErrKey},
		{"no backup", text, key, backup.ErrForeign},
		{"nothing there", path + "x", key, backup.ErrRead},
		{"a folder", filepath.Dir(path), key, backup.ErrRead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readAll(tt.path, tt.key)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			for _, lang := range []string{"en", "zh-CN"} {
				if said := errs.As(err).Text(lang); !strings.Contains(said, tt.path) || strings.Contains(said, "{") {
					t.Errorf("%s: %q", lang, said)
				}
			}
		})
	}
}

// A backup writes over nothing, neither at once nor at the end, and leaves nothing behind.
func TestWriteRefusals(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	key := newKey(t)
	dir := t.TempDir()
	there := filepath.Join(dir, "there")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, public string
		want               error
	}{
		{"a file", there, key.Public(), backup.ErrExists},
		{"no folder", filepath.Join(dir, "no", "x"), key.Public(), backup.ErrWrite},
		{"a file for a folder", filepath.Join(there, "x"), key.Public(), backup.ErrWrite},
		{"a folder of the system", "/proc/x.backup", key.Public(), backup.ErrWrite},
		{"no public key", filepath.Join(dir, "x"), "age1x", backup.ErrRecipient},
		{"a secret", filepath.Join(dir, "x"), key.Secret(), backup.ErrRecipient},
	} {
		if _, err := write(t, d, tt.path, tt.public, key); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	late := filepath.Join(dir, "late")
	draft, err := write(t, d, late, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(late, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := draft.Keep(); !errors.Is(err, backup.ErrExists) {
		t.Errorf("Keep over a file: %v", err)
	}
	for _, name := range []string{there, late} {
		if text, err := os.ReadFile(name); string(text) != "mine" {
			t.Errorf("%s is %q, %v", name, text, err)
		}
	}
	if files, err := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("left are %v, %v", files, err)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	first, made, err := backup.OpenKey(path)
	if err != nil || !made {
		t.Fatalf("OpenKey = %v, %v", made, err)
	}
	again, made, err := backup.OpenKey(path)
	if err != nil || made || again.Secret() != first.Secret() {
		t.Errorf("opened again: made %v, %v", made, err)
	}
	if err := first.Save(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a key was saved over another: %v", err)
	}
	bare := filepath.Join(dir, "bare") // as printed by: patron key backup
	if err := os.WriteFile(bare, []byte(first.Secret()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := backup.ReadKey(bare); err != nil || k.Public() != first.Public() {
		t.Errorf("ReadKey of the bare secret: %v", err)
	}
	if err := os.Chmod(bare, 0o640); err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(dir, "public")
	if err := os.WriteFile(public, []byte(first.Public()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(dir, "none"): backup.ErrNoKey, public: backup.ErrKeyFile, bare: backup.ErrKeyMode, dir: backup.ErrKeyFile,
	} {
		if _, err := backup.ReadKey(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		} else if strings.Contains(err.Error(), "AGE-SECRET-KEY-1") {
			t.Errorf("%s: the error quotes a secret", path)
		}
	}
}
