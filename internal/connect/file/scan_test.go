package file

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// write puts a file where a test can open it.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, content []byte) *Reader {
	t.Helper()
	r, err := Open(write(t, "rows", content), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// told is a row as a test writes it: "2 a|b" or "3 !row.quote".
func told(row Row) string {
	if row.Bad != nil {
		return fmt.Sprintf("%d !%s", row.Line, row.Bad.Code)
	}
	return fmt.Sprintf("%d %s", row.Line, strings.Join(row.Cells, "|"))
}

func readAll(t testing.TB, r *Reader) []string {
	t.Helper()
	var got []string
	for {
		row, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Bad != nil && (row.Bad.Text("zh-CN") == row.Bad.Text("en") || strings.Contains(row.Bad.Text("en"), "{")) {
			t.Errorf("line %d: the reason %q is not told well", row.Line, row.Bad.Text("en"))
		}
		got = append(got, told(row))
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	wide := strings.Repeat(",", MaxColumns)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"2 1|2", "3 3|4"}},
		{"no last line end", "a,b\n1,2", []string{"2 1|2"}},
		{"CRLF", "a,b\r\n1,2\r\n", []string{"2 1|2"}},
		{"byte order mark", "\uFEFFa,b\n1,2\n", []string{"2 1|2"}},
		{"blank lines count as lines, not as rows", "a,b\n\n\r\n1,2\n", []string{"4 1|2"}},
		{"semicolons", "a;b\n1;2,5\n", []string{"2 1|2,5"}},
		{"tabs", "a\tb\n1\t2,5;\n", []string{"2 1|2,5;"}},
		{"separator in quotes of the header", "\"a;;;\",b\n1,2\n", []string{"2 1|2"}},
		{"quotes", "a,b\n\"1,\"\"x\"\"\",\"\"\n", []string{`2 1,"x"|`}},
		{"line end in quotes", "a,b\n\"1\r\n2\",3\n4,5\n", []string{"2 1\n2|3", "4 4|5"}},
		{"too few cells", "a,b\n1\n3,4\n", []string{"2 !row.fields", "3 3|4"}},
		{"too many cells", "a,b\n1,2,3\n3,4\n", []string{"2 !row.fields", "3 3|4"}},
		{"a well-formed row over two lines with too few cells", "a,b\n\"1\n2,3\"\n4,5\n", []string{"2 !row.fields", "4 4|5"}},
		{"quote inside a cell", "a,b\n5\" nail,2\n3,4\n", []string{"2 !row.quote", "3 3|4"}},
		{"text behind a quoted cell", "a,b\n\"1\"x,2\n3,4\n", []string{"2 !row.quote", "3 3|4"}},
		{"open quote to the end of the file", "a,b\n\"1,2\n3,4\n5,6\n", []string{"2 !row.quote", "3 3|4", "4 5|6"}},
		{"open quote up to the next quote", "a,b\n\"1,2\n3,4\n5,\"6\"\n", []string{"2 !row.quote", "3 3|4", "4 5|6"}},
		{"zero byte", "a,b\n1\x00,2\n3,4\n", []string{"2 !row.bytes", "3 3|4"}},
		{"broken UTF-8 in one row", "a,b\n张,2\n\xff\xfe,2\n3,4\n", []string{"2 张|2", "3 !row.bytes", "4 3|4"}},
		{"broken UTF-8 in quotes", "a,b\n\"\xff\",2\n3,4\n", []string{"2 !row.bytes", "3 3|4"}},
		{"too many columns", "a,b\n" + wide + "\n3,4\n", []string{"2 !row.columns", "3 3|4"}},
		{"a cell that is too long", "a,b\n" + strings.Repeat("x", MaxCellBytes+1) + ",2\n" + strings.Repeat("x", 10) + ",4\n", []string{"2 !row.cell", "3 xxxxxxxxxx|4"}},
		{"a row that is too long", "a,b\n" + strings.Repeat("x", 3*MaxRowBytes) + ",2\n3,4\n", []string{"2 !row.size", "3 3|4"}},
		{"an open quote before much text", "a,b\n\"1,2\n" + strings.Repeat("3,4\n", 2) + strings.Repeat(strings.Repeat("x", 65_000)+",y\n", 20), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := readAll(t, open(t, []byte(tt.text)))
			if tt.want == nil { // many long rows: the bad one, and none of the others lost
				if len(got) != 23 || got[0] != "2 !row.quote" || got[1] != "3 3|4" {
					t.Errorf("%d rows, first %.20q", len(got), got[0])
				}
				return
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "姓名,金额\n王小明,12\n\"李,四\",13\n"
	want := []string{"2 王小明|12", "3 李,四|13"}
	encode := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	gb := encode(simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text)))
	for name, content := range map[string][]byte{
		"UTF-8":           []byte(text),
		"UTF-8 with mark": []byte("\uFEFF" + text),
		"UTF-16 LE":       encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))),
		"UTF-16 BE":       encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))),
		"GB18030":         gb,
		"gzip":            packed.Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, content)
			if got := r.Header(); !slices.Equal(got, []string{"姓名", "金额"}) {
				t.Errorf("header %q", got)
			}
			if got := readAll(t, r); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
			if read, total := r.Progress(); read != total || total != int64(len(content)) {
				t.Errorf("progress %d of %d bytes, the file has %d", read, total, len(content))
			}
		})
	}
	t.Run("a row that breaks behind what was looked at", func(t *testing.T) {
		t.Parallel()
		body := append([]byte(nil), gb...)
		row := encode(simplifiedchinese.GB18030.NewEncoder().Bytes([]byte("张三,1\n")))
		n := sniffBytes/len(row) + 10
		body = append(body, bytes.Repeat(row, n)...)
		body = append(body, "\xff\xff,1\n"...)
		body = append(body, row...)
		got := readAll(t, open(t, body))
		tail := got[len(got)-3:]
		want := []string{fmt.Sprintf("%d 张三|1", n+3), fmt.Sprintf("%d !row.bytes", n+4), fmt.Sprintf("%d 张三|1", n+5)}
		if !slices.Equal(tail, want) {
			t.Errorf("got %q, want %q", tail, want)
		}
	})
	t.Run("half a pair in UTF-16", func(t *testing.T) {
		t.Parallel()
		body := encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte("a,b\n1,")))
		body = append(body, 0x00, 0xD8) // a high surrogate with none behind it
		body = append(body, "\n\x003\x00,\x004\x00\n\x00"...)
		if got := readAll(t, open(t, body)); !slices.Equal(got, []string{"2 !row.bytes", "3 3|4"}) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("Latin-1 is not taken for Chinese", func(t *testing.T) {
		t.Parallel()
		got := readAll(t, open(t, []byte("name,n\nRen\xe9e,1\nSmith,2\nNo\xebl,3\n")))
		if !slices.Equal(got, []string{"2 !row.bytes", "3 Smith|2", "4 !row.bytes"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	zeros := func() []byte { // 64 MiB of one row, packed to 64 KiB
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte("a,b\n"))
		for range 64 {
			_, e := z.Write(bytes.Repeat([]byte("1,2\n"), 1<<18))
			err = errors.Join(err, e)
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	for _, tt := range []struct {
		name string
		body []byte
		want *errs.Error
	}{
		{"empty", nil, ErrEmpty},
		{"blank header", []byte(",,\n1,2,3\n"), ErrEmpty},
		{"broken header", []byte("a\",b\n1,2\n"), ErrHeader},
		{"old Excel", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), ErrOldExcel},
		{"zip that is no zip", []byte("PK\x03\x04 and so on"), ErrWorkbook},
		{"gzip that is no gzip", []byte("\x1F\x8B and so on"), ErrDamaged},
		{"gzip bomb", zeros, ErrBomb},
		{"gzip cut off", zeros[:len(zeros)/8], ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := Open(write(t, "x", tt.body), Options{})
			for err == nil {
				_, err = r.Next()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), Options{}); !errors.Is(err, ErrOpen) {
		t.Errorf("no file: %v", err)
	}
}

// Whatever good rows a writer of CSV puts out, the scanner reads back, and whatever line
// of nonsense stands between them is one bad row that takes no other with it.
func TestRowsAroundNonsense(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nonsense := []string{"x\"y,1,2", "\"x\"y,1,2", "1", "1,2,3,4", "\xff,2,3"}
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		var want []string
		w := csv.NewWriter(&text)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		line := 1
		put := func(cells []string) {
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
			w.Flush()
		}
		put([]string{"a", "b", "c"})
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			line = 1 + bytes.Count(text.Bytes(), []byte("\n"))
			if rapid.IntRange(0, 3).Draw(t, "bad") == 0 {
				text.WriteString(rapid.SampledFrom(nonsense).Draw(t, "nonsense") + "\n")
				want = append(want, fmt.Sprintf("%d bad", line))
				continue
			}
			cells := rapid.SliceOfN(rapid.StringMatching(`[a-z "，,\n;]{0,6}`), 3, 3).Draw(t, "cells")
			put(cells)
			want = append(want, fmt.Sprintf("%d %s", line, strings.Join(cells, "|")))
		}
		path := filepath.Join(dir, "x.csv")
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			row, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Bad != nil {
				got = append(got, fmt.Sprintf("%d bad", row.Line))
				continue
			}
			got = append(got, fmt.Sprintf("%d %s", row.Line, strings.Join(row.Cells, "|")))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("file %q\n got %q\nwant %q", text.String(), got, want)
		}
	})
}

