package draw

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

var (
	openEpochsSQL = db.Define("draw.openEpochs", `
		SELECT draw_id, epoch, from_ms, until_ms, hash, sealed
		FROM draw_epoch
		WHERE draw_id = $1 AND closed_ms = 0
		ORDER BY draw_id, epoch`)
	allOpenEpochsSQL = db.Define("draw.allOpenEpochs", `
		SELECT draw_id, epoch, from_ms, until_ms, hash, sealed
		FROM draw_epoch
		WHERE closed_ms = 0
		ORDER BY draw_id, epoch`)
	lastEpochSQL = db.Define("draw.lastEpoch", `
		SELECT epoch
		FROM draw_epoch
		WHERE draw_id = $1
		ORDER BY epoch DESC
		LIMIT 1`)
	insertEpochSQL = db.Define("draw.insertEpoch", `
		INSERT INTO draw_epoch (draw_id, epoch, from_ms, until_ms, hash, sealed, seed, closed_ms, play_n, head)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '')`)
	closeEpochSQL = db.Define("draw.closeEpoch", `
		UPDATE draw_epoch
		SET sealed = $3, seed = $4, closed_ms = $5, play_n = $6, head = $7
		WHERE draw_id = $1 AND epoch = $2 AND closed_ms = 0`)
	lastLineSQL = db.Define("draw.lastLine", `
		SELECT body
		FROM draw_line
		WHERE draw_id = $1 AND epoch = $2
		ORDER BY n DESC
		LIMIT 1`)
	rewrapEpochSQL = db.Define("draw.rewrapEpoch", `
		UPDATE draw_epoch
		SET sealed = $4
		WHERE draw_id = $1 AND epoch = $2 AND sealed = $3`)
)

func epochAAD(draw, n int64) []byte { return fmt.Appendf(nil, "draw/%d/epoch/%d", draw, n) }

// period is the time that an epoch has which begins at an instant: until the end of its day or
// week, both inclusive.
func (t *Terms) period(atMS int64, snap *program.Snapshot) (untilMS int64) {
	day := snap.Day(timeOf(atMS))
	switch t.Epoch {
	case Whole:
		return never
	case EveryWeek:
		return (day + 7 - (day+3)%7).Start(snap.Zone).UnixMilli() - 1
	}
	return (day + 1).Start(snap.Zone).UnixMilli() - 1
}

// openEpoch draws the seed of a new epoch. Its hash is public as soon as the transaction is.
func (s *Service) openEpoch(ctx context.Context, tx *db.Tx, g *Game, n, fromMS int64) (epoch, error) {
	secret := make([]byte, 2*seedSize) // the seed, and the key of the marks
	if _, err := io.ReadFull(s.random, secret); err != nil {
		return epoch{}, fmt.Errorf("draw a seed: %w", err)
	}
	e := epoch{N: n, FromMS: fromMS, UntilMS: g.Terms.period(fromMS, s.o.Program.Snapshot()), Hash: Commitment(secret[:seedSize]), seed: secret[:seedSize], key: secret[seedSize:]}
	_, err := tx.Exec(ctx, insertEpochSQL, g.ID, n, e.FromMS, e.UntilMS, e.Hash, s.o.Box.SealBytes(secret, epochAAD(g.ID, n)), []byte{})
	return e, err
}

// scanEpochs reads open epochs, by draw, with their secrets.
func (s *Service) scanEpochs(to map[int64][]epoch) func(*db.Rows, error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		var draw int64
		var e epoch
		var sealed []byte
		if err := rows.Scan(&draw, &e.N, &e.FromMS, &e.UntilMS, &e.Hash, &sealed); err != nil {
			return err
		}
		secret, err := s.o.Box.OpenBytes(sealed, epochAAD(draw, e.N))
		if err != nil {
			return fmt.Errorf("open epoch %d of draw %d: %w", e.N, draw, err)
		}
		e.seed, e.key = secret[:seedSize], secret[seedSize:]
		to[draw] = append(to[draw], e)
		return nil
	})
}

