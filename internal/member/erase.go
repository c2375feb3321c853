package member

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Records lists the records of one person: the survivor whom a Ref leads to, and all that
// were merged into it, directly or through others. It knows those who were erased by their
// ids. There may be more than a page of a member shows.
func (s *Service) Records(ctx context.Context, ref Ref) (list []ID, err error) {
	m, err := s.Trace(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = RecordsOf(ctx, tx, m)
		return err
	})
	return list, err
}

// RecordsOf is Records of a survivor, in the caller's transaction.
func RecordsOf(ctx context.Context, tx *db.Tx, m ID) ([]ID, error) {
	list := []ID{m}
	for at := 0; at < len(list); at++ {
		for after := ID(0); ; {
			page, err := mergedAfter(ctx, tx, list[at], after)
			if err != nil {
				return nil, fmt.Errorf("records merged into %d: %w", m, err)
			}
			list = append(list, page...)
			if len(page) < maxMerged {
				break
			}
			after = page[len(page)-1]
		}
	}
	return list, nil
}

var mergedAfterSQL = db.Define("member.mergedAfter", `
	SELECT id
	FROM member
	WHERE merged_into = $1 AND merged_into <> 0 AND id > $2
	ORDER BY id
	LIMIT 200`)

func mergedAfter(ctx context.Context, tx *db.Tx, m, after ID) (page []ID, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var from ID
		err := rows.Scan(&from)
		page = append(page, from)
		return err
	})(tx.Query(ctx, mergedAfterSQL, int64(m), int64(after)))
	return page, err
}

var lockSQL = db.Define("member.lock", `
	UPDATE member
	SET version = version
	WHERE shard = $1 AND id = $2
	RETURNING created_ms, erased_ms, merged_into`)

// Locked is what Lock tells of a record.
type Locked struct {
	CreatedMS  int64
	ErasedMS   int64 // 0 but for one who was erased
	MergedInto ID
}

// Lock holds a member's row until the end of the transaction: whoever numbers rows of their
// own by the member, or decides by what stands in the record, is alone with it. ErrNotFound
// where there is none.
func Lock(ctx context.Context, tx *db.Tx, m ID) (Locked, error) {
	var l Locked
	err := tx.QueryRow(ctx, lockSQL, m.Shard(), int64(m)).Scan(&l.CreatedMS, &l.ErasedMS, &l.MergedInto)
	if errors.Is(err, sql.ErrNoRows) {
		return l, ErrNotFound
	}
	if err != nil {
		return l, fmt.Errorf("lock member %d: %w", m, err)
	}
	return l, nil
}

var markErasedSQL = db.Define("member.markErased", `
	UPDATE member
	SET version = version + 1, erased_ms = $3
	WHERE shard = $1 AND id = $2 AND erased_ms = 0`)

// MarkErased decides, in the caller's transaction, that a record is to be erased: from its
// commit on nobody changes, merges or finds it, whether or not EraseRecord has come by. Call
// Forget after the commit. ErrErased where somebody was first.
func MarkErased(ctx context.Context, tx *db.Tx, m ID, at time.Time) error {
	n, err := tx.Exec(ctx, markErasedSQL, m.Shard(), int64(m), at.UnixMilli())
	if err != nil {
		return fmt.Errorf("mark member %d as erased: %w", m, err)
	}
	if n == 0 {
		return ErrErased
	}
	return nil
}

// eraseSQL leaves what says nothing about the person: the number, when and at which store
// they joined, and what was merged into what. The key goes with the record that it opens.
var eraseSQL = db.Define("member.erase", `
	UPDATE member
	SET version = version + 1, wrapped_key = $3, sealed = $3, gender = 'unknown', birth_year = 0, birth_md = 0,
		city = '', language = '', source = '', erased_ms = $4
	WHERE shard = $1 AND id = $2`)

var (
	identifiersOfSQL = db.Define("member.identifiersOf", `
	SELECT hash
	FROM identifier
	WHERE member_id = $1
	ORDER BY hash`)
	deleteValuesSQL = db.Define("member.deleteValues", `
	DELETE FROM member_attribute
	WHERE shard = $1 AND member_id = $2`)
	deleteTagsSQL = db.Define("member.deleteTags", `
	DELETE FROM member_tag
	WHERE shard = $1 AND member_id = $2`)
	clearGainedSQL = db.Define("member.clearGained", `
	UPDATE merge_link
	SET gained_tags = '[]'
	WHERE shard = $1 AND from_id = $2`)
	// deleteTokensSQL reads the whole index of names: only for a record that does not open,
	// whose words nobody can tell.
	deleteTokensSQL = db.Define("member.deleteTokens", `
	DELETE FROM name_token
	WHERE member_id = $1`)
)

