package file

import "strings"

// Kind is what the rows of a file are about.
type Kind string

// The kinds that import understands.
const (
	Members  Kind = "members"
	Sales    Kind = "sales"
	Events   Kind = "events"
	Balances Kind = "balances"
	Products Kind = "products"
)

// Field is one thing that a column can fill.
type Field struct {
	Name    string
	Aliases []string // names of columns, in lower case without spaces, that mean this field where no mapping is given
}

// form is what a file of one kind may and must bring.
type form struct {
	fields []Field
	need   [][]string // of each group at least one field must be mapped
	open   string     // prefix of fields that the user names: "attr." takes attr.size=column
}

// One list of aliases serves every kind in which the field stands.
var (
	fMember   = Field{"member", []string{"memberid", "memberno", "customer", "customerid", "customerno", "会员", "会员号", "会员编号", "会员卡号", "客户", "客户号", "客户编号", "顾客编号"}}
	fAt       = Field{"at", []string{"time", "date", "datetime", "saletime", "saledate", "orderdate", "ordertime", "invoicedate", "invoicetime", "时间", "日期", "交易时间", "交易日期", "下单时间", "订单时间", "订单日期", "销售日期", "消费时间", "消费日期", "支付时间"}}
	fStore    = Field{"store", []string{"shop", "storeid", "storecode", "门店", "店铺", "门店编号", "门店编码", "门店名称"}}
	fName     = Field{"name", []string{"description", "productname", "商品", "商品名", "商品名称", "品名", "产品名称"}}
	fSKU      = Field{"sku", []string{"stockcode", "itemcode", "productcode", "productid", "商品编码", "商品编号", "商品代码", "货号", "条码", "商品条码"}}
	fCategory = Field{"category", []string{"类别", "分类", "品类", "商品分类", "商品类别"}}
	fBrand    = Field{"brand", []string{"品牌"}}
	fExpires  = Field{"expires_at", []string{"expires", "expiry", "expirydate", "有效期", "有效期至", "到期日", "到期时间", "过期时间"}}
)

var forms = map[Kind]form{
	Sales: {
		fields: []Field{
			{"document", []string{"documentno", "invoice", "invoiceno", "order", "orderno", "orderid", "receipt", "receiptno", "单号", "订单号", "订单编号", "小票号", "交易号", "流水号", "单据号"}},
			fMember, fAt, fStore,
			{"till", []string{"pos", "register", "收银机", "收银台", "款台"}},
			{"staff", []string{"cashier", "salesperson", "收银员", "导购", "店员", "营业员"}},
			{"channel", []string{"渠道", "销售渠道"}},
			fSKU, fName, fCategory, fBrand,
			{"quantity", []string{"qty", "数量", "件数"}},
			{"amount", []string{"lineamount", "金额", "实付", "实付金额", "小计", "成交金额"}},
			{"unit_price", []string{"unitprice", "price", "单价", "售价", "成交价"}},
			{"total", []string{"ordertotal", "合计", "总金额", "总计", "订单金额", "应付金额"}},
			{"kind", []string{"documenttype", "单据类型", "交易类型"}},
			{"of", []string{"originaldocument", "originalorder", "原单号", "原订单号", "原小票号"}},
		},
		need: [][]string{{"document"}, {"at"}, {"amount", "unit_price"}},
	},
	Members: {
		fields: []Field{
			{"external_id", []string{"id", "memberid", "memberno", "customerid", "会员号", "会员编号", "客户编号", "会员id"}},
			{"phone", []string{"mobile", "tel", "telephone", "phonenumber", "手机", "手机号", "手机号码", "电话", "联系电话"}},
			{"email", []string{"e-mail", "mail", "邮箱", "电子邮箱", "邮件"}},
			{"card", []string{"cardno", "卡号", "会员卡号"}},
			{"name", []string{"fullname", "membername", "姓名", "名字", "会员姓名", "会员名称"}},
			{"gender", []string{"sex", "性别"}},
			{"birthday", []string{"birthdate", "dateofbirth", "生日", "出生日期"}},
			{"city", []string{"城市", "所在城市"}},
			{"language", []string{"lang", "语言"}},
			fStore,
			{"tags", []string{"tag", "labels", "标签"}},
			{"joined_at", []string{"joined", "joinedon", "joindate", "createdat", "registered", "入会时间", "入会日期", "注册时间", "注册日期", "开卡时间", "开卡日期"}},
		},
		need: [][]string{{"external_id", "phone", "email", "card"}},
		open: "attr.",
	},
	Events: {
		fields: []Field{
			{"type", []string{"event", "eventtype", "事件", "事件类型", "类型"}},
			fMember, fAt,
			{"key", []string{"eventid", "id", "事件号", "事件编号", "编号"}},
		},
		need: [][]string{{"type"}, {"member"}, {"at"}, {"key"}},
		open: "prop.",
	},
	Balances: {
		fields: []Field{
			fMember,
			{"currency", []string{"pointcurrency", "points_currency", "积分类型", "币种"}},
			{"amount", []string{"balance", "points", "余额", "积分", "积分余额", "可用积分"}},
			{"earned_at", []string{"earned", "at", "date", "获得时间", "获得日期", "日期"}},
			fExpires,
			{"issuer", []string{"merchant", "商户", "发放商户"}},
			{"tier", []string{"level", "等级", "会员等级"}},
		},
		need: [][]string{{"member"}, {"amount", "tier"}},
	},
	Products: {
		fields: []Field{
			fSKU, fName,
			{"name_en", []string{"englishname", "英文名", "英文名称"}},
			{"name_zh", []string{"chinesename", "中文名", "中文名称"}},
			fCategory, fBrand,
			{"cost", []string{"成本", "成本价", "进价"}},
			{"price", []string{"unitprice", "listprice", "单价", "售价", "零售价", "价格"}},
		},
		need: [][]string{{"sku"}},
	},
}

// Fields returns what a file of a kind can fill, in the order in which help shows it. It
// is nil for a kind that there is not.
func Fields(kind Kind) []Field { return forms[kind].fields }

// Needs returns the fields of a kind that must be mapped: of each group at least one.
func Needs(kind Kind) [][]string { return forms[kind].need }

// Open returns the prefix of the fields of a kind that the user names freely, as in
// attr.size, or "".
func (kind Kind) Open() string { return forms[kind].open }

// folded is how names of columns are compared: lower case, without spaces, hyphens and
// underscores.
func folded(name string) string {
	return unspaced.Replace(strings.ToLower(fold(name)))
}

var unspaced = strings.NewReplacer(" ", "", "_", "", "-", "")

// matches reports whether a column of this name means the field. A unit behind the name,
// as in 金额(元) or "amount (USD)", does not count.
func (f Field) matches(column string) bool {
	if i := strings.IndexAny(column, "(（["); i > 0 {
		column = column[:i]
	}
	name := folded(column)
	if name == folded(f.Name) {
		return true
	}
	for _, a := range f.Aliases {
		if name == folded(a) {
			return true
		}
	}
	return false
}
