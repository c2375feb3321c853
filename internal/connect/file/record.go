package file

import (
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The reasons for which a row of a kind other than sales is refused.
var (
	ErrNoIdentifier = errs.New(errs.Invalid, "member_row.no_identifier", "The row has no identifier: an id, a phone, an e-mail address or a card.", "该行没有任何标识：会员号、手机号、邮箱或卡号。")
	ErrGender       = errs.New(errs.Invalid, "member_row.gender", "“{text}” is no gender that is understood: female, male, other.", "无法识别性别“{text}”：应为 女、男、其他。")
	ErrOpening      = errs.New(errs.Invalid, "balance_row.negative", "An opening balance cannot be negative.", "期初余额不能为负。")
	ErrLapsed       = errs.New(errs.Invalid, "balance_row.lapsed", "The points expire before they were earned.", "积分的到期时间早于获得时间。")
	ErrPrice        = errs.New(errs.Invalid, "product_row.negative", "A price or a cost cannot be negative.", "价格或成本不能为负。")
)

// MemberRow is one member as a file has it. Texts are trimmed, and else as they stand:
// what a phone number is decides the member noun.
type MemberRow struct {
	FileLine   int64
	ExternalID string // namespace/value; "" for none
	Phone      string
	Email      string
	Card       string
	Name       string
	Gender     string // female, male, other or ""
	Birthday   string // 2006-01-02 or ""
	City       string
	Language   string
	Store      string
	Tags       []string
	JoinedAt   time.Time         // zero for unknown
	Attributes map[string]string // of columns mapped as attr.name
	Cells      []string
}

// EventRow is one thing that a member did.
type EventRow struct {
	FileLine   int64
	Type       string
	Member     string // a reference as the API takes it
	At         time.Time
	Key        string            // unique with the type
	Properties map[string]string // of columns mapped as prop.name
	Cells      []string
}

// BalanceRow is what a member brings along from another system: one lot of points, a
// tier, or both.
type BalanceRow struct {
	FileLine  int64
	Member    string // a reference as the API takes it
	Currency  string // of points; "" for the programme's first
	Amount    string // a plain decimal number, not negative: only the currency knows its decimals; "" for a row of a tier
	EarnedAt  time.Time
	ExpiresAt time.Time // exclusive; zero for what the currency's policy says
	Issuer    string
	Tier      string
	Cells     []string
}

// ProductRow is one product.
type ProductRow struct {
	FileLine int64
	SKU      string
	Name     string
	NameEN   string
	NameZH   string
	Category string
	Brand    string
	Cost     *int64 // minor units; nil for unknown
	Price    *int64
	Cells    []string
}

// Records turns rows into members, events, balances and products.
type Records struct {
	Map    *Mapping
	Values *Values
	Source string // namespace of external ids
}

// Member reads a row of members.
func (c *Records) Member(row Row) (MemberRow, *errs.Error) {
	get := func(field string) string { return c.Map.Get(row.Cells, field) }
	m := MemberRow{
		FileLine: row.Line, Cells: slices.Clone(row.Cells),
		ExternalID: c.externalID(get("external_id")), Phone: get("phone"), Email: get("email"), Card: get("card"),
		Name: get("name"), City: get("city"), Language: get("language"), Store: get("store"),
		Tags: tags(get("tags")), Attributes: c.Map.Free(row.Cells),
	}
	if m.ExternalID == "" && m.Phone == "" && m.Email == "" && m.Card == "" {
		return m, ErrNoIdentifier
	}
	var bad *errs.Error
	if m.Gender, bad = gender(get("gender")); bad != nil {
		return m, bad
	}
	if cell := get("birthday"); cell != "" {
		day, err := c.Values.Date(cell)
		if err != nil {
			return m, at(err, "birthday")
		}
		m.Birthday = day
	}
	m.JoinedAt, bad = c.time(row, "joined_at", false)
	return m, bad
}

// Event reads a row of events.
func (c *Records) Event(row Row) (EventRow, *errs.Error) {
	e := EventRow{
		FileLine: row.Line, Cells: slices.Clone(row.Cells),
		Type: c.Map.Get(row.Cells, "type"), Key: c.Map.Get(row.Cells, "key"),
		Member:     MemberRef(c.Source, c.Map.Get(row.Cells, "member")),
		Properties: c.Map.Free(row.Cells),
	}
	for _, need := range []struct{ field, value string }{{"type", e.Type}, {"member", e.Member}, {"key", e.Key}} {
		if need.value == "" {
			return e, ErrMissing.At(need.field)
		}
	}
	var bad *errs.Error
	e.At, bad = c.time(row, "at", true)
	return e, bad
}

// Balance reads a row of balances. A day on which points expire is taken as the last day
// on which they can be used, as people mean it.
func (c *Records) Balance(row Row) (BalanceRow, *errs.Error) {
	get := func(field string) string { return c.Map.Get(row.Cells, field) }
	b := BalanceRow{
		FileLine: row.Line, Cells: slices.Clone(row.Cells),
		Member: MemberRef(c.Source, get("member")), Currency: get("currency"), Issuer: get("issuer"), Tier: get("tier"),
	}
	if b.Member == "" {
		return b, ErrMissing.At("member")
	}
	var bad *errs.Error
	if b.Amount, bad = c.opening(get("amount"), b.Tier); bad != nil {
		return b, bad
	}
	if b.EarnedAt, bad = c.time(row, "earned_at", false); bad != nil {
		return b, bad
	}
	if b.ExpiresAt, bad = c.time(row, "expires_at", false); bad != nil || b.ExpiresAt.IsZero() {
		return b, bad
	}
	if madeTime(b.ExpiresAt) == b.ExpiresAt.Format(time.DateOnly) {
		b.ExpiresAt = b.ExpiresAt.AddDate(0, 0, 1)
	}
	if !b.ExpiresAt.After(b.EarnedAt) {
		return b, ErrLapsed.At("expires_at")
	}
	return b, nil
}

// opening reads the points of a balance, which may have two decimals at most, as points
// may. Only a row with a tier may leave them away.
func (c *Records) opening(cell, tier string) (string, *errs.Error) {
	if cell == "" && tier != "" {
		return "", nil
	}
	plain, err := c.Values.plain(cell)
	if err == nil {
		_, err = parse(cell, plain, 2)
	}
	if err != nil {
		return "", at(err, "amount")
	}
	if strings.HasPrefix(plain, "-") {
		return "", ErrOpening.At("amount")
	}
	return plain, nil
}

// Product reads a row of products.
func (c *Records) Product(row Row) (ProductRow, *errs.Error) {
	get := func(field string) string { return c.Map.Get(row.Cells, field) }
	p := ProductRow{
		FileLine: row.Line, Cells: slices.Clone(row.Cells),
		SKU: get("sku"), Name: get("name"), NameEN: get("name_en"), NameZH: get("name_zh"),
		Category: get("category"), Brand: get("brand"),
	}
	if p.SKU == "" {
		return p, ErrMissing.At("sku")
	}
	for field, into := range map[string]**int64{"cost": &p.Cost, "price": &p.Price} {
		cell := get(field)
		if cell == "" {
			continue
		}
		n, err := c.Values.Money(cell)
		if err != nil {
			return p, at(err, field)
		}
		if n < 0 {
			return p, ErrPrice.At(field)
		}
		*into = &n
	}
	return p, nil
}

// externalID puts the source in front of an id that does not bring its own namespace.
func (c *Records) externalID(cell string) string {
	if cell == "" {
		return ""
	}
	if own, ok := strings.CutPrefix(cell, "ext:"); ok {
		return own
	}
	return c.Source + "/" + cell
}

func (c *Records) time(row Row, field string, needed bool) (time.Time, *errs.Error) {
	cell := c.Map.Get(row.Cells, field)
	if cell == "" && !needed {
		return time.Time{}, nil
	}
	t, err := c.Values.Time(cell)
	if err != nil {
		return t, at(err, field)
	}
	return t, nil
}

func gender(cell string) (string, *errs.Error) {
	switch folded(cell) {
	case "", "unknown", "未知", "保密":
		return "", nil
	case "f", "female", "woman", "女", "女士", "女性":
		return "female", nil
	case "m", "male", "man", "男", "先生", "男性":
		return "male", nil
	case "other", "其他":
		return "other", nil
	}
	return "", ErrGender.With("text", brief(cell)).At("gender")
}

// tags cuts a cell of several tags at the marks that people put between them.
func tags(cell string) []string {
	return strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|、，； \t", r) })
}
