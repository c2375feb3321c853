package till

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// A checkout takes a basket to a sale in two steps, so that what the customer is told is what
// they get.
//
// Life: quoted and held (open), then confirmed, released, or over by time alone. An open one can
// be changed: what it held is let go and what it holds now is held, in one posting.
//
// Laws:
//   - Everything that a checkout holds (coupons, their limits and budgets, points, stored value)
//     is held by one posting, or nothing is.
//   - What was quoted is what is confirmed: prices are not worked out again.
//   - A checkout becomes one sale at most, and the sale uses all that was held, in one posting.
//   - Confirmed after its time it is refused, always, and nothing has changed: quote again.

const (
	checkoutPrefix = "chk_"
	defaultTTL     = 10 * time.Minute
	ttlGrain       = 10 * time.Second // so that all that is held ends at the same instant
	keepCheckouts  = 30 * 24 * time.Hour
	quoteSource    = "checkout" // under which a quote is tried as a sale
)

// Stage is where a checkout stands. The numbers are on disk.
type Stage int64

// The stages. Expired is what an open one is called after its time.
const (
	StageOpen      Stage = 1
	StageConfirmed Stage = 2
	StageReleased  Stage = 3
	StageExpired   Stage = 4
)

func (s Stage) String() string { return [...]string{"", "open", "confirmed", "released", "expired"}[s] }

func (s Stage) word() errs.Word {
	return errs.Word{EN: s.String(), ZH: [...]string{"", "进行中", "已完成", "已取消", "已过期"}[s]}
}

var (
	// ErrNoCheckout answers for a checkout that is not there, or of another store.
	ErrNoCheckout = errs.New(errs.NotFound, "checkout.unknown", "There is no such checkout.", "没有这笔结账。")
	// ErrOver refuses a checkout that is no longer open.
	ErrOver = errs.New(errs.Conflict, "checkout.over", "This checkout is {state}. Nothing changed; quote the basket again.", "这笔结账{state}，数据没有变化，请重新计算。")
	// ErrMoney refuses to pay a basket in another currency with points or stored value.
	ErrMoney = errs.New(errs.Invalid, "checkout.currency", "Only baskets in {currency} can be paid with points or stored value.", "只有以 {currency} 计价的购物篮可用积分或储值支付。")
	// ErrNobody refuses to spend what a basket without a member does not have.
	ErrNobody = errs.New(errs.Invalid, "checkout.no_member", "Say whose purchase it is: only a member has points or stored value.", "请指明会员：只有会员才有积分或储值。")
	// ErrWorthless refuses a currency that pays for nothing.
	ErrWorthless = errs.New(errs.Conflict, "checkout.worthless", "{currency} cannot be paid with: the settings say not what it is worth.", "{currency} 不能用于支付：设置中没有填写其价值。")
	// ErrSpend refuses an amount of points that the rules of the currency do not allow.
	ErrSpend = errs.New(errs.Conflict, "checkout.spend", "Of {currency}, this basket takes from {least} to {most}, in steps of {step}.", "本单可用 {currency}：最少 {least}，最多 {most}，每 {step} 为一档。")
	// ErrSpendNone refuses points for a basket that takes none.
	ErrSpendNone = errs.New(errs.Conflict, "checkout.spend_none", "This basket cannot be paid with {currency}.", "本单不能用 {currency} 支付。")
	// ErrCoupon refuses a coupon that takes nothing off.
	ErrCoupon = errs.New(errs.Conflict, "checkout.coupon", "The coupon {code} does not apply. {why}", "优惠券 {code} 不适用。{why}")
)

// Checkout is one, as it is kept.
type Checkout struct {
	Member int64 // whose account it lies with: a member, or a stand-in of the store
	ID     int64
	Stage  Stage
	Store  int64
	MadeMS int64
	Until  int64         // Unix milliseconds, exclusive
	Sale   ledger.LotKey // that it became
	Body   Body
}

// Body is the basket and what is held for it. Its JSON is on disk.
type Body struct {
	New    sale.New     `json:"n"` // without document and time; lines are before coupons
	Offs   []Off        `json:"f,omitempty"`
	Uses   []coupon.Use `json:"u,omitempty"`
	Spends []Spend      `json:"s,omitempty"`
	Quote  Quote        `json:"q"`
}

// Spend is points or stored value that pays for a part.
type Spend struct {
	Currency string `json:"c"`
	Amount   int64  `json:"m"`
	Worth    int64  `json:"w"` // minor units
	Hold     int64  `json:"h,omitempty"`
}

var checkoutTable = ledger.DefineSharedTable("checkout", 3, "shard int, member_id int, id int, state int, store_id int, made_ms int, until_ms int, sale_member int, sale_seq int, body text")

