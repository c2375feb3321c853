package reward

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// The columns of reward_order as Go reads them, in the order of orderOf.
const orderCols = `shard, member_id, seq, reward_id, version, state, store_id, stock_store, stocked, currency_id,
	points, money, until_ms, made_ms, changed_ms, pickup, address, carrier, tracking, gift, body`

var (
	orderSQL = db.Define("reward.order", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE shard = $1 AND member_id = $2 AND seq = $3`)
	ordersOfSQL = db.Define("reward.ordersOf", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE shard = $1 AND member_id = $2 AND seq < $3
		ORDER BY seq DESC
		LIMIT $4`)
	pickupSQL = db.Define("reward.byPickup", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE pickup = $1 AND length(pickup) > 0`)
	stepsSQL = db.Define("reward.steps", `
		SELECT step, at_ms, actor, store_id, note
		FROM reward_order_step
		WHERE shard = $1 AND member_id = $2 AND seq = $3
		ORDER BY n
		LIMIT 100`)
	ordersSQL = db.Define("reward.orders", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE (made_ms, shard, member_id, seq) < ($1, $2, $3, $4)
		ORDER BY made_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $5`)
	ordersByStateSQL = db.Define("reward.ordersByState", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE state = $1 AND (made_ms, shard, member_id, seq) > ($2, $3, $4, $5)
		ORDER BY made_ms, shard, member_id, seq
		LIMIT $6`)
	ordersByStoreSQL = db.Define("reward.ordersByStore", `
		SELECT `+orderCols+`
		FROM reward_order
		WHERE store_id = $1 AND state = $2 AND (made_ms, shard, member_id, seq) > ($3, $4, $5, $6)
		ORDER BY made_ms, shard, member_id, seq
		LIMIT $7`)
)

func scanOrder(scan func(...any) error) (*Order, error) {
	var o Order
	var shard int64
	var body string
	err := scan(&shard, &o.Member, &o.Seq, &o.Reward, &o.Version, &o.Step, &o.Store, &o.StockStore, &o.Stocked, &o.Currency,
		&o.Points, &o.Money, &o.UntilMS, &o.MadeMS, &o.ChangedMS, &o.pickup, &o.address, &o.Carrier, &o.Tracking, &o.Gift, &body)
	if err != nil {
		return nil, err
	}
	return &o, json.Unmarshal([]byte(body), &o.Body)
}

func scanOrders(to *[]*Order) func(*db.Rows, error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		o, err := scanOrder(rows.Scan)
		*to = append(*to, o)
		return err
	})
}

// orderKey reads the public id of an order.
func orderKey(ref string) (m, seq int64, err error) {
	if m, seq, err = id.Decode(orderPrefix, ref); err != nil {
		return 0, 0, ErrNoOrder
	}
	return m, seq, nil
}

// Wish is what somebody asks for.
type Wish struct {
	Reward   string // code or id
	Points   *int64 // where the price has a slider; all where nil
	Version  int64  // of the reward that they saw; 0 for whatever it is now
	Way      Way    // "" for the first that there is
	Store    string
	Address  *Address
	Source   string // natural key of whoever sends it
	Document string
}

// Order orders a reward for a member. The key of the request is kept with it. own says that
// the member asks themselves.
func (s *Service) Order(ctx context.Context, m int64, w Wish, own, dry bool) ledger.Answer {
	r, err := s.Find(w.Reward)
	if err != nil {
		return ledger.Answer{Err: at(err, "body.reward")}
	}
	if w.Version != 0 && w.Version != r.Version {
		return ledger.Answer{Err: ErrPrice}
	}
	return s.post(ctx, m, dry, func(m int64) (ledger.Command, error) { return s.placing(ctx, m, r, w, own) })
}

// placing makes the command that orders, with all that is worked out before a batch.
func (s *Service) placing(ctx context.Context, m int64, r *Reward, w Wish, own bool) (ledger.Command, error) {
	n := s.now.Load()
	v := n.latest(r)
	if v == nil || r.State != Live {
		return nil, ErrNotLive
	}
	c := &place{member: m, n: n, v: v, secrets: s.secrets()}
	c.shows = viewer{own, c.secrets}
	facts, err := s.factsOf(ctx, m, v)
	if err != nil {
		return nil, err
	}
	if !holds(v.audience, facts) {
		return nil, ErrAudience
	}
	p := v.priceFor(facts, s.nowMS())
	if p == nil {
		return nil, ErrNoPrice
	}
	c.price, c.points = *p, p.Points
	if w.Points != nil {
		c.points = *w.Points
	}
	if c.money, err = p.MoneyFor(c.points); err != nil {
		return nil, at(err, "body.points")
	}
	if err := s.delivery(ctx, c, w); err != nil {
		return nil, err
	}
	if v.terms.Kind == Coupon && c.money == 0 {
		if c.gift, err = s.voucher(v.terms); err != nil {
			return nil, err
		}
	}
	if w.Source != "" || w.Document != "" {
		c.doc = ledger.Document{Kind: ledger.DocReward, Source: w.Source, Document: w.Document}
	}
	return c, nil
}

// delivery fills in how the order comes to the member.
func (s *Service) delivery(ctx context.Context, c *place, w Wish) (err error) {
	t := c.v.terms
	c.way = w.Way
	if c.way == "" && len(t.Ways) > 0 {
		c.way = t.Ways[0]
	}
	if len(t.Ways) == 0 && c.way != "" || len(t.Ways) > 0 && !slices.Contains(t.Ways, c.way) {
		return ErrWay.At("body.way")
	}
	if w.Store != "" {
		st, err := s.o.Program.Snapshot().FindStore(w.Store)
		if err != nil {
			return at(err, "body.store")
		}
		if c.way != Pickup || !c.v.at(st.ID) {
			return ErrStore.At("body.store")
		}
		c.store = st.ID
	}
	if c.store == 0 && t.Stock == StockStores {
		return ErrStore.At("body.store")
	}
	if (c.way == Ship) != (w.Address != nil) {
		return ErrAddress.At("body.address")
	}
	if w.Address == nil {
		return nil
	}
	a := Address{strings.TrimSpace(w.Address.Name), strings.TrimSpace(w.Address.Phone), strings.TrimSpace(w.Address.Line)}
	if a.Name == "" || a.Phone == "" || a.Line == "" {
		return ErrAddress.At("body.address")
	}
	c.address, err = s.sealAddress(ctx, c.member, a)
	return err
}

func addressAAD(m int64) []byte { return fmt.Appendf(nil, "member/%d/reward address/1", m) }

// sealAddress puts an address under the key of the member: it goes with them.
func (s *Service) sealAddress(ctx context.Context, m int64, a Address) (sealed []byte, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		sealed, err = s.o.Members.Seal(ctx, tx, member.ID(m), []byte(pack(a)), addressAAD(m))
		return err
	})
	return sealed, err
}

// anyAct is what the program itself needs to do something about an order, whoever asked.
func (s *Service) anyAct(m, seq int64) act {
	x := s.secrets()
	return act{home: m, seq: seq, n: s.now.Load(), shows: viewer{false, x}, secrets: x}
}

// act fills in what all commands about an order need.
func (s *Service) act(ctx context.Context, m, seq, owner int64) act {
	c := s.anyAct(m, seq)
	x := c.secrets
	c.owner, c.shows.own = owner, owner != 0
	if caller := api.CallerOf(ctx); len(caller.Stores)+len(caller.Merchants) > 0 {
		c.sees = func(store int64) bool { return store == 0 || x.snap.SeesStore(caller, store) }
	}
	return c
}

// send sends a command about an order: it stays with the member under whom it was made, so
// that no merge moves it.
func (s *Service) send(ctx context.Context, c ledger.Command, dry bool) ledger.Answer {
	return s.o.Ledger.Engine().Do(ctx, ledger.RequestOf(ctx, c, dry))
}

// Get reads an order, of a member and those who were merged into them, or of anybody where
// owner is 0.
func (s *Service) Get(ctx context.Context, ref string, owner int64) (OrderView, error) {
	m, seq, err := orderKey(ref)
	if err != nil {
		return OrderView{}, err
	}
	var o *Order
	var v OrderView
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if o, err = readOrder(ctx, tx, m, seq); err != nil {
			return err
		}
		if owner != 0 && owner != m {
			records, err := member.RecordsOf(ctx, tx, member.ID(owner))
			if err != nil {
				return err
			}
			if !slices.Contains(records, member.ID(m)) {
				return ErrNoOrder
			}
		}
		if c := s.act(ctx, m, seq, owner); c.sees != nil && !c.sees(o.Store) {
			return ErrNoOrder
		}
		v, err = s.whole(ctx, tx, o, owner != 0)
		return err
	})
	if err != nil {
		return OrderView{}, err
	}
	if owner != 0 {
		v.Member = member.ID(owner).String()
	}
	return v, nil
}

func readOrder(ctx context.Context, tx *db.Tx, m, seq int64) (*Order, error) {
	var list []*Order
	if err := scanOrders(&list)(tx.Query(ctx, orderSQL, shardOf(m), m, seq)); err != nil {
		return nil, fmt.Errorf("read order %d of member %d: %w", seq, m, err)
	}
	if len(list) == 0 {
		return nil, ErrNoOrder
	}
	return list[0], nil
}

// whole shows one order with its history, its address and its code.
func (s *Service) whole(ctx context.Context, tx *db.Tx, o *Order, own bool) (OrderView, error) {
	w := viewer{own, s.secrets()}
	v := w.view(s.o.Ledger.Config(), s.now.Load(), o, s.nowMS())
	v.Steps = []StepView{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var st StepView
		var at, store int64
		if err := rows.Scan(&st.Step, &at, &st.Actor, &store, &st.Note); err != nil {
			return err
		}
		st.At = timeOf(at)
		if store != 0 {
			st.Store = storeID(store)
		}
		if own {
			st.Actor, st.Note = "", ""
		}
		v.Steps = append(v.Steps, st)
		return nil
	})(tx.Query(ctx, stepsSQL, shardOf(o.Member), o.Member, o.Seq))
	if err != nil {
		return v, err
	}
	if len(o.address) > 0 {
		plain, err := s.o.Members.Unseal(ctx, tx, member.ID(o.Member), o.address, addressAAD(o.Member))
		if err != nil {
			return v, err
		}
		if plain != nil {
			v.Address = &Address{}
			if err := json.Unmarshal(plain, v.Address); err != nil {
				return v, err
			}
		}
	}
	if o.Body.Code != 0 {
		var sealed []byte
		if err := tx.QueryRow(ctx, codeSQL, o.Reward, o.Body.Code).Scan(&sealed); err != nil {
			return v, err
		}
		w.reveal(&v, o, sealed)
	}
	return v, nil
}

// OfMember lists the orders of a member and of those who were merged into them, the newest
// first.
func (s *Service) OfMember(ctx context.Context, m int64, p api.Page, own bool) (out api.List[OrderView], err error) {
	out.Items = []OrderView{}
	after, err := api.DecodeCursor(p.Cursor, 3)
	if err != nil {
		return out, err
	}
	if after == nil {
		after = []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}
	}
	limit := max(1, p.Limit)
	var all []*Order
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		all = nil
		records, err := member.RecordsOf(ctx, tx, member.ID(m))
		if err != nil {
			return err
		}
		for _, r := range records {
			list, err := ordersBefore(ctx, tx, int64(r), after, limit+1)
			if err != nil {
				return err
			}
			all = append(all, list...)
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("list the orders of member %d: %w", m, err)
	}
	slices.SortFunc(all, func(a, b *Order) int { return -a.compare(b) })
	w := viewer{own, s.secrets()}
	for i, o := range all {
		if i == limit {
			last := all[i-1]
			out.NextCursor = api.EncodeCursor(last.MadeMS, last.Member, last.Seq)
			break
		}
		v := w.view(s.o.Ledger.Config(), s.now.Load(), o, s.nowMS())
		v.Member = member.ID(m).String()
		out.Items = append(out.Items, v)
	}
	return out, nil
}

func (o *Order) compare(b *Order) int {
	return slices.Compare([]int64{o.MadeMS, o.Member, o.Seq}, []int64{b.MadeMS, b.Member, b.Seq})
}

// ordersBefore reads the newest orders of one record that stand before a place among all orders
// of a person. Numbers of a record grow with time, so it goes along them.
func ordersBefore(ctx context.Context, tx *db.Tx, m int64, before []int64, limit int) (list []*Order, err error) {
	place := &Order{MadeMS: before[0], Member: before[1], Seq: before[2]}
	for below := int64(math.MaxInt64); ; {
		var page []*Order
		if err := scanOrders(&page)(tx.Query(ctx, ordersOfSQL, shardOf(m), m, below, limit)); err != nil {
			return nil, err
		}
		for _, o := range page {
			if below = o.Seq; o.compare(place) < 0 {
				list = append(list, o)
			}
		}
		if len(page) < limit || len(list) >= limit {
			return list[:min(len(list), limit)], nil
		}
	}
}

// Queue says which orders to list.
type Queue struct {
	State string // "" for all, the newest first; else those that stand there, the oldest first
	Store int64  // only those that are picked up there; needs a State
}

// Orders lists orders over all members.
func (s *Service) Orders(ctx context.Context, q Queue, p api.Page) (out api.List[OrderView], err error) {
	out.Items = []OrderView{}
	after, err := api.DecodeCursor(p.Cursor, 4)
	if err != nil {
		return out, err
	}
	limit := max(1, p.Limit)
	var list []*Order
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		if q.State == "" {
			if after == nil {
				after = []int64{math.MaxInt64, 0, 0, 0}
			}
			return scanOrders(&list)(tx.Query(ctx, ordersSQL, after[0], after[1], after[2], after[3], limit))
		}
		if after == nil {
			after = []int64{-1, 0, 0, 0}
		}
		if q.Store != 0 {
			return scanOrders(&list)(tx.Query(ctx, ordersByStoreSQL, q.Store, int64(stepNamed(q.State)), after[0], after[1], after[2], after[3], limit))
		}
		return scanOrders(&list)(tx.Query(ctx, ordersByStateSQL, int64(stepNamed(q.State)), after[0], after[1], after[2], after[3], limit))
	})
	if err != nil {
		return out, fmt.Errorf("list orders: %w", err)
	}
	if len(list) == limit {
		last := list[limit-1]
		out.NextCursor = api.EncodeCursor(last.MadeMS, shardOf(last.Member), last.Member, last.Seq)
	}
	w, c := viewer{false, s.secrets()}, s.act(ctx, 0, 0, 0)
	for _, o := range list {
		if c.sees == nil || c.sees(o.Store) {
			out.Items = append(out.Items, w.view(s.o.Ledger.Config(), s.now.Load(), o, s.nowMS()))
		}
	}
	err = member.NameAll(ctx, s.o.Members, out.Items, func(v *OrderView) (string, *string) { return v.Member, &v.Name })
	return out, err
}

// byPickup finds the order of a pick-up code. Codes of nothing, and codes that are none, are
// refused alike.
func (s *Service) byPickup(ctx context.Context, text string) (o *Order, err error) {
	code, ok := pickupForm(text)
	if !ok {
		code = rand.Text() // so that it takes as long
	}
	var list []*Order
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return scanOrders(&list)(tx.Query(ctx, pickupSQL, s.secrets().pickupAt(code)))
	})
	if err != nil {
		return nil, fmt.Errorf("find the order of a pick-up code: %w", err)
	}
	if !ok || len(list) == 0 {
		return nil, ErrPickup.At("body.code")
	}
	return list[0], nil
}

// giftFor prepares the coupon of an order that is held, where it is one.
func (s *Service) giftFor(ctx context.Context, m, seq int64) (Gift, error) {
	var o *Order
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		o, err = readOrder(ctx, tx, m, seq)
		return err
	})
	if err != nil {
		return nil, err
	}
	v := s.now.Load().terms[o.Reward][o.Version]
	if v == nil || v.terms.Kind != Coupon || o.Step != Held {
		return nil, nil
	}
	return s.voucher(v.terms)
}

// errNotOne says that a command answered something else than an order: a defect.
var errNotOne = errors.New("reward: no order was answered")