// rollIn ends the epochs whose time is up and opens those that are to come: the one of now, and
// the next, so that its hash stands long before its first play. It reports whether anything
// changed. Where the draw is over, its last epochs are ended too.
func (s *Service) rollIn(ctx context.Context, tx *db.Tx, g *Game, st *state) (changed bool, err error) {
	nowMS := s.nowMS()
	list := map[int64][]epoch{}
	if err := s.scanEpochs(list)(tx.Query(ctx, openEpochsSQL, g.ID)); err != nil {
		return false, err
	}
	over := g.State == Ended || g.Standing(nowMS, s.zone()) == Ended
	var open []epoch
	for _, e := range list[g.ID] {
		if e.UntilMS < nowMS || g.State == Ended || over && e.FromMS <= nowMS {
			changed = true
			if err := s.closeEpoch(ctx, tx, g, st, e); err != nil {
				return false, err
			}
			continue
		}
		open = append(open, e)
	}
	if over {
		return changed, nil
	}
	last := int64(0)
	if err := tx.QueryRow(ctx, lastEpochSQL, g.ID).Scan(&last); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if len(open) == 0 {
		e, err := s.openEpoch(ctx, tx, g, last+1, nowMS)
		if err != nil {
			return false, err
		}
		last, open, changed = last+1, append(open, e), true
	}
	if e := open[len(open)-1]; len(open) == 1 && e.UntilMS < never {
		if _, err := s.openEpoch(ctx, tx, g, last+1, e.UntilMS+1); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

// closeEpoch ends an epoch and reveals its seed. Under the lock of the state no play is on its
// way, and whatever comes later belongs to the next. The key of the marks is gone for good.
func (s *Service) closeEpoch(ctx context.Context, tx *db.Tx, g *Game, st *state, e epoch) error {
	head, plays := e.Hash, int64(0)
	var body []byte
	err := tx.QueryRow(ctx, lastLineSQL, g.ID, e.N).Scan(&body)
	switch {
	case err == nil:
		var l Line
		unpack(body, &l)
		head, plays = l.Link, l.N
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if _, err := tx.Exec(ctx, closeEpochSQL, g.ID, e.N, []byte{}, e.seed, s.nowMS(), plays, head); err != nil {
		return err
	}
	if st.Epoch <= e.N {
		st.Epoch, st.PlayN, st.Body.Link = e.N+1, 0, ""
	}
	return nil
}

// Roll ends and opens the epochs of all draws as far as it is time.
func (s *Service) Roll(ctx context.Context) error {
	n := s.now.Load()
	for _, g := range n.list {
		if g.State != Draft && s.due(n, g) {
			if err := s.roll(ctx, g.ID); err != nil {
				return fmt.Errorf("roll the epochs of draw %s: %w", g.Code, err)
			}
		}
	}
	return nil
}

// due reports whether the epochs of a draw are not what they should be by now.
func (s *Service) due(n *snapshot, g *Game) bool {
	open, nowMS := n.epochs[g.ID], s.nowMS()
	switch standing := g.Standing(nowMS, s.zone()); {
	case g.State == Ended:
		return len(open) > 0
	case standing == Ended:
		return len(open) > 0 && open[0].FromMS <= nowMS
	case len(open) == 0 || open[0].UntilMS < nowMS:
		return true
	}
	return len(open) == 1 && open[0].UntilMS < never
}

func (s *Service) roll(ctx context.Context, draw int64) error {
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := lockState(ctx, tx, draw)
		if err != nil || st == nil {
			return err
		}
		g, err := read(ctx, tx, draw)
		if err != nil {
			return err
		}
		changed, err := s.rollIn(ctx, tx, g, st)
		if err != nil || !changed {
			return err
		}
		return st.write(ctx, tx, updateStateSQL)
	})
}

// Rewrap brings the seeds of open epochs under the newest wrapping key.
func (s *Service) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	type row struct {
		draw, n int64
		sealed  []byte
	}
	var list []row
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var r row
			var from, until int64
			var hash string
			err := rows.Scan(&r.draw, &r.n, &from, &until, &hash, &r.sealed)
			list = append(list, r)
			return err
		})(tx.Query(ctx, allOpenEpochsSQL))
	})
	if err != nil {
		return 0, err
	}
	for _, r := range list {
		fresh, changed, err := s.o.Box.RewrapBytes(r.sealed, epochAAD(r.draw, r.n))
		if err != nil {
			return moved, fmt.Errorf("epoch %d of draw %d: %w", r.n, r.draw, err)
		}
		if !changed {
			continue
		}
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, rewrapEpochSQL, r.draw, r.n, r.sealed, fresh)
			return err
		})
		if err != nil {
			return moved, err
		}
		moved++
		progress(moved)
	}
	return moved, nil
}
