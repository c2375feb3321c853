package file

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Type says what a document is.
type Type string

// The types of documents.
const (
	Sale   Type = "sale"
	Return Type = "return"
)

// Document is one sale or one return with its lines. Amounts are in the minor unit of
// Currency and never negative, for returns too.
type Document struct {
	Key      string // its number, unique under the source of the import
	Type     Type
	Member   string // a reference as the API takes it ("ext:uk/17850"); "" for nobody
	At       time.Time
	Store    string
	Till     string
	Staff    string
	Channel  string
	Currency string
	Total    int64  // the sum of Lines
	Of       string // of a return the number of the sale; "" where the file names none
	Lines    []Line
	Problems []Problem // its rows that were refused; they are not in Lines
}

// Rows returns how many rows of the file the document was made of. Every one is either a
// line or a problem.
func (d *Document) Rows() int { return len(d.Lines) + len(d.Problems) }

// Line is one line of a document.
type Line struct {
	Line          int    // from 1, in the order of the file
	FileLine      int64  // where it stands in the file
	SKU           string // NoSKU where the file has none
	Name          string
	Category      string
	Brand         string
	QuantityMilli int64    // thousandths; always positive
	Amount        int64    // paid for the whole line; may be zero
	Cells         []string // as they stand in the file
}

// NoSKU is the SKU of a line of a file that maps none, as one of totals by day.
const NoSKU = "-"

// Problem is one row that was refused, and why. Reason says in its Fields which field is
// at fault, where one is.
type Problem struct {
	FileLine int64
	Reason   *errs.Error
	Cells    []string // as they stand in the file; of a row that is no row, its text
}

// The reasons for which a row or a whole document of sales is refused.
var (
	ErrNoDocument   = errs.New(errs.Invalid, "sale_row.no_document", "The row names no document.", "该行没有单号。")
	ErrDocumentSize = errs.New(errs.TooLarge, "sale_row.document_long", "A document number may have up to {max} bytes.", "单号最长 {max} 字节。")
	ErrType         = errs.New(errs.Invalid, "sale_row.kind", "“{text}” is neither a sale nor a return.", "“{text}”既不是销售也不是退货。")
	ErrNegative     = errs.New(errs.Invalid, "sale_row.negative_amount", "A line of a sale cannot have a negative amount.", "销售行的金额不能为负。")
	ErrNegativeN    = errs.New(errs.Invalid, "sale_row.negative_quantity", "A line of a sale cannot have a negative quantity; goods come back on a return.", "销售行的数量不能为负；退货应使用退货单。")
	ErrZeroN        = errs.New(errs.Invalid, "sale_row.zero_quantity", "The quantity is zero.", "数量为零。")
	ErrMixed        = errs.New(errs.Invalid, "sale_row.mixed_signs", "The return has lines with both signs; this one is a sale.", "退货单中正负行混杂，该行为销售。")
	ErrMembers      = errs.New(errs.Invalid, "sale_row.members", "The rows of this document name different members: {a} in line {line_a}, {b} in line {line_b}. None of it is taken.", "该单据各行的会员不一致：第 {line_a} 行为 {a}，第 {line_b} 行为 {b}。整单未导入。")
	ErrOriginals    = errs.New(errs.Invalid, "sale_row.originals", "The rows of this return name different sales: {a} in line {line_a}, {b} in line {line_b}. None of it is taken.", "该退货单各行的原单号不一致：第 {line_a} 行为 {a}，第 {line_b} 行为 {b}。整单未导入。")
	ErrTotal        = errs.New(errs.Invalid, "sale_row.total", "The lines of this document add up to {sum}, its total is {total} (minor units). None of it is taken.", "该单据各行合计为 {sum}，总金额为 {total}（最小货币单位）。整单未导入。")
	ErrTotals       = errs.New(errs.Invalid, "sale_row.totals", "The rows of this document have different totals: {a} in line {line_a}, {b} in line {line_b}. None of it is taken.", "该单据各行的总金额不一致：第 {line_a} 行为 {a}，第 {line_b} 行为 {b}。整单未导入。")
	ErrTooLong      = errs.New(errs.TooLarge, "sale_row.too_long", "The document has more than {max} rows, or too much text. None of it is taken.", "该单据超过 {max} 行或文本过多。整单未导入。")
	ErrFrom         = errs.New(errs.Invalid, "sale_row.from", "A document cannot be made from {field}; it can from member, at, store, till, staff and channel.", "不能由 {field} 生成单据；可用 member、at、store、till、staff、channel。")
)