// FuzzScanner: no bytes make the scanner panic or loop, and where encoding/csv finds
// nothing wrong, both read the same.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a\r\n\"x\r\ny\"\r\n", "\"\"\"\"\n", "\"a\nb\",\"c\"\"d\"\n\n,\n", "\"", "a,\"b\n", "\n\n\r\n", "a\rb\n", "\"a\"b\n1,2\n", "\xff\n", "\xef\xbb\xbfa\n", "a,b\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := newScanner(bytes.NewReader(text), ',', encUTF8, func(err error, _ int64) error { return err })
		var got [][]string
		good := true
		last := int64(0)
		for {
			row, err := s.next()
			if err == io.EOF {
				break
			}
			if err != nil || row.Line <= last {
				t.Fatalf("line %d behind %d: %v", row.Line, last, err)
			}
			last = row.Line
			good = good && row.Bad == nil
			got = append(got, slices.Clone(row.Cells))
		}
		oracle := csv.NewReader(bytes.NewReader(text))
		oracle.FieldsPerRecord = -1
		want, err := oracle.ReadAll()
		if err == nil && good != (bytes.IndexByte(text, 0) < 0 && validCells(want)) {
			t.Fatalf("%q: good is %v, encoding/csv reads %q", text, good, want)
		}
		if err != nil && good {
			t.Fatalf("%q: read as %q, encoding/csv says %v", text, got, err)
		}
		if err == nil && good && !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Fatalf("%q: read as %q, want %q", text, got, want)
		}
	})
}

func validCells(rows [][]string) bool {
	for _, row := range rows {
		for _, cell := range row {
			if strings.ToValidUTF8(cell, "") != cell || len(cell) > MaxCellBytes {
				return false
			}
		}
		if len(row) > MaxColumns {
			return false
		}
	}
	return true
}

// BenchmarkScan reads rows like those of a till.
func BenchmarkScan(b *testing.B) {
	row := "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
	path := write(b, "x.csv", []byte("a,b,c,d,e,f,g,h\n"+strings.Repeat(row, 200_000)))
	b.SetBytes(int64(len(row)) * 200_000)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF || r.Rows() != 200_000 {
			b.Fatal(err, r.Rows())
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
