package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
)

// The kinds of frames.
const (
	frameHeader  = 'h'
	framePart    = 'p'
	frameContent = 'd'
	framePartEnd = 'e'
	frameEnd     = 'z'
)

// The bounds of a frame's content: of what is written, and of what is believed.
const (
	contentSize = 128 << 10
	maxFrame    = 1 << 20
)

// framer writes frames and keeps their digest.
type framer struct {
	w      io.Writer
	digest hash.Hash
}

func newFramer(w io.Writer) *framer { return &framer{w, sha256.New()} }

func (f *framer) frame(kind byte, content []byte) error {
	var head [5]byte
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(content)))
	for _, b := range [][]byte{head[:], content} {
		f.digest.Write(b)
		if _, err := f.w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (f *framer) json(kind byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.frame(kind, text)
}

// Write writes content in frames of a bounded size.
func (f *framer) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		piece := b[:min(len(b), contentSize)]
		if err := f.frame(frameContent, piece); err != nil {
			return n, err
		}
		n, b = n+len(piece), b[len(piece):]
	}
	return n, nil
}

// deframer reads frames and keeps their digest.
type deframer struct {
	r      io.Reader
	digest hash.Hash
	buffer [maxFrame]byte
}

// next reads a frame. Its content is good until the next one. The digest is that of all
// frames before it.
func (d *deframer) next() (kind byte, content, digest []byte, err error) {
	digest = d.digest.Sum(nil)
	var head [5]byte
	if _, err := io.ReadFull(d.r, head[:]); err != nil {
		return 0, nil, nil, cut(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, nil, fmt.Errorf("a frame of %d bytes", n)
	}
	content = d.buffer[:n]
	if _, err := io.ReadFull(d.r, content); err != nil {
		return 0, nil, nil, cut(err)
	}
	d.digest.Write(head[:])
	d.digest.Write(content)
	return head[0], content, digest, nil
}

// cut makes an end of the file inside the frames an error.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// read takes the content of a frame apart. What a later format adds is passed over.
func read(content []byte, v any) error {
	return json.NewDecoder(bytes.NewReader(content)).Decode(v)
}
