package file

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// gathered is a file of sales as it came out: documents as text, and rows without one.
type gathered struct {
	docs    []Document
	orphans []Problem
}

func gather(t testing.TB, text, mapping string, o SalesOptions) gathered {
	t.Helper()
	r := open(t, []byte(text))
	m, err := NewMapping(Sales, mapping, r.Header())
	if err == nil {
		err = m.Check(o.From...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if o.Source == "" {
		o.Source = "uk"
	}
	o.TempDir = t.TempDir()
	var g gathered
	docs, err := Gather(context.Background(), r, m, values(t, "GBP"), o, func(p Problem) error {
		g.orphans = append(g.orphans, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := len(g.orphans)
	for {
		d, err := docs.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		g.docs = append(g.docs, d)
		rows += d.Rows()
	}
	if int64(rows) != r.Rows() {
		t.Errorf("%d rows of %d accounted for", rows, r.Rows())
	}
	if done, total := docs.Progress(); done != total {
		t.Errorf("progress %d of %d at the end", done, total)
	}
	if err := docs.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(o.TempDir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return g
}

// told writes a document on one line: type key member time total, lines, problems.
func (g gathered) told() string {
	var b strings.Builder
	for _, p := range g.orphans {
		fmt.Fprintf(&b, "!%d:%s ", p.FileLine, p.Reason.Code)
	}
	for _, d := range g.docs {
		fmt.Fprintf(&b, "[%s %s %s %s %d", d.Type, d.Key, d.Member, d.At.Format("01-02T15:04"), d.Total)
		if d.Of != "" {
			fmt.Fprintf(&b, " of %s", d.Of)
		}
		for _, l := range d.Lines {
			fmt.Fprintf(&b, " %d@%d %s×%d=%d", l.Line, l.FileLine, l.SKU, l.QuantityMilli, l.Amount)
		}
		for _, p := range d.Problems {
			fmt.Fprintf(&b, " !%d:%s", p.FileLine, p.Reason.Code)
		}
		b.WriteString("] ")
	}
	return strings.TrimSpace(b.String())
}

func TestGather(t *testing.T) {
	t.Parallel()
	const head = "document,member,at,sku,quantity,unit_price\n"
	prefix := SalesOptions{ReturnsPrefix: "C"}
	for _, tt := range []struct {
		name, text string
		o          SalesOptions
		want       string
	}{
		{"rows that lie together and apart",
			head + "1,a,2026-03-01,x,2,1.25\n2,b,2026-03-01,y,1,3\n1,a,2026-03-01,z,1,0.001\n", prefix,
			"[sale 1 ext:uk/a 03-01T00:00 250 1@2 x×2000=250 2@4 z×1000=0] [sale 2 ext:uk/b 03-01T00:00 300 1@3 y×1000=300]"},
		{"by time, then sales before returns, then by number",
			head + "9,a,2026-03-02,x,1,1\nC1,a,2026-03-01,x,-1,1\n3,a,2026-03-01,x,1,1\n12,a,2026-03-01,x,1,1\n1,a,2026-03-01,x,1,1\n", prefix,
			"[sale 1 ext:uk/a 03-01T00:00 100 1@6 x×1000=100] [sale 12 ext:uk/a 03-01T00:00 100 1@5 x×1000=100] [sale 3 ext:uk/a 03-01T00:00 100 1@4 x×1000=100] " +
				"[return C1 ext:uk/a 03-01T00:00 100 1@3 x×1000=100] [sale 9 ext:uk/a 03-02T00:00 100 1@2 x×1000=100]"},
		{"the earliest time counts, an empty one does not",
			head + "1,a,2026-03-01 10:00,x,1,1\n1,a,,y,1,1\n1,a,2026-03-01 09:59,z,1,1\n", prefix,
			"[sale 1 ext:uk/a 03-01T09:59 300 1@2 x×1000=100 2@3 y×1000=100 3@4 z×1000=100]"},
		{"no time at all", head + "1,a,,x,1,1\n", prefix, "[sale 1 ext:uk/a 01-01T00:00 0 !2:value.missing]"},
		{"no member is nobody; one row that names one is enough",
			head + "1,,2026-03-01,x,1,1\n2,,2026-03-01,x,1,1\n2,phone:+8613800000000,2026-03-01,y,1,1\n", prefix,
			"[sale 1  03-01T00:00 100 1@2 x×1000=100] [sale 2 phone:+8613800000000 03-01T00:00 200 1@3 x×1000=100 2@4 y×1000=100]"},
		{"two members: nothing of it",
			head + "1,a,2026-03-01,x,1,1\n1,b,2026-03-01,y,1,1\n", prefix,
			"[sale 1  03-01T00:00 0 !2:sale_row.members !3:sale_row.members]"},
		{"bad lines go, the rest stays",
			head + "1,a,2026-03-01,x,-1,1\n1,a,2026-03-01,y,0,1\n1,a,2026-03-01,z,1,0\n1,a,2026-03-01,w,1,-1\n1,a,2026-03-01,v,?,1\n1,a,2026-03-01,u,1,\n1,a,31,t,1,1\n", prefix,
			"[sale 1 ext:uk/a 03-01T00:00 0 1@4 z×1000=0 !2:sale_row.negative_quantity !3:sale_row.zero_quantity !5:sale_row.negative_amount !6:value.number !7:value.missing !8:value.time]"},
		{"a number without its document, and a broken row",
			head + ",a,2026-03-01,x,1,1\n1,a\n" + strings.Repeat("9", 201) + ",a,2026-03-01,x,1,1\n", prefix,
			"!2:sale_row.no_document !3:row.fields !4:sale_row.document_long"},
		{"a return without minus signs", head + "C1,a,2026-03-01,x,1,1\n", prefix, "[return C1 ext:uk/a 03-01T00:00 100 1@2 x×1000=100]"},
		{"a return with both signs", head + "C1,a,2026-03-01,x,-1,1\nC1,a,2026-03-01,y,1,1\n", prefix,
			"[return C1 ext:uk/a 03-01T00:00 100 1@2 x×1000=100 !3:sale_row.mixed_signs]"},
		{"without a prefix a C is a number like others", head + "C1,a,2026-03-01,x,-1,1\n", SalesOptions{}, "[sale C1 ext:uk/a 03-01T00:00 0 !2:sale_row.negative_quantity]"},
		{"kind comes before the prefix",
			"document,at,amount,kind,of\nC1,2026-03-01,5,sale,\n2,2026-03-01,-5,退货,C1\n3,2026-03-01,5,gift,\n", prefix,
			"!4:sale_row.kind [sale C1  03-01T00:00 500 1@2 -×1000=500] [return 2  03-01T00:00 500 of C1 1@3 -×1000=500]"},
		{"one number for a sale and its return",
			"document,at,amount,kind\n1,2026-03-01,5,sale\n1,2026-03-02,-2,return\n", prefix,
			"[sale 1  03-01T00:00 500 1@2 -×1000=500] [return 1/return  03-02T00:00 200 of 1 1@3 -×1000=200]"},
		{"a return of two sales", "document,at,amount,of\nC1,2026-03-01,-5,1\nC1,2026-03-01,-5,2\n", prefix,
			"[return C1  03-01T00:00 0 !2:sale_row.originals !3:sale_row.originals]"},
		{"the total agrees, in one row or in all",
			"document,at,amount,total\n1,2026-03-01,5,8\n1,2026-03-01,3,\n2,2026-03-01,5,5\nC3,2026-03-01,-5,-5\n", prefix,
			"[sale 1  03-01T00:00 800 1@2 -×1000=500 2@3 -×1000=300] [sale 2  03-01T00:00 500 1@4 -×1000=500] [return C3  03-01T00:00 500 1@5 -×1000=500]"},
		{"the total does not agree", "document,at,amount,total\n1,2026-03-01,5,8\n1,2026-03-01,2,8\n2,2026-03-01,5,5\n2,2026-03-01,5,6\n3,2026-03-01,5,-5\nC4,2026-03-01,-5,-6\n", prefix,
			"[sale 1  03-01T00:00 0 !2:sale_row.total !3:sale_row.total] [sale 2  03-01T00:00 0 !4:sale_row.totals !5:sale_row.totals] [sale 3  03-01T00:00 0 !6:sale_row.total] [return C4  03-01T00:00 0 !7:sale_row.total]"},
		{"amount before unit price", "document,at,amount,quantity,unit_price\n1,2026-03-01,9,2,5\n1,2026-03-01,,2,5\n", prefix,
			"[sale 1  03-01T00:00 1900 1@2 -×2000=900 2@3 -×2000=1000]"},
		{"made from member and day",
			"member,at,amount\na,2026-03-01,5\nb,2026-03-01,1\na,2026/3/1,0\na,2026-03-02,7\n,2026-03-02,7\na,?,7\n", SalesOptions{From: []string{"member", "at"}},
			"!6:value.missing !7:value.time [sale a/2026-03-01 ext:uk/a 03-01T00:00 500 1@2 -×1000=500 2@4 -×1000=0] " +
				"[sale b/2026-03-01 ext:uk/b 03-01T00:00 100 1@3 -×1000=100] [sale a/2026-03-02 ext:uk/a 03-02T00:00 700 1@5 -×1000=700]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := strings.ReplaceAll(gather(t, tt.text, "", tt.o).told(), strings.Repeat("9", 201), "9…")
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A number made from a phone does not show the phone.
func TestMadeNumberHidesPhones(t *testing.T) {
	t.Parallel()
	g := gather(t, "member,at,amount\nphone:+8613800000000,2026-03-01,5\nphone:+8613800000000,2026-03-01,6\n", "", SalesOptions{From: []string{"member", "at"}})
	if len(g.docs) != 1 || len(g.docs[0].Lines) != 2 || strings.Contains(g.docs[0].Key, "138") {
		t.Errorf("got %s", g.told())
	}
}

// A document that is too long is refused whole, every row of it, and no other with it.
func TestTooLongDocument(t *testing.T) {
	t.Parallel()
	text := "document,at,amount\n" + strings.Repeat("1,2026-03-01,1\n", maxDocumentRows+5) + "2,2026-03-01,1\n"
	rows, lines := 0, 0
	for _, d := range gather(t, text, "", SalesOptions{}).docs {
		for _, p := range d.Problems {
			if rows++; !errors.Is(p.Reason, ErrTooLong) {
				t.Fatalf("line %d: %v", p.FileLine, p.Reason)
			}
		}
		lines += len(d.Lines)
	}
	if rows != maxDocumentRows+5 || lines != 1 {
		t.Errorf("%d rows refused, %d lines taken", rows, lines)
	}
}

// Whatever the order of the rows and however little memory there is, the same documents
// come out in the same order, with the lines that a map in memory would have given.
func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	t.Parallel()
	type row struct {
		doc, minute, sku int
	}
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			return row{rapid.IntRange(1, 6).Draw(t, "doc"), rapid.IntRange(0, 3).Draw(t, "minute"), rapid.IntRange(1, 99).Draw(t, "sku")}
		}), 0, 40).Draw(rt, "rows")
		memory := rapid.SampledFrom([]int{0, 1, 200}).Draw(rt, "memory")
		seed := rapid.Uint64().Draw(rt, "seed")

		skus, first := map[int][]string{}, map[int]int{}
		for _, r := range rows {
			if m, ok := first[r.doc]; !ok || r.minute < m {
				first[r.doc] = r.minute
			}
			skus[r.doc] = append(skus[r.doc], fmt.Sprint(r.sku))
		}
		var want []string
		for doc, list := range skus {
			slices.Sort(list)
			want = append(want, fmt.Sprintf("%d %d %v", first[doc], doc, list))
		}
		slices.Sort(want)

		for range 2 {
			var text strings.Builder
			text.WriteString("document,at,sku,amount\n")
			for _, r := range rows {
				fmt.Fprintf(&text, "%d,2026-03-01 10:0%d,%d,1\n", r.doc, r.minute, r.sku)
			}
			var got []string
			for _, d := range gather(t, text.String(), "", SalesOptions{memory: memory}).docs {
				var list []string
				for i, l := range d.Lines {
					if l.Line != i+1 || i > 0 && l.FileLine <= d.Lines[i-1].FileLine {
						rt.Fatalf("line %d of the file is line %d of %s", l.FileLine, l.Line, d.Key)
					}
					list = append(list, l.SKU)
				}
				slices.Sort(list)
				got = append(got, fmt.Sprintf("%d %s %v", d.At.Minute(), d.Key, list))
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("got %q, want %q", got, want)
			}
			rng := rand.New(rand.NewPCG(seed, 1))
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
	})
}

// Pairs come out as slices.Sort would put them, with and without runs on the disk.
func TestSorter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newSorter(dir, rapid.SampledFrom([]int{1, 64, 0}).Draw(t, "memory"))
		keys := rapid.SliceOfDistinct(rapid.StringN(0, 12, -1), func(s string) string { return s }).Draw(t, "keys")
		for _, k := range keys {
			if err := s.add([]byte(k), []byte("v"+k)); err != nil {
				t.Fatal(err)
			}
		}
		m, err := s.sorted()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			k, v, err := m.next()
			if err == io.EOF {
				break
			}
			if err != nil || string(v) != "v"+string(k) {
				t.Fatal(string(k), string(v), err)
			}
			got = append(got, string(k))
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(keys)
		if !slices.Equal(got, keys) {
			t.Fatalf("got %q, want %q", got, keys)
		}
	})
}

func TestSorterOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSorter(t.TempDir()+"/gone", 1)
	err := s.add([]byte("a"), nil)
	if err == nil {
		err = s.add([]byte("b"), nil)
	}
	if !errors.Is(err, ErrSpill) {
		t.Errorf("no place for a temporary file: %v", err)
	}

	s = newSorter(t.TempDir(), 1)
	for _, k := range []string{"a", "b", "c"} {
		if err := s.add([]byte(k), bytes.Repeat([]byte(k), 100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.spill(); err != nil {
		t.Fatal(err)
	}
	if err := s.file.Truncate(s.size / 3 * 2); err != nil { // as if the disk had lost the last run, between two pairs
		t.Fatal(err)
	}
	m, err := s.sorted()
	for n := 0; err == nil && n < 5; n++ {
		_, _, err = m.next()
	}
	if err == io.EOF {
		t.Error("a temporary file that lost its end was read to what was left")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestGatherStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := open(t, []byte("document,at,amount\n1,2026-03-01,1\n"))
	m, err := NewMapping(Sales, "", r.Header())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Gather(ctx, r, m, values(t, "GBP"), SalesOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Times before 1970 sort before later ones.
func TestOldTimesSortFirst(t *testing.T) {
	t.Parallel()
	g := gather(t, "document,at,amount\n1,1971-01-01,1\n2,1969-01-01,1\n3,1901-01-01,1\n", "", SalesOptions{})
	if got := []string{g.docs[0].Key, g.docs[1].Key, g.docs[2].Key}; !slices.Equal(got, []string{"3", "2", "1"}) {
		t.Errorf("got %q", got)
	}
}

// FuzzRows: what a piece stores is read back.
func FuzzRows(f *testing.F) {
	f.Add("a,b", "c", int64(7))
	f.Fuzz(func(t *testing.T, a, b string, line int64) {
		p := &piece{}
		for range 3 {
			if err := p.add("", "", Row{Line: line, Cells: []string{a, b, ""}}); err != nil {
				t.Fatal(err)
			}
		}
		rows := readRows(p.body)
		if len(rows) != 3 || countRows(p.body) != 3 || rows[2].line != line || !slices.Equal(rows[2].cells, []string{a, b, ""}) {
			t.Fatalf("got %v", rows)
		}
		if n, _ := binary.Uvarint(p.body); n != uint64(line) {
			t.Fatal(n)
		}
	})
}

// BenchmarkGather gathers 100,000 rows of 10,000 documents that do not lie together.
func BenchmarkGather(b *testing.B) {
	var text strings.Builder
	text.WriteString("document,member,at,sku,name,quantity,unit_price\n")
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 100_000 {
		doc := i * 7919 % 10_000
		fmt.Fprintf(&text, "%d,%d,%s,%d,WHITE HANGING HEART T-LIGHT HOLDER,6,2.55\n", doc, doc%700, start.Add(time.Duration(doc)*time.Minute).Format(time.DateTime), rng.IntN(4000))
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if g := gather(b, text.String(), "", SalesOptions{}); len(g.docs) != 10_000 {
			b.Fatal(len(g.docs))
		}
	}
}
