package api

import (
	"path"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// names gives the schemas of the OpenAPI document their names: by type and package, as
// many packages have a createIn, and by operation where a type has no name. The same
// routes in the same order get the same names.
type names struct {
	operation string // in hand, title case
	of        map[reflect.Type]string
	taken     map[string]bool
}

func newNames() *names {
	return &names{of: map[reflect.Type]string{}, taken: map[string]bool{}}
}

// name is a schema namer for Huma.
func (n *names) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return hint // only structs become schemas of their own
	}
	if name, ok := n.of[t]; ok {
		return name
	}
	base := typeName(t)
	if base == "" {
		base = n.anonymous(hint)
	}
	name := base
	for i := 2; n.taken[name]; i++ {
		name = base + strconv.Itoa(i)
	}
	n.of[t], n.taken[name] = name, true
	return name
}

// anonymous names a struct without a name: the body itself, or a part of it.
func (n *names) anonymous(hint string) string {
	hint = letters(strings.TrimSuffix(hint, "Struct"))
	if strings.HasPrefix(title(hint), n.operation) {
		return title(hint)
	}
	return n.operation + title(hint)
}

// typeName is "MemberView" for member.View, "Member" for member.Member, and
// "ListMemberView" for api.List[member.View]; "" for a type without a name.
func typeName(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	parts := strings.FieldsFunc(t.Name(), func(r rune) bool { return strings.ContainsRune("[],*", r) })
	name := qualified(path.Base(t.PkgPath()), parts[0])
	for _, arg := range parts[1:] {
		pkg, local, found := strings.Cut(path.Base(arg), ".")
		if !found {
			pkg, local = "", path.Base(arg)
		}
		name += qualified(pkg, local)
	}
	return name
}

// qualified puts the package in front of a name, unless the name says it already or the
// package is one whose names stand alone.
func qualified(pkg, name string) string {
	name = title(letters(name))
	if pkg == "api" || strings.HasPrefix(strings.ToLower(name), strings.ToLower(pkg)) {
		return name
	}
	return title(pkg) + name
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
