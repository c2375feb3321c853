package ledger

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// csvHead is the first line of a statement as a table: the same words in every language,
// since programs read it too.
var csvHead = []string{"currency", "number", "at", "kind", "title", "available", "pending", "held", "debt", "available_after", "reason", "source", "document", "cause", "entry_id"}

// byteOrderMark tells Excel that the file is UTF-8; without it Chinese comes out broken.
const byteOrderMark = "\ufeff"

// CSV writes the statement as one table, amounts as decimal numbers, times in zone. Each
// currency begins with a row of kind "opening" and ends with one of kind "closing".
func (o *Statement) CSV(zone *time.Location, lang string) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(byteOrderMark)
	w := csv.NewWriter(&buf)
	_ = w.Write(csvHead) // into memory; Flush and Error come below
	for _, sec := range o.Sections {
		_ = w.Write(sec.edge("opening", i18n.Pick(lang, "Opening balance", "期初余额"), o.fromMS, sec.Opening, zone))
		for _, r := range sec.Rows {
			_ = w.Write(sec.line(r, zone))
		}
		_ = w.Write(sec.edge("closing", i18n.Pick(lang, "Closing balance", "期末余额"), o.toMS, sec.Closing, zone))
	}
	w.Flush()
	return buf.Bytes(), w.Error()
}

func (sec *Section) edge(kind, title string, ms int64, b Balance, zone *time.Location) []string {
	f := sec.currency.Format
	return []string{sec.Currency, "", inZone(ms, zone), kind, title, f(b.Available), f(b.Pending), f(b.Held), f(b.Debt), f(b.Available), "", "", "", "", ""}
}

func (sec *Section) line(r StatementRow, zone *time.Location) []string {
	f := sec.currency.Format
	return []string{
		sec.Currency, strconv.FormatInt(r.Number, 10), inZone(r.entry.AtMS, zone), r.Kind, r.Title,
		f(r.Available), f(r.Pending), f(r.Held), f(r.Debt), f(r.Balance.Available),
		inert(r.Reason), inert(r.Source), inert(r.Document), r.Cause, r.ID,
	}
}

func inZone(ms int64, zone *time.Location) string {
	return time.UnixMilli(ms).In(zone).Format(time.RFC3339)
}

// inert keeps a spreadsheet from taking a text for a formula: who wrote the reason of an
// entry must not get to run something on the machine of who opens the file.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(text[0])) {
		return "'" + text
	}
	return text
}

// HTML writes the statement as a page to print, in a language. It holds no script and
// fetches nothing.
func (o *Statement) HTML(zone *time.Location, programme, lang string) ([]byte, error) {
	at := func(ms int64) string { return i18n.DateTime(time.UnixMilli(ms), time.Time{}, zone, lang) }
	p := sheet{
		Lang: lang, Programme: programme, Number: o.Number, ID: o.Member,
		From: i18n.Date(time.UnixMilli(o.fromMS), time.Time{}, zone, lang),
		To:   i18n.Date(time.UnixMilli(o.toMS-1), time.Time{}, zone, lang), // the last instant inside
		Made: at(o.madeMS), Words: wordsOf(lang),
	}
	for _, sec := range o.Sections {
		n := func(v int64) string { return i18n.Number(v, sec.Decimals) }
		s := sheetSection{Name: bilingual(sec.NameEN, sec.NameZH, lang), Opening: n(sec.Opening.Available), Closing: n(sec.Closing.Available)}
		for _, r := range sec.Rows {
			s.Rows = append(s.Rows, sheetRow{at(r.entry.AtMS), r.Title, why(r), n(r.Available), n(r.Pending), n(r.Balance.Available)})
		}
		for _, l := range []struct {
			word  string
			value int64
		}{{p.Words.Pending, sec.Closing.Pending}, {p.Words.Held, sec.Closing.Held}, {p.Words.Debt, sec.Closing.Debt}} {
			if l.value != 0 {
				s.Beside = append(s.Beside, fmt.Sprintf("%s %s", l.word, n(l.value)))
			}
		}
		for _, d := range sec.Expiring {
			t, err := time.Parse(time.RFC3339, d.ExpiresAt)
			if err != nil {
				return nil, err
			}
			s.Expiring = append(s.Expiring, [2]string{at(t.UnixMilli()), n(d.Amount)})
		}
		p.Sections = append(p.Sections, s)
	}
	var buf bytes.Buffer
	err := statementPage.Execute(&buf, p)
	return buf.Bytes(), err
}

