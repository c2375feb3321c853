package tillsim

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// model is what the till meant, counted without asking the server.
type model struct {
	member   string
	points   int64             // of the member: usable, pending and held, less what is owed
	entry    int64             // the newest entry before the run
	vouchers map[string]string // state by code
	bills    map[string]*bill  // by document
}

// bill is one sale or return that was meant.
type bill struct {
	kind  string // sale or return
	total int64  // money
}

func newModel(member string) *model {
	return &model{member: member, vouchers: map[string]string{}, bills: map[string]*bill{}}
}

// sold notes a sale that the till meant once, with what the first answer says that it earned.
func (m *model) sold(document string, total, earned, paid int64, codes ...string) {
	m.bills[document] = &bill{"sale", total}
	m.points += earned - paid
	for _, c := range codes {
		m.vouchers[c] = "redeemed"
	}
}

// returned notes a return.
func (m *model) returned(document string, total, taken, restored int64) {
	m.bills[document] = &bill{"return", total}
	m.points += restored - taken
}

// wallet is what the member has of the currency.
type wallet struct {
	Currency                       string
	Available, Pending, Held, Debt int64
}

// whole is what the member has in all. Only a posting changes it, never time between two of them.
func (w wallet) whole() int64 { return w.Available + w.Pending + w.Held - w.Debt }

func (r *run) wallet(ctx context.Context) (wallet, error) {
	var list []wallet
	if err := r.setUp(ctx, "GET", "/v1/members/"+r.model.member+"/wallets", nil, &list); err != nil {
		return wallet{}, err
	}
	for _, w := range list {
		if w.Currency == r.Currency {
			return w, nil
		}
	}
	return wallet{}, fmt.Errorf("the programme has no currency %s; 计划中没有币种 %s", r.Currency, r.Currency)
}

// listed is a sale or return as the server lists it.
type listed struct {
	ID, Kind, State, Source, Document string
	Total                             int64
}

// mine lists what the server keeps of this run's member and source.
func (r *run) mine(ctx context.Context) (out []listed, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []listed
			Next  string `json:"next_cursor"`
		}
		if err := r.setUp(ctx, "GET", "/v1/sales?limit=200&member="+url.QueryEscape(r.model.member)+"&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return nil, err
		}
		for _, d := range page.Items {
			if d.Source == source && strings.HasPrefix(d.Document, r.sign) {
				out = append(out, d)
			}
		}
		if cursor = page.Next; cursor == "" {
			return out, nil
		}
	}
}

// foreign adds up what other causes than this run have given the member, or taken, since it
// began, as a gift for joining that came a little later. own are its sales and returns. It
// returns the number of the newest entry too.
func (r *run) foreign(ctx context.Context, after int64, own map[string]bool) (sum, newest int64, err error) {
	newest = after
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Number, Amount int64
				Source, Cause  string
			}
			Next string `json:"next_cursor"`
		}
		path := "/v1/members/" + r.model.member + "/entries?limit=200&currency=" + url.QueryEscape(r.Currency) + "&cursor=" + url.QueryEscape(cursor)
		if err := r.setUp(ctx, "GET", path, nil, &page); err != nil {
			return 0, 0, err
		}
		for _, e := range page.Items {
			if newest = max(newest, e.Number); e.Number > after && e.Source != source && !own[e.Cause] {
				sum += e.Amount
			}
		}
		if cursor = page.Next; cursor == "" || len(page.Items) > 0 && page.Items[len(page.Items)-1].Number <= after {
			return sum, newest, nil
		}
	}
}

// totals compares what the server keeps with the model.
func totals(t *trial) {
	r, m := t.run, t.run.model
	docs, err := r.mine(t.ctx)
	t.mend(err)
	sum, want := counts{}, counts{}
	seen, own := map[string]int{}, map[string]bool{}
	for _, d := range docs {
		own[d.ID] = true
		sum.add(d.Kind, d.Total)
		seen[d.Document]++
	}
	for doc, b := range m.bills {
		want.add(b.kind, b.total)
		if seen[doc] != 1 {
			t.equal(Word{"document " + doc + ", times recorded", "单据 " + doc + " 记录次数"}, int64(1), int64(seen[doc]))
		}
	}
	var strange []string
	for doc := range seen {
		if m.bills[doc] == nil {
			strange = append(strange, doc)
		}
	}
	slices.Sort(strange)
	for _, doc := range strange {
		t.equal(Word{"document that was never meant: " + doc, "本不该有的单据：" + doc}, int64(0), int64(seen[doc]))
	}
	t.equal(Word{"sales", "销售笔数"}, want.sales, sum.sales)
	t.equal(Word{"money of sales", "销售金额"}, want.sold, sum.sold)
	t.equal(Word{"returns", "退货笔数"}, want.returns, sum.returns)
	t.equal(Word{"money of returns", "退货金额"}, want.back, sum.back)
	others, _, err := r.foreign(t.ctx, m.entry, own)
	t.mend(err)
	w, err := r.wallet(t.ctx)
	t.mend(err)
	t.equal(Word{"points of the member", "会员积分"}, m.points+others, w.whole())
	t.equal(Word{"points still held", "仍冻结的积分"}, int64(0), w.Held)
	for _, code := range slices.Sorted(maps.Keys(m.vouchers)) {
		state, err := r.voucherState(t.ctx, code)
		t.mend(err)
		t.equal(Word{"voucher " + code, "券 " + code}, m.vouchers[code], state)
	}
}

// counts is what a list of sales and returns adds up to.
type counts struct{ sales, sold, returns, back int64 }

func (c *counts) add(kind string, total int64) {
	if kind == "return" {
		c.returns, c.back = c.returns+1, c.back+total
		return
	}
	c.sales, c.sold = c.sales+1, c.sold+total
}

func (r *run) voucherState(ctx context.Context, code string) (string, error) {
	var v struct{ State string }
	err := r.setUp(ctx, "GET", "/v1/vouchers/"+url.PathEscape(code), nil, &v)
	return v.State, err
}

func text(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return v
	}
	return fmt.Sprint(v)
}
