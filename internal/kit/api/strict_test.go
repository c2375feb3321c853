package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each row is a body that encoding/json takes, or takes a part of, beside one that differs
// in the fault alone.
func TestScanJSON(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return "{" + b.String() + last + "}"
	}
	for _, tt := range []struct {
		name, body string
		want       error
		at         string
	}{
		{"object", `{"a":1,"b":[true,false,null,"x",-0.5e+3],"c":{"a":{}}}`, nil, ""},
		{"spaces", " {\n\t\"a\" : [ 1 , 2 ] }\r\n", nil, ""},
		{"scalar", `"x"`, nil, ""},
		{"empty", ``, ErrJSON, "body"},
		{"blank", `  `, ErrJSON, "body"},
		{"cut", `{"a":1`, ErrJSON, "body"},
		{"cut string", `{"a":"x`, ErrJSON, "body.a"},
		{"no value", `{"a":}`, ErrJSON, "body.a"},
		{"comma at the end", `{"a":1,}`, ErrJSON, "body"},
		{"comma at the end of a list", `[1,]`, ErrJSON, "body[1]"},
		{"key without quotes", `{a:1}`, ErrJSON, "body"},
		{"byte order mark", "\uFEFF{}", ErrJSON, "body"},
		{"comment", `{} // x`, ErrTrailing, "body"},
		{"second value", `{}{}`, ErrTrailing, "body"},
		{"trailing space", `{} `, nil, ""},
		{"double key", `{"a":1,"b":2,"a":3}`, ErrDuplicate, "body.a"},
		{"double key inside", `{"x":[{},{"a":1,"a":1}]}`, ErrDuplicate, "body.x[1].a"},
		{"key of two objects", `[{"a":1},{"a":1}]`, nil, ""},
		{"key above and below", `{"a":{"a":1}}`, nil, ""},
		{"key below and again above", `{"x":{"a":1},"a":1}`, nil, ""},
		{"case variant", `{"name":1,"Name":2}`, ErrDuplicate, "body.Name"},
		{"variant beyond ASCII", `{"key":1,"` + "\u212A" + `ey":2}`, ErrDuplicate, "body.\u212Aey"},
		{"long s", `{"s":1,"` + "\u017F" + `":2}`, ErrDuplicate, "body.\u017F"},
		{"escaped key", `{"a":1,"\u0061":2}`, ErrDuplicate, "body.a"},
		{"double among many", many(200, `"K7":1`), ErrDuplicate, "body.K7"},
		{"many", many(200, `"x":1`), nil, ""},
		{"double at the edge of many", many(manyKeys, `"k0":1`), ErrDuplicate, "body.k0"},
		{"Chinese keys", `{"姓名":1,"姓氏":2}`, nil, ""},
		{"deep", deep(64), nil, ""},
		{"too deep", deep(65), ErrDepth, ""},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", ErrUTF8, "body"},
		{"pair", `"\ud83d\ude00"`, nil, ""},
		{"lone high", `"\ud83d"`, ErrUTF8, "body"},
		{"lone low", `"\ude00"`, ErrUTF8, "body"},
		{"high and no low", `"\ud83d\u0041"`, ErrUTF8, "body"},
		{"NUL", `{"a":"\u0000"}`, ErrNUL, "body.a"},
		{"raw control", "\"a\x01\"", ErrJSON, "body"},
		{"unknown escape", `"\x"`, ErrJSON, "body"},
		{"cut escape", `"\`, ErrJSON, "body"},
		{"cut \\u", `"\u12`, ErrJSON, "body"},
		{"sign in \\u", `"\u+123"`, ErrJSON, "body"},
		{"int64", `[9223372036854775807,-9223372036854775808]`, nil, ""},
		{"past int64", `[1,9223372036854775808]`, ErrNumberRange, "body[1]"},
		{"below int64", `-9223372036854775809`, ErrNumberRange, "body"},
		{"past double", `1e309`, ErrNumberRange, "body"},
		{"endless number", `0.` + strings.Repeat("1", 100), ErrNumberRange, "body"},
		{"leading zero", `01`, ErrJSON, "body"},
		{"minus zero", `-0`, nil, ""},
		{"bare minus", `-`, ErrJSON, "body"},
		{"bare point", `1.`, ErrJSON, "body"},
		{"bare exponent", `1e`, ErrJSON, "body"},
		{"plus", `+1`, ErrJSON, "body"},
		{"hex", `0x10`, ErrTrailing, "body"},
		{"NaN", `NaN`, ErrJSON, "body"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := scanJSON([]byte(tt.body))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("scanJSON = %v, want %v", err, tt.want)
			}
			if tt.at != "" {
				if got := fieldsOf(err)[0].Location; got != tt.at {
					t.Errorf("at %q, want %q", got, tt.at)
				}
			}
		})
	}
}

