// Package desk keeps what colleagues arrange for their own work: views of lists, saved
// under a name.
//
// Life: whoever filters a list saves the filter as a view, for themselves or shared with
// all colleagues; changes it, and removes it.
//
// Laws:
//   - A view is a filter, never a search for a person: what would name one is refused, since
//     a view outlives an erasure.
//   - A view shows nothing by itself: the list is asked anew, with the rights of who looks.
//   - Only its owner changes a view; who manages the programme may, too, where it is shared.
package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The bounds of views.
const (
	maxViews  = 100 // of one owner: more would not be found in a menu
	maxName   = 60  // characters
	maxQuery  = 2_000
	maxParams = 30
	prefix    = "vie_"
)

var (
	// ErrUnknown answers for a view that is not there, or is somebody else's own.
	ErrUnknown = errs.New(errs.NotFound, "view.unknown", "There is no such view.", "没有这个视图。")
	// ErrName refuses a name that is none.
	ErrName = errs.New(errs.Invalid, "view.name", "A name has 1 to {max} characters on one line.", "名称须为一行 1 至 {max} 个字符。")
	// ErrQuery refuses a query string that cannot be read.
	ErrQuery = errs.New(errs.Invalid, "view.query", "The query string cannot be read, or has more than {max} parameters.", "查询字符串无法读取，或参数超过 {max} 个。")
	// ErrPerson refuses a view that names somebody.
	ErrPerson = errs.New(errs.Invalid, "view.person", "A view holds filters, not a search for a person: leave out {name}.", "视图只保存筛选条件，不保存对某人的搜索：请去掉 {name}。")
	// ErrColumns refuses columns that are no names.
	ErrColumns = errs.New(errs.Invalid, "view.columns", "Columns are names, each once.", "列须为列名，且不重复。")
	// ErrMany refuses one view too many.
	ErrMany = errs.New(errs.Conflict, "view.many", "You have {most} views, which is all that there may be.", "您已有 {most} 个视图，达到上限。")
	// ErrNotYours refuses to change what somebody else has shared.
	ErrNotYours = errs.New(errs.Forbidden, "view.not_yours", "Only its owner may change a shared view, or a person who manages the programme.", "共享视图只能由创建者或有计划管理权限的人修改。")
	// ErrEdited refuses a change of what has been changed meanwhile.
	ErrEdited = errs.New(errs.Conflict, "view.edited", "Somebody has changed this view meanwhile.", "该视图刚被修改过。")
)

// View is a saved view.
type View struct {
	ID      int64
	Owner   string // "staff:stf_…"
	Feature string // whose list it is of: "members"
	Name    string
	Query   string // as it stands behind ? in the console
	Columns []string
	Shared  bool
	Version int64
	Changed time.Time
}

// PublicID is what the outside calls the view.
func (v View) PublicID() string { return id.Encode(prefix, 0, v.ID) }

// naming are the parameters of each feature by which a person may be named.
var naming = map[string][]string{
	"members": {"q"}, "sales": {"q", "member", "document"}, "entries": {"q", "member"}, "tasks": {"q", "member"}, "approvals": {"q", "member"},
}

// check refuses what is no view, and brings it into its one form.
func (v *View) check() error {
	v.Name = strings.TrimSpace(v.Name)
	if n := utf8.RuneCountInString(v.Name); n < 1 || n > maxName || strings.ContainsFunc(v.Name, unicode.IsControl) {
		return ErrName.With("max", maxName).At("body.name")
	}
	v.Query = strings.TrimPrefix(v.Query, "?")
	params, err := url.ParseQuery(v.Query)
	if err != nil || len(v.Query) > maxQuery || len(params) > maxParams {
		return ErrQuery.With("max", maxParams).At("body.query")
	}
	for name, values := range params {
		if slices.Contains(naming[v.Feature], name) {
			return ErrPerson.With("name", name).At("body.query")
		}
		for _, text := range append(values, name) {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				return ErrQuery.With("max", maxParams).At("body.query")
			}
		}
	}
	v.Query = params.Encode()
	for i, c := range v.Columns {
		if c == "" || strings.ContainsFunc(c, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) || slices.Contains(v.Columns[:i], c) {
			return ErrColumns.At("body.columns")
		}
	}
	if v.Columns == nil {
		v.Columns = []string{}
	}
	return nil
}

// Service keeps views. It is safe for use by many goroutines.
type Service struct {
	db    *db.DB
	clock clock.Clock
	audit *staff.Audit
}

// New makes the service.
func New(d *db.DB, c clock.Clock, a *staff.Audit) *Service { return &Service{d, c, a} }

const viewColumns = `id, owner, feature, name, query, view_columns, shared, version, changed_ms`

