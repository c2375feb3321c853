package seal

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// What is sealed opens in its place, and nowhere else, and not after a change of any bit.
func TestSeal(t *testing.T) {
	t.Parallel()
	box := Test()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		wrapped, key := box.NewKey()
		sealed := key.Seal(plain, []byte("member 1"))

		same, err := box.Unwrap(wrapped)
		if err != nil {
			t.Fatalf("Unwrap: %v", err)
		}
		if got, err := same.Open(sealed, []byte("member 1")); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %q, %v; want %q", got, err, plain)
		}
		if _, err := same.Open(sealed, []byte("member 2")); !errors.Is(err, ErrSealed) {
			t.Fatalf("another's place: %v, want ErrSealed", err)
		}
		_, other := box.NewKey()
		if _, err := other.Open(sealed, []byte("member 1")); !errors.Is(err, ErrSealed) {
			t.Fatalf("another's key: %v, want ErrSealed", err)
		}
		bit := rapid.IntRange(0, 8*len(sealed)-1).Draw(t, "bit")
		sealed[bit/8] ^= 1 << (bit % 8)
		if _, err := same.Open(sealed, []byte("member 1")); !errors.Is(err, ErrSealed) {
			t.Fatalf("bit %d changed: %v, want ErrSealed", bit, err)
		}
	})
}

func TestWrappedKey(t *testing.T) {
	t.Parallel()
	box := Test()
	good, _ := box.NewKey()
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	foreign, _ := Test().NewKey()
	for name, wrapped := range map[string][]byte{
		"nothing":        nil,
		"cut":            good[:len(good)-1],
		"a bit changed":  flipped,
		"of another box": foreign,
		"sealed bytes":   box.SealBytes(make([]byte, recordKeySize), nil),
	} {
		if _, err := box.Unwrap(wrapped); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v, want ErrSealed", name, err)
		}
	}
}

func TestSealBytes(t *testing.T) {
	t.Parallel()
	box := Test()
	sealed := box.SealBytes([]byte("seed"), []byte("staff 1"))
	if got, err := box.OpenBytes(sealed, []byte("staff 1")); err != nil || string(got) != "seed" {
		t.Fatalf("OpenBytes = %q, %v", got, err)
	}
	if _, err := box.OpenBytes(sealed, []byte("staff 2")); !errors.Is(err, ErrSealed) {
		t.Errorf("another's place: %v, want ErrSealed", err)
	}
	sealed, err := Vault{box}.Seal([]byte("answer"), []byte("key 1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (Vault{box}).Open(sealed, []byte("key 1")); err != nil || string(got) != "answer" {
		t.Errorf("vault: %q, %v", got, err)
	}
	if _, err := (Vault{box}).Open(sealed, []byte("key 2")); !errors.Is(err, ErrSealed) {
		t.Errorf("vault, another's place: %v, want ErrSealed", err)
	}
	wrapped, _ := box.NewKey()
	if _, err := box.OpenBytes(wrapped, nil); !errors.Is(err, ErrSealed) {
		t.Errorf("a wrapped key opened as bytes: %v, want ErrSealed", err)
	}
}

// A blind is HMAC-SHA256 over kind, NUL, value; it differs by kind and by box.
func TestBlind(t *testing.T) {
	t.Parallel()
	box := Test()
	mac := hmac.New(sha256.New, box.keys.Load().blind)
	mac.Write([]byte("phone\x00+8613800000000"))
	got := box.Blind("phone", "+8613800000000")
	if !bytes.Equal(got[:], mac.Sum(nil)[:16]) {
		t.Errorf("Blind = %x, want HMAC-SHA256 cut to 16 bytes", got)
	}
	if got == box.Blind("card", "+8613800000000") {
		t.Error("two kinds share an entry")
	}
	if got == Test().Blind("phone", "+8613800000000") {
		t.Error("the entry does not depend on the key")
	}
	if box.Fingerprint() == Test().Fingerprint() {
		t.Error("two boxes have one fingerprint")
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "patron.keys")
	box := open(t, path)
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("key file: mode %v, %v; want 0600", st.Mode(), err)
	}
	wrapped, _ := box.NewKey()
	again := open(t, path)
	if _, err := again.Unwrap(wrapped); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if box.Fingerprint() != again.Fingerprint() {
		t.Error("the blind index changed over a restart")
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrMode) {
			t.Errorf("mode %v: %v, want ErrMode", mode, err)
		}
	}
}

func TestKeyFileBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "patron.keys")
	open(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{nil, []byte("{}"), whole[:len(whole)/2], bytes.Replace(whole, []byte(`"version": 1`), []byte(`"version": 9`), 1)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrFile) {
			t.Errorf("%d bytes: %v, want ErrFile", len(text), err)
		}
	}
}

// Processes that start at once on an empty directory end with one key file.
func TestKeyFileRace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "patron.keys")
	prints := make([]string, 8)
	var all sync.WaitGroup
	for i := range prints {
		all.Go(func() {
			if box, err := Open(path); err == nil {
				prints[i] = box.Fingerprint()
			}
		})
	}
	all.Wait()
	for i, p := range prints {
		if p == "" || p != prints[0] {
			t.Errorf("opener %d has %q, the first %q", i, p, prints[0])
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*keys-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// After a rotation old keys open, new ones are made under the new wrapping key, and once
// all are rewrapped the old one can go. A second process on the same file follows.
func TestRotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "patron.keys")
	box, twin := open(t, path), open(t, path)
	old, key := box.NewKey()
	sealed := key.Seal([]byte("plain"), nil)
	oldBytes := box.SealBytes([]byte("seed"), nil)
	before := box.Blind("phone", "1")

	if err := box.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Unwrap(old); err != nil {
		t.Fatalf("an old key after rotation: %v", err)
	}
	fresh, changed, err := box.Rewrap(old)
	if err != nil || !changed {
		t.Fatalf("Rewrap = changed %v, %v", changed, err)
	}
	if _, changed, err := box.Rewrap(fresh); err != nil || changed {
		t.Fatalf("Rewrap of the rewrapped = changed %v, %v", changed, err)
	}
	if young, _ := box.NewKey(); keyOf(young) != keyOf(fresh) || keyOf(young) == keyOf(old) {
		t.Error("a new key is not under the new wrapping key")
	}
	freshBytes, changed, err := box.RewrapBytes(oldBytes, nil)
	if err != nil || !changed {
		t.Fatalf("RewrapBytes = changed %v, %v", changed, err)
	}
	if err := box.Retire(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*Box{"this process": box, "its twin": twin, "a restart": open(t, path)} {
		k, err := b.Unwrap(fresh)
		if err != nil {
			t.Fatalf("%s: rewrapped key: %v", name, err)
		}
		if got, err := k.Open(sealed, nil); err != nil || string(got) != "plain" {
			t.Errorf("%s: Open = %q, %v", name, got, err)
		}
		if got, err := b.OpenBytes(freshBytes, nil); err != nil || string(got) != "seed" {
			t.Errorf("%s: OpenBytes = %q, %v", name, got, err)
		}
		if _, err := b.Unwrap(old); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: a retired key: %v, want ErrSealed", name, err)
		}
		if b.Blind("phone", "1") != before {
			t.Errorf("%s: the blind index changed", name)
		}
	}
}

func open(t *testing.T, path string) *Box {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The cost of reading one record, which the console's lists pay fifty times a page.
func BenchmarkUnwrapOpen(b *testing.B) {
	box := Test()
	wrapped, key := box.NewKey()
	sealed := key.Seal(make([]byte, 300), []byte("member 1"))
	for b.Loop() {
		k, err := box.Unwrap(wrapped)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Open(sealed, []byte("member 1")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlind(b *testing.B) {
	box := Test()
	for b.Loop() {
		box.Blind("phone", "+8613800000000")
	}
}
