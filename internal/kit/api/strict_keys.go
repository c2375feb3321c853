package api

import (
	"unicode"
	"unicode/utf8"
)

// manyKeys is how many keys of one object are walked for a double; past it a map is faster.
const manyKeys = 24

// isNew notes the hash of a key and reports whether the object that begins at base has not
// had it. Two keys of one hash that are not equal would be refused wrongly: with 64 bits
// that happens by intent only, and harms who intends it.
func (s *scanner) isNew(hash uint64, base int, many *map[uint64]struct{}) bool {
	if *many != nil {
		before := len(*many)
		(*many)[hash] = struct{}{}
		return len(*many) > before
	}
	for _, k := range s.keys[base:] {
		if k == hash {
			return false
		}
	}
	s.keys = append(s.keys, hash)
	if len(s.keys)-base == manyKeys {
		*many = make(map[uint64]struct{}, 4*manyKeys)
		for _, k := range s.keys[base:] {
			(*many)[k] = struct{}{}
		}
	}
	return true
}

// FNV-1a, 64 bits.
const (
	fnvStart = 14695981039346656037
	fnvPrime = 1099511628211
)

// hashKey hashes a quoted key so that all keys which encoding/json takes for one field
// have one hash: without escapes and without case.
func hashKey(quoted []byte) uint64 {
	h := uint64(fnvStart)
	for _, c := range quoted[1 : len(quoted)-1] {
		if c == '\\' || c >= utf8.RuneSelf {
			return hashUnusual(quoted)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

// hashUnusual is hashKey for a key with escapes or beyond ASCII.
func hashUnusual(quoted []byte) uint64 {
	h := uint64(fnvStart)
	for _, r := range unquote(quoted) {
		for _, c := range []byte(string(fold(r))) {
			h = (h ^ uint64(c)) * fnvPrime
		}
	}
	return h
}

// fold returns the one rune that stands for all which differ from r by case only; for
// Latin letters the small one, as hashKey has it.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
