package tier

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// State is how far a scheme has come.
type State string

// The states.
const (
	Draft State = "draft" // never published
	Live  State = "live"
	Ended State = "ended"
)

// Stored is a scheme with its draft and what is live of it.
type Stored struct {
	ID      int64
	Code    string
	State   State
	Version int64 // of what is live; 0 where nothing was published
	Edited  int64 // grows with every change
	Draft   *Scheme
	Live    *Scheme
	Changed time.Time
}

// Published is one version of a scheme.
type Published struct {
	Version int64
	Scheme  Scheme
	Actor   string
	At      time.Time
}

const schemeColumns = `id, code, state, version, edited, draft, live, changed_ms`

var (
	// What is edited grows and rows never go, so their sum tells any two states apart.
	editedSQL = db.Define("tier.edited", `
		SELECT CAST(COALESCE(SUM(edited), 0) AS BIGINT)
		FROM tier_scheme`)
	schemesSQL = db.Define("tier.schemes", `
		SELECT `+schemeColumns+`
		FROM tier_scheme
		ORDER BY id`)
	schemeSQL = db.Define("tier.scheme", `
		SELECT `+schemeColumns+`
		FROM tier_scheme
		WHERE code = $1`)
	insertSchemeSQL = db.Define("tier.insertScheme", `
		INSERT INTO tier_scheme (id, code, state, version, edited, draft, live, changed_ms)
		VALUES ($1, $2, 'draft', 0, 1, $3, '', $4)`)
	updateSchemeSQL = db.Define("tier.updateScheme", `
		UPDATE tier_scheme
		SET state = $3, version = $4, draft = $5, live = $6, changed_ms = $7, edited = edited + 1
		WHERE id = $1 AND edited = $2`)
	insertVersionSQL = db.Define("tier.insertVersion", `
		INSERT INTO tier_version (scheme_id, version, body, actor, at_ms)
		VALUES ($1, $2, $3, $4, $5)`)
	versionsSQL = db.Define("tier.versions", `
		SELECT version, body, actor, at_ms
		FROM tier_version
		WHERE scheme_id = $1 AND version < $2
		ORDER BY version DESC
		LIMIT $3`)
)

func scanScheme(scan func(...any) error) (s Stored, err error) {
	var draft, live string
	var changed int64
	if err = scan(&s.ID, &s.Code, &s.State, &s.Version, &s.Edited, &draft, &live, &changed); err != nil {
		return s, err
	}
	s.Changed = time.UnixMilli(changed).UTC()
	if s.Draft, err = unpackScheme(draft); err == nil {
		s.Live, err = unpackScheme(live)
	}
	if err != nil {
		return s, fmt.Errorf("read tier scheme %s: %w", s.Code, err)
	}
	return s, nil
}

func unpackScheme(text string) (*Scheme, error) {
	if text == "" {
		return nil, nil
	}
	s := &Scheme{}
	return s, json.Unmarshal([]byte(text), s)
}

func readSchemes(ctx context.Context, tx *db.Tx) (list []Stored, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		s, err := scanScheme(rows.Scan)
		list = append(list, s)
		return err
	})(tx.Query(ctx, schemesSQL))
	return list, err
}

func readScheme(ctx context.Context, tx *db.Tx, code string) (Stored, error) {
	s, err := scanScheme(tx.QueryRow(ctx, schemeSQL, code).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNoScheme
	}
	return s, err
}

// packScheme is a scheme as a row keeps it, "" for none.
func packScheme(s *Scheme) string {
	if s == nil {
		return ""
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // plain values
	}
	return string(b)
}

func updateScheme(ctx context.Context, tx *db.Tx, s Stored, at time.Time) error {
	n, err := tx.Exec(ctx, updateSchemeSQL, s.ID, s.Edited, string(s.State), s.Version, packScheme(s.Draft), packScheme(s.Live), at.UnixMilli())
	if err != nil {
		return fmt.Errorf("change tier scheme %s: %w", s.Code, err)
	}
	if n == 0 {
		return ErrChanged
	}
	return nil
}

func readVersions(ctx context.Context, tx *db.Tx, scheme, before int64, limit int) (list []Published, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var p Published
		var body string
		var at int64
		if err := rows.Scan(&p.Version, &body, &p.Actor, &at); err != nil {
			return err
		}
		p.At = time.UnixMilli(at).UTC()
		err := json.Unmarshal([]byte(body), &p.Scheme)
		list = append(list, p)
		return err
	})(tx.Query(ctx, versionsSQL, scheme, before, limit))
	return list, err
}