// SalesOptions say how rows become documents.
type SalesOptions struct {
	Source        string   // name of the import, the namespace of its members
	From          []string // fields that make a document together, where the file has no number
	ReturnsPrefix string   // documents whose number begins with it are returns; "" for none
	TempDir       string   // for what does not fit in memory; "" for the system's
	memory        int      // bytes that a sorter keeps before it uses the disk; 0 for sortBytes
}

// fromFields are the fields that a document may be made from.
var fromFields = []string{"member", "at", "store", "till", "staff", "channel"}

// CheckFrom refuses fields from which no document can be made.
func CheckFrom(fields []string) error {
	for _, f := range fields {
		if !slices.Contains(fromFields, f) {
			return ErrFrom.With("field", f)
		}
	}
	return nil
}

// MemberRef makes the reference of a member out of a cell. What has the prefix of an
// identifier is taken as it stands; anything else is an external id under the source.
// An empty cell is nobody.
func MemberRef(source, cell string) string {
	if cell == "" {
		return ""
	}
	for _, prefix := range []string{"mem_", "no:", "ext:", "phone:", "email:", "card:"} {
		if strings.HasPrefix(cell, prefix) {
			return cell
		}
	}
	return "ext:" + source + "/" + cell
}

// maxKey bounds a document number: it becomes part of a unique key.
const maxKey = 200

// sales reads rows of sales by one mapping.
type sales struct {
	m *Mapping
	v *Values
	o SalesOptions
}

// identity returns the number and the type of the document that a row belongs to.
func (s *sales) identity(cells []string) (key string, typ Type, err error) {
	if len(s.o.From) > 0 {
		key, err = s.made(cells)
	} else {
		key = s.m.Get(cells, "document")
	}
	switch {
	case err != nil:
		return "", "", err
	case key == "":
		return "", "", ErrNoDocument
	case len(key) > maxKey:
		return "", "", ErrDocumentSize.With("max", maxKey)
	}
	typ, err = s.typeOf(key, s.m.Get(cells, "kind"))
	return key, typ, err
}

// typeOf decides what a document is. A word in the column kind comes before the prefix.
func (s *sales) typeOf(key, word string) (Type, error) {
	if word == "" {
		if s.o.ReturnsPrefix != "" && strings.HasPrefix(key, s.o.ReturnsPrefix) {
			return Return, nil
		}
		return Sale, nil
	}
	switch folded(word) {
	case "sale", "sales", "order", "invoice", "销售", "销售单", "消费", "订单", "正常":
		return Sale, nil
	case "return", "returns", "refund", "credit", "creditnote", "cancelled", "退货", "退货单", "退款", "退单", "冲销":
		return Return, nil
	}
	return "", ErrType.With("text", brief(word)).At("kind")
}

// made makes a document number out of other fields, the same for the same values however
// they are written. Rows without a member are not one sale only because they share a day:
// they have no number, and are refused. A number that would hold a phone or an e-mail
// address is replaced by its hash, since document numbers are not sealed.
func (s *sales) made(cells []string) (string, error) {
	var parts []string
	personal := false
	for _, field := range s.o.From {
		part := s.m.Get(cells, field)
		switch {
		case part == "":
			return "", ErrMissing.At(field)
		case field == "at":
			t, err := s.v.Time(part)
			if err != nil {
				return "", at(err, field)
			}
			part = madeTime(t.In(s.v.Location))
		case field == "member":
			personal = personal || !strings.HasPrefix(MemberRef(s.o.Source, part), "ext:")
		}
		parts = append(parts, strings.ReplaceAll(part, "/", "%2F"))
	}
	key := strings.Join(parts, "/")
	if personal || len(key) > maxKey {
		sum := sha256.Sum256([]byte(key))
		key = hex.EncodeToString(sum[:16])
	}
	return key, nil
}

// madeTime writes midnight as the day alone: files of days have no more.
func madeTime(t time.Time) string {
	if h, m, s := t.Clock(); h == 0 && m == 0 && s == 0 && t.Nanosecond() == 0 {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05.999999999")
}

// at names the field of a row that an error is about.
func at(err error, field string) *errs.Error {
	if e := errs.As(err); e != nil {
		return e.At(field)
	}
	panic("file: a value was refused without a reason: " + err.Error())
}
