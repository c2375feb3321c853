package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// insertIdentifiers returns the hashes that were free: a hash that somebody has is left
// out, without an error, so that one taken number does not sink a batch.
var insertIdentifiers = db.DefineBulk("member.insertIdentifiers", db.InsertSizes, 7, `
	INSERT INTO identifier (shard, hash, kind, member_id, verified_ms, source, added_ms)
	VALUES`, db.Values(7), `
	ON CONFLICT (hash, shard) DO NOTHING
	RETURNING hash`)

var insertMembers = db.DefineBulk("member.insertMembers", db.InsertSizes, 14, `
	INSERT INTO member (shard, id, version, wrapped_key, sealed, gender, birth_year, birth_md, city, language, store_id, source, joined_ms, created_ms)
	VALUES`, db.Values(14), "")

var insertTokens = db.DefineBulk("member.insertTokens", db.InsertSizes, 3, `
	INSERT INTO name_token (shard, token, member_id)
	VALUES`, db.Values(3), `
	ON CONFLICT (shard, token, member_id) DO NOTHING`)

var insertTags = db.DefineBulk("member.insertTags", db.InsertSizes, 3, `
	INSERT INTO member_tag (shard, member_id, tag)
	VALUES`, db.Values(3), `
	ON CONFLICT (shard, member_id, tag) DO NOTHING
	RETURNING tag`)

var putValues = db.DefineBulk("member.putValues", db.InsertSizes, 6, `
	INSERT INTO member_attribute (shard, member_id, key, kind, text_value, number_e4)
	VALUES`, db.Values(6), `
	ON CONFLICT (shard, member_id, key) DO UPDATE
	SET text_value = excluded.text_value, number_e4 = excluded.number_e4`)

// row is the record as insertMembers wants it.
func (r *record) row(sealed []byte) []any {
	b := r.personal.Birthday
	return []any{
		r.id.Shard(), int64(r.id), r.version, r.wrapped, sealed,
		string(r.gender), b.Year(), b.MonthDay(), r.city, r.language,
		r.storeID, r.source, r.joinedMS, r.createdMS,
	}
}

// identifierRow is a row as insertIdentifiers wants it.
func identifierRow(h hash, m mark, owner ID) []any {
	return []any{int16(h[0]), h[:], string(m.kind), int64(owner), m.verifiedMS, m.source, m.addedMS}
}

// tokenRows are the rows of a member's name tokens.
func tokenRows(tokens []int64, owner ID) []any {
	rows := make([]any, 0, 3*len(tokens))
	for _, t := range tokens {
		rows = append(rows, tokenShard(t), t, int64(owner))
	}
	return rows
}

// valueRows are the rows of a member's plain attributes.
func valueRows(r *record, schema map[string]Attribute, keys []string) []any {
	var rows []any
	for _, key := range keys {
		a := schema[key]
		text, e4 := a.columns(r.attributes[key])
		rows = append(rows, r.id.Shard(), int64(r.id), key, string(a.Kind), text, e4)
	}
	return rows
}

// loadSQL takes the columns in the order of scanRecord.
var loadSQL = db.Define("member.load", `
	SELECT `+recordColumns+`
	FROM member
	WHERE shard = $1 AND id = $2`)

const recordColumns = `id, version, wrapped_key, sealed, gender, city, language, store_id, source, joined_ms, created_ms, merged_into, erased_ms`

// scanRecord reads recordColumns. It returns the sealed part as it is.
func scanRecord(scan func(...any) error) (*record, []byte, error) {
	r := &record{}
	var sealed []byte
	err := scan(&r.id, &r.version, &r.wrapped, &sealed, &r.gender, &r.city, &r.language,
		&r.storeID, &r.source, &r.joinedMS, &r.createdMS, &r.mergedInto, &r.erasedMS)
	return r, sealed, err
}

