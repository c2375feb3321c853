package till

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// A till goes on taking vouchers and points while the line is down, by what it took along.
//
// Life: while the line is up, a till asks for a snapshot of each member it expects (Issue): what
// they hold, signed, good for some hours. Without a line it prices and takes by that, within the
// bounds that stand in it. Later it uploads the sale with the snapshot (Take). What it gave and
// the books no longer hold is a conflict, which the programme's policy settles, or a person.
//
// Laws:
//   - A snapshot that is not as it was signed, or is of another store, or a sale from before or
//     after it, is refused.
//   - The sale stands as the customer was told, whatever has become of the voucher and the points.
//   - A voucher is used as often as its terms say and no more; points go down to nothing and no
//     further. The rest is a conflict, written by the posting that makes the sale.
//   - The same receipt uploaded again, in whatever order, under whatever key, changes nothing.

const (
	snapshotPrefix = "pos1." // of the form that follows: claims, a dot, the signature
	maxToken       = 64 << 10
	maxSnapshots   = 50 // that one request asks for
	maxVouchers    = 50 // of one snapshot
	clockSlack     = 5 * time.Minute
)

var (
	// ErrOfflineOff refuses where the programme takes nothing without a line.
	ErrOfflineOff = errs.New(errs.Conflict, "offline.off", "This programme takes no vouchers and points without a line: the settings say 0 hours.", "本计划未开启离线用券和积分（设置中的时限为 0 小时）。")
	// ErrSnapshot refuses what was not signed here, or was changed since.
	ErrSnapshot = errs.New(errs.Invalid, "offline.snapshot", "This snapshot was not signed by this programme, or was changed since.", "该快照不是本计划签发的，或已被改动。")
	// ErrSnapshotPlace refuses a snapshot that another store or till took along.
	ErrSnapshotPlace = errs.New(errs.Invalid, "offline.place", "This snapshot was given to another store or till.", "该快照签发给了其他门店或收银台。")
	// ErrSnapshotTime refuses a sale from before or after its snapshot.
	ErrSnapshotTime = errs.New(errs.Invalid, "offline.time", "The snapshot is good from {from} to {until}; the sale is of {at}.", "快照有效期为 {from} 至 {until}，而销售时间为 {at}。")
	// ErrNotTaken refuses what the till cannot have taken by its snapshot.
	ErrNotTaken = errs.New(errs.Conflict, "offline.not_in_snapshot", "{ref} does not stand in the snapshot.", "快照中没有 {ref}。")
	// ErrTerms refuses what a voucher does not take off by its terms.
	ErrTerms = errs.New(errs.Conflict, "offline.terms", "{code} takes {due} off this basket by its terms; the till took off {off}.", "按券面规则，{code} 应优惠 {due}，而收银机优惠了 {off}。")
	// ErrOverpaid refuses points that are worth more than is left to pay.
	ErrOverpaid = errs.New(errs.Invalid, "offline.overpaid", "Points pay {paid}, and only {left} is left to pay.", "积分抵扣 {paid}，但仅剩 {left} 待付。")

	errNoKey = errs.New(errs.Internal, "offline.key", "The key for signing cannot be read.", "签名密钥无法读取。")
)

// Claims are what a snapshot says. The JSON is what is signed, and what tills read.
type Claims struct {
	Key       int64          `json:"kid" doc:"Which key signed it."`
	ID        int64          `json:"id" doc:"Number of the snapshot."`
	Member    string         `json:"member_id" doc:"Whose it is."`
	Number    string         `json:"member_number" doc:"Their number for people."`
	Store     string         `json:"store" doc:"Id of the store that may use it."`
	Till      string         `json:"till" doc:"The till that may use it, as its sales name it."`
	Issued    time.Time      `json:"issued_at" doc:"From when."`
	Expires   time.Time      `json:"expires_at" doc:"Until when, exclusive: of the sale, not of its upload."`
	Currency  string         `json:"currency" doc:"ISO 4217 code of all money; sales in another take nothing by it."`
	Most      int64          `json:"most,omitempty" doc:"The most that vouchers take off and points pay by this snapshot, in minor units; absent for no bound."`
	StoreMost int64          `json:"store_most,omitempty" doc:"The same for all that the store gives without a line in a day."`
	Points    []ClaimPoints  `json:"points" doc:"What the member can pay with."`
	Vouchers  []ClaimVoucher `json:"vouchers" doc:"What the member can use, the soonest to end first."`
}

