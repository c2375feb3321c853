package member

import (
	"strconv"
	"strings"
)

// Ref names a member by any identifier, as api.md writes them: "mem_…", "no:8000123",
// "ext:cdnow/4", "phone:+86…", "email:…", "card:…", "wechat:…", "qr:…". Make it with
// ParseRef, RefID or RefTo; the zero Ref names nobody.
type Ref struct {
	id    ID     // of "mem_" and "no:"
	kind  Kind   // of an identifier
	value string // the identifier, normalised, or the code of "qr:"
}

// refQR marks a Ref whose value is a short-lived code of the portal.
const refQR Kind = "qr"

// RefID names a member by id.
func RefID(m ID) Ref { return Ref{id: m} }

// RefTo names a member by an identifier of a kind, in any spelling.
func RefTo(k Kind, text string) (Ref, error) {
	value, err := normalise(k, text)
	if err != nil {
		return Ref{}, err
	}
	return Ref{kind: k, value: value}, nil
}

// Identifier is the kind and the one spelling of the identifier that r names a member by;
// empty where r names one by id, number or code.
func (r Ref) Identifier() (Kind, string) {
	if !r.blind() {
		return "", ""
	}
	return r.kind, r.value
}

// IsZero reports whether r names nobody.
func (r Ref) IsZero() bool { return r == Ref{} }

// ParseRef reads a Ref. A text that cannot name anybody fails with ErrRef or the refusal
// of its kind; one that names nobody yet is a good Ref.
func ParseRef(text string) (Ref, error) {
	if strings.HasPrefix(text, idPrefix) {
		m, err := ParseID(text)
		return Ref{id: m}, err
	}
	kind, value, ok := strings.Cut(text, ":")
	if !ok || value == "" {
		return Ref{}, ErrRef
	}
	switch kind {
	case "no":
		return parseNumber(value)
	case string(refQR):
		return Ref{kind: refQR, value: value}, nil
	case string(KindPhone), string(KindEmail), string(KindCard), string(KindExternal), string(KindWeChat):
		return RefTo(Kind(kind), value)
	}
	return Ref{}, ErrRef
}

func parseNumber(text string) (Ref, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return Ref{}, ErrRef
	}
	if n <= firstNumber {
		return Ref{}, ErrNotFound
	}
	return Ref{id: ID(n - firstNumber)}, nil
}
