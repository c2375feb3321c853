package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
)

// maxDue bounds how many instants of a wallet are listed; the rest is later.
const maxDue = 50

// WalletView is what a member has of one currency, as of now.
type WalletView struct {
	Currency  string `json:"currency" doc:"Code of the point currency."`
	Kind      Kind   `json:"kind" enum:"points,growth,stored" doc:"points: earned and spent. growth: a score, never spent. stored: money paid in."`
	NameEN    string `json:"name_en" doc:"Its name in English."`
	NameZH    string `json:"name_zh" doc:"Its name in Chinese."`
	Decimals  int    `json:"decimals" doc:"Amounts are integers of the smallest unit: 1250 is 12.50 where this is 2."`
	Available int64  `json:"available" doc:"What can be used now."`
	Pending   int64  `json:"pending" doc:"Earned, and not usable yet."`
	Held      int64  `json:"held" doc:"Set aside by open holds."`
	Debt      int64  `json:"debt" doc:"Owed after returns; what is earned next repays it."`
	Principal *int64 `json:"principal,omitempty" doc:"Stored value: what of available was paid in."`
	Bonus     *int64 `json:"bonus,omitempty" doc:"Stored value: what of available was given on top."`
	Earned    int64  `json:"lifetime_earned" doc:"Earned over the whole life, less what returns took back."`
	Spent     int64  `json:"lifetime_spent" doc:"Used over the whole life, less what returns gave back."`
	Expiring  []Due  `json:"expiring" doc:"What ends when, soonest first; at most 50."`
	Coming    []Soon `json:"activating,omitempty" doc:"What becomes usable when, soonest first; at most 50."`
}

// Due is how much ends at an instant.
type Due struct {
	Amount    int64  `json:"amount" doc:"How much; what is held is not counted."`
	ExpiresAt string `json:"expires_at" format:"date-time" doc:"The first instant at which it can no longer be used."`
}

// Soon is how much becomes usable at an instant.
type Soon struct {
	Amount   int64  `json:"amount" doc:"How much."`
	UsableAt string `json:"usable_at" format:"date-time" doc:"From when."`
}

var readAccountSQL = db.Define("ledger.readAccount", `
	SELECT `+accountTable.names()+`
	FROM account
	WHERE shard = $1 AND member_id = $2`)

// look reads a member into a State that is thrown away, settled up to now: what the daily
// run has not written down yet is in it all the same. It locks nothing. Where the books do
// not add up nothing is settled, and what is written is what is shown.
func (s *Service) look(ctx context.Context, tx *db.Tx, m int64) (*State, *Account, error) {
	st := newState(s.Config(), s.clock.Now().UnixMilli())
	rows, err := many(ctx, tx, readAccountSQL, accountTable, int64(id.Shard(m)), m)
	if err != nil {
		return nil, nil, fmt.Errorf("read account %d: %w", m, err)
	}
	var found []*Account
	for _, r := range rows {
		found = append(found, accountOf(r))
	}
	if rows, err = many(ctx, tx, liteWalletsSQL, walletTable, int64(id.Shard(m)), m); err != nil {
		return nil, nil, fmt.Errorf("read wallets of %d: %w", m, err)
	}
	wallets := map[int64][]*Wallet{}
	for _, r := range rows {
		wallets[m] = append(wallets[m], walletOf(r))
	}
	st.admit([]int64{m}, found, wallets)
	a := st.accounts[m]
	if err := (&liteSession{tx}).open(ctx, st, st.missing(Needs{Lots: []int64{m}})); err != nil {
		return nil, nil, fmt.Errorf("read open lots of %d: %w", m, err)
	}
	if a.corrupt == "" {
		st.begin("")
		st.settle(a)
	}
	return st, a, nil
}