// deleteWrittenSQL takes away what staff wrote about the member and meant to do for them.
var deleteWrittenSQL = []*db.Stmt{
	db.Define("member.deleteNotes", `
	DELETE FROM note
	WHERE shard = $1 AND member_id = $2`),
	db.Define("member.deleteCalls", `
	DELETE FROM call
	WHERE shard = $1 AND member_id = $2`),
	db.Define("member.deleteTasks", `
	DELETE FROM task
	WHERE shard = $1 AND member_id = $2`),
	db.Define("member.deleteAdvisor", `
	DELETE FROM member_advisor
	WHERE shard = $1 AND member_id = $2`),
	db.Define("member.deleteMentions", `
	DELETE FROM mention
	WHERE shard = $1 AND member_id = $2`),
}

// erasedBody is the body of member.erased.
type erasedBody struct{}

// EraseRecord destroys a record's key and with it all that is sealed, wipes the plain
// columns, and takes away all by which the member could be found. Once done it does nothing
// more. A record that does not open any more is erased all the same.
func (s *Service) EraseRecord(ctx context.Context, m ID, at time.Time) error {
	var freed []hash
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		freed, err = s.eraseRecord(ctx, tx, m, at)
		return err
	})
	for _, h := range freed {
		s.owner.forget(h)
	}
	s.pointer.forget(m)
	if err != nil {
		return fmt.Errorf("erase member %d: %w", m, err)
	}
	return nil
}

func (s *Service) eraseRecord(ctx context.Context, tx *db.Tx, m ID, at time.Time) (freed []hash, err error) {
	if _, err := Lock(ctx, tx, m); err != nil { // before it is read: nothing changes in between
		return nil, err
	}
	r, sealed, err := scanRecord(tx.QueryRow(ctx, loadSQL, m.Shard(), int64(m)).Scan)
	if err != nil || r.erasedMS != 0 && len(r.wrapped) == 0 {
		return nil, err
	}
	r.erasedMS = 0 // it may be marked; to find its words it has to be opened once more
	if err := s.eraseTokens(ctx, tx, r, sealed); err != nil {
		return nil, err
	}
	if freed, err = eraseIdentifiers(ctx, tx, m); err != nil {
		return freed, err
	}
	for _, stmt := range append([]*db.Stmt{deleteValuesSQL, deleteTagsSQL, clearGainedSQL}, deleteWrittenSQL...) {
		if _, err := tx.Exec(ctx, stmt, m.Shard(), int64(m)); err != nil {
			return freed, err
		}
	}
	if _, err := tx.Exec(ctx, eraseSQL, m.Shard(), int64(m), []byte{}, at.UnixMilli()); err != nil {
		return freed, err
	}
	return freed, tellAt(ctx, tx, "member.erased", m, at.UnixMilli(), erasedBody{})
}

func (s *Service) eraseTokens(ctx context.Context, tx *db.Tx, r *record, sealed []byte) error {
	if err := r.open(s.box, sealed); err != nil {
		s.log.Warn("a record that is to be erased does not open; its words are looked for one by one", "member", int64(r.id), "error", err)
		_, err := tx.Exec(ctx, deleteTokensSQL, int64(r.id))
		return err
	}
	for _, t := range s.tokenHashes(nameTokens(r.personal.Name)) {
		if _, err := tx.Exec(ctx, deleteTokenSQL, tokenShard(t), t, int64(r.id)); err != nil {
			return err
		}
	}
	return nil
}

func eraseIdentifiers(ctx context.Context, tx *db.Tx, m ID) (freed []hash, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var h []byte
		err := rows.Scan(&h)
		freed = append(freed, hash(h))
		return err
	})(tx.Query(ctx, identifiersOfSQL, int64(m)))
	if err != nil {
		return nil, err
	}
	for _, h := range freed {
		if err := deleteIdentifier(ctx, tx, h, m); err != nil {
			return freed, err
		}
	}
	return freed, nil
}

// Record reads one record by its own id, as it was before anything was merged into it.
func (s *Service) Record(ctx context.Context, m ID) (out Member, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		r, err := s.load(ctx, tx, m)
		if err != nil {
			return err
		}
		tags, err := tagsOf(ctx, tx, []ID{m})
		out = s.member(r)
		out.Tags = tags[m]
		return err
	})
	return out, err
}

// Mentioned is the first member whose public id stands as a value in a JSON text, 0 where
// there is none. What an answer tells first is whom it is about.
func Mentioned(body []byte) int64 {
	for {
		at := bytes.Index(body, []byte(`"`+idPrefix))
		if at < 0 {
			return 0
		}
		body = body[at+1:]
		if end := bytes.IndexByte(body, '"'); end > 0 {
			if m, err := ParseID(string(body[:end])); err == nil {
				return int64(m)
			}
		}
	}
}

// SealedFields names what a sealed record holds, by its JSON names, for the registry of
// personal fields.
func SealedFields() []string {
	t := reflect.TypeFor[personal]()
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
