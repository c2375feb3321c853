package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

type exportCmd struct {
	Kind   string `arg:"" enum:"members,sales,entries" help:"members, sales (a row for each line) or entries of the ledger."`
	Format string `default:"csv" enum:"csv,xlsx,jsonl" help:"csv, xlsx or jsonl."`
	From   string `help:"Not earlier than this: when a member joined, a sale was made, an entry took effect." placeholder:"TIME"`
	To     string `help:"Earlier than this." placeholder:"TIME"`
}

// exportPage is how many rows are read at a time: no reading is open while they are
// written to whoever is slow.
const exportPage = 200

// export is one list on its way out.
type export struct {
	app      *app.App
	snap     *program.Snapshot
	lang     string
	from, to time.Time // half open; zero for no bound
	out      file.Writer
}

// exports are the lists that there are. The names of columns are those that import reads.
var exports = map[string]struct {
	columns []string
	write   func(*export, context.Context) error
}{
	"members": {[]string{"id", "number", "joined_at", "name", "phone", "email", "card", "external_id", "gender", "birthday", "city", "language", "store", "source", "tags"}, (*export).members},
	"sales":   {[]string{"id", "kind", "state", "source", "document", "member", "at", "store", "till", "staff", "channel", "line", "sku", "name", "category", "brand", "quantity", "amount", "currency"}, (*export).sales},
	"entries": {[]string{"id", "member", "number", "currency", "kind", "title", "amount", "available", "pending", "held", "debt", "available_after", "source", "document", "reason", "rule", "store", "actor", "at", "posted_at"}, (*export).entries},
}

// errTime refuses a bound that is no time.
var errTime = errs.New(errs.Invalid, "export.time", "{text} is no time such as 2026-03-01 or 2026-03-01T12:00:00+08:00.", "{text} 不是有效的时间，写法如 2026-03-01 或 2026-03-01T12:00:00+08:00。")

// Run writes the list to standard output. It holds names and telephone numbers where the
// list does: whoever may run this may read the database and its keys anyway.
func (c *exportCmd) Run(e *env) error {
	return e.withApp(func(a *app.App) error {
		x := &export{app: a, snap: a.Program.Snapshot(), lang: e.language()}
		var err error
		if x.from, err = x.bound(c.From); err != nil {
			return err
		}
		if x.to, err = x.bound(c.To); err != nil {
			return err
		}
		list := exports[c.Kind]
		columns := make([]file.Column, len(list.columns))
		for i, name := range list.columns {
			columns[i].Name = name
		}
		if x.out, err = file.NewWriter(e.stdout, file.Format(c.Format), columns); err != nil {
			return err
		}
		return errors.Join(list.write(x, staff.AsSystem(e.ctx, "export")), x.out.Close())
	})
}

func (x *export) bound(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := x.snap.ParseTime(text)
	if err != nil {
		return t, errTime.With("text", text).Because(err)
	}
	return t, nil
}

// span is the bounds in milliseconds.
func (x *export) span() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !x.from.IsZero() {
		from = x.from.UnixMilli()
	}
	if !x.to.IsZero() {
		to = x.to.UnixMilli()
	}
	return from, to
}

// time is an instant as a cell: in the programme's zone, nil for none.
func (x *export) time(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms).In(x.snap.Zone)
}

// store is the code of a store, nil for none.
func (x *export) store(n int64) any {
	if s, ok := x.snap.Store(n); ok {
		return s.Code
	}
	return nil
}

