// Package seal encrypts personal values and finds them again without reading them.
//
// A Box holds two secrets, both from one key file: a ring of wrapping keys, and the key
// of the blind index. Life of a value:
//
//   - A record (a member) has a key of its own, 32 random bytes, kept beside the record in
//     wrapped form. Destroying the wrapped form makes every copy of the record unreadable
//     that lies without it: in journals, answers and files. A backup of the database has both;
//     there it takes a rotation, after which the wrapping key of its day is gone too.
//   - A value is sealed under its record's key with associated data that says where it
//     belongs. Moved to another place, cut or changed, it does not open.
//   - What has to be found (a phone number, a word of a name) is looked up by its Blind: a
//     keyed hash, which nobody can try a dictionary on without the key.
//
// Rotation adds a wrapping key and makes it the primary. What older keys wrapped still
// opens; Rewrap moves one wrapped key to the primary, and Retire drops the older keys once
// nothing is left under them. Record keys and the blind index do not rotate: the first
// because only the wrapping is exposed to operators, the second because every hash would
// change.
package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrSealed says that a sealed value did not open: it was changed, cut, or belongs
// elsewhere, or the key file is not the one it was sealed with.
var ErrSealed = errs.New(errs.Internal, "seal.broken",
	"A protected record could not be opened. The key file may be another one than the record was made with.",
	"受保护的记录无法打开。密钥文件可能不是写入该记录时所用的那一个。")

// BlindSize is the length of a blind index entry in bytes: at 2^64 entries a chance
// collision becomes likely, far above any number of members.
const BlindSize = 16

// recordKeySize is that of AES-256.
const recordKeySize = 32

// What the wrapping keys are used for is bound into the ciphertext, so that a wrapped key
// never passes for a sealed value or the other way round.
var (
	purposeKey   = []byte("patron record key")
	purposeBytes = "patron bytes\x00"
)

// Box seals, opens and blinds. It is safe for use by many goroutines.
type Box struct {
	path     string // of the key file; empty for a Box in memory
	keys     atomic.Pointer[keys]
	seen     atomic.Pointer[os.FileInfo] // the key file when it was last looked at
	rotating sync.Mutex
}

// RecordKey is the key of one record. The zero RecordKey is unusable.
type RecordKey struct{ gcm *subtle.AESGCM }

// NewKey makes the key of a new record, and the wrapped form to keep beside it.
func (b *Box) NewKey() (wrapped []byte, key RecordKey) {
	b.look()
	raw := make([]byte, recordKeySize)
	must(rand.Read(raw))
	wrapped, err := b.keys.Load().wrap.Encrypt(raw, purposeKey)
	if err != nil {
		panic(fmt.Errorf("seal: wrap a key: %w", err)) // AES-GCM of 32 bytes does not fail
	}
	return wrapped, newRecordKey(raw)
}

// Unwrap gives back the key of a record. It fails with ErrSealed.
func (b *Box) Unwrap(wrapped []byte) (RecordKey, error) {
	raw, err := b.unwrap(wrapped)
	if err != nil {
		return RecordKey{}, err
	}
	return newRecordKey(raw), nil
}

func (b *Box) unwrap(wrapped []byte) ([]byte, error) {
	raw, err := b.decrypt(wrapped, purposeKey)
	if err != nil {
		return nil, err
	}
	if len(raw) != recordKeySize {
		return nil, ErrSealed.Because(fmt.Errorf("a record key of %d bytes", len(raw)))
	}
	return raw, nil
}

// decrypt opens what the wrapping keys closed. Where it fails, another process may have
// rotated the key file: it is read anew, once, if it has changed.
func (b *Box) decrypt(sealed, purpose []byte) ([]byte, error) {
	plain, err := b.keys.Load().wrap.Decrypt(sealed, purpose)
	if err == nil {
		return plain, nil
	}
	if changed, rerr := b.reload(); rerr != nil {
		return nil, ErrSealed.Because(rerr)
	} else if changed {
		if plain, err = b.keys.Load().wrap.Decrypt(sealed, purpose); err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed.Because(err)
}

func newRecordKey(raw []byte) RecordKey {
	gcm, err := subtle.NewAESGCM(raw)
	if err != nil {
		panic(fmt.Errorf("seal: record key: %w", err)) // only for a wrong length
	}
	return RecordKey{gcm}
}

// Seal encrypts plain. The same aad must be given to Open: name in it what the value is
// and whose.
func (k RecordKey) Seal(plain, aad []byte) []byte {
	sealed, err := k.gcm.Encrypt(plain, aad)
	if err != nil {
		panic(fmt.Errorf("seal: %w", err)) // only for values of gigabytes
	}
	return sealed
}

// Open decrypts what Seal made under the same key with the same aad, or fails with
// ErrSealed.
func (k RecordKey) Open(sealed, aad []byte) ([]byte, error) {
	plain, err := k.gcm.Decrypt(sealed, aad)
	if err != nil {
		return nil, ErrSealed.Because(err)
	}
	return plain, nil
}

// SealBytes encrypts a value that belongs to no record (the seed of a colleague's one-time
// codes) under the wrapping key itself.
func (b *Box) SealBytes(plain, aad []byte) []byte {
	b.look()
	sealed, err := b.keys.Load().wrap.Encrypt(plain, append([]byte(purposeBytes), aad...))
	if err != nil {
		panic(fmt.Errorf("seal: %w", err))
	}
	return sealed
}

// OpenBytes decrypts what SealBytes made with the same aad, or fails with ErrSealed.
func (b *Box) OpenBytes(sealed, aad []byte) ([]byte, error) {
	return b.decrypt(sealed, append([]byte(purposeBytes), aad...))
}

// Blind is the entry of a value in the blind index. The value comes normalised: two
// spellings that should meet must be the same bytes. Entries of different kinds never
// meet; a kind holds no NUL.
func (b *Box) Blind(kind, normalised string) [BlindSize]byte {
	mac := hmac.New(sha256.New, b.keys.Load().blind)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(normalised))
	var sum [sha256.Size]byte
	return [BlindSize]byte(mac.Sum(sum[:0]))
}

// Fingerprint names the blind-index key without telling it. A database keeps it, so that a
// start with a foreign key file is refused before it writes values nobody can find.
func (b *Box) Fingerprint() string {
	sum := b.Blind("patron fingerprint", "")
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// File is the key file as it is written, for a backup. It is a secret.
func (b *Box) File() []byte { return slices.Clone(b.keys.Load().file) }

// must stands after a read of the system's random source, which does not return errors:
// it stops the process itself.
func must(_ int, err error) {
	if err != nil {
		panic(fmt.Errorf("seal: random source: %w", err))
	}
}

// Vault is a Box in the shape in which the API keeps answers out of sight: under the
// wrapping key itself, since an answer may tell of several members.
type Vault struct{ Box *Box }

// Seal is SealBytes.
func (v Vault) Seal(plain, context []byte) ([]byte, error) {
	return v.Box.SealBytes(plain, context), nil
}

// Open is OpenBytes.
func (v Vault) Open(sealed, context []byte) ([]byte, error) { return v.Box.OpenBytes(sealed, context) }
