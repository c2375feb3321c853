package insight

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The ledger lies by member, and an index by time would cost every posting. But every
// movement is told by an event, events have positions in the order of time, and they name
// the entries: so the log is the index. It is read backwards, a bounded number of events for
// each page.
const (
	logPage  = 500
	logPages = 8 // of the log for one page of the answer: past them it ends early, with a cursor
	// skew is by how much the order of the log may differ from that of the entries' times:
	// batches of several workers are dispatched in the order of their commits.
	skew = time.Minute
)

// movingKinds are the events by which places of the log are found in time: most movements are
// told by them. Others tell of some too, those of a programme's own types among them.
var movingKinds = [...]string{
	"sale.recorded", "sale.returned", "sale.assigned", "points.earned", "points.spent", "points.expired",
	"points.adjusted", "points.topped_up", "points.sent", "points.received", "points.forfeited", "hold.captured", "ledger.merged", "ledger.unmerged",
}

var (
	logBackSQL = db.Define("insight.logBack", `
	SELECT position, member_id, kind, at_ms, body
	FROM event
	WHERE position < $1 AND position > $2
	ORDER BY position DESC
	LIMIT $3`)
	kindAtSQL = db.Define("insight.kindAt", `
	SELECT position, member_id, at_ms, body
	FROM event
	WHERE kind = $1 AND position >= $2
	ORDER BY position
	LIMIT $3`)
)

// probed is how many events of a kind are looked at for one that tells of a movement: sales
// of nobody tell of none.
const probed = 20

// EntryFilter says which entries to list. All that is given must hold.
type EntryFilter struct {
	Currency string
	Kind     string
	From, To int64 // written in [From, To), Unix milliseconds; 0 for no bound
	Document string
	Staff    string // who asked: staff:stf_…, key:key_…, or the id alone
	Before   int64  // position of the log that the page goes on before; 0 for the newest
	In       int    // how many entries of the event before Before were given already
	Limit    int
}

// EntryPage is a page of entries, newest first.
type EntryPage struct {
	Items    []ledger.Listed
	Position int64 // where the next page goes on
	In       int
	More     bool
}

// Entries lists entries over all members, newest first.
func (s *Service) Entries(ctx context.Context, f EntryFilter) (out EntryPage, err error) {
	want, err := s.matcher(ctx, f)
	if err != nil {
		return out, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out = EntryPage{Items: []ledger.Listed{}}
		newest, err := event.Position(ctx, tx)
		if err != nil {
			return err
		}
		low, high := int64(0), newest+1
		if f.To != 0 {
			if high, err = positionAt(ctx, tx, s.o.Ledger, newest, f.To+skew.Milliseconds(), true); err != nil {
				return err
			}
		}
		if f.From != 0 {
			if low, err = positionAt(ctx, tx, s.o.Ledger, newest, f.From-skew.Milliseconds(), false); err != nil {
				return err
			}
			low--
		}
		if f.Before != 0 && f.Before <= high {
			high = f.Before
		} else {
			f.In = 0
		}
		return s.walk(ctx, tx, &out, f, high, low, want)
	})
	if err != nil {
		return out, fmt.Errorf("list entries over members: %w", err)
	}
	return out, nil
}

// walk fills a page from the log before a position. high is exclusive, or, where some of its
// event were given, inclusive.
func (s *Service) walk(ctx context.Context, tx *db.Tx, out *EntryPage, f EntryFilter, high, low int64, want func(*ledger.Listed) bool) error {
	skip := f.In
	if skip > 0 {
		high++
	}
	for range logPages {
		list, err := readBack(ctx, tx, high, low, logPage)
		if err != nil {
			return err
		}
		groups, err := s.entriesOf(ctx, tx, list, f)
		if err != nil {
			return err
		}
		for i, e := range list {
			entries := groups[i]
			given := 0
			if skip > 0 {
				given, skip = min(skip, len(entries)), 0
			}
			for ; given < len(entries); given++ {
				if !want(&entries[given]) {
					continue
				}
				if len(out.Items) == f.Limit {
					out.Position, out.In, out.More = e.Position, given, true
					if given == 0 {
						out.Position++ // all of this event is still to come
					}
					return nil
				}
				out.Items = append(out.Items, entries[given])
			}
			high = e.Position
		}
		if len(list) < logPage {
			return nil
		}
	}
	out.Position, out.More = high, true
	return nil
}

func readBack(ctx context.Context, tx *db.Tx, before, after int64, n int) (list []event.Event, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var e event.Event
		var body string
		if err := rows.Scan(&e.Position, &e.Member, &e.Kind, &e.AtMS, &body); err != nil {
			return err
		}
		if strings.Contains(body, movesField) {
			e.Body = []byte(body)
		}
		list = append(list, e)
		return nil
	})(tx.Query(ctx, logBackSQL, before, after, n))
	return list, err
}