func TestScanJSONCompact(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"a b":[1,2]}`: true, `{"a": 1}`: false, "[1]\n": false, ` 1`: false, `"a b"`: true, `[ ]`: false,
	} {
		if got, err := scanJSON([]byte(body)); got != want || err != nil {
			t.Errorf("scanJSON(%q) = %v, %v, want %v", body, got, err, want)
		}
	}
}

// The oracle reads with encoding/json's tokens and looks for each fault in its own way: it
// shares no code with the scanner.
func FuzzScanJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `0`, `-1.5e3`, `"\ud83d\ude00"`, `"\ud83d"`, `{"a":1,"A":2}`, `{"a":{"a":[null,true]}}`, `{"k":1,"K":2}`,
		`{"\u0061":1,"a":2}`, "\"\x80\"", `"\u0000"`, `9223372036854775808`, `1e400`, `[1,]`, `{} {}`, ` [ 1 , 2 ] `, `nul`, `"\/"`,
		strings.Repeat("[", 65) + strings.Repeat("]", 65), `{"":0,"":1}`, `1E+2`, `-`, `{"ſ":1,"S":2}`, `{"é":1,"É":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		compact, err := scanJSON(body)
		if want := oracle(body); (err == nil) != (want == "") {
			t.Fatalf("scanJSON(%q) = %v, the oracle says %q", body, err, want)
		}
		if err != nil {
			return
		}
		var plain, compacted any
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("accepted %q, which encoding/json refuses: %v", body, err)
		}
		var b bytes.Buffer
		if err := json.Compact(&b, body); err != nil || compact != (b.Len() == len(body)) {
			t.Fatalf("compact(%q) = %v, and json.Compact gives %q, %v", body, compact, b.Bytes(), err)
		}
		if err := json.Unmarshal(b.Bytes(), &compacted); err != nil || !reflect.DeepEqual(plain, compacted) {
			t.Fatalf("%q does not decode as its compact form: %v", body, err)
		}
	})
}

// oracle says what is wrong with a body, or "".
func oracle(body []byte) string {
	if !utf8.Valid(body) {
		return "UTF-8"
	}
	if !json.Valid(body) {
		return "JSON"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type frame struct {
		keys   []string
		object bool
		isKey  bool
	}
	var stack []*frame
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "JSON"
		}
		var top *frame
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		if top != nil && top.object && top.isKey {
			if key, ok := tok.(string); ok {
				for _, k := range top.keys {
					if strings.EqualFold(k, key) {
						return "duplicate"
					}
				}
				top.keys, top.isKey = append(top.keys, key), false
				if strings.ContainsRune(key, 0) {
					return "NUL"
				}
				continue
			}
		} else if top != nil {
			top.isKey = true
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				if stack = append(stack, &frame{object: v == '{', isKey: true}); len(stack) > 64 {
					return "depth"
				}
			} else {
				stack = stack[:len(stack)-1]
			}
		case string:
			if strings.ContainsRune(v, 0) {
				return "NUL"
			}
		case json.Number:
			if len(v) > 64 {
				return "long"
			}
			_, intErr := strconv.ParseInt(string(v), 10, 64)
			_, floatErr := strconv.ParseFloat(string(v), 64)
			if strings.ContainsAny(string(v), ".eE") && floatErr != nil || !strings.ContainsAny(string(v), ".eE") && intErr != nil {
				return "range"
			}
		}
	}
	// A lone surrogate becomes U+FFFD, which the body itself may hold too: count both ways.
	var all any
	if json.Unmarshal(body, &all) != nil {
		return "JSON"
	}
	if made := replaced(all); made > bytes.Count(body, []byte("\uFFFD"))+strings.Count(strings.ToLower(string(body)), `\ufffd`) {
		return "surrogate"
	}
	return ""
}

// replaced counts U+FFFD in a decoded value.
func replaced(v any) (n int) {
	switch v := v.(type) {
	case string:
		return strings.Count(v, "\uFFFD")
	case []any:
		for _, e := range v {
			n += replaced(e)
		}
	case map[string]any:
		for k, e := range v {
			n += replaced(k) + replaced(e)
		}
	}
	return n
}

// sale is a sale of about 1 kB, as a till sends it.
var sale = []byte(`{"source":"pos","document":"20260301-000123","at":"2026-03-01T12:00:00+08:00","currency":"CNY","total":12850,"member":"phone:+8613800000000","store":"sto_7f3k2","till":"til_9x2","staff":"stf_11a","channel":"store","payments":[{"kind":"wechat","amount":12350,"reference":"4200001234202603011234567890"},{"kind":"points","amount":500,"reference":"hld_92kx"}],"coupons":["SPRING10"],"lines":[` +
	`{"line":1,"sku":"6901234567892","quantity":1,"amount":4800,"name":"明前龙井 50g","category":"tea/green","brand":"西湖"},` +
	`{"line":2,"sku":"6901234567893","quantity":2.5,"amount":4250,"name":"茉莉花茶","category":"tea/jasmine","brand":"福州"},` +
	`{"line":3,"sku":"6901234567894","quantity":1,"amount":3800,"name":"白瓷盖碗","category":"ware","brand":"景德镇"}],"attributes":{"table":"A7","guests":3}}`)

func BenchmarkScanJSON(b *testing.B) {
	b.SetBytes(int64(len(sale)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scanJSON(sale); err != nil {
			b.Fatal(err)
		}
	}
}

// The body of the most keys that fit has to be scanned in linear time.
func BenchmarkScanJSONManyKeys(b *testing.B) {
	var body bytes.Buffer
	body.WriteByte('{')
	for i := 0; body.Len() < defaultMaxBody-20; i++ {
		fmt.Fprintf(&body, `"%x":0,`, i)
	}
	body.WriteString(`"z":0}`)
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if _, err := scanJSON(body.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
