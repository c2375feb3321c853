package export

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// pageRows is how many rows are read at a time: no reading is open while they are written
// to whoever is slow.
const pageRows = 200

// lists are those that there are. The names of columns are those that import reads, and so
// are the titles in Chinese.
var lists []list

func init() { // the functions refer to lists in turn
	lists = []list{
		{name: "members", needs: staff.ReadMembers, write: (*writing).members, filters: []string{"q", "tag", "advisor", "joined_from", "joined_until"}, columns: []column{
			{"id", "Member ID", "会员ID"}, {"number", "Member no.", "会员号"}, {"joined_at", "Joined", "入会时间"}, {"name", "Name", "姓名"},
			{"phone", "Phone", "手机"}, {"email", "E-mail", "邮箱"}, {"card", "Card", "卡号"}, {"external_id", "External ID", "外部编号"},
			{"gender", "Gender", "性别"}, {"birthday", "Birthday", "生日"}, {"city", "City", "城市"}, {"language", "Language", "语言"},
			{"store", "Store", "门店"}, {"source", "Source", "来源"}, {"tags", "Tags", "标签"}, {"advisor", "Advisor", "专属顾问"},
		}},
		{name: "sales", needs: staff.ReadSales, write: (*writing).sales,
			filters: []string{"member", "source", "document", "from", "to", "store", "till", "staff", "channel", "kind", "unassigned", "state"}, columns: []column{
				{"id", "Sale ID", "销售ID"}, {"kind", "Kind", "单据类型"}, {"state", "State", "状态"}, {"source", "Source", "来源"}, {"document", "Document", "单号"},
				{"member", "Member", "会员"}, {"at", "Time", "时间"}, {"store", "Store", "门店"}, {"till", "Till", "收银台"}, {"staff", "Salesperson", "导购"},
				{"channel", "Channel", "渠道"}, {"line", "Line", "行"}, {"sku", "SKU", "商品编码"}, {"name", "Product", "商品名称"}, {"category", "Category", "品类"},
				{"brand", "Brand", "品牌"}, {"quantity", "Quantity", "数量"}, {"amount", "Amount", "金额"}, {"currency", "Currency", "币种"},
			}},
		{name: "entries", needs: staff.ReadPoints, wide: true, write: (*writing).entries, filters: []string{"member", "currency", "from", "to"}, columns: []column{
			{"id", "Entry ID", "分录ID"}, {"member", "Member", "会员"}, {"number", "No.", "序号"}, {"currency", "Currency", "币种"}, {"kind", "Kind", "类型"},
			{"title", "Movement", "变动"}, {"amount", "Amount", "数量"}, {"available", "Available", "可用变动"}, {"pending", "Pending", "待入账变动"},
			{"held", "Held", "冻结变动"}, {"debt", "Debt", "欠分变动"}, {"available_after", "Available after", "变动后可用"}, {"source", "Source", "来源"},
			{"document", "Document", "单号"}, {"reason", "Reason", "原因"}, {"rule", "Rule", "规则"}, {"store", "Store", "门店"}, {"actor", "Actor", "操作者"},
			{"at", "Time", "时间"}, {"posted_at", "Posted", "入账时间"},
		}},
		{name: "products", needs: staff.ReadCatalog, write: (*writing).products, filters: []string{"category", "brand", "q"}, columns: []column{
			{"sku", "SKU", "商品编码"}, {"name_en", "English name", "英文名称"}, {"name_zh", "Chinese name", "中文名称"}, {"category", "Category", "品类"},
			{"brand", "Brand", "品牌"}, {"cost", "Cost", "成本"}, {"price", "Price", "售价"}, {"currency", "Currency", "币种"}, {"active", "Active", "在售"},
			{"learned", "Learned", "自动登记"}, {"changed_at", "Changed", "修改时间"},
		}},
		{name: "audit", needs: staff.ReadAudit, wide: true, write: (*writing).audit, filters: []string{"actor", "action", "subject", "from", "to"}, columns: []column{
			{"id", "Entry ID", "记录ID"}, {"at", "Time", "时间"}, {"actor_kind", "Actor kind", "操作者类型"}, {"actor", "Actor", "操作者"}, {"action", "Action", "操作"},
			{"subject", "Subject", "对象"}, {"before", "Before", "变更前"}, {"after", "After", "变更后"}, {"ip", "Address", "地址"},
			{"user_agent", "Program", "客户端"}, {"trace_id", "Trace", "追踪号"},
		}},
		{name: "liability", needs: staff.ReadReports, write: (*writing).liability, columns: []column{
			{"month", "Month", "月份"}, {"issuer", "Issuer", "发放方"}, {"currency", "Currency", "币种"}, {"granted", "Granted", "发放"}, {"redeemed", "Redeemed", "使用"},
			{"expired", "Expired", "过期"}, {"clawed_back", "Clawed back", "收回"}, {"moved", "Moved", "转出"}, {"outstanding", "Outstanding", "未使用"},
			{"pending", "Pending", "待入账"}, {"active", "Available", "可用"}, {"held", "Held", "冻结"}, {"value", "Value", "价值"},
		}},
	}
}

