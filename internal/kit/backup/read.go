package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Reader reads a backup once, from its beginning to its end. Its parts are those of
// db.Load. Close it.
type Reader struct {
	Header Header
	Rows   map[string]int64 // of each part that was read, as its writer counted them

	path   string
	file   *os.File
	frames *deframer
	part   string // being read, or ""
	left   []byte // of the frame that was read last
	ended  bool
	err    error // the first one; it stays
}

// intro is how every file of age begins.
const intro = "age-encryption.org/v1\n"

// Open reads the header of a backup. A file that is none gives ErrForeign, a key that does
// not open it ErrKey, one of a later format ErrFormat, a damaged one ErrDamaged.
func Open(path string, key Key) (_ *Reader, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ErrRead.With("path", path, "why", reason(err)).Because(err)
	}
	r := &Reader{path: path, file: f, Rows: map[string]int64{}}
	if err := r.begin(key); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (r *Reader) begin(key Key) error {
	file := bufio.NewReaderSize(r.file, fileBuffer)
	start, err := file.Peek(len(intro))
	if err != nil && !errors.Is(err, io.EOF) {
		return ErrRead.With("path", r.path, "why", reason(err)).Because(err)
	}
	if string(start) != intro {
		return ErrForeign.With("path", r.path)
	}
	opened, err := age.Decrypt(file, key.identity)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return ErrKey.With("path", r.path)
	}
	if err != nil {
		return r.damaged(err)
	}
	// Read in pieces: gzip asks for single bytes where it is given no buffer.
	unpacked, err := gzip.NewReader(bufio.NewReader(opened))
	if err != nil {
		return r.damaged(err)
	}
	r.frames = &deframer{r: unpacked, digest: sha256.New()}
	kind, content, _, err := r.frames.next()
	if err != nil || kind != frameHeader {
		return r.damaged(err)
	}
	if err := read(content, &r.Header); err != nil {
		return r.damaged(err)
	}
	if r.Header.Format > formatVersion {
		return ErrFormat.With("path", r.path, "program", r.Header.Program)
	}
	return nil
}

// damaged notes that the file is not what was written.
func (r *Reader) damaged(cause error) error {
	if r.err == nil {
		r.err = ErrDamaged.With("path", r.path).Because(cause)
	}
	return r.err
}

// Err returns the first error of reading. A failure to load what was read may have its
// cause here.
func (r *Reader) Err() error { return r.err }

// Next returns the next part with its content, or io.EOF when the end was read and is
// right. What is left of the part before is passed over.
func (r *Reader) Next() (p db.Part, content io.Reader, err error) {
	if r.part != "" {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return p, nil, err
		}
	}
	if r.err != nil {
		return p, nil, r.err
	}
	if r.ended {
		return p, nil, io.EOF
	}
	kind, text, digest, err := r.frames.next()
	switch {
	case err != nil:
		return p, nil, r.damaged(err)
	case kind == frameEnd:
		return p, nil, r.finish(text, digest)
	case kind != framePart:
		return p, nil, r.damaged(fmt.Errorf("a frame %q between parts", kind))
	}
	if err := read(text, &p); err != nil || p.Name == "" {
		return p, nil, r.damaged(err)
	}
	r.part = p.Name
	return p, r, nil
}

// finish compares the end with what was read, and reads to the end of the file: age knows
// only there whether all of it has come.
func (r *Reader) finish(text, digest []byte) error {
	var e end
	if err := read(text, &e); err != nil {
		return r.damaged(err)
	}
	if e.Parts != len(r.Rows) || !bytes.Equal(e.SHA256, digest) {
		return r.damaged(errors.New("the digest is another"))
	}
	if n, err := io.Copy(io.Discard, r.frames.r); err != nil || n > 0 {
		return r.damaged(errors.Join(err, fmt.Errorf("%d bytes after the end", n)))
	}
	r.ended = true
	return io.EOF
}

// Read reads the content of the part that Next returned.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.left) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.part == "" {
			return 0, io.EOF
		}
		kind, text, _, err := r.frames.next()
		switch {
		case err != nil:
			return 0, r.damaged(err)
		case kind == frameContent:
			r.left = text
		case kind == framePartEnd:
			var e partEnd
			if err := read(text, &e); err != nil {
				return 0, r.damaged(err)
			}
			r.Rows[r.part] = e.Rows
			r.part = ""
		default:
			return 0, r.damaged(fmt.Errorf("a frame %q inside a part", kind))
		}
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}

// End returns nil once everything was read and is as it was written. What has not been
// read is passed over.
func (r *Reader) End() error {
	for {
		if _, _, err := r.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
