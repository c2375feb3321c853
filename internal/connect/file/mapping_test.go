package file

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

func TestNewMapping(t *testing.T) {
	t.Parallel()
	header := []string{"invoice_no", "customer_id", "time", "price", "price", "a,b", "country"}
	for _, tt := range []struct {
		name, text string
		want       string // as String writes it
		err        *errs.Error
		hint       string
	}{
		{"given", "document=invoice_no, member=customer_id ,at=time", "document=invoice_no,member=customer_id,at=time", nil, ""},
		{"by place", "document=#1,amount=#4", "document=invoice_no,amount=price", nil, ""},
		{"comma in a name", "document=a,b,member=customer_id", "member=customer_id,document=a,b", nil, ""},
		{"one column for two fields", "document=time,at=time", "", nil, ""},
		{"unknown field", "dokument=time", "", ErrMapField, "Did you mean document?"},
		{"unknown column", "document=invoiceno", "", ErrMapColumn, "Did you mean invoice_no?"},
		{"place past the end", "document=#8", "", ErrMapColumn, ""},
		{"field twice", "at=time,at=country", "", ErrMapTwice, ""},
		{"column there twice", "amount=price", "", ErrMapDouble, "amount=#4"},
		{"no equals sign", "document", "", ErrMapShape, ""},
		{"no column", "document=", "", ErrMapShape, ""},
		{"field of another kind", "phone=country", "", ErrMapField, ""},
		{"free field where there is none", "attr.x=country", "", ErrMapField, ""},
	} {
		m, err := NewMapping(Sales, tt.text, header)
		if tt.err != nil {
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("%s: got %v", tt.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if tt.want != "" && m.String() != tt.want {
			t.Errorf("%s: got %s", tt.name, m)
		}
	}
	if _, err := NewMapping("orders", "", header); !errors.Is(err, ErrKind) {
		t.Errorf("unknown kind: %v", err)
	}
}

func TestAutomaticMapping(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind         Kind
		header, want string
	}{
		{Sales, "订单号,会员号,日期,商品编码,商品,数量,单价,金额(元)", "document=订单号,member=会员号,at=日期,sku=商品编码,name=商品,quantity=数量,unit_price=单价,amount=金额(元)"},
		{Sales, "Invoice No,Customer ID,Invoice-Date,StockCode,Description,Quantity,Unit Price,Country", "document=Invoice No,member=Customer ID,at=Invoice-Date,sku=StockCode,name=Description,quantity=Quantity,unit_price=Unit Price"},
		{Sales, "price,amount,date,at", "unit_price=price,amount=amount,at=at"},
		{Members, "member_no,name,gender,mobile,birthday,province,city,district,joined_on", "external_id=member_no,name=name,gender=gender,phone=mobile,birthday=birthday,city=city,joined_at=joined_on"},
		{Members, "会员号,姓名,手机号,attr.size", "external_id=会员号,name=姓名,phone=手机号,attr.size=attr.size"},
		{Balances, "会员号,积分,有效期至", "member=会员号,amount=积分,expires_at=有效期至"},
		{Products, "货号,品名,品牌,零售价", "sku=货号,name=品名,brand=品牌,price=零售价"},
		{Events, "type,member,at,key,prop.page", "type=type,member=member,at=at,key=key,prop.page=prop.page"},
	} {
		m, err := NewMapping(tt.kind, "", strings.Split(tt.header, ","))
		if err != nil {
			t.Fatal(err)
		}
		if m.String() != tt.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", tt.kind, tt.header, m, tt.want)
		}
	}
}

func TestMappingCheck(t *testing.T) {
	t.Parallel()
	header := []string{"a", "b", "c", "d"}
	for _, tt := range []struct {
		kind Kind
		text string
		from []string
		ok   bool
	}{
		{Sales, "document=a,at=b,amount=c", nil, true},
		{Sales, "document=a,at=b,unit_price=c", nil, true},
		{Sales, "document=a,at=b,total=c", nil, false},
		{Sales, "document=a,amount=c", nil, false},
		{Sales, "at=b,amount=c", nil, false},
		{Sales, "member=a,at=b,amount=c", []string{"member", "at"}, true},
		{Sales, "at=b,amount=c", []string{"member", "at"}, false},
		{Members, "name=a", nil, false},
		{Members, "card=a", nil, true},
		{Balances, "member=a,tier=b", nil, true},
		{Products, "name=a", nil, false},
		{Events, "type=a,member=b,at=c", nil, false},
	} {
		m, err := NewMapping(tt.kind, tt.text, header)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(tt.from...); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrMapMissing) {
			t.Errorf("%s with %q from %v: %v", tt.kind, tt.text, tt.from, err)
		}
	}
	if err := CheckFrom([]string{"member", "sku"}); !errors.Is(err, ErrFrom) {
		t.Errorf("from sku: %v", err)
	}
}

// No two fields of a kind claim the same name of a column: the first in the list would
// silently take it.
func TestAliasesAreDistinct(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Members, Sales, Events, Balances, Products} {
		owner := map[string]string{}
		for _, f := range Fields(kind) {
			for _, name := range append([]string{f.Name}, f.Aliases...) {
				name = folded(name)
				if other, ok := owner[name]; ok && other != f.Name {
					t.Errorf("%s: %q means %s and %s", kind, name, other, f.Name)
				}
				owner[name] = f.Name
			}
		}
		for _, group := range forms[kind].need {
			for _, name := range group {
				if !slices.ContainsFunc(Fields(kind), func(f Field) bool { return f.Name == name }) {
					t.Errorf("%s needs a field %s that there is not", kind, name)
				}
			}
		}
	}
}