var (
	insertSQL = db.Define("desk.insertView", `
		INSERT INTO saved_view (id, owner, feature, name, query, view_columns, shared, version, changed_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)`)
	countSQL = db.Define("desk.countViews", `
		SELECT COUNT(*)
		FROM saved_view
		WHERE owner = $1`)
	getSQL = db.Define("desk.view", `
		SELECT `+viewColumns+`
		FROM saved_view
		WHERE id = $1`)
	mineSQL = db.Define("desk.ownViews", `
		SELECT `+viewColumns+`
		FROM saved_view
		WHERE owner = $1 AND ($2 = '' OR feature = $2)
		ORDER BY feature, id`)
	sharedSQL = db.Define("desk.sharedViews", `
		SELECT `+viewColumns+`
		FROM saved_view
		WHERE feature = $1 AND shared = 1 AND owner <> $2
		ORDER BY id
		LIMIT $3`)
	changeSQL = db.Define("desk.changeView", `
		UPDATE saved_view
		SET name = $3, query = $4, view_columns = $5, shared = $6, version = version + 1, changed_ms = $7
		WHERE id = $1 AND version = $2`)
	removeSQL = db.Define("desk.removeView", `
		DELETE FROM saved_view
		WHERE id = $1`)
)

func scan(row interface{ Scan(...any) error }) (v View, err error) {
	var columns string
	var changed int64
	if err = row.Scan(&v.ID, &v.Owner, &v.Feature, &v.Name, &v.Query, &columns, &v.Shared, &v.Version, &changed); err != nil {
		return v, err
	}
	v.Changed = time.UnixMilli(changed).UTC()
	return v, json.Unmarshal([]byte(columns), &v.Columns)
}

func packed(columns []string) string {
	text, err := json.Marshal(columns)
	if err != nil {
		panic("desk: columns that JSON cannot hold: " + err.Error())
	}
	return string(text)
}

// Save saves a new view of the caller's.
func (s *Service) Save(ctx context.Context, v View) (View, error) {
	if err := v.check(); err != nil {
		return v, err
	}
	now := s.clock.Now()
	v.Owner, v.Version, v.Changed = staff.ActorOf(ctx), 1, now.UTC()
	var err error
	if v.ID, err = s.db.NextID(ctx, "saved_view"); err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		if err := tx.QueryRow(ctx, countSQL, v.Owner).Scan(&n); err != nil {
			return err
		}
		if n >= maxViews {
			return ErrMany.With("most", maxViews)
		}
		if _, err := tx.Exec(ctx, insertSQL, v.ID, v.Owner, v.Feature, v.Name, v.Query, packed(v.Columns), v.Shared, now.UnixMilli()); err != nil {
			return fmt.Errorf("save a view: %w", err)
		}
		return s.record(ctx, tx, "view.add", nil, &v)
	})
	return v, err
}

// record puts changes of shared views on the trail: they are what others work with.
func (s *Service) record(ctx context.Context, tx *db.Tx, action string, before, after *View) error {
	subject := ""
	of := func(v *View) any {
		if v == nil {
			return nil
		}
		subject = v.PublicID()
		return map[string]any{"feature": v.Feature, "shared": v.Shared, "columns": v.Columns}
	}
	was, is := of(before), of(after)
	if (before == nil || !before.Shared) && (after == nil || !after.Shared) {
		return nil
	}
	return s.audit.Record(ctx, tx, action, subject, was, is)
}

// Views lists the caller's views and those that others share, of one feature: bounded, so
// without pages. Without a feature it lists the caller's own.
func (s *Service) Views(ctx context.Context, feature string) (list []View, err error) {
	owner := staff.ActorOf(ctx)
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		read := db.ReadRows(func(rows *db.Rows) error {
			v, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, v)
			return nil
		})
		if err := read(tx.Query(ctx, mineSQL, owner, feature)); err != nil || feature == "" {
			return err
		}
		return read(tx.Query(ctx, sharedSQL, feature, owner, maxViews))
	})
	return list, err
}

// read reads a view that the caller may see.
func (s *Service) read(ctx context.Context, tx *db.Tx, n int64) (View, error) {
	v, err := scan(tx.QueryRow(ctx, getSQL, n))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !v.Shared && v.Owner != staff.ActorOf(ctx) {
		return v, ErrUnknown
	}
	return v, err
}

// mayChange refuses whoever neither owns a view nor manages the programme.
func mayChange(ctx context.Context, v View) error {
	if v.Owner != staff.ActorOf(ctx) && !api.CallerOf(ctx).Can[program.Manage] {
		return ErrNotYours
	}
	return nil
}

// Change changes a view, from a version unless that is 0.
func (s *Service) Change(ctx context.Context, n, version int64, edit func(*View)) (v View, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		before, err := s.read(ctx, tx, n)
		if err != nil {
			return err
		}
		if err := mayChange(ctx, before); err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return ErrEdited
		}
		v = before
		edit(&v)
		if err := v.check(); err != nil {
			return err
		}
		now := s.clock.Now()
		count, err := tx.Exec(ctx, changeSQL, v.ID, before.Version, v.Name, v.Query, packed(v.Columns), v.Shared, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("change view %d: %w", n, err)
		}
		if count == 0 {
			return ErrEdited
		}
		v.Version, v.Changed = before.Version+1, now.UTC()
		return s.record(ctx, tx, "view.change", &before, &v)
	})
	return v, err
}

// Remove removes a view.
func (s *Service) Remove(ctx context.Context, n int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		v, err := s.read(ctx, tx, n)
		if err != nil {
			return err
		}
		if err := mayChange(ctx, v); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, removeSQL, n); err != nil {
			return fmt.Errorf("remove view %d: %w", n, err)
		}
		return s.record(ctx, tx, "view.remove", &v, nil)
	})
}