func checkoutRow(m, n int64) ledger.RowKey {
	return ledger.RowKey{Table: checkoutTable, Key: []any{int64(id.Shard(m)), m, n}}
}

// PublicID is what the outside calls the checkout.
func (c *Checkout) PublicID() string { return id.Encode(checkoutPrefix, c.Member, c.ID) }

// stage is where it stands at an instant.
func (c *Checkout) stage(nowMS int64) Stage {
	if c.Stage == StageOpen && c.Until <= nowMS {
		return StageExpired
	}
	return c.Stage
}

// open refuses a checkout that is not open at an instant.
func (c *Checkout) open(nowMS int64) error {
	if s := c.stage(nowMS); s != StageOpen {
		return ErrOver.With("state", s.word())
	}
	return nil
}

func (c *Checkout) put(s *ledger.State) {
	body, err := json.Marshal(c.Body)
	if err != nil {
		panic(err) // plain structs; attributes were read from JSON
	}
	s.Put(checkoutTable, int64(id.Shard(c.Member)), c.Member, c.ID, int64(c.Stage), c.Store, c.MadeMS, c.Until, c.Sale.Member, c.Sale.Seq, string(body))
}

func checkoutOf(v []any) (*Checkout, error) {
	n := func(i int) int64 { return v[i].(int64) }
	c := &Checkout{Member: n(1), ID: n(2), Stage: Stage(n(3)), Store: n(4), MadeMS: n(5), Until: n(6), Sale: ledger.LotKey{Member: n(7), Seq: n(8)}}
	return c, json.Unmarshal([]byte(v[9].(string)), &c.Body)
}

// loadCheckout returns a checkout of the state, whose row was asked for.
func loadCheckout(s *ledger.State, m, n int64) (*Checkout, error) {
	v := s.Row(checkoutTable, checkoutRow(m, n).Key...)
	if v == nil {
		return nil, ErrNoCheckout
	}
	return checkoutOf(v)
}

var (
	findCheckoutSQL = db.Define("till.findCheckout", `
		SELECT shard, member_id, id, state, store_id, made_ms, until_ms, sale_member, sale_seq, body
		FROM checkout
		WHERE shard = $1 AND member_id = $2 AND id = $3`)
	purgeCheckoutsSQL = db.Define("till.purgeCheckouts", `
		DELETE FROM checkout
		WHERE (shard, member_id, id) IN (
			SELECT shard, member_id, id
			FROM checkout
			WHERE until_ms < $1
			ORDER BY until_ms, shard, member_id, id
			LIMIT 500
		)`)
)

// FindCheckout reads a checkout that the caller may see.
func (s *Service) FindCheckout(ctx context.Context, ref string) (*Checkout, error) {
	m, n, err := id.Decode(checkoutPrefix, ref)
	if err != nil {
		return nil, ErrNoCheckout.Because(err)
	}
	v := []any{int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), ""}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		to := make([]any, len(v))
		var ints [9]int64
		var body string
		for i := range ints {
			to[i] = &ints[i]
		}
		to[9] = &body
		if err := tx.QueryRow(ctx, findCheckoutSQL, id.Shard(m), m, n).Scan(to...); err != nil {
			return err
		}
		for i, x := range ints {
			v[i] = x
		}
		v[9] = body
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoCheckout
	}
	if err != nil {
		return nil, fmt.Errorf("find a checkout: %w", err)
	}
	c, err := checkoutOf(v)
	if err == nil && !s.o.Program.Snapshot().SeesStore(api.CallerOf(ctx), c.Store) {
		err = ErrNoCheckout
	}
	return c, err
}

const purgeCheckoutsKind = "till.purge_checkouts"

// Register adds the job that removes checkouts a month after their end.
func (s *Service) Register(q *job.Queue) {
	q.Register(purgeCheckoutsKind, func(ctx context.Context, _ *job.Run) error {
		before := s.o.Clock.Now().Add(-keepCheckouts).UnixMilli()
		for {
			var n int64
			err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				n, err = tx.Exec(ctx, purgeCheckoutsSQL, before)
				return err
			})
			if err != nil || n == 0 {
				return err
			}
		}
	})
	q.Every(job.Daily(4, 10, func() *time.Location { return s.o.Program.Snapshot().Zone }), job.New{Kind: purgeCheckoutsKind})
}

// memberOf is the member of a checkout as other routes name them, "" for nobody.
func (c *Checkout) memberOf() string {
	if sale.IsStandIn(c.Member) {
		return ""
	}
	return member.ID(c.Member).String()
}