// why joins what is known of the reason of a row.
func why(r StatementRow) string {
	var parts []string
	for _, t := range []string{r.Reason, r.Rule, strings.Trim(r.Source+" "+r.Document, " ")} {
		if t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, " · ")
}

// bilingual writes both names of a thing, the reader's first.
func bilingual(en, zh, lang string) string {
	if en == zh {
		return en
	}
	if i18n.IsChinese(lang) {
		return zh + " / " + en
	}
	return en + " / " + zh
}

type sheet struct {
	Lang, Programme, Number, ID, From, To, Made string
	Words                                       words
	Sections                                    []sheetSection
}

type sheetSection struct {
	Name, Opening, Closing string
	Rows                   []sheetRow
	Beside                 []string
	Expiring               [][2]string
}

type sheetRow struct{ At, Title, Why, Available, Pending, After string }

// words are the fixed texts of the page.
type words struct {
	Title, Member, Period, To, Made, Date, What, Why, Change, Pending, After string
	Opening, Closing, Held, Debt, Expiring, Ends, Amount, None               string
}

func wordsOf(lang string) words {
	if i18n.IsChinese(lang) {
		return words{
			"会员账户对账单", "会员", "期间", "至", "制表时间", "时间", "事项", "说明", "可用变动", "待生效", "可用余额",
			"期初余额", "期末余额", "冻结", "欠额", "到期安排", "失效时间", "数额", "期间内没有变动。",
		}
	}
	return words{
		"Member statement", "Member", "Period", "to", "Drawn up", "Date", "What", "Why", "Change", "Pending", "Available",
		"Opening balance", "Closing balance", "Held", "Debt", "What ends when", "Ends", "Amount", "Nothing moved in this period.",
	}
}

var statementPage = template.Must(template.New("statement").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Words.Title}} {{.Number}}</title>
<style>
body { font: 14px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0; }
dt { color: #595959; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #d0d0d0; padding: .25rem .5rem; text-align: left; vertical-align: top; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.sum th { border-bottom: 2px solid #1a1a1a; }
@media print {
	@page { margin: 15mm; }
	body { margin: 0; max-width: none; font-size: 10pt; }
	thead { display: table-header-group; }
	tr { break-inside: avoid; }
}
</style>
</head>
<body>
<header>
<h1>{{.Programme}} · {{.Words.Title}}</h1>
<dl>
<dt>{{.Words.Member}}</dt><dd>{{.Number}}</dd>
<dt>{{.Words.Period}}</dt><dd>{{.From}} {{.Words.To}} {{.To}}</dd>
<dt>{{.Words.Made}}</dt><dd>{{.Made}}</dd>
</dl>
</header>
{{- $w := .Words}}
<main>
{{- range .Sections}}
<section>
<h2>{{.Name}}</h2>
<table>
<thead><tr><th scope="col">{{$w.Date}}</th><th scope="col">{{$w.What}}</th><th scope="col">{{$w.Why}}</th><th scope="col" class="n">{{$w.Change}}</th><th scope="col" class="n">{{$w.Pending}}</th><th scope="col" class="n">{{$w.After}}</th></tr></thead>
<tbody>
<tr class="sum"><th scope="row" colspan="5">{{$w.Opening}}</th><td class="n">{{.Opening}}</td></tr>
{{- range .Rows}}
<tr><td>{{.At}}</td><td>{{.Title}}</td><td>{{.Why}}</td><td class="n">{{.Available}}</td><td class="n">{{.Pending}}</td><td class="n">{{.After}}</td></tr>
{{- else}}
<tr><td colspan="6">{{$w.None}}</td></tr>
{{- end}}
<tr class="sum"><th scope="row" colspan="5">{{$w.Closing}}{{range .Beside}} · {{.}}{{end}}</th><td class="n">{{.Closing}}</td></tr>
</tbody>
</table>
{{- if .Expiring}}
<h3>{{$w.Expiring}}</h3>
<table>
<thead><tr><th scope="col">{{$w.Ends}}</th><th scope="col" class="n">{{$w.Amount}}</th></tr></thead>
<tbody>
{{- range .Expiring}}
<tr><td>{{index . 0}}</td><td class="n">{{index . 1}}</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
</section>
{{- end}}
</main>
</body>
</html>
`))
