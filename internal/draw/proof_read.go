package draw

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

const epochColumns = "epoch, from_ms, until_ms, hash, seed, closed_ms, play_n, head"

var (
	epochsSQL = db.Define("draw.epochs", `
		SELECT `+epochColumns+`
		FROM draw_epoch
		WHERE draw_id = $1 AND epoch < $2
		ORDER BY epoch DESC
		LIMIT $3`)
	epochSQL = db.Define("draw.epoch", `
		SELECT `+epochColumns+`
		FROM draw_epoch
		WHERE draw_id = $1 AND epoch = $2`)
	tableBeforeSQL = db.Define("draw.tableBefore", `
		SELECT number, body
		FROM draw_odds
		WHERE draw_id = $1 AND (epoch < $2 OR (epoch = $2 AND from_n <= 1))
		ORDER BY number DESC
		LIMIT 1`)
	tablesFromSQL = db.Define("draw.tablesFrom", `
		SELECT number, body
		FROM draw_odds
		WHERE draw_id = $1 AND number > $2 AND epoch <= $3
		ORDER BY number
		LIMIT $4`)
	linesSQL = db.Define("draw.lines", `
		SELECT body
		FROM draw_line
		WHERE draw_id = $1 AND epoch = $2 AND n > $3
		ORDER BY n
		LIMIT $4`)
)

// maxTables bounds the tables of one epoch: each follows from a change by hand, or from stock or
// budget that ended, of which there are few.
const maxTables = 1_000

// Epoch is what everybody may know of an epoch.
type Epoch struct {
	N        int64
	FromMS   int64
	UntilMS  int64 // inclusive
	Hash     string
	Seed     []byte // once it is over
	ClosedMS int64  // 0 while it is not
	Plays    int64  // once it is over
	Head     string // once it is over
}

func scanEpoch(scan func(...any) error) (e Epoch, err error) {
	err = scan(&e.N, &e.FromMS, &e.UntilMS, &e.Hash, &e.Seed, &e.ClosedMS, &e.Plays, &e.Head)
	return e, err
}

// Epochs lists the epochs of a draw, the newest first: that is the one that is to come.
func (s *Service) Epochs(ctx context.Context, g *Game, p api.Page) (list []Epoch, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{math.MaxInt64}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			e, err := scanEpoch(rows.Scan)
			list = append(list, e)
			return err
		})(tx.Query(ctx, epochsSQL, g.ID, after[0], p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the epochs of draw %s: %w", g.Code, err)
	}
	if len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].N)
	}
	return list, next, nil
}

// current is the epoch that a play would belong to now, 0 where there is none.
func (n *snapshot) current(draw, nowMS int64) (epoch, bool) {
	for _, e := range n.epochs[draw] {
		if nowMS <= e.UntilMS {
			return e, true
		}
	}
	return epoch{}, false
}

// Proof is what is published of an epoch: of one that is not over, the hash and the tables so far.
// 0 stands for the one of now, or the last.
func (s *Service) Proof(ctx context.Context, g *Game, number int64) (p Proof, e Epoch, err error) {
	if number == 0 {
		if c, is := s.now.Load().current(g.ID, s.nowMS()); is {
			number = c.N
		}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if number == 0 {
			e, err = scanEpoch(tx.QueryRow(ctx, epochsSQL, g.ID, int64(math.MaxInt64), 1).Scan)
		} else {
			e, err = scanEpoch(tx.QueryRow(ctx, epochSQL, g.ID, number).Scan)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return ErrEpochGone
		}
		if err != nil {
			return err
		}
		p = Proof{Draw: g.PublicID(), Epoch: e.N, Hash: e.Hash, Plays: e.Plays, Head: e.Head, Tables: []Table{}}
		if e.ClosedMS != 0 {
			p.Seed = hex.EncodeToString(e.Seed)
		}
		p.Tables, err = readTables(ctx, tx, g.ID, e.N)
		return err
	})
	if err != nil {
		return p, e, fmt.Errorf("proof of draw %s, epoch %d: %w", g.Code, number, err)
	}
	return p, e, nil
}

// readTables reads the table with which an epoch began, and those that came into force in it.
func readTables(ctx context.Context, tx *db.Tx, draw, epoch int64) (list []Table, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		var number int64
		var body []byte
		if err := rows.Scan(&number, &body); err != nil {
			return err
		}
		var t Table
		unpack(body, &t)
		list = append(list, t)
		return nil
	})
	list = []Table{}
	if err := read(tx.Query(ctx, tableBeforeSQL, draw, epoch)); err != nil {
		return nil, err
	}
	last := int64(0)
	if len(list) > 0 {
		last = list[0].Number
	}
	return list, read(tx.Query(ctx, tablesFromSQL, draw, last, epoch, maxTables))
}

// Lines lists the plays of an epoch that is over, the first first.
func (s *Service) Lines(ctx context.Context, g *Game, number int64, p api.Page) (list []Line, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{0}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		e, err := scanEpoch(tx.QueryRow(ctx, epochSQL, g.ID, number).Scan)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrEpochGone
		case err != nil:
			return err
		case e.ClosedMS == 0:
			return ErrSealed
		}
		list, err = readLines(ctx, tx, g.ID, number, after[0], p.Limit)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("plays of draw %s, epoch %d: %w", g.Code, number, err)
	}
	if len(list) == p.Limit {
		next = api.EncodeCursor(list[len(list)-1].N)
	}
	return list, next, nil
}

func readLines(ctx context.Context, tx *db.Tx, draw, epoch, after int64, limit int) (list []Line, err error) {
	list = []Line{}
	err = db.ReadRows(func(rows *db.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		var l Line
		unpack(body, &l)
		list = append(list, l)
		return nil
	})(tx.Query(ctx, linesSQL, draw, epoch, after, limit))
	return list, err
}