// ClaimPoints is one currency that a snapshot lets a member pay with.
type ClaimPoints struct {
	Currency          string   `json:"currency" doc:"Code of the currency."`
	Balance           int64    `json:"balance" doc:"What the member had, in its smallest unit."`
	UnitValue         int64    `json:"unit_value_millionths" doc:"What one unit is worth, in millionths of a minor unit; what some are worth is rounded down."`
	Least             int64    `json:"least" doc:"The least that is taken."`
	Step              int64    `json:"step" doc:"It is taken in multiples of this."`
	Most              int64    `json:"most" doc:"The most that one purchase takes; all by this snapshot take no more than the balance."`
	MostPercent       int64    `json:"most_percent,omitempty" doc:"The most of a purchase that may be paid so, in per cent."`
	ExcludeCategories []string `json:"exclude_categories,omitempty" doc:"What these cost has to be paid otherwise."`
}

// ClaimVoucher is one voucher that a snapshot lets a member use.
type ClaimVoucher struct {
	Code    string              `json:"code" doc:"Of the voucher."`
	Coupon  int64               `json:"coupon" doc:"Number of the coupon."`
	Version int64               `json:"version" doc:"Of its terms."`
	Until   time.Time           `json:"until" doc:"Its last instant."`
	Terms   coupon.OfflineTerms `json:"terms" doc:"What it takes off, as the coupon says it."`
}

// Snapshot is one that was issued.
type Snapshot struct {
	Asked  string       `json:"member" doc:"As the request named them."`
	Token  string       `json:"snapshot,omitempty" doc:"What the till keeps, and uploads with the sale: pos1., the claims and the signature in base64url."`
	Claims *Claims      `json:"claims,omitempty" doc:"What it says, to read."`
	Refuse *api.Problem `json:"problem,omitempty" doc:"Why there is none."`
}

// Issue signs a snapshot for each member that a till names.
func (s *Service) Issue(ctx context.Context, store, till string, members []string) ([]Snapshot, error) {
	if s.o.Program.Snapshot().OfflineRules().Hours == 0 {
		return nil, ErrOfflineOff
	}
	st, err := s.store(ctx, store)
	if err != nil {
		return nil, errs.As(err).At("body.store")
	}
	key, err := s.signingKey(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Snapshot, len(members))
	for i, text := range members {
		out[i].Asked = text
		c, err := s.claims(ctx, st, till, text)
		switch {
		case errs.As(err) != nil:
			out[i].Refuse = api.ProblemOf(ctx, err)
		case err != nil:
			return nil, err
		default:
			c.Key = key.ID
			out[i].Token, out[i].Claims = sign(key, c), c
		}
	}
	return out, nil
}

