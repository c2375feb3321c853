package member

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The lengths of the beginnings of a word that can be searched for, in letters. One letter
// finds too many; after twelve, what is left is compared on the opened name.
const (
	minPrefix = 2
	maxPrefix = 12
)

// maxName bounds a name, in characters; the longest on record are shorter.
const maxName = 100

// blindName is the kind of name tokens in the blind index.
const blindName = "name"

// foldName makes spellings equal that people take for the same: wide and narrow forms,
// case, accents, and the space between words. It is for comparing; the name is kept as it
// was given.
func foldName(name string) string {
	// Lower case after folding: x/text folds Cherokee to and fro.
	name = strings.ToLower(cases.Fold().String(norm.NFKD.String(name)))
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, name)
	return strings.Join(words(norm.NFC.String(name)), " ")
}

// words splits a folded name at everything that is neither letter nor digit.
func words(folded string) []string {
	return strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
}

// pairwise reports whether a letter belongs to a script that is written without spaces
// between words: those are searched by pairs of letters.
func pairwise(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// nameTokens lists what a name is found by: the pairs of each Han run, the beginnings of
// every other word, and the whole where that leaves nothing (a name of one letter).
func nameTokens(name string) []string {
	folded := foldName(name)
	var tokens []string
	for _, run := range runs(folded) {
		if first, _ := utf8.DecodeRuneInString(run); pairwise(first) {
			tokens = append(tokens, pairs(run)...)
			continue
		}
		letters := []rune(run)
		for n := minPrefix; n <= min(maxPrefix, len(letters)); n++ {
			tokens = append(tokens, "^"+string(letters[:n]))
		}
	}
	return orWhole(tokens, folded)
}

// queryTokens lists tokens that every name which answers a search has, the rarest kind of
// each word: all pairs of a Han run, the longest beginning of every other.
func queryTokens(q string) []string {
	folded := foldName(q)
	var tokens []string
	for _, run := range runs(folded) {
		if first, _ := utf8.DecodeRuneInString(run); pairwise(first) {
			tokens = append(tokens, pairs(run)...)
		} else if letters := []rune(run); len(letters) >= minPrefix {
			tokens = append(tokens, "^"+string(letters[:min(maxPrefix, len(letters))]))
		}
	}
	return orWhole(tokens, folded)
}

func orWhole(tokens []string, folded string) []string {
	if len(tokens) == 0 && folded != "" {
		return []string{"=" + folded}
	}
	slices.Sort(tokens)
	return slices.Compact(tokens)
}

// runs splits folded text into words, and words where Han and other letters meet.
func runs(folded string) []string {
	var list []string
	for _, w := range words(folded) {
		start, before := 0, false
		for i, r := range w {
			if is := pairwise(r); i > 0 && is != before {
				list, start = append(list, w[start:i]), i
			}
			before = pairwise(r)
		}
		list = append(list, w[start:])
	}
	return list
}

// pairs lists each two letters that follow one another.
func pairs(run string) []string {
	letters := []rune(run)
	var list []string
	for i := 1; i < len(letters); i++ {
		list = append(list, string(letters[i-1:i+1]))
	}
	return list
}

// nameMatches reports whether a name answers a search: each run of the query begins a word
// of the name (or, in Han, stands anywhere in it).
func nameMatches(name, q string) bool {
	folded := foldName(name)
	have := runs(folded)
	for _, want := range runs(foldName(q)) {
		first, _ := utf8.DecodeRuneInString(want)
		if !slices.ContainsFunc(have, func(w string) bool {
			if pairwise(first) {
				return strings.Contains(w, want)
			}
			return strings.HasPrefix(w, want)
		}) {
			return false
		}
	}
	return true
}

// tokenHashes are the blind forms of tokens: 64 bits, which is enough because every hit is
// compared with the opened name.
func (s *Service) tokenHashes(tokens []string) []int64 {
	list := make([]int64, len(tokens))
	for i, t := range tokens {
		sum := s.box.Blind(blindName, t)
		list[i] = int64(binary.BigEndian.Uint64(sum[:8]))
	}
	return list
}

// tokenShard is the first byte of a token's hash.
func tokenShard(hash int64) int16 { return int16(uint64(hash) >> 56) }
