package cond

import (
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// nasty is what breaks parsers: depth, size, signs that look alike, halves of things.
var nasty = []string{
	``, ` `, "\x00", "\xff\xfe", `"`, `'''`, `"\`, `r"\"`, `\`, `(`, `)`, `((((((((((`, `]]]]`, `{`, `{}`, `{:}`, `[,]`, `.`, `..`, `.a`, `a.`, `a..b`,
	`1.`, `.1`, `1e`, `1e999`, `0x`, `0xffffffffffffffffff`, `-9223372036854775808`, `9223372036854775808`, `--1`, `- - -1`, `1 - -1`,
	`!`, `!!`, `!!!!true`, `a?b`, `a?b:c`, `true?true:true?true:true`, `a.?b`, `a[?0]`, `{?a: b}`, "`a`", "member.`tier`", `member["tags"]`, `member.tags[0]`,
	`has(member)`, `has(member.tags)`, `member.tags.all(x, x.all(y, true))`, `[[[[[[]]]]]]`, `[].all(x, x)`, `[1].map(x, [x].map(y, [y].map(z, z)))`,
	`member.tags.map(a, member.tags.map(b, member.tags.map(c, member.tags.map(d, a))))`, `member.tags.exists(member, member == "x")`,
	`member.tags.exists(@result, true)`, `__result__`, `@in`, `_==_(1, 2)`, `money()`, `money("1", "2")`, `money(money("1"))`, `spend()`, `member.spend(30).spend(30)`,
	`member.spend(9223372036854775807) > 0`, `sale.lines.sum()`, `sale.lines.map(l, l).exists(l, l.sku == "")`, `int(1e300) > 1`, `double(1) / 3.0 > 0.3`,
	`member == now`, `type(member) == Member`, `dyn(1) == 1`, `google.protobuf.Timestamp{}`, `Member{number: "1"} == member`, `cel.bind(x, 1, x)`, `optional.none()`,
	`sale.total >= money("100") && now.weekday == 2`, "sale.total\n>=\r\n\tmoney(\"100\") // remark", `// only a remark`, `now.date == "２０２６-01-01"`, `"\U0001F600" in member.tags`,
	`member.name == "'; DROP TABLE member; --"`, `now.weekend && (true || (false && (true || (false))))`, `(((((((((((((((((((now.weekend)))))))))))))))))))`,
	`sale.lines.exists(l, sale.lines.exists(m, l.sku == m.sku))`, `[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))`,
}

// tryText compiles a text of any kind, and where that works runs it, explains it and draws it.
// Whatever the text: no panic, no failure without a code, and an end within the bounds.
func tryText(t *testing.T, e *Env, f *Facts, text string) {
	t.Helper()
	began := time.Now()
	for _, kind := range []Kind{OfMember, OfSale, OfLine, OfEvent} {
		c, err := e.Compile(text, kind)
		if err != nil {
			it := errs.As(err)
			if it == nil || it.Kind != errs.Invalid || !strings.HasPrefix(it.Code, "cond.") {
				t.Fatalf("%.200q: %v", text, err)
			}
			if line, column := Where(err); line < 0 || column < 0 || (line == 0) != (column == 0) || line > strings.Count(text, "\n")+1 {
				t.Fatalf("%.200q: at %d:%d", text, line, column)
			}
			continue
		}
		f.Found = Found{}
		for _, n := range c.Needs() {
			f.Found[n] = Value{}
		}
		got, err := c.Eval(f)
		if it := errs.As(err); err != nil && (it == nil || it.Code != ErrEval.Code) {
			t.Fatalf("%.200q: %v", text, err)
		}
		holds, _, again := c.Explain(f)
		if holds != got || (again == nil) != (err == nil) {
			t.Fatalf("%.200q: Eval %v, %v; Explain %v, %v", text, got, err, holds, again)
		}
		if tree, ok := e.ParseTree(text, kind); ok && err == nil {
			back, err := e.Text(tree)
			if err != nil {
				t.Fatalf("%.200q: as text: %v", text, err)
			}
			c, err := e.Compile(back, kind)
			if err != nil {
				t.Fatalf("%.200q became %.200q: %v", text, back, err)
			}
			if same, err := c.Eval(f); err != nil || same != got {
				t.Fatalf("%.200q = %v, %.200q = %v, %v", text, got, back, same, err)
			}
		}
	}
	if took := time.Since(began); took > time.Minute { // what grows without bound takes hours; a second of a quiet machine may be ten of a busy one
		t.Fatalf("%.200q took %s", text, took)
	}
}

func FuzzCompile(f *testing.F) {
	for _, text := range nasty {
		f.Add(text)
	}
	for _, text := range typicalRules {
		f.Add(text)
	}
	e, facts := shopEnv(f), shopFacts()
	for _, w := range e.Vocabulary() {
		f.Add(w.Example)
	}
	f.Fuzz(func(t *testing.T, text string) { tryText(t, e, facts, text) })
}

// Texts at the very bounds, which a fuzzer seldom finds.
func TestLargeTexts(t *testing.T) {
	t.Parallel()
	e, f := shopEnv(t), shopFacts()
	for _, text := range []string{
		strings.Repeat("now.weekend && ", 300) + "true",
		strings.Repeat("now.weekend||", 500) + "true",
		strings.Repeat("(", 4_000), strings.Repeat("[", 8_000), strings.Repeat("!(", 4_000), strings.Repeat("-", 8_000) + "1 == 1",
		strings.Repeat("a.", 4_000) + "a", strings.Repeat("true ? ", 1_000), strings.Repeat("1+", 3_900) + "1 == 1", strings.Repeat(`"`, 8_000),
		"sale.store in [" + strings.Repeat(`"S001",`, 900) + `"x"]`,
		strings.Repeat("member.tags.all(t, ", 20) + "true" + strings.Repeat(")", 20),
		strings.Repeat("member.tags.map(t, ", 30) + "t" + strings.Repeat(")", 30) + " == 1",
		strings.Repeat("[1, 2].map(t, ", 15) + "t" + strings.Repeat(")", 15) + ".sum() == 1",
		strings.Repeat(`sale.lines.exists(l, l.sku == "x") && `, 150) + "true",
		strings.Repeat("member.tags + ", 500) + `member.tags == []`,
		strings.Repeat("x", 8_000),
	} {
		tryText(t, e, f, text)
	}
}