// claims are what a till may know of a member.
func (s *Service) claims(ctx context.Context, st program.Store, till, text string) (*Claims, error) {
	ref, err := member.ParseRef(text)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Members.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	snap, now := s.o.Program.Snapshot(), s.o.Clock.Now().UTC()
	rules := snap.OfflineRules()
	c := &Claims{
		Member: m.String(), Number: m.Number(), Store: program.StoreID(st.ID), Till: till, Issued: now, Expires: now.Add(time.Duration(rules.Hours) * time.Hour),
		Currency: snap.Settings.Currency, Most: rules.PerMember, StoreMost: rules.PerStore, Points: []ClaimPoints{}, Vouchers: []ClaimVoucher{},
	}
	if c.ID, err = s.o.DB.NextID(ctx, "offline"); err != nil {
		return nil, err
	}
	wallets, err := s.o.Ledger.Wallets(ctx, int64(m))
	if err != nil {
		return nil, err
	}
	for _, w := range wallets {
		cur, err := s.o.Ledger.Config().Currency(w.Currency)
		if err == nil && cur.Kind == ledger.Points && cur.Policy.UnitValue > 0 && w.Available > 0 && !excludes(snap, cur.Policy.Pay, st.ID) {
			c.Points = append(c.Points, claimPoints(cur, w.Available, rules.PerMember))
		}
	}
	list, err := s.o.Coupons.OfflineOf(ctx, int64(m), st.ID, maxVouchers)
	for _, v := range list {
		c.Vouchers = append(c.Vouchers, ClaimVoucher{v.Code, v.Coupon, v.Version, time.UnixMilli(v.UntilMS).UTC(), v.Terms})
	}
	return c, err
}

func excludes(snap *program.Snapshot, pay ledger.Pay, store int64) bool {
	for _, ref := range pay.ExcludeStores {
		if st, err := snap.FindStore(ref); err == nil && st.ID == store {
			return true
		}
	}
	return false
}

// claimPoints says how much of a balance a till may take. perMember is in minor units, 0 for no
// bound.
func claimPoints(c *ledger.Currency, balance, perMember int64) ClaimPoints {
	pay := c.Policy.Pay
	p := ClaimPoints{
		Currency: c.Code, Balance: balance, UnitValue: c.Policy.UnitValue, Step: stepOf(c), Most: balance,
		MostPercent: pay.MostPercent, ExcludeCategories: pay.ExcludeCategories,
	}
	p.Least = max(pay.Least, p.Step)
	if pay.Most > 0 {
		p.Most = min(p.Most, pay.Most)
	}
	if perMember > 0 {
		if n, ok := money.MulDiv(perMember, 1_000_000, c.Policy.UnitValue, money.Floor); ok {
			p.Most = min(p.Most, n)
		}
	}
	if p.Most -= p.Most % p.Step; p.Most < p.Least {
		p.Most = 0
	}
	return p
}

// worth is what an amount of a claimed currency pays.
func (p ClaimPoints) worth(amount int64) int64 {
	n, _ := money.MulDiv(amount, p.UnitValue, 1_000_000, money.Floor) // the request bounds the amount, policies the value
	return n
}

// signed is what the signature is over: the prefix too, so that it is good for nothing else.
func signed(payload string) []byte { return []byte(snapshotPrefix + payload) }

func sign(k *offlineKey, c *Claims) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain structs
	}
	payload := base64.RawURLEncoding.EncodeToString(text)
	return snapshotPrefix + payload + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.private, signed(payload)))
}

// read checks a snapshot: that it was signed here, by a key that was in use then.
func (s *Service) read(ctx context.Context, token string) (*Claims, error) {
	rest, ok := strings.CutPrefix(token, snapshotPrefix)
	payload, mark, cut := strings.Cut(rest, ".")
	if !ok || !cut || len(token) > maxToken {
		return nil, ErrSnapshot
	}
	text, err1 := base64.RawURLEncoding.Strict().DecodeString(payload)
	sig, err2 := base64.RawURLEncoding.Strict().DecodeString(mark)
	var c Claims
	if err1 != nil || err2 != nil || json.Unmarshal(text, &c) != nil {
		return nil, ErrSnapshot
	}
	k, err := s.verifyingKey(ctx, c.Key)
	if err != nil {
		return nil, err
	}
	if k == nil || !ed25519.Verify(k.public, signed(payload), sig) || k.retired != 0 && c.Issued.UnixMilli() > k.retired {
		return nil, ErrSnapshot
	}
	return &c, nil
}
