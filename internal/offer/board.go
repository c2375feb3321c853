package offer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// A leaderboard ranks members by what they did in a cycle. Scores are sums that events keep;
// of equals, who reached the score first stands higher. When a cycle is over and its events
// are in, it is frozen: its prizes are given by what then stands, and it never changes. What
// is returned later counts in the cycle of the return.

const (
	maxBoards  = 100
	maxPrizes  = 100
	maxPlaces  = 10_000 // that are frozen, and shown
	freezeKind = "offer.freeze"
	boardRule  = "leaderboard"
)

// Metric is what a leaderboard counts.
type Metric string

// The metrics.
const (
	BySpend  Metric = "spend"  // money of purchases in the programme's currency, less returns
	ByVisits Metric = "visits" // purchases
	ByEarned Metric = "earned" // points earned, less what was taken back
)

// Board is a leaderboard.
type Board struct {
	ID      int64
	Code    string
	State   State // draft, live or ended
	Terms   BoardTerms
	Version int64
	Frozen  int64 // the last cycle that is
	Made    time.Time
	Changed time.Time
}

// PublicID is what the outside calls the leaderboard.
func (b *Board) PublicID() string { return id.Encode(boardPrefix, 0, b.ID) }

// BoardTerms are what a leaderboard says.
type BoardTerms struct {
	NameEN   string      `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH   string      `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	Metric   Metric      `json:"metric" yaml:"metric" enum:"spend,visits,earned" doc:"spend: money of purchases in the programme's currency. visits: how many. earned: points."`
	Currency string      `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"Of earned: code of the currency."`
	Every    RepeatEvery `json:"every" yaml:"every" enum:"day,week,month" doc:"The cycle, by the programme's calendar."`
	Prizes   []Prize     `json:"prizes,omitempty" yaml:"prizes,omitempty" maxItems:"100" doc:"What places win."`
	Shown    int64       `json:"shown,omitempty" yaml:"shown,omitempty" minimum:"0" maximum:"1000" doc:"How many places members see; 50 where absent."`
}

// Prize is what a range of places wins.
type Prize struct {
	From     int64  `json:"from" yaml:"from" minimum:"1" maximum:"10000" doc:"The first place."`
	To       int64  `json:"to" yaml:"to" minimum:"1" maximum:"10000" doc:"The last place."`
	Currency string `json:"currency" yaml:"currency" maxLength:"40" doc:"Code of a currency of points or growth value."`
	Amount   int64  `json:"amount" yaml:"amount" minimum:"1" maximum:"1000000000" doc:"How much of it each place wins."`
}

var (
	// ErrNoBoard answers for a leaderboard that is not there.
	ErrNoBoard = errs.New(errs.NotFound, "offer.no_leaderboard", "There is no such leaderboard.", "没有这个排行榜。")
	// ErrBoard refuses a leaderboard that cannot be.
	ErrBoard = errs.New(errs.Invalid, "offer.leaderboard", "A leaderboard has a metric, a cycle of a day, a week or a month, and prizes whose places do not overlap; that of earned names a currency.", "排行榜须有指标、周期（天、周或月），奖励名次不得重叠；按积分排名须指定币种。")
)

const boardColumns = `id, code, state, terms, version, frozen, made_ms, changed_ms`

var (
	boardsSQL = db.Define("offer.boards", `
		SELECT `+boardColumns+`
		FROM leaderboard
		ORDER BY id DESC`)
	insertBoardSQL = db.Define("offer.insertBoard", `
		INSERT INTO leaderboard (`+boardColumns+`)
		VALUES ($1, $2, 'draft', $3, 1, 0, $4, $4)
		ON CONFLICT (code) DO NOTHING`)
	updateBoardSQL = db.Define("offer.updateBoard", `
		UPDATE leaderboard
		SET terms = $3, state = $4, frozen = $5, version = version + 1, changed_ms = $6
		WHERE id = $1 AND version = $2`)
	standingsSQL = db.Define("offer.standings", `
		SELECT shard, member_id, score, reached_ms
		FROM leaderboard_score
		WHERE board_id = $1 AND cycle = $2 AND hidden = 0 AND score > 0
			AND (score < $3 OR score = $3 AND (reached_ms > $4 OR reached_ms = $4 AND member_id > $5))
		ORDER BY score DESC, reached_ms, member_id
		LIMIT $6`)
	scoreSQL = db.Define("offer.score", `
		SELECT score, reached_ms, hidden
		FROM leaderboard_score
		WHERE board_id = $1 AND cycle = $2 AND shard = $3 AND member_id = $4`)
	aboveSQL = db.Define("offer.above", `
		SELECT COUNT(*)
		FROM (
			SELECT 1
			FROM leaderboard_score
			WHERE board_id = $1 AND cycle = $2 AND hidden = 0 AND score > 0
				AND (score > $3 OR score = $3 AND (reached_ms < $4 OR reached_ms = $4 AND member_id < $5))
			LIMIT 10000
		) above`)
	resultsSQL = db.Define("offer.results", `
		SELECT place, shard, member_id, score, reached_ms, currency_id, amount, given
		FROM leaderboard_result
		WHERE board_id = $1 AND cycle = $2 AND place > $3
		ORDER BY place
		LIMIT $4`)
)