// Wallets returns what a member has of each currency as of now: of those that are in use,
// and of any other that they have something of. A merged member's are the survivor's.
func (s *Service) Wallets(ctx context.Context, m int64) (list []WalletView, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for range maxMoves {
			st, a, err := s.look(ctx, tx, m)
			if err != nil {
				return err
			}
			if a.MergedInto == 0 {
				list = st.walletViews(a)
				return nil
			}
			m = a.MergedInto
		}
		return fmt.Errorf("member %d: a chain of more than %d merges", m, maxMoves)
	})
	return list, err
}

// Card shows the wallets on a member's page.
func (s *Service) Card(ctx context.Context, m member.ID) (name string, value any, err error) {
	list, err := s.Wallets(ctx, int64(m))
	return "wallets", list, err
}

// Blocked is what a member is stopped from.
type Blocked struct {
	Earn  bool `json:"earn"`
	Spend bool `json:"spend"`
}

// BlockedCard shows on a member's page, among "cards", what the member is stopped from.
func (s *Service) BlockedCard() member.Card { return blockedCard{s} }

type blockedCard struct{ s *Service }

func (c blockedCard) Card(ctx context.Context, m member.ID) (name string, value any, err error) {
	var b Blocked
	err = c.s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err := many(ctx, tx, readAccountSQL, accountTable, int64(m.Shard()), int64(m))
		if err != nil {
			return fmt.Errorf("read account %d: %w", m, err)
		}
		for _, r := range rows {
			a := accountOf(r)
			b = Blocked{Earn: !a.MayEarn, Spend: !a.MaySpend}
		}
		return nil
	})
	return "blocked", b, err
}

func (s *State) walletViews(a *Account) []WalletView {
	list := []WalletView{}
	for _, c := range s.Config.inOrder() {
		i := slices.IndexFunc(a.wallets, func(w *Wallet) bool { return w.Currency == c.ID })
		switch {
		case i >= 0:
			list = append(list, viewWallet(a, a.wallets[i], c))
		case c.Active:
			list = append(list, viewWallet(a, &Wallet{Currency: c.ID, SlideMS: Never}, c))
		}
	}
	return list
}

// inOrder lists the currencies in the order in which they were made.
func (c *Config) inOrder() []*Currency {
	list := make([]*Currency, 0, len(c.Currencies))
	for _, cur := range c.Currencies {
		list = append(list, cur)
	}
	slices.SortFunc(list, func(a, b *Currency) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func viewWallet(a *Account, w *Wallet, c *Currency) WalletView {
	v := WalletView{
		Currency: c.Code, Kind: c.Kind, NameEN: c.NameEN, NameZH: c.NameZH, Decimals: c.Policy.Decimals,
		Available: w.Active, Pending: w.Pending, Held: w.Held, Debt: w.Debt, Earned: w.Earned, Spent: w.Spent, Expiring: []Due{},
	}
	ends, begins := map[int64]int64{}, map[int64]int64{}
	var buckets [2]int64
	for _, l := range a.lots {
		if l.Currency != w.Currency || l.Left == 0 {
			continue
		}
		end := l.ExpiresMS
		if l.State == LotPending {
			begins[l.ActiveMS] += l.Left
		} else {
			end = min(end, w.SlideMS)
			buckets[l.Bucket] += l.free()
		}
		if l.free() > 0 && end < Never {
			ends[end] += l.free()
		}
	}
	for _, at := range soonest(ends) {
		v.Expiring = append(v.Expiring, Due{ends[at], stamp(at)})
	}
	for _, at := range soonest(begins) {
		v.Coming = append(v.Coming, Soon{begins[at], stamp(at)})
	}
	if c.Kind == Stored {
		v.Principal, v.Bonus = &buckets[Main], &buckets[Bonus]
	}
	return v
}

// soonest lists the first instants of a schedule.
func soonest(amounts map[int64]int64) []int64 {
	at := make([]int64, 0, len(amounts))
	for ms := range amounts {
		at = append(at, ms)
	}
	slices.Sort(at)
	return at[:min(len(at), maxDue)]
}