// entriesOf reads the entries that events tell of, newest first within each; what the event
// itself rules out is not read.
func (s *Service) entriesOf(ctx context.Context, tx *db.Tx, list []event.Event, f EntryFilter) ([][]ledger.Listed, error) {
	at := map[ledger.LotKey]int{}
	var keys []ledger.LotKey
	kind, _ := ledger.KindNamed(f.Kind)
	var currency int64
	if c := s.o.Ledger.Config().ByCode[f.Currency]; c != nil {
		currency = c.ID
	}
	for i, e := range list {
		if e.Body == nil {
			continue
		}
		moves, err := ledger.MovesOf(e.Member, e.AtMS, e.Body)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Position, err)
		}
		for _, m := range moves {
			if f.Kind != "" && m.Kind != kind || currency != 0 && m.Currency != currency {
				continue
			}
			k := ledger.LotKey{Member: m.Member, Seq: m.Seq}
			at[k] = i
			keys = append(keys, k)
		}
	}
	groups := make([][]ledger.Listed, len(list))
	if len(keys) == 0 {
		return groups, nil
	}
	entries, err := s.o.Ledger.EntriesAt(ctx, tx, keys)
	for _, e := range entries {
		i := at[e.Key]
		groups[i] = append(groups[i], e)
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b ledger.Listed) int {
			return cmp.Or(cmp.Compare(b.Key.Member, a.Key.Member), cmp.Compare(b.Key.Seq, a.Key.Seq))
		})
	}
	return groups, err
}

// matcher is what an entry has to be.
func (s *Service) matcher(ctx context.Context, f EntryFilter) (func(*ledger.Listed) bool, error) {
	who, snap := api.CallerOf(ctx), s.o.Program.Snapshot()
	limited := len(who.Stores)+len(who.Merchants) > 0
	if f.Kind != "" {
		if _, ok := ledger.KindNamed(f.Kind); !ok {
			return nil, ErrKind.At("query.kind")
		}
	}
	if f.Currency != "" && s.o.Ledger.Config().ByCode[f.Currency] == nil {
		return nil, ledger.ErrCurrency.With("code", f.Currency).At("query.currency")
	}
	if f.To == 0 {
		f.To = math.MaxInt64
	}
	return func(e *ledger.Listed) bool {
		switch {
		case limited && !snap.SeesStore(who, e.In):
		case f.Kind != "" && e.Kind != f.Kind, f.Currency != "" && e.Currency != f.Currency:
		case f.Document != "" && e.Document != f.Document:
		case f.Staff != "" && e.Who != f.Staff && e.Who != "staff:"+f.Staff && e.Who != "key:"+f.Staff:
		case e.At < f.From || e.At >= f.To:
		default:
			return true
		}
		return false
	}, nil
}

// positionAt is the first position of the log, about, whose entries were written at or after
// a time: found by halving, since positions follow time but for the skew of a moment. Where
// the time of a part of the log cannot be told cheaply, late says on which side to err.
func positionAt(ctx context.Context, tx *db.Tx, l *ledger.Service, newest, ms int64, late bool) (int64, error) {
	low, high := int64(1), newest+1
	for low < high {
		mid := low + (high-low)/2
		at, _, sure, err := writtenFrom(ctx, tx, l, mid)
		if err != nil {
			return 0, err
		}
		if at >= ms && (sure || !late) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if late && low <= newest { // events of other kinds may lie before the next of these
		_, next, _, err := writtenFrom(ctx, tx, l, low)
		return min(next, newest+1), err
	}
	return low, nil
}

// writtenFrom is when the first entry that movingKinds tell from a position on was written,
// MaxInt64 for none, and where. It is not sure where there may be an earlier one.
func writtenFrom(ctx context.Context, tx *db.Tx, l *ledger.Service, position int64) (ms, where int64, sure bool, err error) {
	first, doubt := int64(math.MaxInt64), int64(math.MaxInt64)
	var key ledger.LotKey
	for _, kind := range movingKinds {
		n, told, last := 0, false, int64(0)
		err := each(ctx, tx, kindAtSQL, func(scan func(...any) error) error {
			var m, at int64
			var body string
			if err := scan(&last, &m, &at, &body); err != nil || told {
				return err
			}
			n++
			moves, err := ledger.MovesOf(m, at, []byte(body))
			if err != nil || len(moves) == 0 {
				return err
			}
			if told = true; last < first {
				first, key = last, ledger.LotKey{Member: moves[0].Member, Seq: moves[0].Seq}
			}
			return nil
		}, kind, position, probed)
		if err != nil {
			return 0, 0, false, err
		}
		if !told && n == probed {
			doubt = min(doubt, last)
		}
	}
	if first == math.MaxInt64 {
		return first, first, doubt == math.MaxInt64, nil
	}
	entries, err := l.EntriesAt(ctx, tx, []ledger.LotKey{key})
	if err != nil || len(entries) == 0 {
		return 0, 0, false, err
	}
	return entries[0].At, first, first < doubt, nil
}
