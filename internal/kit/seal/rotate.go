package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Rotate adds a wrapping key and makes it the primary, in the file first. What older keys
// wrapped still opens.
func (b *Box) Rotate() error {
	return b.change(func(m *keyset.Manager, _ *keyset.Handle) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return err
		}
		return m.SetPrimary(id)
	})
}

// Primary is the number of the wrapping key that new values are sealed under. It says
// nothing about the key.
func (b *Box) Primary() uint32 {
	b.look()
	e, err := b.keys.Load().ring.Primary()
	if err != nil {
		panic(fmt.Errorf("seal: a ring without a primary key: %w", err)) // it was parsed
	}
	return e.KeyID()
}

// Wrapping is how many wrapping keys there are: one, but for the time of a rotation.
func (b *Box) Wrapping() int { return b.keys.Load().ring.Len() }

// Before is where Retire leaves the key file as it was, for backups of that time.
func (b *Box) Before() string { return fmt.Sprintf("%s.before-%08x", b.path, b.Primary()) }

// Retire drops every wrapping key but the primary. Call it once Rewrap has been over
// everything: what is still wrapped under an older key can then be opened only with the
// file from before, which is left beside the new one, since backups need it.
func (b *Box) Retire() error {
	if b.Wrapping() == 1 {
		return nil
	}
	if b.path != "" {
		if err := b.keepBefore(); err != nil {
			return fmt.Errorf("keep the key file from before: %w", err)
		}
	}
	return b.change(func(m *keyset.Manager, ring *keyset.Handle) error {
		for i := range ring.Len() {
			e, err := ring.Entry(i)
			if err != nil {
				return err
			}
			if e.IsPrimary() {
				continue
			}
			if err := m.Delete(e.KeyID()); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepBefore links the key file under another name. The file is never written in place, so
// the link keeps what it holds now.
func (b *Box) keepBefore() error {
	err := os.Link(b.path, b.Before())
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(b.path))
}

// look reads the key file anew where another process has put a new one in its place, so
// that nothing new is sealed under a key that is about to go. A file that cannot be read
// leaves the keys as they are: whoever opens a value with them will say so.
func (b *Box) look() {
	if b.path == "" {
		return
	}
	now, err := os.Stat(b.path)
	if err != nil {
		return
	}
	if was := b.seen.Load(); was != nil && os.SameFile(*was, now) && now.ModTime().Equal((*was).ModTime()) {
		return
	}
	if _, err := b.reload(); err == nil {
		b.seen.Store(&now)
	}
}

// change edits a copy of the ring, writes the file, and then puts the copy to use. Two
// rotations of one Box wait for each other; rotate from one process at a time, or a
// wrapping key may be in use that the other's file does not hold.
func (b *Box) change(edit func(*keyset.Manager, *keyset.Handle) error) error {
	b.rotating.Lock()
	defer b.rotating.Unlock()
	if _, err := b.reload(); err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	old := b.keys.Load()
	m := keyset.NewManagerFromHandle(old.ring)
	if err := edit(m, old.ring); err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	ring, err := m.Handle()
	if err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	k, err := withRing(ring, old.blind)
	if err != nil {
		return fmt.Errorf("rotate keys: %w", err)
	}
	if b.path != "" {
		if err := replace(b.path, k); err != nil {
			return fmt.Errorf("rotate keys: %w", err)
		}
	}
	b.keys.Store(k)
	return nil
}

// reload reads the key file anew and reports whether it has changed. A file whose blind
// index key differs is another database's: it is refused.
func (b *Box) reload() (changed bool, err error) {
	if b.path == "" {
		return false, nil
	}
	old := b.keys.Load()
	text, err := os.ReadFile(b.path)
	if err != nil {
		return false, fmt.Errorf("read key file: %w", err)
	}
	if bytes.Equal(text, old.file) {
		return false, nil
	}
	k, err := readKeys(b.path)
	if err != nil {
		return false, fmt.Errorf("read key file: %w", err)
	}
	if !bytes.Equal(k.blind, old.blind) {
		return false, ErrFile.With("path", b.path).Because(fmt.Errorf("the blind-index key has changed"))
	}
	b.keys.Store(k)
	return true, nil
}

// Rewrap gives the same record key wrapped under the primary wrapping key, and whether
// that is a change: false for one that is there already.
func (b *Box) Rewrap(wrapped []byte) (fresh []byte, changed bool, err error) {
	return b.rewrap(wrapped, purposeKey)
}

// RewrapBytes does the same for what SealBytes made with the same aad.
func (b *Box) RewrapBytes(sealed, aad []byte) (fresh []byte, changed bool, err error) {
	return b.rewrap(sealed, append([]byte(purposeBytes), aad...))
}

func (b *Box) rewrap(sealed, purpose []byte) ([]byte, bool, error) {
	plain, err := b.decrypt(sealed, purpose)
	if err != nil {
		return nil, false, err
	}
	k := b.keys.Load()
	primary, err := k.ring.Primary()
	if err != nil {
		return nil, false, fmt.Errorf("rewrap: %w", err)
	}
	if keyOf(sealed) == primary.KeyID() {
		return sealed, false, nil
	}
	fresh, err := k.wrap.Encrypt(plain, purpose)
	if err != nil {
		return nil, false, fmt.Errorf("rewrap: %w", err)
	}
	return fresh, true, nil
}

// keyOf reads which wrapping key made a ciphertext: Tink writes a version byte and the
// key's number before it.
func keyOf(sealed []byte) uint32 {
	const prefix = 5
	if len(sealed) < prefix {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[1:prefix])
}
