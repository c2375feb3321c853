package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"net/http"
	"net/url"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// maxKey bounds an Idempotency-Key; a UUID has 36 characters.
const maxKey = 255

var (
	// ErrKeyMissing refuses a write without a key where one is required.
	ErrKeyMissing = errs.New(errs.Malformed, "request.key_missing",
		"This write needs the header Idempotency-Key, so that a retry cannot do it twice.", "此写操作需要 Idempotency-Key 请求头，以免重试时重复执行。")
	// ErrKeyForm refuses a key that is too long or holds what cannot be seen.
	ErrKeyForm = errs.New(errs.Malformed, "request.key_form",
		"An Idempotency-Key is 1 to {limit} visible ASCII characters.", "Idempotency-Key 应为 1 至 {limit} 个可见 ASCII 字符。")
	// ErrKeyReused refuses a key that came before with another request.
	ErrKeyReused = errs.New(errs.Invalid, "request.key_reused",
		"This Idempotency-Key was used for another request.", "此 Idempotency-Key 已用于另一个请求。")
	// ErrInFlight refuses a twin whose first request has not been answered in time.
	ErrInFlight = errs.New(errs.Conflict, "request.in_flight",
		"The first request with this Idempotency-Key is still being worked on. Try again.", "同一 Idempotency-Key 的首个请求仍在处理中，请稍后重试。").With("retry_after", retryInFlight)
	// ErrAnswerLost answers a retry whose first request took effect without an answer kept.
	ErrAnswerLost = errs.New(errs.Conflict, "request.answer_lost",
		"The first request with this Idempotency-Key took effect; its answer was not kept. Read the state instead of retrying.",
		"同一 Idempotency-Key 的首个请求已生效，但其应答未保留。请查询当前状态，不要重试。")
)

// Key names a write that has one effect, however often it is sent.
type Key struct {
	Hash [16]byte // of principal, route and Idempotency-Key: the row in table request
	Body [16]byte // of method, path, query and body: two requests of one hash have to agree in it
	Set  bool     // false where the request bears no key, or is a dry run
}

type keyKey struct{}

// KeyOf returns the key of the request, for the services that keep it themselves.
func KeyOf(ctx context.Context) Key {
	k, _ := ctx.Value(keyKey{}).(Key)
	return k
}

// WithKey sets the key: for commands, batches and tests.
func WithKey(ctx context.Context, k Key) context.Context {
	return context.WithValue(ctx, keyKey{}, k)
}

// MakeKey derives the key of one write from the caller of ctx, the route that it belongs
// to, the Idempotency-Key that was given and the bytes that say what is asked: for the
// items of a batch, which bear a key each.
func MakeKey(ctx context.Context, route, given string, request ...[]byte) (Key, error) {
	if !validKey(given) {
		return Key{}, ErrKeyForm.With("limit", maxKey)
	}
	body := newDigest()
	for _, part := range request {
		body.add(part)
	}
	return Key{Hash: hashOf(CallerOf(ctx), route, given), Body: body.sum(), Set: true}, nil
}

// validKey reports whether a key is 1 to 255 visible ASCII characters.
func validKey(s string) bool {
	if s == "" || len(s) > maxKey {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// readKey returns the key of a write, and refuses one that is malformed or missing. A dry
// run keeps nothing, so it has nothing to protect and needs no key.
func (rt *route) readKey(ctx context.Context, req *http.Request, query url.Values, body input) (Key, error) {
	if safe(req.Method) {
		return Key{}, nil
	}
	given := req.Header.Values(headerKey)
	if len(given) > 1 || len(given) == 1 && !validKey(given[0]) {
		return Key{}, ErrKeyForm.With("limit", maxKey).At("header." + headerKey)
	}
	if rt.doc.Public || query.Get("dry_run") == "true" {
		return Key{}, nil
	}
	if len(given) == 0 {
		if rt.doc.KeyRequired {
			return Key{}, ErrKeyMissing.At("header." + headerKey)
		}
		return Key{}, nil
	}
	d := newDigest()
	d.add([]byte(req.Method))
	d.add([]byte(req.URL.EscapedPath()))
	d.add([]byte(query.Encode())) // sorted by name
	d.add(body.canonical())
	return Key{Hash: hashOf(CallerOf(ctx), rt.name, given[0]), Body: d.sum(), Set: true}, nil
}

func hashOf(c Caller, route, given string) [16]byte {
	d := newDigest()
	d.add([]byte(c.principal()))
	d.add([]byte(route))
	d.add([]byte(given))
	return d.sum()
}

// digest hashes parts so that no two lists of parts run together: each goes in after its
// length.
type digest struct{ h hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(part []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(part)))
	d.h.Write(n[:])
	d.h.Write(part)
}

func (d digest) sum() (out [16]byte) {
	var full [sha256.Size]byte
	copy(out[:], d.h.Sum(full[:0]))
	return out
}

// canonical is the body without the white space between its tokens, so that a retry by a
// client that prints JSON otherwise is still the same request.
func (in input) canonical() []byte {
	if in.compact {
		return in.bytes
	}
	var b bytes.Buffer
	if json.Compact(&b, in.bytes) != nil {
		return in.bytes // not JSON: a file
	}
	return b.Bytes()
}

// flights holds the writes with a key that this process is working on. A twin waits for
// its first; who comes after finds the kept answer. Twins in other processes meet at the
// primary key of table request.
type flights struct {
	mu   sync.Mutex
	open map[[16]byte]chan struct{} // closed when its flight ends
}

// enter begins a flight, after the one in front has ended, and returns what ends it. Where
// ctx ends first it refuses with ErrInFlight.
func (f *flights) enter(ctx context.Context, hash [16]byte) (leave func(), err error) {
	for {
		f.mu.Lock()
		front, busy := f.open[hash]
		if !busy {
			if f.open == nil {
				f.open = map[[16]byte]chan struct{}{}
			}
			mine := make(chan struct{})
			f.open[hash] = mine
			f.mu.Unlock()
			return func() { f.leave(hash, mine) }, nil
		}
		f.mu.Unlock()
		select {
		case <-front:
		case <-ctx.Done():
			return nil, ErrInFlight.Because(ctx.Err())
		}
	}
}

func (f *flights) leave(hash [16]byte, mine chan struct{}) {
	f.mu.Lock()
	delete(f.open, hash)
	f.mu.Unlock()
	close(mine)
}
