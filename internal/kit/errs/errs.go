// Package errs is the one error type of the program.
//
// An Error is a refusal that a caller may see: a kind (which decides the HTTP status), a
// stable code that programs hold on to, and a text that is safe to show, in English and
// in Chinese. What went wrong inside travels as the cause and goes to the log only.
//
// Refusals are package variables of the noun that refuses; With and Because make copies,
// so errors.Is keeps working by code.
package errs

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of failure an Error is. The API maps each to one HTTP status.
type Kind int

// The kinds, with the status that the API answers.
const (
	Internal        Kind = iota // 500: a bug or a lost dependency; the text tells nothing
	Malformed                   // 400: not readable as a request
	Invalid                     // 422: readable, with a value that cannot be
	Unauthenticated             // 401: nobody is signed in
	Forbidden                   // 403: signed in, without the right
	NotFound                    // 404: not there, or not yours
	Conflict                    // 409: refused by the state of things
	TooLarge                    // 413: a body or a list past its bound
	TooMany                     // 429: slow down
	Unavailable                 // 503: try again later
)

// Error is a refusal with a code and a text in both languages.
type Error struct {
	Kind   Kind
	Code   string // stable, "noun.reason"
	EN, ZH string // may hold {name} places that With fills
	Fields []Field
	params []param
	cause  error
}

// Field says which part of a request is wrong and why.
type Field struct {
	Location string // as in "body.lines[2].amount"
	Code     string
	EN, ZH   string
}

type param struct {
	name  string
	value any
}

// New declares a refusal. Call it for package variables only.
func New(kind Kind, code, en, zh string) *Error {
	return &Error{Kind: kind, Code: code, EN: en, ZH: zh}
}

// With returns a copy of e whose {name} places are filled from name, value pairs. The
// values are shown to the caller: no personal data, no secrets.
func (e *Error) With(pairs ...any) *Error {
	if len(pairs)%2 != 0 {
		panic("errs: With takes name, value pairs")
	}
	c := *e
	c.params = append([]param(nil), e.params...)
	for i := 0; i < len(pairs); i += 2 {
		c.params = append(c.params, param{pairs[i].(string), pairs[i+1]})
	}
	return &c
}

// Word is a value for With that reads differently in the two languages.
type Word struct{ EN, ZH string }

// in picks the text for a language.
func (w Word) in(chinese bool) string {
	if chinese {
		return w.ZH
	}
	return w.EN
}

// String is the English text.
func (w Word) String() string { return w.EN }

// At returns a copy of e that names the part of the request at fault.
func (e *Error) At(location string) *Error {
	c := *e
	en, zh := c.Text("en"), c.Text("zh-CN")
	c.Fields = append(append([]Field(nil), e.Fields...), Field{Location: location, Code: e.Code, EN: en, ZH: zh})
	return &c
}

// Because returns a copy of e that carries the cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Param returns the value that With gave for a name, or nil.
func (e *Error) Param(name string) any {
	for _, p := range e.params {
		if p.name == name {
			return p.value
		}
	}
	return nil
}

// Text is what the caller reads: Chinese for a language tag that begins with "zh",
// English for every other.
func (e *Error) Text(lang string) string {
	text := e.EN
	chinese := strings.HasPrefix(strings.ToLower(lang), "zh")
	if chinese {
		text = e.ZH
	}
	for _, p := range e.params {
		value := fmt.Sprint(p.value)
		if w, ok := p.value.(Word); ok {
			value = w.in(chinese)
		}
		text = strings.ReplaceAll(text, "{"+p.name+"}", value)
	}
	return text
}

// Error is the text for the log: code, English text, cause.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Text("en")
	for _, f := range e.Fields {
		s += " [" + f.Location + ": " + f.EN + "]"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the same refusal, whatever its parameters.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// As returns the refusal inside err, or nil where err is no refusal.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf returns the kind of err: Internal for an error that is no refusal.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}