// loadRow reads one member's row and opens it, without tags, attributes and marks.
func (s *Service) loadRow(ctx context.Context, tx *db.Tx, m ID) (*record, error) {
	r, sealed, err := scanRecord(tx.QueryRow(ctx, loadSQL, m.Shard(), int64(m)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("load member %d: %w", m, err)
	}
	if err := r.open(s.box, sealed); err != nil {
		return nil, err
	}
	return r, nil
}

// load reads one member wholly.
func (s *Service) load(ctx context.Context, tx *db.Tx, m ID) (*record, error) {
	r, err := s.loadRow(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	if r.marks, err = loadMarks(ctx, tx, m); err != nil {
		return nil, fmt.Errorf("load identifiers of member %d: %w", m, err)
	}
	if r.attributes, err = loadAttributes(ctx, tx, m); err != nil {
		return nil, fmt.Errorf("load attributes of member %d: %w", m, err)
	}
	return r, nil
}

var loadMarksSQL = db.Define("member.loadMarks", `
	SELECT hash, kind, verified_ms, source, added_ms
	FROM identifier
	WHERE member_id = $1
	ORDER BY added_ms, hash`)

func loadMarks(ctx context.Context, tx *db.Tx, m ID) (map[hash]mark, error) {
	marks := map[hash]mark{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var h []byte
		var k mark
		if err := rows.Scan(&h, &k.kind, &k.verifiedMS, &k.source, &k.addedMS); err != nil {
			return err
		}
		if len(h) != len(hash{}) {
			return fmt.Errorf("a hash of %d bytes", len(h))
		}
		marks[hash(h)] = k
		return nil
	})(tx.Query(ctx, loadMarksSQL, int64(m)))
	return marks, err
}

var loadAttributesSQL = db.Define("member.loadAttributes", `
	SELECT key, kind, text_value, number_e4
	FROM member_attribute
	WHERE shard = $1 AND member_id = $2
	ORDER BY key`)

func loadAttributes(ctx context.Context, tx *db.Tx, m ID) (map[string]any, error) {
	values := map[string]any{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var key, text string
		var kind AttributeKind
		var e4 int64
		if err := rows.Scan(&key, &kind, &text, &e4); err != nil {
			return err
		}
		values[key] = fromColumns(kind, text, e4)
		return nil
	})(tx.Query(ctx, loadAttributesSQL, m.Shard(), int64(m)))
	return values, err
}

// updateSQL writes a changed member if it is as it was read: of two who change it at once,
// the later one finds no row and reads anew. A merged record does not change, and one that
// was erased never again.
var updateSQL = db.Define("member.update", `
	UPDATE member
	SET version = version + 1, sealed = $4, gender = $5, birth_year = $6, birth_md = $7,
		city = $8, language = $9, store_id = $10, source = $11
	WHERE shard = $1 AND id = $2 AND version = $3 AND merged_into = 0 AND erased_ms = 0`)

// errRaced says that the member changed between reading and writing.
var errRaced = errors.New("member: changed meanwhile")

func updateRow(ctx context.Context, tx *db.Tx, r *record, sealed []byte) error {
	b := r.personal.Birthday
	n, err := tx.Exec(ctx, updateSQL, r.id.Shard(), int64(r.id), r.version, sealed,
		string(r.gender), b.Year(), b.MonthDay(), r.city, r.language, r.storeID, r.source)
	if err != nil {
		return fmt.Errorf("update member %d: %w", r.id, err)
	}
	if n == 0 {
		return errRaced
	}
	return nil
}

// touchSQL raises the version of a member that stands for itself, and locks its row: what
// follows in the transaction cannot meet a merge.
var touchSQL = db.Define("member.touch", `
	UPDATE member
	SET version = version + 1
	WHERE shard = $1 AND id = $2 AND merged_into = 0 AND erased_ms = 0`)

func touch(ctx context.Context, tx *db.Tx, m ID) error {
	n, err := tx.Exec(ctx, touchSQL, m.Shard(), int64(m))
	if err != nil {
		return fmt.Errorf("touch member %d: %w", m, err)
	}
	if n == 0 {
		return errRaced
	}
	return nil
}

var deleteIdentifierSQL = db.Define("member.deleteIdentifier", `
	DELETE FROM identifier
	WHERE hash = $1 AND shard = $2 AND member_id = $3`)

