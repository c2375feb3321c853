package cond

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// saleWords is what a condition can ask of a sale.
func saleWords() []word {
	s := func(o *object) *Sale { return o.facts.Sale }
	category := Param{Type: Text, EN: "category", ZH: "品类"}
	list := on(saleType,
		whole("total", func(o *object) int64 { return s(o).Total }, "What was paid, in the programme's currency", "实付金额（会员计划的货币）", `sale.total >= money("100")`).as(Money),
		text("currency", func(o *object) string { return s(o).Currency }, "Currency in which it was made", "销售的货币", `sale.currency == "CNY"`),
		word{name: "lines", typ: Lines, en: "The lines of the sale, each with the fields of line", zh: "销售的各行，每行有 line 的字段",
			eg: `sale.lines.exists(l, l.brand == "ACME" && l.quantity >= 2)`, get: linesOf},
		text("store", func(o *object) string { return s(o).Store }, "Store (code)", "门店（代码）", `sale.store in ["S001", "S002"]`),
		text("merchant", func(o *object) string { return s(o).Merchant }, "Merchant (code)", "商户（代码）", `sale.merchant == "M001"`),
		text("channel", func(o *object) string { return s(o).Channel }, "Where the customer bought, such as online", "购买渠道，如 online", `sale.channel == "online"`),
		text("till", func(o *object) string { return s(o).Till }, "Till", "收银台", `sale.till == "T1"`),
		text("staff", func(o *object) string { return s(o).Staff }, "Who sold it", "导购", `sale.staff == "E07"`),
		text("source", func(o *object) string { return s(o).Source }, "The system that the sale came from", "来源系统", `sale.source == "shop"`),
		text("document", func(o *object) string { return s(o).Document }, "Document number", "单据号", `!sale.document.startsWith("TEST")`),
		whole("paid_by_points", func(o *object) int64 { return s(o).PaidByPoints }, "Of the total, paid by points", "其中积分支付", `sale.paid_by_points == 0`).as(Money),
		whole("paid_by_coupons", func(o *object) int64 { return s(o).PaidByCoupons }, "Of the total, paid by coupons", "其中卡券支付", `sale.paid_by_coupons == 0`).as(Money),
		whole("paid_by_money", func(o *object) int64 { return s(o).Total - s(o).PaidByPoints - s(o).PaidByCoupons }, "Of the total, paid neither by points nor by coupons", "其中以积分和卡券以外的方式支付", `sale.paid_by_money >= money("50")`).as(Money),
		word{name: "amount_of", typ: Money, en: "Paid for the lines of a category and those below it", zh: "品类及其下级各行的金额合计",
			eg: `sale.amount_of("coffee") >= money("30")`, args: []Param{category}, call: func(o *object, args []ref.Val) ref.Val {
				return types.Int(o.facts.sumOf(args[0], func(l *Line) int64 { return l.Amount }))
			}},
		word{name: "pieces_of", typ: Number, en: "Quantity of the lines of a category and those below it", zh: "品类及其下级各行的数量合计",
			eg: `sale.pieces_of("coffee") >= 2`, args: []Param{category}, call: func(o *object, args []ref.Val) ref.Val {
				return thousandths(o.facts.sumOf(args[0], func(l *Line) int64 { return l.Milli }))
			}},
		word{name: "has_sku", typ: YesNo, en: "One of the lines is this product", zh: "含有某商品",
			eg: `sale.has_sku("A-100")`, args: []Param{{Type: Text, EN: "sku", ZH: "商品编码"}}, call: func(o *object, args []ref.Val) ref.Val {
				for i := range o.facts.Sale.Lines {
					if o.facts.Sale.Lines[i].SKU == string(args[0].(types.String)) {
						return types.True
					}
				}
				return types.False
			}},
	)
	list = append(list, attributeCalls(saleType, "sale", func(o *object) map[string]any { return s(o).Attributes })...)
	return append(list, lineWords()...)
}