func (w *writing) members(ctx context.Context) error {
	from, err := w.instant("joined_from")
	if err != nil {
		return err
	}
	until, err := w.instant("joined_until")
	if err != nil {
		return err
	}
	advisor := int64(0)
	if text := w.filter["advisor"]; text != "" {
		if _, advisor, err = id.Decode("stf_", text); err != nil {
			return member.ErrAdvisor
		}
	}
	q := member.Search{Advisor: advisor, Q: w.filter["q"], Tag: w.filter["tag"], JoinedFrom: from, JoinedUntil: until, Limit: pageRows}
	for {
		page, next, err := w.s.o.Members.List(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page {
			err := w.row(m.ID.String(), m.ID.Number(), m.JoinedAt.In(w.snap.Zone), m.Name, m.First(member.KindPhone), m.First(member.KindEmail), m.First(member.KindCard),
				m.First(member.KindExternal), string(m.Gender), string(m.Birthday), m.City, m.Language, w.store(m.StoreID), m.Source, strings.Join(m.Tags, ";"), m.Advisor)
			if err != nil {
				return err
			}
		}
		if w.told(w.rows); next == "" {
			return nil
		}
		q.Cursor = next
	}
}

func (w *writing) sales(ctx context.Context) error {
	f := sale.Filter{
		Member: w.filter["member"], Source: w.filter["source"], Document: w.filter["document"], From: w.filter["from"], To: w.filter["to"],
		Store: w.filter["store"], Till: w.filter["till"], Staff: w.filter["staff"], Channel: w.filter["channel"], Kind: w.filter["kind"],
		Unassigned: w.filter["unassigned"] == "true", State: w.filter["state"],
	}
	for p := (api.Page{Limit: pageRows}); ; {
		docs, next, err := w.s.o.Sales.List(ctx, f, p)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := w.sale(d); err != nil {
				return err
			}
		}
		if w.told(w.rows); next == "" {
			return nil
		}
		p.Cursor = next
	}
}

// sale writes one row for each line.
func (w *writing) sale(d *sale.Document) error {
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
		err := w.row(d.ID(), kind, d.State.String(), d.Source, d.Document, owner, w.time(d.AtMS), w.store(d.Store), d.Till, d.Staff, d.Channel,
			l.Line, l.SKU, l.Name, l.Category, l.Brand, file.Decimal{Units: l.Milli, Decimals: 3}, amount, d.Currency)
		if err != nil {
			return err
		}
	}
	return nil
}

// accountsSQL reads accounts rather than members: entries of one who was merged away stay
// under the name that they were posted to.
var accountsSQL = db.Define("export.accounts", `
	SELECT shard, member_id
	FROM account
	WHERE (shard, member_id) > ($1, $2)
	ORDER BY shard, member_id
	LIMIT $3`)

func (w *writing) entries(ctx context.Context) error {
	from, to, err := w.span()
	if err != nil {
		return err
	}
	currency := int64(0)
	if code := w.filter["currency"]; code != "" {
		c, err := w.s.o.Ledger.Config().Currency(code)
		if err != nil {
			return err
		}
		currency = c.ID
	}
	if text := w.filter["member"]; text != "" {
		ref, err := member.ParseRef(text)
		if err != nil {
			return err
		}
		records, err := w.s.o.Members.Records(ctx, ref)
		if err != nil {
			return err
		}
		for _, m := range records {
			if err := w.account(ctx, int64(m), currency, from, to); err != nil {
				return err
			}
		}
		return nil
	}
	type key struct{ shard, member int64 }
	for last := (key{math.MinInt16, 0}); ; {
		var keys []key
		err := w.s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			keys = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var k key
				if err := rows.Scan(&k.shard, &k.member); err != nil {
					return err
				}
				keys = append(keys, k)
				return nil
			})(tx.Query(ctx, accountsSQL, last.shard, last.member, pageRows))
		})
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := w.account(ctx, k.member, currency, from, to); err != nil {
				return err
			}
		}
		if w.told(w.rows); len(keys) < pageRows {
			return nil
		}
		last = keys[len(keys)-1]
	}
}

