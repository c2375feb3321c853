package draw

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// pollEvery is how soon a node knows of a change that another made.
const pollEvery = time.Second

// snapshot is all that is configured, compiled, with the epochs that are open.
type snapshot struct {
	version  int64
	words    *cond.Env
	list     []*Game // the newest first
	games    map[int64]*Game
	by       map[string]*Game // by code
	audience map[int64]*cond.Cond
	epochs   map[int64][]epoch // open ones by draw, in order
}

// Run keeps the snapshot fresh, and turns epochs when it is time, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the draws cannot be read; the last ones stay in use", func(ctx context.Context) error {
		if err := s.Refresh(ctx); err != nil {
			return err
		}
		return s.Roll(ctx)
	})
}

// Refresh takes over what has changed in what is configured here, and in the vocabulary of
// conditions.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	words, err := s.o.Ledger.Words(ctx)
	if err != nil {
		return err
	}
	var fresh *snapshot
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		fresh = nil
		var version int64
		if err := tx.QueryRow(ctx, configSQL).Scan(&version); err != nil {
			return err
		}
		if old := s.now.Load(); old != nil && old.version == version && old.words == words {
			return nil
		}
		fresh, err = s.readSnapshot(ctx, tx, words)
		if err == nil {
			fresh.version = version
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the draws: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

func (s *Service) readSnapshot(ctx context.Context, tx *db.Tx, words *cond.Env) (*snapshot, error) {
	n := &snapshot{words: words, games: map[int64]*Game{}, by: map[string]*Game{}, audience: map[int64]*cond.Cond{}, epochs: map[int64][]epoch{}}
	var err error
	if n.list, err = readGames(ctx, tx); err != nil {
		return nil, err
	}
	for _, g := range n.list {
		n.games[g.ID], n.by[g.Code] = g, g
		if g.Terms.Audience != "" {
			n.audience[g.ID] = condition(words, g.Terms.Audience)
		}
	}
	return n, s.scanEpochs(n.epochs)(tx.Query(ctx, allOpenEpochsSQL))
}

// condition compiles the audience of a draw. What no longer compiles, as an attribute is gone,
// holds for nobody.
func condition(words *cond.Env, text string) *cond.Cond {
	c, err := words.Compile(text, cond.OfMember)
	if err != nil {
		c, err = words.Compile("false", cond.OfMember)
	}
	if err != nil {
		panic("draw: false does not compile: " + err.Error())
	}
	return c
}