// deleteIdentifier takes an identifier away and counts that, for the caches of other nodes.
func deleteIdentifier(ctx context.Context, tx *db.Tx, h hash, owner ID) error {
	if _, err := tx.Exec(ctx, deleteIdentifierSQL, h[:], int16(h[0]), int64(owner)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, countMovedSQL, movedName)
	return err
}

var verifyIdentifierSQL = db.Define("member.verifyIdentifier", `
	UPDATE identifier
	SET verified_ms = $4
	WHERE hash = $1 AND shard = $2 AND member_id = $3 AND verified_ms = 0`)

var deleteTokenSQL = db.Define("member.deleteToken", `
	DELETE FROM name_token
	WHERE shard = $1 AND token = $2 AND member_id = $3`)

var deleteValueSQL = db.Define("member.deleteValue", `
	DELETE FROM member_attribute
	WHERE shard = $1 AND member_id = $2 AND key = $3`)

var deleteTagSQL = db.Define("member.deleteTag", `
	DELETE FROM member_tag
	WHERE shard = $1 AND member_id = $2 AND tag = $3`)

// pairRow is one row of an IN list of (shard, member). The types must be said: nothing else
// tells PostgreSQL.
func pairRow(first int) string {
	return fmt.Sprintf("(CAST($%d AS SMALLINT), CAST($%d AS BIGINT))", first, first+1)
}

var ownersSQL = db.DefineBulk("member.owners", db.QuerySizes, 1, `
	SELECT hash, member_id
	FROM identifier
	WHERE hash IN (`, func(first int) string { return fmt.Sprintf("$%d", first) }, `)`)

// owners tells whose each identifier is. Those that nobody has are absent.
func owners(ctx context.Context, tx *db.Tx, hashes []hash) (map[hash]ID, error) {
	args := make([]any, len(hashes))
	for i := range hashes {
		args[i] = hashes[i][:]
	}
	found := make(map[hash]ID, len(hashes))
	err := ownersSQL.Query(ctx, tx, args, func(rows *db.Rows) error {
		var h []byte
		var m ID
		if err := rows.Scan(&h, &m); err != nil {
			return err
		}
		found[hash(h)] = m
		return nil
	})
	return found, err
}

var pointersSQL = db.DefineBulk("member.pointers", db.QuerySizes, 2, `
	SELECT id, CASE WHEN erased_ms > 0 THEN -1 ELSE merged_into END
	FROM member
	WHERE (shard, id) IN (VALUES`, pairRow, `)`)

// gone is where a record points that was erased.
const gone ID = -1

// pointers tells where each member points; 0 for one that stands for itself, gone for one
// who was erased. Those that do not exist are absent.
func pointers(ctx context.Context, tx *db.Tx, ids []ID) (map[ID]ID, error) {
	found := make(map[ID]ID, len(ids))
	err := pointersSQL.Query(ctx, tx, pairArgs(ids), func(rows *db.Rows) error {
		var from, into ID
		if err := rows.Scan(&from, &into); err != nil {
			return err
		}
		found[from] = into
		return nil
	})
	return found, err
}

func pairArgs(ids []ID) []any {
	args := make([]any, 0, 2*len(ids))
	for _, m := range ids {
		args = append(args, m.Shard(), int64(m))
	}
	return args
}

var tagsSQL = db.DefineBulk("member.tags", db.QuerySizes, 2, `
	SELECT member_id, tag
	FROM member_tag
	WHERE (shard, member_id) IN (VALUES`, pairRow, `)
	ORDER BY member_id, tag`)

// tagsOf lists the tags of members, sorted.
func tagsOf(ctx context.Context, tx *db.Tx, ids []ID) (map[ID][]string, error) {
	found := make(map[ID][]string, len(ids))
	err := tagsSQL.Query(ctx, tx, pairArgs(ids), func(rows *db.Rows) error {
		var m ID
		var tag string
		if err := rows.Scan(&m, &tag); err != nil {
			return err
		}
		found[m] = append(found[m], tag)
		return nil
	})
	return found, err
}