// lineWords is what a condition can ask of one line.
func lineWords() []word {
	list := on(lineType,
		text("sku", func(o *object) string { return o.line.SKU }, "Product (SKU)", "商品编码", `line.sku in ["A-100", "A-101"]`),
		text("name", func(o *object) string { return o.line.Name }, "Name of the product", "商品名称", `line.name.contains("latte")`),
		text("category", func(o *object) string { return o.line.Category }, "Category, as a path", "品类（路径）", `line.category == "drinks/coffee"`),
		text("brand", func(o *object) string { return o.line.Brand }, "Brand", "品牌", `line.brand == "ACME"`),
		word{name: "quantity", typ: Number, en: "Quantity", zh: "数量", eg: `line.quantity >= 2`,
			get: func(o *object) ref.Val { return thousandths(o.line.Milli) }},
		whole("amount", func(o *object) int64 { return o.line.Amount }, "Paid for the line", "该行实付金额", `line.amount >= money("20")`).as(Money),
		whole("unit_price", func(o *object) int64 { return o.line.unitPrice() }, "Paid for one piece, rounded down; 0 where the quantity is 0", "单价（向下取整），数量为 0 时为 0", `line.unit_price >= money("9.90")`).as(Money),
		word{name: "in_category", typ: YesNo, en: "Its category is this one or lies below it", zh: "品类为该品类或其下级",
			eg: `line.in_category("food")`, args: []Param{{Type: Text, EN: "category", ZH: "品类"}}, call: func(o *object, args []ref.Val) ref.Val {
				return types.Bool(o.facts.under(o.line.Category, string(args[0].(types.String))))
			}},
	)
	return append(list, attributeCalls(lineType, "line", func(o *object) map[string]any { return o.line.Attributes })...)
}

// eventWords is what a condition can ask of an event.
func eventWords() []word {
	list := on(eventType,
		text("type", func(o *object) string { return o.facts.Event.Type }, "What happened", "事件类型", `event.type == "visit"`),
	)
	return append(list, attributeCalls(eventType, "event", func(o *object) map[string]any { return o.facts.Event.Attributes })...)
}

// attributeCalls reads what came along with a sale, a line or an event and was not declared:
// each value by the type that the condition expects, with a default where there is none.
func attributeCalls(t *types.Type, name string, of func(*object) map[string]any) []word {
	key := Param{Type: Text, EN: "name", ZH: "名称"}
	read := func(o *object, args []ref.Val) any { return of(o)[string(args[0].(types.String))] }
	return on(t,
		word{name: "text", typ: Text, args: []Param{key}, eg: name + `.text("campaign") == "spring"`,
			en: "A text that came along with it; empty where there is none", zh: "随附的文本，没有时为空",
			call: func(o *object, args []ref.Val) ref.Val {
				s, _ := read(o, args).(string)
				return types.String(s)
			}},
		word{name: "number", typ: Number, args: []Param{key}, eg: name + `.number("guests") >= 4`,
			en: "A number that came along with it; 0 where there is none", zh: "随附的数字，没有时为 0",
			call: func(o *object, args []ref.Val) ref.Val {
				n, _ := read(o, args).(float64)
				return types.Double(n)
			}},
		word{name: "flag", typ: YesNo, args: []Param{key}, eg: name + `.flag("gift")`,
			en: "A yes that came along with it; no where there is none", zh: "随附的是/否，没有时为否",
			call: func(o *object, args []ref.Val) ref.Val {
				b, _ := read(o, args).(bool)
				return types.Bool(b)
			}},
		word{name: "has", typ: YesNo, args: []Param{key}, eg: name + `.has("campaign")`,
			en: "Whether something of this name came along with it", zh: "是否随附该名称的内容",
			call: func(o *object, args []ref.Val) ref.Val {
				_, ok := of(o)[string(args[0].(types.String))]
				return types.Bool(ok)
			}},
	)
}

// linesOf makes a list of the sale's lines.
func linesOf(o *object) ref.Val {
	lines := o.facts.Sale.Lines
	list, objects := make([]ref.Val, len(lines)), make([]object, len(lines))
	for i := range lines {
		objects[i] = object{typ: lineType, facts: o.facts, line: &lines[i]}
		list[i] = &objects[i]
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

// sumOf adds up something of the lines of a category. The lines' amounts are bounded by their
// sale's, so the sum does not overflow.
func (f *Facts) sumOf(category ref.Val, what func(*Line) int64) (sum int64) {
	for i := range f.Sale.Lines {
		if l := &f.Sale.Lines[i]; f.under(l.Category, string(category.(types.String))) {
			sum += what(l)
		}
	}
	return sum
}

// under reports whether a category is another or lies below it. Nothing lies below "".
func (f *Facts) under(category, ancestor string) bool {
	if f.Under != nil {
		return f.Under(category, ancestor)
	}
	rest, ok := strings.CutPrefix(category, ancestor)
	return ok && ancestor != "" && (rest == "" || rest[0] == '/')
}

// unitPrice is the amount for one piece, rounded down.
func (l *Line) unitPrice() int64 {
	if l.Milli <= 0 {
		return 0
	}
	return l.Amount/l.Milli*1000 + l.Amount%l.Milli*1000/l.Milli // in two parts, for it must not overflow
}

// thousandths is a quantity as conditions see it. The quotient is the double nearest to the
// decimal, which is what a literal of the same digits is, so that comparing is exact.
func thousandths(n int64) ref.Val { return types.Double(float64(n) / 1000) }
