package member

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Kind is a sort of identifier.
type Kind string

// The kinds of identifiers. A member's number is no identifier: it is worked out.
const (
	KindPhone    Kind = "phone"  // E.164
	KindEmail    Kind = "email"  // lower case, the domain in ASCII
	KindCard     Kind = "card"   // as printed; upper and lower case differ
	KindExternal Kind = "ext"    // namespace/value of another system
	KindWeChat   Kind = "wechat" // the open id, as WeChat gives it
)

// kinds lists the kinds in the order in which a search tries them.
var kinds = []Kind{KindPhone, KindEmail, KindCard, KindExternal, KindWeChat}

// The bounds of identifiers, in characters. The phone's is E.164's own; the e-mail's
// follows RFC 5321; the others are far above what is printed on cards or used as keys.
const (
	maxEmail     = 254
	maxLocal     = 64
	maxCard      = 64
	maxNamespace = 32
	maxExternal  = 128
)

// homeRegion is the country of a phone number that does not tell its own.
const homeRegion = "CN"

// normalise gives the one spelling of an identifier, or the refusal of its kind.
// normalise of a normalised value is that value.
func normalise(k Kind, text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", refusalOf(k)
	}
	text = strings.TrimSpace(norm.NFKC.String(text))
	switch k {
	case KindPhone:
		return normalPhone(text)
	case KindEmail:
		return normalEmail(text)
	case KindCard, KindWeChat:
		if !plain(text, maxCard) {
			return "", refusalOf(k)
		}
		return text, nil
	case KindExternal:
		return normalExternal(text)
	}
	return "", ErrKind
}

func refusalOf(k Kind) error {
	switch k {
	case KindPhone:
		return ErrPhone
	case KindEmail:
		return ErrEmail
	case KindCard, KindWeChat:
		return ErrCard.With("max", maxCard)
	case KindExternal:
		return ErrExternal.With("ns", maxNamespace, "max", maxExternal)
	}
	return ErrKind
}

// normalPhone gives E.164. Mainland mobiles are recognised by shape: they are nearly all of
// what comes at a till, and ranges newer than the library's tables must not be refused.
func normalPhone(text string) (string, error) {
	if n, ok := homeMobile(text); ok {
		return "+86" + n, nil
	}
	if strings.ContainsFunc(text, unicode.IsLetter) {
		return "", ErrPhone // the library would dial letters and read extensions
	}
	n, err := phonenumbers.Parse(text, homeRegion)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", ErrPhone
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// homeMobile recognises eleven digits of a mainland mobile, with or without +86, spaces
// and dashes.
func homeMobile(text string) (digits string, ok bool) {
	text = strings.NewReplacer(" ", "", "-", "").Replace(text)
	text = strings.TrimPrefix(text, "+86")
	if len(text) != 11 || text[0] != '1' || text[1] < '2' {
		return "", false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return "", false
		}
	}
	return text, true
}

// normalEmail folds case in the local part too: no provider in use tells a@b from A@b, and
// people type both.
func normalEmail(text string) (string, error) {
	at := strings.LastIndexByte(text, '@')
	if at < 1 || len(text) > maxEmail || at > maxLocal {
		return "", ErrEmail
	}
	local := norm.NFKC.String(strings.ToLower(text[:at]))
	if strings.ContainsFunc(local, notInLocal) {
		return "", ErrEmail
	}
	domain, err := idna.Lookup.ToASCII(strings.ToLower(text[at+1:]))
	if err != nil || !strings.Contains(domain, ".") || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", ErrEmail
	}
	if len(local)+1+len(domain) > maxEmail {
		return "", ErrEmail
	}
	return local + "@" + domain, nil
}

func notInLocal(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`@,;:<>()[]"\`, r)
}

// normalExternal folds the namespace, which people type, and keeps the value, which
// another system made.
func normalExternal(text string) (string, error) {
	ns, value, ok := strings.Cut(text, "/")
	ns, value = strings.ToLower(strings.TrimSpace(ns)), strings.TrimSpace(value)
	if !ok || ns == "" || len(ns) > maxNamespace || strings.ContainsFunc(ns, notInNamespace) || !printable(value, maxExternal) || value == "" {
		return "", refusalOf(KindExternal)
	}
	return ns + "/" + value, nil
}

func notInNamespace(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

// plain reports whether text has 1 to limit characters without spaces and controls.
func plain(text string, limit int) bool {
	return text != "" && printable(text, limit) && !strings.ContainsFunc(text, unicode.IsSpace)
}

// printable reports whether text has at most limit characters and none that a screen
// cannot show. Line breaks are controls.
func printable(text string, limit int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= limit && !strings.ContainsFunc(text, unicode.IsControl)
}

// Mask hides the middle of an identifier for lists: enough stays to recognise one's own.
func Mask(k Kind, value string) string {
	switch k {
	case KindPhone:
		return maskPhone(value)
	case KindEmail:
		at := strings.LastIndexByte(value, '@')
		first, _ := utf8.DecodeRuneInString(value)
		return string(first) + "***" + value[at:]
	}
	return maskMiddle(value, 2, 2)
}

// maskPhone drops the country code of home, as people write their number: 138****6027.
func maskPhone(value string) string {
	if n, ok := homeMobile(value); ok {
		return maskMiddle(n, 3, 4)
	}
	return maskMiddle(value, 4, 2)
}

func maskMiddle(value string, head, tail int) string {
	r := []rune(value)
	if len(r) <= head+tail {
		return strings.Repeat("*", len(r))
	}
	return string(r[:head]) + "****" + string(r[len(r)-tail:])
}
