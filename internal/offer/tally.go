package offer

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// Figures of offers are sums by day that events keep, in the dispatcher's transaction: each
// event counts exactly once.

// told is what the events of instances tell, as far as it is counted.
type told struct {
	Offer string `json:"offer"`
	Given []move `json:"given,omitempty"`
	Taken []move `json:"taken,omitempty"`
}

// move is points that a reward gave, or a return took back of it.
type move struct {
	Currency int64 `json:"currency_id"`
	Amount   int64 `json:"amount"`
}

type tallyKey struct {
	offer, currency int64
	day             program.Day
}

// sums are the columns of day_offer.
type sums struct{ received, viewed, accepted, completed, expired, cancelled, given int64 }

var addDaySQL = db.Define("offer.addDay", `
	INSERT INTO day_offer (offer_id, day, currency_id, received, viewed, accepted, completed, expired, cancelled, given)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (offer_id, day, currency_id) DO UPDATE SET
		received = day_offer.received + excluded.received, viewed = day_offer.viewed + excluded.viewed, accepted = day_offer.accepted + excluded.accepted,
		completed = day_offer.completed + excluded.completed, expired = day_offer.expired + excluded.expired, cancelled = day_offer.cancelled + excluded.cancelled,
		given = day_offer.given + excluded.given`)

// onEvents counts.
func (s *Service) onEvents(ctx context.Context, tx *db.Tx, events []event.Event) error {
	zone, all := s.zone(), map[tallyKey]*sums{}
	at := func(k tallyKey) *sums {
		if all[k] == nil {
			all[k] = &sums{}
		}
		return all[k]
	}
	for _, e := range events {
		what, ours := strings.CutPrefix(e.Kind, "offer.")
		if !ours {
			continue
		}
		var t told
		if err := json.Unmarshal(e.Body, &t); err != nil || t.Offer == "" {
			continue // a check-in is of no offer
		}
		_, n, err := id.Decode(offerPrefix, t.Offer)
		if err != nil {
			return err
		}
		k := tallyKey{offer: n, day: program.DayOf(e.At(), zone)}
		at(k).count(what)
		for _, m := range t.Given {
			at(tallyKey{n, m.Currency, k.day}).given += m.Amount
		}
		for _, m := range t.Taken {
			at(tallyKey{n, m.Currency, k.day}).given -= m.Amount
		}
	}
	keys := make([]tallyKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.offer, b.offer), cmp.Compare(a.day, b.day), cmp.Compare(a.currency, b.currency))
	})
	for _, k := range keys {
		v := all[k]
		if _, err := tx.Exec(ctx, addDaySQL, k.offer, k.day, k.currency, v.received, v.viewed, v.accepted, v.completed, v.expired, v.cancelled, v.given); err != nil {
			return err
		}
	}
	return nil
}

// count adds one event. An instance that is reopened was completed once less, and one that
// completes late had not expired.
func (v *sums) count(what string) {
	switch what {
	case "received":
		v.received++
	case "viewed":
		v.viewed++
	case "accepted":
		v.accepted++
	case "completed":
		v.completed++
	case "reopened":
		v.completed--
	case "expired":
		v.expired++
	case "revived":
		v.expired--
	case "cancelled":
		v.cancelled++
	}
}

var (
	figuresSQL = db.Define("offer.figures", `
		SELECT currency_id, CAST(SUM(received) AS BIGINT), CAST(SUM(viewed) AS BIGINT), CAST(SUM(accepted) AS BIGINT), CAST(SUM(completed) AS BIGINT),
			CAST(SUM(expired) AS BIGINT), CAST(SUM(cancelled) AS BIGINT), CAST(SUM(given) AS BIGINT)
		FROM day_offer
		WHERE offer_id = $1
		GROUP BY currency_id
		ORDER BY currency_id`)
	daysSQL = db.Define("offer.days", `
		SELECT day, received, viewed, accepted, completed, expired, cancelled
		FROM day_offer
		WHERE offer_id = $1 AND currency_id = 0 AND day >= $2
		ORDER BY day
		LIMIT 400`)
)

// Figures is what an offer came to.
type Figures struct {
	Received, Viewed, Accepted, Completed, Expired, Cancelled int64
	Given                                                     map[int64]int64 // by currency
}

// Figures adds up what an offer came to so far.
func (s *Service) Figures(ctx context.Context, o *Offer) (f Figures, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		f = Figures{Given: map[int64]int64{}}
		return db.ReadRows(func(rows *db.Rows) error {
			var cur int64
			var v sums
			if err := rows.Scan(&cur, &v.received, &v.viewed, &v.accepted, &v.completed, &v.expired, &v.cancelled, &v.given); err != nil {
				return err
			}
			f.Received, f.Viewed, f.Accepted, f.Completed = f.Received+v.received, f.Viewed+v.viewed, f.Accepted+v.accepted, f.Completed+v.completed
			f.Expired, f.Cancelled = f.Expired+v.expired, f.Cancelled+v.cancelled
			if cur != 0 {
				f.Given[cur] = v.given
			}
			return nil
		})(tx.Query(ctx, figuresSQL, o.ID))
	})
	return f, err
}

// FigureDay is one day of an offer.
type FigureDay struct {
	Day                                                       program.Day
	Received, Viewed, Accepted, Completed, Expired, Cancelled int64
}

// Days lists what an offer came to by day, from a day on.
func (s *Service) Days(ctx context.Context, o *Offer, from program.Day) (list []FigureDay, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var d FigureDay
			err := rows.Scan(&d.Day, &d.Received, &d.Viewed, &d.Accepted, &d.Completed, &d.Expired, &d.Cancelled)
			list = append(list, d)
			return err
		})(tx.Query(ctx, daysSQL, o.ID, from))
	})
	return list, err
}