// account writes the entries of one account, newest first.
func (w *writing) account(ctx context.Context, m, currency, from, to int64) error {
	for before := int64(0); ; {
		page, err := w.s.o.Ledger.Entries(ctx, m, currency, before, pageRows)
		if err != nil {
			return err
		}
		for _, en := range page {
			if en.AtMS < from || en.AtMS >= to {
				continue
			}
			if err := w.entry(en); err != nil {
				return err
			}
		}
		if len(page) < pageRows {
			return nil
		}
		before = page[len(page)-1].Seq
	}
}

func (w *writing) entry(en *ledger.Entry) error {
	code, decimals := "", 0
	if c := w.s.o.Ledger.Config().Currencies[en.Currency]; c != nil {
		code, decimals = c.Code, c.Policy.Decimals
	}
	n := func(units int64) file.Decimal { return file.Decimal{Units: units, Decimals: decimals} }
	return w.row(ledger.EntryID(en.Member, en.Seq), id.Encode("mem_", en.Member, 0), en.Seq, code, en.Kind.String(), en.Kind.Title(w.ask.Language),
		n(en.Net()), n(en.Active), n(en.Pending), n(en.Held), n(en.Debt), n(en.After), en.Source, en.Document, en.Reason, en.Rule, w.store(en.Store), en.Actor, w.time(en.AtMS), w.time(en.PostedMS))
}

// span is the filters from and to in milliseconds.
func (w *writing) span() (from, to int64, err error) {
	from, to = math.MinInt64, math.MaxInt64
	var t time.Time
	if t, err = w.instant("from"); err == nil && !t.IsZero() {
		from = t.UnixMilli()
	}
	if err != nil {
		return from, to, err
	}
	if t, err = w.instant("to"); err == nil && !t.IsZero() {
		to = t.UnixMilli()
	}
	return from, to, err
}

func (w *writing) products(ctx context.Context) error {
	f := catalog.Filter{Category: w.filter["category"], Brand: w.filter["brand"], Query: w.filter["q"]}
	for {
		page, err := w.s.o.Catalog.List(ctx, f, pageRows)
		if err != nil {
			return err
		}
		for _, p := range page {
			decimals, err := money.Decimals(p.Currency)
			if err != nil && p.Currency != "" {
				return err
			}
			amount := func(n *int64) any {
				if n == nil {
					return nil
				}
				return file.Decimal{Units: *n, Decimals: decimals}
			}
			if err := w.row(p.SKU, p.NameEN, p.NameZH, p.Category, p.Brand, amount(p.Cost), amount(p.Price), p.Currency, p.Active, p.Learned, w.time(p.ChangedMS)); err != nil {
				return err
			}
		}
		if w.told(w.rows); len(page) < pageRows {
			return nil
		}
		f.After = page[len(page)-1].ID
	}
}

func (w *writing) audit(ctx context.Context) error {
	from, err := w.instant("from")
	if err != nil {
		return err
	}
	until, err := w.instant("to")
	if err != nil {
		return err
	}
	f := staff.Filter{Actor: w.filter["actor"], Action: w.filter["action"], Subject: w.filter["subject"], From: from, Until: until}
	for {
		page, err := w.s.o.Audit.Entries(ctx, f, pageRows)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := w.row(e.PublicID(), e.At.In(w.snap.Zone), e.ActorKind, e.Actor, e.Action, e.Subject, string(e.Before), string(e.After), e.IP, e.UserAgent, e.Trace); err != nil {
				return err
			}
		}
		if w.told(w.rows); len(page) < pageRows {
			return nil
		}
		f.Before = page[len(page)-1].ID
	}
}

func (w *writing) liability(ctx context.Context) error {
	r, err := w.s.o.Ledger.Liability(ctx)
	if err != nil {
		return err
	}
	worth, err := money.Decimals(r.Money)
	if err != nil {
		return err
	}
	for _, row := range r.Rows {
		decimals := 0
		if c, err := w.s.o.Ledger.Config().Currency(row.Currency); err == nil {
			decimals = c.Policy.Decimals
		}
		n := func(units int64) file.Decimal { return file.Decimal{Units: units, Decimals: decimals} }
		err := w.row(row.Month, row.Issuer, row.Currency, n(row.Granted), n(row.Redeemed), n(row.Expired), n(row.ClawedBack), n(row.Moved),
			n(row.Outstanding), n(row.Pending), n(row.Active), n(row.Held), file.Decimal{Units: row.Value, Decimals: worth})
		if err != nil {
			return err
		}
	}
	return nil
}
