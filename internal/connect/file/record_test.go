package file

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// records reads one row of a file of a kind.
func records(t *testing.T, kind Kind, text string) (*Records, Row) {
	t.Helper()
	r := open(t, []byte(text))
	m, err := NewMapping(kind, "", r.Header())
	if err != nil {
		t.Fatal(err)
	}
	row, err := r.Next()
	if err != nil || row.Bad != nil {
		t.Fatal(err, row.Bad)
	}
	return &Records{Map: m, Values: values(t, "CNY"), Source: "old"}, row
}

func TestMemberRow(t *testing.T) {
	t.Parallel()
	c, row := records(t, Members, "会员号,姓名,手机号,性别,生日,标签,入会日期,attr.size\nM1, 王小明 ,12126386683,女,1966年6月25日,vip、老客 店员,2021-04-30,L\n")
	got, bad := c.Member(row)
	want := MemberRow{
		FileLine: 2, ExternalID: "old/M1", Name: "王小明", Phone: "12126386683", Gender: "female", Birthday: "1966-06-25",
		Tags: []string{"vip", "老客", "店员"}, JoinedAt: time.Date(2021, 4, 30, 0, 0, 0, 0, c.Values.Location),
		Attributes: map[string]string{"size": "L"}, Cells: row.Cells,
	}
	if bad != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, bad, want)
	}
}

func TestRecordsRefuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind  Kind
		text  string
		want  *errs.Error
		field string
	}{
		{Members, "phone,name\n,a\n", ErrNoIdentifier, ""},
		{Members, "phone,gender\n1,x\n", ErrGender, "gender"},
		{Members, "phone,birthday\n1,soon\n", ErrTime, "birthday"},
		{Members, "phone,joined_at\n1,soon\n", ErrTime, "joined_at"},
		{Members, "phone,joined_at\n1,\n", nil, ""},
		{Events, "type,member,at,key\nvisit,,2026-03-01,1\n", ErrMissing, "member"},
		{Events, "type,member,at,key\nvisit,a,,1\n", ErrMissing, "at"},
		{Events, "type,member,at,key\nvisit,a,2026-03-01,\n", ErrMissing, "key"},
		{Events, "type,member,at,key\n,a,2026-03-01,1\n", ErrMissing, "type"},
		{Events, "type,member,at,key\nvisit,a,2026-03-01,1\n", nil, ""},
		{Balances, "member,amount\n,5\n", ErrMissing, "member"},
		{Balances, "member,amount\na,-5\n", ErrOpening, "amount"},
		{Balances, "member,amount\na,\n", ErrMissing, "amount"},
		{Balances, "member,amount\na,1.005\n", ErrDecimals, "amount"},
		{Balances, "member,amount,tier\na,,gold\n", nil, ""},
		{Balances, "member,amount,earned_at,expires_at\na,5,2026-03-02,2026-03-01\n", ErrLapsed, "expires_at"},
		{Balances, "member,amount,earned_at,expires_at\na,5,2026-03-01,2026-03-01\n", nil, ""},
		{Products, "sku,price\n,5\n", ErrMissing, "sku"},
		{Products, "sku,price\nx,-5\n", ErrPrice, "price"},
		{Products, "sku,cost\nx,5.001\n", ErrDecimals, "cost"},
		{Products, "sku,price,cost\nx,5,\n", nil, ""},
	} {
		c, row := records(t, tt.kind, tt.text)
		var bad *errs.Error
		switch tt.kind {
		case Members:
			_, bad = c.Member(row)
		case Events:
			_, bad = c.Event(row)
		case Balances:
			_, bad = c.Balance(row)
		case Products:
			_, bad = c.Product(row)
		}
		if tt.want == nil && bad == nil {
			continue
		}
		if bad == nil || tt.want == nil || !errors.Is(bad, tt.want) {
			t.Errorf("%s %q: %v, want %v", tt.kind, tt.text, bad, tt.want)
			continue
		}
		if text := ReasonText(bad, "en"); tt.field != "" && !strings.HasPrefix(text, tt.field+": ") {
			t.Errorf("%s %q: the reason %q does not name %s", tt.kind, tt.text, text, tt.field)
		}
	}
}

// "Valid until the 31st" means the whole of that day; an instant means the instant.
func TestBalanceExpiry(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{"2026-12-31": "2027-01-01T00:00:00+08:00", "2026-12-31 23:59:59": "2026-12-31T23:59:59+08:00"} {
		c, row := records(t, Balances, "member,amount,expires_at\na,\"1,200.5\","+cell+"\n")
		b, bad := c.Balance(row)
		if bad != nil || b.ExpiresAt.Format(time.RFC3339) != want || b.Amount != "1200.5" || b.Member != "ext:old/a" {
			t.Errorf("%s: %+v, %v", cell, b, bad)
		}
	}
}

func TestProductRow(t *testing.T) {
	t.Parallel()
	c, row := records(t, Products, "货号,中文名,零售价,成本\nx1,灯,￥12.50,\n")
	p, bad := c.Product(row)
	if bad != nil || p.SKU != "x1" || p.NameZH != "灯" || p.Price == nil || *p.Price != 1250 || p.Cost != nil {
		t.Errorf("got %+v, %v", p, bad)
	}
}

func TestMemberRef(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "17850": "ext:uk/17850", "phone:+44": "phone:+44", "email:a@b.cn": "email:a@b.cn", "card:69": "card:69",
		"no:8000001": "no:8000001", "ext:cdnow/4": "ext:cdnow/4", "mem_x": "mem_x", "qr:1": "ext:uk/qr:1",
	} {
		if got := MemberRef("uk", cell); got != want {
			t.Errorf("%q is %q, want %q", cell, got, want)
		}
	}
}

// Every reason has a text in both languages with the same places to fill.
func TestReasonsAreInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, e := range []*errs.Error{
		ErrOpen, ErrEmpty, ErrHeader, ErrDamaged, ErrBomb, ErrOldExcel, ErrWorkbook, ErrSheet, ErrSize, ErrQuote, ErrFields, ErrBytes, ErrRowSize,
		ErrCell, ErrColumns, ErrKind, ErrMapShape, ErrMapField, ErrMapColumn, ErrMapTwice, ErrMapDouble, ErrMapMissing, ErrNumber, ErrGrouping, ErrSymbol,
		ErrDecimals, ErrFar, ErrMissing, ErrLineAmount, ErrTime, ErrTimeOrder, ErrTimeRange, ErrNoDocument, ErrDocumentSize, ErrType, ErrNegative, ErrNegativeN,
		ErrZeroN, ErrMixed, ErrMembers, ErrOriginals, ErrTotal, ErrTotals, ErrTooLong, ErrFrom, ErrNoIdentifier, ErrGender, ErrOpening, ErrLapsed, ErrPrice,
		ErrSpill, ErrFormat, ErrRows,
	} {
		places := func(text string) map[string]bool {
			found := map[string]bool{}
			for _, part := range strings.Split(text, "{")[1:] {
				name, _, _ := strings.Cut(part, "}")
				found[name] = true
			}
			return found
		}
		if en, zh := places(e.EN), places(e.ZH); !reflect.DeepEqual(en, zh) || e.EN == e.ZH {
			t.Errorf("%s: %v in English, %v in Chinese", e.Code, fmt.Sprint(en), fmt.Sprint(zh))
		}
	}
}
