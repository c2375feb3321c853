package cond

import (
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// variables lists the names that a kind of condition begins with.
func variables(k Kind) []string {
	switch k {
	case OfSale:
		return []string{"member", "now", "sale"}
	case OfLine:
		return []string{"line", "member", "now", "sale"}
	case OfEvent:
		return []string{"event", "member", "now"}
	}
	return []string{"member", "now"}
}

// functionNames lists the functions that stand alone or belong to texts and lists.
func (e *Env) functionNames() []string {
	var names []string
	for name := range e.alone {
		names = append(names, name[strings.LastIndex(name, ".")+1:])
	}
	slices.Sort(names)
	return names
}

// pathTo finds the full name of a word by its last part: tier for member.tier.
func (e *Env) pathTo(name string) string {
	for i := range e.words {
		if w := &e.words[i]; w.on != nil && w.name == name {
			return w.signature()
		}
	}
	return ""
}

// signature is a word as it is written, with what it is called with.
func (w *word) signature() string {
	if w.args == nil {
		return w.fullName()
	}
	var names []string
	for _, a := range w.args {
		name, _, _ := strings.Cut(a.EN, ",")
		if a.Type == Text {
			name = `"` + name + `"`
		}
		names = append(names, name)
	}
	return w.fullName() + "(" + strings.Join(names, ", ") + ")"
}

// near is the name that was probably meant, or "": at most one mistake in three letters.
func near(name string, names []string) string {
	best, least := "", len(name)/3+2
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < least && d < len(n) {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters have to be added, left out, replaced or swapped with their
// neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			differ := 1
			if a[i-1] == b[j-1] {
				differ = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean words a suggestion; nothing for "".
func didYouMean(name string) errs.Word {
	if name == "" {
		return errs.Word{}
	}
	return errs.Word{EN: " Did you mean " + name + "?", ZH: "是否想写 " + name + "？"}
}

// operator reports whether a function of CEL is written as a sign.
func operator(name string) bool {
	return strings.HasPrefix(name, "@") || strings.Contains(name, "_") && !letters(name)
}

func letters(name string) bool {
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_") == "" && name != "_"
}

// operatorSign is an operator as it is written: >= for _>=_.
func operatorSign(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(name, "@"), "_", "")
}
