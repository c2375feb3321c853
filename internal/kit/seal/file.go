package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The reasons for which a key file is refused.
var (
	ErrMode = errs.New(errs.Invalid, "seal.mode",
		"The key file {path} can be read by other users of this machine. Set it right with: chmod 600 {path}",
		"密钥文件 {path} 可被本机其他用户读取。请执行：chmod 600 {path}")
	ErrFile = errs.New(errs.Invalid, "seal.file",
		"{path} is not a readable key file.",
		"{path} 不是可读的密钥文件。")
)

// fileVersion is that of the key file's layout.
const fileVersion = 1

// blindKeySize is that of the hash, the most that HMAC-SHA256 can use.
const blindKeySize = 32

// keyFile is the key file: JSON, in clear, guarded by its mode. Copies of the database
// without it tell nobody's name.
type keyFile struct {
	Version  int             `json:"version"`
	Wrapping json.RawMessage `json:"wrapping"` // a Tink keyset of AES256-GCM keys
	Blind    []byte          `json:"blind"`
}

// keys are the secrets of a Box at one moment. They are replaced whole, never changed.
type keys struct {
	ring  *keyset.Handle
	wrap  tink.AEAD
	blind []byte
	file  []byte // the file's bytes, to tell whether it has changed
}

// Open reads the key file at path, or makes one if there is none. Of two processes that
// make it at once, one does and the other reads what it made.
func Open(path string) (*Box, error) {
	k, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil {
			k, err = readKeys(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	b := &Box{path: path}
	b.keys.Store(k)
	return b, nil
}

// Test makes a Box with fresh keys in memory, for tests.
func Test() *Box {
	k, err := newKeys()
	if err != nil {
		panic(err)
	}
	b := &Box{}
	b.keys.Store(k)
	return b
}

func readKeys(path string) (*keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, ErrMode.With("path", path)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(f); err != nil {
		return nil, err
	}
	k, err := parse(text.Bytes())
	if err != nil {
		return nil, ErrFile.With("path", path).Because(err)
	}
	return k, nil
}

func parse(text []byte) (*keys, error) {
	var f keyFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, errors.New("no JSON") // the decoder's own text may quote a secret
	}
	if f.Version != fileVersion || len(f.Blind) != blindKeySize {
		return nil, fmt.Errorf("version %d with a blind key of %d bytes", f.Version, len(f.Blind))
	}
	ring, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Wrapping)))
	if err != nil {
		return nil, errors.New("no keyset")
	}
	wrap, err := aead.New(ring)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	return &keys{ring, wrap, f.Blind, text}, nil
}

func newKeys() (*keys, error) {
	ring, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a wrapping key: %w", err)
	}
	blind := make([]byte, blindKeySize)
	must(rand.Read(blind))
	return withRing(ring, blind)
}

// withRing builds keys the way they are read, so that what is written is known to be
// readable.
func withRing(ring *keyset.Handle, blind []byte) (*keys, error) {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(ring, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("write keyset: %w", err)
	}
	file, err := json.MarshalIndent(keyFile{fileVersion, text.Bytes(), blind}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write keyset: %w", err)
	}
	return parse(append(file, '\n'))
}

// create puts a new key file at path, unless one appears there meanwhile.
func create(path string) error {
	k, err := newKeys()
	if err != nil {
		return err
	}
	name, err := writeTemp(path, k.file)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	if err := os.Link(name, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// replace puts k in the place of the key file at path. A crash leaves the old or the new.
func replace(path string, k *keys) error {
	name, err := writeTemp(path, k.file)
	if err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		_ = os.Remove(name)
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes a durable file of mode 0600 beside path and returns its name.
func writeTemp(path string, text []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".patron-keys-*") // made with mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
