package member

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/staff"
)

// What notes, calls and tasks have in common: they are written by staff about a member,
// their texts are personal and lie sealed under the member's own key, and they stay with
// the record that they were written under. A merge shows them on the survivor's page;
// taking it back gives them back.

// maxWritten bounds a text that staff write, in characters.
const maxWritten = 4000

var (
	// ErrWritten refuses a text that is empty, too long, or not text.
	ErrWritten = errs.New(errs.Invalid, "member.written",
		"A text has 1 to {max} characters, and no control characters but line breaks.",
		"文字须为 1 至 {max} 个字符，除换行外不含控制字符。")
	// ErrEdited refuses a change of what somebody else has changed meanwhile.
	ErrEdited = errs.New(errs.Conflict, "member.edited",
		"Somebody has changed this meanwhile. Read it again and repeat the change.",
		"内容刚被他人修改过，请重新读取后再提交。")
	// ErrNotYours refuses to change what a colleague wrote.
	ErrNotYours = errs.New(errs.Forbidden, "member.not_yours",
		"Only whoever wrote this may do that, or a person who manages members.",
		"只有作者本人或有会员管理权限的人可以这样做。")
)

// place is where a row of a member lies: the record that it was written under, and its
// number. Public ids carry both, so that an id finds its row without an index.
type place struct {
	member ID
	n      int64
}

func (p place) id(prefix string) string { return id.Encode(prefix, int64(p.member), p.n) }

// parsePlace reads a public id, or gives the refusal.
func parsePlace(prefix, text string, unknown *errs.Error) (place, error) {
	who, n, err := id.Decode(prefix, text)
	if err != nil || who < 1 || n < 1 {
		return place{}, unknown
	}
	return place{ID(who), n}, nil
}

// aad binds a sealed text to its row and to what it is there: "note", "task outcome".
func (p place) aad(what string) []byte {
	return fmt.Appendf(nil, "member/%d/%s/%d/1", p.member, what, p.n)
}

// newPlace numbers a row that is about to be written.
func (s *Service) newPlace(ctx context.Context, m ID, sequence string) (place, error) {
	n, err := s.db.NextID(ctx, sequence)
	if err != nil {
		return place{}, fmt.Errorf("number a %s of member %d: %w", sequence, m, err)
	}
	return place{m, n}, nil
}

// cleanWritten gives a text its one form: composed letters, plain line breaks, nothing
// around it.
func cleanWritten(text string, most int) (string, error) {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if utf8.ValidString(text) {
		text = strings.TrimSpace(norm.NFC.String(text))
	}
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, odd) {
		return "", ErrWritten.With("max", most)
	}
	return text, nil
}

// writer is who writes, as rows keep it: "staff:stf_…".
func writer(ctx context.Context) string { return staff.ActorOf(ctx) }

var keySQL = db.Define("member.key", `
	SELECT wrapped_key
	FROM member
	WHERE shard = $1 AND id = $2`)

// keyOf opens a member's record key, to seal what is written about them. A member whose
// key was destroyed is as good as gone.
func (s *Service) keyOf(ctx context.Context, tx *db.Tx, m ID) (seal.RecordKey, error) {
	var wrapped []byte
	err := tx.QueryRow(ctx, keySQL, m.Shard(), int64(m)).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(wrapped) == 0 {
		return seal.RecordKey{}, ErrNotFound
	}
	if err != nil {
		return seal.RecordKey{}, fmt.Errorf("read the key of member %d: %w", m, err)
	}
	key, err := s.box.Unwrap(wrapped)
	if err != nil {
		return seal.RecordKey{}, fmt.Errorf("open the key of member %d: %w", m, err)
	}
	return key, nil
}

var keysSQL = db.DefineBulk("member.keys", db.QuerySizes, 2, `
	SELECT id, wrapped_key
	FROM member
	WHERE (shard, id) IN (VALUES`, pairRow, `)`)

// keyring holds the record keys of several members. Those that were destroyed are absent:
// what lay under them reads as nothing.
type keyring map[ID]seal.RecordKey

func (s *Service) keyring(ctx context.Context, tx *db.Tx, members []ID) (keyring, error) {
	slices.Sort(members)
	keys := keyring{}
	err := keysSQL.Query(ctx, tx, pairArgs(slices.Compact(members)), func(rows *db.Rows) error {
		var m ID
		var wrapped []byte
		if err := rows.Scan(&m, &wrapped); err != nil || len(wrapped) == 0 {
			return err
		}
		key, err := s.box.Unwrap(wrapped)
		keys[m] = key
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open record keys: %w", err)
	}
	return keys, nil
}

// open reads a sealed text; "" where there is none or its key was destroyed.
func (k keyring) open(sealed []byte, p place, what string) (string, error) {
	key, there := k[p.member]
	if !there || len(sealed) == 0 {
		return "", nil
	}
	text, err := key.Open(sealed, p.aad(what))
	if err != nil {
		return "", fmt.Errorf("open %s %d of member %d: %w", what, p.n, p.member, err)
	}
	return string(text), nil
}

// recordsOf are the records whose rows a member's page shows: its own and those merged
// into it.
func recordsOf(ctx context.Context, tx *db.Tx, m ID) ([]ID, error) {
	merged, err := mergedInto(ctx, tx, m)
	return append([]ID{m}, merged...), err
}

// point is where a list by time goes on: the instant and number of the last row.
type point struct{ ms, n int64 }

// latest begins a list at its newest row.
var latest = point{1<<63 - 1, 1<<63 - 1}

// gather reads up to limit rows of each record and keeps the first limit of them all in
// the order of less.
func gather[R any](records []ID, limit int, read func(ID) ([]R, error), less func(a, b R) int) ([]R, error) {
	var list []R
	for _, m := range records {
		part, err := read(m)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, less)
	return list[:min(limit, len(list))], nil
}

// newest orders rows by time, newest first.
func newest(a, b point) int { return cmp.Or(cmp.Compare(b.ms, a.ms), cmp.Compare(b.n, a.n)) }

// when reads a column of milliseconds; 0 is the zero time.
func when(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
