package privacy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// tombstone says that a record was erased, or is to be. CreatedMS tells two apart who had
// the same number in two lives of a database.
type tombstone struct {
	Member    member.ID
	CreatedMS int64
	AtMS      int64
	DoneMS    int64
	Reason    string
	Actor     string
}

// line is the tombstone in the file: numbers only.
func (t tombstone) line() string { return fmt.Sprintf("%s %d %d\n", t.Member, t.CreatedMS, t.AtMS) }

// name is what a tombstone is known by.
type name struct {
	member    member.ID
	createdMS int64
}

func (t tombstone) name() name { return name{t.Member, t.CreatedMS} }

// graves is the file that keeps tombstones outside the database: one line each, appended
// and made durable, never rewritten. A restore of the database leaves it alone.
type graves struct {
	path string
	mu   sync.Mutex
}

// read returns what the file holds, in its order. A last line without an end was torn by a
// crash: the tombstone stands in the database then, and is written again. A line that says
// nothing is an error: something else has written to the file.
func (g *graves) read() ([]tombstone, error) {
	text, err := os.ReadFile(g.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	var list []tombstone
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for n, line := range strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n") {
		if line == "" {
			continue
		}
		t, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("read tombstones: %s, line %d: %w", g.path, n+1, err)
		}
		list = append(list, t)
	}
	return list, nil
}

func parseLine(line string) (t tombstone, err error) {
	f := strings.Fields(line)
	if len(f) != 3 {
		return t, fmt.Errorf("%d words, want 3", len(f))
	}
	t.Member, err = member.ParseID(f[0])
	created, err1 := strconv.ParseInt(f[1], 10, 64)
	at, err2 := strconv.ParseInt(f[2], 10, 64)
	t.CreatedMS, t.AtMS = created, at
	return t, errors.Join(err, err1, err2)
}

// bury makes sure that tombstones stand in the file, durably. Those that do are not
// written twice.
func (g *graves) bury(list []tombstone) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	there, err := g.read()
	if err != nil {
		return err
	}
	has := make(map[name]bool, len(there))
	for _, t := range there {
		has[t.name()] = true
	}
	var text strings.Builder
	for _, t := range list {
		if !has[t.name()] {
			text.WriteString(t.line())
			has[t.name()] = true
		}
	}
	if text.Len() == 0 {
		return nil
	}
	if err := g.append(text.String()); err != nil {
		return fmt.Errorf("write tombstones: %w", err)
	}
	return nil
}

// append adds lines, after the end of a torn one if there is one.
func (g *graves) append(lines string) (err error) {
	f, err := os.OpenFile(g.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := os.ReadFile(g.path)
	if err != nil {
		return err
	}
	whole := int64(bytes.LastIndexByte(text, '\n') + 1)
	if err := f.Truncate(whole); err != nil { // what was torn says nothing
		return err
	}
	if _, err := f.WriteAt([]byte(lines), whole); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(g.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

var (
	// decideSQL leaves a tombstone that stands. A number that was given anew after a
	// restore gets a new one.
	decideSQL = db.Define("privacy.decide", `
	INSERT INTO tombstone (shard, member_id, created_ms, at_ms, done_ms, reason, actor)
	VALUES ($1, $2, $3, $4, 0, $5, $6)
	ON CONFLICT (shard, member_id) DO UPDATE
	SET created_ms = excluded.created_ms, at_ms = excluded.at_ms, done_ms = 0, reason = excluded.reason, actor = excluded.actor
	WHERE tombstone.created_ms <> excluded.created_ms`)
	doneSQL = db.Define("privacy.done", `
	UPDATE tombstone
	SET done_ms = $3
	WHERE shard = $1 AND member_id = $2 AND done_ms = 0`)
	tombstonesSQL = db.Define("privacy.tombstones", `
	SELECT member_id, created_ms, at_ms, done_ms, reason, actor
	FROM tombstone
	WHERE (shard, member_id) > ($1, $2)
	ORDER BY shard, member_id
	LIMIT $3`)
	// undeadSQL finds those who have a tombstone and are not erased yet, or not wholly.
	undeadSQL = db.Define("privacy.undead", `
	SELECT t.member_id, t.created_ms, t.at_ms, t.done_ms, t.reason, t.actor
	FROM tombstone t
	JOIN member m ON m.shard = t.shard AND m.id = t.member_id AND m.created_ms = t.created_ms
	WHERE m.erased_ms = 0 OR t.done_ms = 0
	ORDER BY t.shard, t.member_id`)
)

func scanTombstones(rows *db.Rows, err error) ([]tombstone, error) {
	if err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	defer rows.Close()
	var list []tombstone
	for rows.Next() {
		var t tombstone
		if err := rows.Scan(&t.Member, &t.CreatedMS, &t.AtMS, &t.DoneMS, &t.Reason, &t.Actor); err != nil {
			return nil, fmt.Errorf("read tombstones: %w", err)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// tombstonePage is how many one snapshot reads.
const tombstonePage = 1000

// tombstones reads all of the table.
func (s *Service) tombstones(ctx context.Context) (list []tombstone, err error) {
	shard, last := int16(-1), member.ID(0)
	for {
		var page []tombstone
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = scanTombstones(tx.Query(ctx, tombstonesSQL, shard, int64(last), tombstonePage))
			return err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, page...)
		if len(page) < tombstonePage {
			return list, nil
		}
		last = page[len(page)-1].Member
		shard = last.Shard()
	}
}

// Replay erases again whoever was erased before: those of whom the file beside the database
// or the table knows, and whom this database, restored from an older copy or cut short in
// the middle, still has. It returns how many. Call it on every start, and after a restore,
// before anything is served.
func (s *Service) Replay(ctx context.Context) (erased int, err error) {
	ctx = staff.AsSystem(ctx, "replay")
	filed, err := s.graves.read()
	if err != nil {
		return 0, err
	}
	tabled, err := s.tombstones(ctx)
	if err != nil {
		return 0, err
	}
	known := make(map[name]bool, len(tabled))
	for _, t := range tabled {
		known[t.name()] = true
	}
	for _, t := range filed {
		if !known[t.name()] {
			if err := s.redecide(ctx, t); err != nil {
				return 0, err
			}
		}
	}
	if len(tabled) > 0 { // of other nodes, or from before the file was lost
		if err := s.graves.bury(tabled); err != nil {
			return 0, err
		}
	}
	return s.finish(ctx)
}

// redecide puts a tombstone of the file into the table, if the member is the one whom it
// means.
func (s *Service) redecide(ctx context.Context, t tombstone) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		l, err := member.Lock(ctx, tx, t.Member)
		if errors.Is(err, member.ErrNotFound) || err == nil && l.CreatedMS != t.CreatedMS {
			return nil // they joined after this copy was made, and the number may be another's
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, decideSQL, t.Member.Shard(), int64(t.Member), t.CreatedMS, t.AtMS, "replayed", "system:replay"); err != nil {
			return fmt.Errorf("replay the erasure of member %d: %w", t.Member, err)
		}
		if err := member.MarkErased(ctx, tx, t.Member, time.UnixMilli(t.AtMS)); err != nil && !errors.Is(err, member.ErrErased) {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "member.erased", t.Member.String(), nil, map[string]any{"reason": "replayed"})
	})
}
