package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
)

// addSQL numbers the row itself; the caller holds the member's row.
var addSQL = db.Define("privacy.addConsent", `
	INSERT INTO consent (shard, member_id, seq, purpose, channel, granted, text_version, text_hash, at_ms, source, actor)
	SELECT $1, $2, COALESCE(MAX(seq), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10
	FROM consent
	WHERE shard = $1 AND member_id = $2`)

func addConsent(ctx context.Context, tx *db.Tx, c Consent) error {
	_, err := tx.Exec(ctx, addSQL, c.Member.Shard(), int64(c.Member), string(c.Purpose), string(c.Channel), c.Granted,
		c.TextVersion, c.TextHash, c.At.UnixMilli(), c.Source, c.Actor)
	if err != nil {
		return fmt.Errorf("add a consent of member %d: %w", c.Member, err)
	}
	return nil
}

var rowsSQL = db.Define("privacy.consents", `
	SELECT seq, purpose, channel, granted, text_version, text_hash, at_ms, source, actor
	FROM consent
	WHERE shard = $1 AND member_id = $2 AND seq > $3
	ORDER BY seq
	LIMIT $4`)

// consentPage is how many rows one statement reads.
const consentPage = 500

// readConsents reads all rows of one record, oldest first. They are few: a person speaks.
func readConsents(ctx context.Context, tx *db.Tx, m member.ID) (list []Consent, err error) {
	for last := int64(0); ; {
		n := len(list)
		rows, err := tx.Query(ctx, rowsSQL, m.Shard(), int64(m), last, consentPage)
		if err != nil {
			return nil, fmt.Errorf("read consents of member %d: %w", m, err)
		}
		for rows.Next() {
			c := Consent{Member: m}
			var atMS int64
			if err := rows.Scan(&c.Seq, &c.Purpose, &c.Channel, &c.Granted, &c.TextVersion, &c.TextHash, &atMS, &c.Source, &c.Actor); err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			c.At, last = time.UnixMilli(atMS).UTC(), c.Seq
			list = append(list, c)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read consents of member %d: %w", m, err)
		}
		if len(list)-n < consentPage {
			return list, nil
		}
	}
}

var joinsSQL = db.Define("privacy.joins", `
	SELECT m.id, COALESCE(MAX(l.at_ms), 0)
	FROM member m
	LEFT JOIN merge_link l ON l.shard = m.shard AND l.from_id = m.id AND l.into_id = m.merged_into AND l.undone_ms = 0
	WHERE m.merged_into = $1 AND m.merged_into <> 0
	GROUP BY m.id
	ORDER BY m.id`)

// readHistory reads a record's rows and those of all that were merged into it. Merges are
// a few links deep, see member.LinkMerged.
func readHistory(ctx context.Context, tx *db.Tx, m member.ID) (h history, err error) {
	if h.rows, err = readConsents(ctx, tx, m); err != nil {
		return h, err
	}
	type join struct {
		from member.ID
		atMS int64
	}
	var joins []join
	rows, err := tx.Query(ctx, joinsSQL, int64(m))
	if err != nil {
		return h, fmt.Errorf("read merges into member %d: %w", m, err)
	}
	for rows.Next() {
		var j join
		if err := rows.Scan(&j.from, &j.atMS); err != nil {
			return h, errors.Join(err, rows.Close())
		}
		joins = append(joins, j)
	}
	if err := rows.Err(); err != nil {
		return h, fmt.Errorf("read merges into member %d: %w", m, err)
	}
	for _, j := range joins {
		one, err := readHistory(ctx, tx, j.from)
		if err != nil {
			return h, err
		}
		h.merged = append(h.merged, merged{time.UnixMilli(j.atMS).UTC(), one})
	}
	return h, nil
}

// Text is one version of what members agree to.
type Text struct {
	Purpose Purpose
	Version int64
	EN, ZH  string
	Hash    []byte
	At      time.Time
	Actor   string
}

var (
	textsSQL = db.Define("privacy.texts", `
	SELECT purpose, version, text_en, text_zh, hash, at_ms, actor
	FROM consent_text
	ORDER BY purpose, version DESC
	LIMIT 1000`)
	textSQL = db.Define("privacy.text", `
	SELECT purpose, version, text_en, text_zh, hash, at_ms, actor
	FROM consent_text
	WHERE purpose = $1 AND (version = $2 OR $2 = 0)
	ORDER BY version DESC
	LIMIT 1`)
	addTextSQL = db.Define("privacy.addText", `
	INSERT INTO consent_text (purpose, version, text_en, text_zh, hash, at_ms, actor)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (purpose, version) DO NOTHING`)
)

// readText reads a version of a purpose's text, the latest for 0; ok is false where there
// is none.
func readText(ctx context.Context, tx *db.Tx, p Purpose, version int64) (t Text, ok bool, err error) {
	err = scanText(tx.QueryRow(ctx, textSQL, string(p), version).Scan, &t)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("read text of %s: %w", p, err)
	}
	return t, true, nil
}

func scanText(scan func(...any) error, t *Text) error {
	var atMS int64
	err := scan(&t.Purpose, &t.Version, &t.EN, &t.ZH, &t.Hash, &atMS, &t.Actor)
	t.At = time.UnixMilli(atMS).UTC()
	return err
}

func readTexts(ctx context.Context, tx *db.Tx) (list []Text, err error) {
	rows, err := tx.Query(ctx, textsSQL)
	if err != nil {
		return nil, fmt.Errorf("read consent texts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t Text
		if err := scanText(rows.Scan, &t); err != nil {
			return nil, fmt.Errorf("read consent texts: %w", err)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}