func (x *export) members(ctx context.Context) error {
	q := member.Search{JoinedFrom: x.from, JoinedUntil: x.to, Limit: exportPage}
	for {
		page, next, err := x.app.Members.List(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page {
			err := x.out.Write(m.ID.String(), m.ID.Number(), m.JoinedAt.In(x.snap.Zone), m.Name, m.First(member.KindPhone), m.First(member.KindEmail), m.First(member.KindCard),
				m.First(member.KindExternal), string(m.Gender), string(m.Birthday), m.City, m.Language, x.store(m.StoreID), m.Source, strings.Join(m.Tags, ";"))
			if err != nil {
				return err
			}
		}
		if q.Cursor = next; next == "" {
			return nil
		}
	}
}

const saleKeysSQL = `
	SELECT at_ms, shard, member_id, seq
	FROM sale
	WHERE at_ms >= $1 AND at_ms < $2 AND (at_ms, shard, member_id, seq) > ($3, $4, $5, $6)
	ORDER BY at_ms, shard, member_id, seq
	LIMIT $7`

func (x *export) sales(ctx context.Context) error {
	from, to := x.span()
	last := []int64{math.MinInt64, 0, 0, 0}
	for {
		keys, err := x.keys(ctx, saleKeysSQL, 4, from, to, last[0], last[1], last[2], last[3], exportPage)
		if err != nil {
			return err
		}
		for _, k := range keys {
			d, err := x.app.Sales.Get(ctx, ledger.LotKey{Member: k[2], Seq: k[3]})
			if err != nil {
				return fmt.Errorf("sale %d/%d: %w", k[2], k[3], err)
			}
			if err := x.sale(d); err != nil {
				return err
			}
		}
		if len(keys) < exportPage {
			return nil
		}
		last = keys[len(keys)-1]
	}
}

// sale writes one row for each line.
func (x *export) sale(d *sale.Document) error {
	kind, owner := "sale", ""
	if d.Kind == sale.Return {
		kind = "return"
	}
	if d.Owner != 0 {
		owner = member.ID(d.Owner).String()
	}
	decimals, err := money.Decimals(d.Currency)
	if err != nil && d.Currency != "" { // a return that waits has none yet
		return err
	}
	for _, l := range d.Body.Lines {
		amount := any(file.Decimal{Units: l.Amount, Decimals: decimals})
		if l.Amount < 0 {
			amount = nil // of a return that waits: in proportion to what the sale will say
		}
		err := x.out.Write(d.ID(), kind, d.State.String(), d.Source, d.Document, owner, x.time(d.AtMS), x.store(d.Store), d.Till, d.Staff, d.Channel,
			l.Line, l.SKU, l.Name, l.Category, l.Brand, file.Decimal{Units: l.Milli, Decimals: 3}, amount, d.Currency)
		if err != nil {
			return err
		}
	}
	return nil
}

// Accounts rather than members: entries of one who was merged away stay under the name
// that they were posted to.
const accountKeysSQL = `
	SELECT shard, member_id
	FROM account
	WHERE (shard, member_id) > ($1, $2)
	ORDER BY shard, member_id
	LIMIT $3`

func (x *export) entries(ctx context.Context) error {
	last := []int64{math.MinInt16, 0}
	for {
		keys, err := x.keys(ctx, accountKeysSQL, 2, last[0], last[1], exportPage)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := x.account(ctx, k[1]); err != nil {
				return err
			}
		}
		if len(keys) < exportPage {
			return nil
		}
		last = keys[len(keys)-1]
	}
}

// account writes the entries of one account, newest first.
func (x *export) account(ctx context.Context, m int64) error {
	from, to := x.span()
	for before := int64(0); ; {
		list, err := x.app.Ledger.Entries(ctx, m, 0, before, exportPage)
		if err != nil {
			return err
		}
		for _, en := range list {
			if en.AtMS < from || en.AtMS >= to {
				continue
			}
			if err := x.entry(en); err != nil {
				return err
			}
		}
		if len(list) < exportPage {
			return nil
		}
		before = list[len(list)-1].Seq
	}
}

func (x *export) entry(en *ledger.Entry) error {
	code, decimals := "", 0
	if c := x.app.Ledger.Config().Currencies[en.Currency]; c != nil {
		code, decimals = c.Code, c.Policy.Decimals
	}
	n := func(units int64) file.Decimal { return file.Decimal{Units: units, Decimals: decimals} }
	return x.out.Write(ledger.EntryID(en.Member, en.Seq), id.Encode("mem_", en.Member, 0), en.Seq, code, en.Kind.String(), en.Kind.Title(x.lang),
		n(en.Net()), n(en.Active), n(en.Pending), n(en.Held), n(en.Debt), n(en.After), en.Source, en.Document, en.Reason, en.Rule, x.store(en.Store), en.Actor, x.time(en.AtMS), x.time(en.PostedMS))
}

// keys reads one page of keys, of so many numbers each.
func (x *export) keys(ctx context.Context, query string, width int, args ...any) (list [][]int64, err error) {
	err = x.app.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		rows, err := tx.QueryText(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			key := make([]int64, width)
			into := make([]any, width)
			for i := range key {
				into[i] = &key[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			list = append(list, key)
		}
		return rows.Err()
	})
	return list, err
}