func scanBoard(scan func(...any) error) (*Board, error) {
	var b Board
	var terms string
	var made, changed int64
	if err := scan(&b.ID, &b.Code, &b.State, &terms, &b.Version, &b.Frozen, &made, &changed); err != nil {
		return nil, err
	}
	b.Made, b.Changed = timeOf(made), timeOf(changed)
	return &b, json.Unmarshal([]byte(terms), &b.Terms)
}

func readBoards(ctx context.Context, tx *db.Tx) (list []*Board, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		b, err := scanBoard(rows.Scan)
		list = append(list, b)
		return err
	})(tx.Query(ctx, boardsSQL))
	return list, err
}

// Boards lists leaderboards, the newest first.
func (s *Service) Boards() []*Board { return s.now.Load().boards }

// Board finds a leaderboard by id or code.
func (s *Service) Board(ref string) (*Board, error) {
	_, n, err := id.Decode(boardPrefix, ref)
	for _, b := range s.Boards() {
		if b.Code == ref || err == nil && b.ID == n {
			return b, nil
		}
	}
	return nil, ErrNoBoard
}

func (s *Service) checkBoard(t *BoardTerms) error {
	t.NameEN, t.NameZH = fill(t.NameEN, t.NameZH)
	if t.NameEN == "" {
		return ErrNames.At("body.name_en")
	}
	cur := func(code string) bool {
		c := s.o.Ledger.Config().ByCode[code]
		return c != nil && c.Kind != ledger.Stored
	}
	bad := t.Every != EveryDay && t.Every != EveryWeek && t.Every != EveryMonth || len(t.Prizes) > maxPrizes ||
		t.Metric != BySpend && t.Metric != ByVisits && t.Metric != ByEarned || (t.Metric == ByEarned) != (t.Currency != "") || t.Currency != "" && !cur(t.Currency)
	last := int64(0)
	for _, p := range t.Prizes {
		bad = bad || p.From <= last || p.To < p.From || p.To > maxPlaces || p.Amount < 1 || !cur(p.Currency)
		last = p.To
	}
	if bad {
		return ErrBoard.At("body")
	}
	return nil
}

// AddBoard makes a draft.
func (s *Service) AddBoard(ctx context.Context, code string, t BoardTerms) (*Board, error) {
	if !codeForm.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := s.checkBoard(&t); err != nil {
		return nil, err
	}
	if len(s.Boards()) >= maxBoards {
		return nil, ErrMany.With("most", maxBoards)
	}
	n, err := s.o.DB.NextID(ctx, "leaderboard")
	if err != nil {
		return nil, err
	}
	b := &Board{ID: n, Code: code, State: Draft, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := tx.Exec(ctx, insertBoardSQL, b.ID, b.Code, string(pack(b.Terms)), s.nowMS())
		if err != nil {
			return err
		}
		if made == 0 {
			return ErrTaken.At("body.code")
		}
		return s.o.Audit.Record(ctx, tx, "leaderboard.add", b.PublicID(), nil, boardAudited(b))
	})
	if err != nil {
		return nil, fmt.Errorf("add leaderboard %s: %w", code, err)
	}
	return s.Board(b.PublicID())
}

func boardAudited(b *Board) any {
	return map[string]any{"code": b.Code, "state": b.State, "terms": b.Terms}
}

// ChangeBoard changes a leaderboard, from a version unless that is 0. One that is published
// counts from the cycle that it is published in.
func (s *Service) ChangeBoard(ctx context.Context, ref string, from int64, edit func(*Board)) (*Board, error) {
	was, err := s.Board(ref)
	if err != nil {
		return nil, err
	}
	if from != 0 && from != was.Version {
		return nil, ErrEdited
	}
	next := *was
	edit(&next)
	if err := s.checkBoard(&next.Terms); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error { return s.changeBoardIn(ctx, tx, was, &next) })
	if err != nil {
		return nil, fmt.Errorf("change leaderboard %s: %w", was.Code, err)
	}
	return s.Board(was.PublicID())
}

