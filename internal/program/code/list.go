package code

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// List is a Part whose section is a list of things with codes. All functions but Ready, Forms,
// Drop and Done are required.
type List[T any] struct {
	Section string
	Called  errs.Word // one of them
	Code    func(T) string
	Ready   func(ctx context.Context) (context.Context, error) // see Part.Before
	Hold    func(ctx context.Context, tx *db.Tx) error         // see Part.Lock
	All     func(ctx context.Context, tx *db.Tx) ([]T, error)
	Forms   func(*T) // brings one into its one form
	// Put writes one: new where was is nil. Places in its refusals begin inside of it: "price",
	// with or without "body." in front.
	Put func(ctx context.Context, tx *db.Tx, was *T, is T) error
	// Drop removes one; nil where none can be removed.
	Drop    func(ctx context.Context, tx *db.Tx, was T) error
	Done    func(ctx context.Context) error
	Ordered bool // as All gives them; else the file has them by code
}

var _ Part = List[struct{}]{}

// Name is part of Part.
func (l List[T]) Name() string { return l.Section }

// Words is part of Part.
func (l List[T]) Words() errs.Word { return l.Called }

// Type is part of Part.
func (l List[T]) Type() reflect.Type { return reflect.TypeFor[[]T]() }

// Before is part of Part.
func (l List[T]) Before(ctx context.Context) (context.Context, error) {
	if l.Ready == nil {
		return ctx, nil
	}
	return l.Ready(ctx)
}

// Lock is part of Part.
func (l List[T]) Lock(ctx context.Context, tx *db.Tx) error { return l.Hold(ctx, tx) }

// Read is part of Part.
func (l List[T]) Read(ctx context.Context, tx *db.Tx) (any, error) {
	list, err := l.All(ctx, tx)
	if err != nil {
		return nil, err
	}
	return l.form(list), nil
}

// form brings a list into its one form.
func (l List[T]) form(list []T) []T {
	list = slices.Clone(list)
	for i := range list {
		if l.Forms != nil {
			l.Forms(&list[i])
		}
	}
	if !l.Ordered {
		slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(l.Code(a), l.Code(b)) })
	}
	if list == nil {
		list = []T{}
	}
	return list
}

// Tidy is part of Part. Two things of one code are refused.
func (l List[T]) Tidy(section any) (any, error) {
	list, _ := section.([]T)
	seen := map[string]bool{}
	for i := range list {
		if l.Forms != nil {
			l.Forms(&list[i])
		}
		code := l.Code(list[i])
		if seen[code] {
			return nil, ErrTwice.With("what", l.Called, "code", code).At(fmt.Sprintf("[%d].code", i))
		}
		seen[code] = true
	}
	if list == nil {
		list = []T{}
	}
	return list, nil
}

// Apply is part of Part.
func (l List[T]) Apply(ctx context.Context, tx *db.Tx, now, section any) (wrong []error) {
	old := map[string]T{}
	for _, x := range now.([]T) {
		old[l.Code(x)] = x
	}
	for i, x := range section.([]T) {
		code := l.Code(x)
		var was *T
		if o, ok := old[code]; ok {
			was = &o
		}
		delete(old, code)
		if was != nil && same(*was, x) {
			continue
		}
		if err := l.Put(ctx, tx, was, x); err != nil {
			wrong = append(wrong, placed(err, i))
			if broken(err) {
				return wrong
			}
		}
	}
	for _, x := range now.([]T) {
		if _, gone := old[l.Code(x)]; !gone {
			continue
		}
		if err := l.drop(ctx, tx, x); err != nil {
			wrong = append(wrong, err)
			if broken(err) {
				return wrong
			}
		}
	}
	return wrong
}

// drop removes one thing that the file does not name.
func (l List[T]) drop(ctx context.Context, tx *db.Tx, x T) error {
	gone := ErrGone.With("what", l.Called, "code", l.Code(x))
	if l.Drop == nil {
		return gone.With("why", errs.Word{})
	}
	err := l.Drop(ctx, tx, x)
	if e := errs.As(err); e != nil && !broken(err) {
		return gone.With("why", errs.Word{EN: " " + e.Text("en"), ZH: e.Text("zh-CN")})
	}
	return err
}

// Applied is part of Part.
func (l List[T]) Applied(ctx context.Context) error {
	if l.Done == nil {
		return nil
	}
	return l.Done(ctx)
}

// same reports whether two things say the same.
func same(a, b any) bool {
	x, err := plainOf(a)
	if err != nil {
		return false
	}
	y, err := plainOf(b)
	return err == nil && len(compare("", x, y)) == 0
}

// broken reports whether a refusal came from the database, which ends the transaction on
// PostgreSQL: nothing more can be found out.
func broken(err error) bool {
	e := errs.As(err)
	return e == nil || e.Kind == errs.Internal || e.Kind == errs.Unavailable || strings.HasPrefix(e.Code, "db.")
}

// placed names the thing of a list that a refusal is about.
func placed(err error, i int) error {
	e := errs.As(err)
	if e == nil {
		return err
	}
	out := *e
	out.Fields = nil
	at := fmt.Sprintf("[%d]", i)
	for _, f := range e.Fields {
		f.Location = join(at, inner(f.Location))
		out.Fields = append(out.Fields, f)
	}
	if len(out.Fields) == 0 {
		return e.At(at)
	}
	return &out
}

// inner takes off what a refusal of a request has in front of the place.
func inner(at string) string {
	if at == "body" {
		return ""
	}
	return strings.TrimPrefix(at, "body.")
}

// One is a Part whose section is one thing.
type One[T any] struct {
	Section string
	Called  errs.Word
	Hold    func(ctx context.Context, tx *db.Tx) error
	Get     func(ctx context.Context, tx *db.Tx) (T, error)
	Forms   func(*T)
	// Put writes it; see List.Put for places.
	Put  func(ctx context.Context, tx *db.Tx, was, is T) error
	Done func(ctx context.Context) error
}

var _ Part = One[struct{}]{}

// Name is part of Part.
func (o One[T]) Name() string { return o.Section }

// Words is part of Part.
func (o One[T]) Words() errs.Word { return o.Called }

// Type is part of Part.
func (o One[T]) Type() reflect.Type { return reflect.TypeFor[T]() }

// Before is part of Part.
func (o One[T]) Before(ctx context.Context) (context.Context, error) { return ctx, nil }

// Lock is part of Part.
func (o One[T]) Lock(ctx context.Context, tx *db.Tx) error { return o.Hold(ctx, tx) }

// Read is part of Part.
func (o One[T]) Read(ctx context.Context, tx *db.Tx) (any, error) {
	v, err := o.Get(ctx, tx)
	if err == nil && o.Forms != nil {
		o.Forms(&v)
	}
	return v, err
}

// Tidy is part of Part.
func (o One[T]) Tidy(section any) (any, error) {
	v := section.(T)
	if o.Forms != nil {
		o.Forms(&v)
	}
	return v, nil
}

// Apply is part of Part.
func (o One[T]) Apply(ctx context.Context, tx *db.Tx, now, section any) []error {
	err := o.Put(ctx, tx, now.(T), section.(T))
	if err == nil {
		return nil
	}
	if e := errs.As(err); e != nil {
		out := *e
		out.Fields = nil
		for _, f := range e.Fields {
			f.Location = strings.TrimPrefix(inner(f.Location), o.Section+".")
			out.Fields = append(out.Fields, f)
		}
		return []error{&out}
	}
	return []error{err}
}

// Applied is part of Part.
func (o One[T]) Applied(ctx context.Context) error {
	if o.Done == nil {
		return nil
	}
	return o.Done(ctx)
}
