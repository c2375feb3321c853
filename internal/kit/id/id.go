// Package id turns the integers that rows are keyed by into the opaque strings that the
// outside sees, and back.
//
// A row that a member owns is keyed (shard, member, seq); the shard is a hash of the
// member, so an id carries member and seq alone and finds its shard without an index.
// A row of configuration has no member: member 0.
//
// The encoding is one AES block under a fixed key: it hides counts and order from the
// curious and refuses mistyped ids. It is no secret and no permission: every read is
// checked against the caller's rights.
package id

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base32"
	"encoding/binary"
	"hash/fnv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrBad refuses an id that was not made by this program for this kind of thing.
var ErrBad = errs.New(errs.NotFound, "id.unknown", "There is nothing with this id.", "没有这个编号对应的记录。")

// Shards is the number of shards that members are spread over. It is fixed for ever:
// keys on disk depend on it.
const Shards = 256

// Shard returns the shard of a member: a hash, so that members who join one after the
// other do not share one. Stand-ins (negative numbers) have shards too.
func Shard(member int64) int16 {
	x := uint64(member)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return int16(x % Shards)
}

var (
	block    = newBlock()
	encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
)

func newBlock() cipher.Block {
	b, err := aes.NewCipher([]byte("patron public id"))
	if err != nil {
		panic(err)
	}
	return b
}

const (
	bits56 = 1<<56 - 1
	sign56 = 1 << 55
)

// Encode makes the public id of a row: prefix ("sal_"), whose it is, and its number.
// Both numbers fit 56 bits, signed.
func Encode(prefix string, member, seq int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:8], uint64(member)&bits56)
	binary.BigEndian.PutUint64(b[8:16], uint64(seq)&bits56)
	tag := tagOf(prefix)
	b[0], b[8] = byte(tag>>8), byte(tag)
	block.Encrypt(b[:], b[:])
	return prefix + encoding.EncodeToString(b[:])
}

// Decode reads what Encode made for the same prefix, or gives ErrBad.
func Decode(prefix, text string) (member, seq int64, err error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != 26 {
		return 0, 0, ErrBad
	}
	raw, err := encoding.DecodeString(rest)
	if err != nil || len(raw) != 16 || encoding.EncodeToString(raw) != rest {
		return 0, 0, ErrBad
	}
	block.Decrypt(raw, raw)
	if tag := tagOf(prefix); raw[0] != byte(tag>>8) || raw[8] != byte(tag) {
		return 0, 0, ErrBad
	}
	raw[0], raw[8] = 0, 0
	return signed(binary.BigEndian.Uint64(raw[0:8])), signed(binary.BigEndian.Uint64(raw[8:16])), nil
}

func signed(v uint64) int64 {
	if v&sign56 != 0 {
		v |= ^uint64(bits56)
	}
	return int64(v)
}

func tagOf(prefix string) uint16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(prefix)) // a hash never fails to write
	s := h.Sum32()
	return uint16(s>>16) ^ uint16(s)
}