func (s *Service) changeBoardIn(ctx context.Context, tx *db.Tx, was, next *Board) error {
	switch {
	case was.State == Ended, was.State != Draft && (next.Terms.Metric != was.Terms.Metric || next.Terms.Every != was.Terms.Every || next.Terms.Currency != was.Terms.Currency),
		next.State == Draft && was.State != Draft, next.State == Ended && was.State == Draft:
		return ErrMove.With("state", stateWord(was.State))
	case next.State == Live && was.State == Draft:
		next.Frozen = s.cycle(next, s.nowMS()) - 1
	}
	n, err := tx.Exec(ctx, updateBoardSQL, was.ID, was.Version, string(pack(next.Terms)), string(next.State), next.Frozen, s.nowMS())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	return s.o.Audit.Record(ctx, tx, "leaderboard.change", was.PublicID(), boardAudited(was), boardAudited(next))
}

// cycle numbers the cycle that an instant lies in.
func (s *Service) cycle(b *Board, atMS int64) int64 {
	return cycleOf(b.Terms.Every, atMS, s.o.Program.Snapshot())
}

// cycleStart is the first day of a cycle.
func cycleStart(every RepeatEvery, cycle int64) program.Day {
	switch every {
	case EveryWeek:
		return program.Day(cycle*7 - 3)
	case EveryMonth:
		return program.Day(time.Date(int(cycle/12), time.Month(cycle%12+1), 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
	}
	return program.Day(cycle)
}

// Ranked is one place of a leaderboard.
type Ranked struct {
	Place     int64
	Member    int64
	Score     int64
	ReachedMS int64
	Currency  int64 // of the prize
	Amount    int64
	Given     bool
}

// Standings lists the places of a cycle: as frozen, or as they stand now.
func (s *Service) Standings(ctx context.Context, b *Board, cycle int64, p api.Page) (list []Ranked, next string, err error) {
	after, err := api.DecodeCursor(p.Cursor, 4)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []int64{0, math.MaxInt64, minMS, minMS} // nobody has that score: all stand below
	}
	frozen := cycle <= b.Frozen
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		var shard int64
		if frozen {
			return db.ReadRows(func(rows *db.Rows) error {
				var r Ranked
				err := rows.Scan(&r.Place, &shard, &r.Member, &r.Score, &r.ReachedMS, &r.Currency, &r.Amount, &r.Given)
				list = append(list, r)
				return err
			})(tx.Query(ctx, resultsSQL, b.ID, cycle, after[0], p.Limit))
		}
		return db.ReadRows(func(rows *db.Rows) error {
			r := Ranked{Place: after[0] + int64(len(list)) + 1}
			err := rows.Scan(&shard, &r.Member, &r.Score, &r.ReachedMS)
			list = append(list, r)
			return err
		})(tx.Query(ctx, standingsSQL, b.ID, cycle, after[1], after[2], after[3], p.Limit))
	})
	if err != nil {
		return nil, "", fmt.Errorf("rank cycle %d of %s: %w", cycle, b.Code, err)
	}
	if !frozen {
		for i := range list {
			list[i].Currency, list[i].Amount = s.prize(b, list[i].Place)
		}
	}
	if len(list) == p.Limit {
		last := list[len(list)-1]
		next = api.EncodeCursor(last.Place, last.Score, last.ReachedMS, last.Member)
	}
	return list, next, nil
}

// prize is what a place wins.
func (s *Service) prize(b *Board, place int64) (currency, amount int64) {
	for _, p := range b.Terms.Prizes {
		if cur := s.o.Ledger.Config().ByCode[p.Currency]; cur != nil && place >= p.From && place <= p.To {
			return cur.ID, p.Amount
		}
	}
	return 0, 0
}

// Own is where a member stands in a cycle; place 0 where they do not, or are past the 10,000th.
func (s *Service) Own(ctx context.Context, b *Board, cycle, m int64) (r Ranked, hidden bool, err error) {
	r.Member = m
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := tx.QueryRow(ctx, scoreSQL, b.ID, cycle, shardOf(m), m).Scan(&r.Score, &r.ReachedMS, &hidden)
		if errors.Is(err, errNoRows) {
			return nil
		}
		if err != nil || hidden || r.Score <= 0 {
			return err
		}
		var above int64
		if err := tx.QueryRow(ctx, aboveSQL, b.ID, cycle, r.Score, r.ReachedMS, m).Scan(&above); err != nil {
			return err
		}
		if above < maxPlaces {
			r.Place = above + 1
		}
		return nil
	})
	if r.Place > 0 {
		r.Currency, r.Amount = s.prize(b, r.Place)
	}
	return r, hidden, err
}
