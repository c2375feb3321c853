package backup

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// What age and gzip let through, since it was written so, the frames still refuse: a part
// too few, bytes that are not those of the digest, an end too early or not the last thing.
func TestFrames(t *testing.T) {
	t.Parallel()
	key, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		write func(f *framer) error
		ok    bool
	}{
		{"whole", func(f *framer) error { return f.json(frameEnd, end{1, f.digest.Sum(nil)}) }, true},
		{"no end", func(*framer) error { return nil }, false},
		{"a part too few", func(f *framer) error { return f.json(frameEnd, end{2, f.digest.Sum(nil)}) }, false},
		{"another digest", func(f *framer) error { return f.json(frameEnd, end{1, make([]byte, 32)}) }, false},
		{"half a frame", func(f *framer) error { _, err := f.w.Write([]byte{frameEnd, 0, 0, 1, 0, '{'}); return err }, false},
		{"a frame without bound", func(f *framer) error { _, err := f.w.Write([]byte{frameEnd, 255, 255, 255, 255}); return err }, false},
		{"content outside of parts", func(f *framer) error { return f.frame(frameContent, []byte("x")) }, false},
		{"more after the end", func(f *framer) error {
			return errors.Join(f.json(frameEnd, end{1, f.digest.Sum(nil)}), f.frame(frameContent, []byte("x")))
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := age.Encrypt(file, key.identity.Recipient())
			if err != nil {
				t.Fatal(err)
			}
			packed := gzip.NewWriter(sealed)
			f := newFramer(packed)
			err = errors.Join(f.json(frameHeader, Header{Format: 1}), f.json(framePart, db.Part{Name: "p"}), f.frame(frameContent, []byte("content")),
				f.json(framePartEnd, partEnd{3}), tt.write(f), packed.Close(), sealed.Close(), file.Close())
			if err != nil {
				t.Fatal(err)
			}
			r, err := Open(path, key)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			part, content, err := r.Next()
			if err != nil || part.Name != "p" {
				t.Fatalf("Next = %+v, %v", part, err)
			}
			if text, err := io.ReadAll(content); string(text) != "content" || err != nil {
				t.Errorf("content %q, %v", text, err)
			}
			if r.Rows["p"] != 3 {
				t.Errorf("%d rows", r.Rows["p"])
			}
			if err := r.End(); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("End = %v", err)
			}
		})
	}
}

// A backup of a later format is refused by the name of its program.
func TestFormat(t *testing.T) {
	t.Parallel()
	key, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := age.Encrypt(file, key.identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	packed := gzip.NewWriter(sealed)
	err = errors.Join(newFramer(packed).json(frameHeader, Header{Format: formatVersion + 1, Program: "7"}), packed.Close(), sealed.Close(), file.Close())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, key); !errors.Is(err, ErrFormat) {
		t.Errorf("Open = %v, want ErrFormat", err)
	}
}
