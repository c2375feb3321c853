package file

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

var dangerous = []string{"=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", "-", "=cmd|' /C calc'!A0"}

func readCSV(t *testing.T, text string) [][]string {
	t.Helper()
	text, ok := strings.CutPrefix(text, "\uFEFF")
	if !ok {
		t.Error("no byte order mark")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestRefused(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	f := NewRefused(&b, "zh-CN")
	err := f.Begin([]string{"a", "b"})
	for i, d := range dangerous {
		err = errors.Join(err, f.Write(Problem{int64(i + 2), ErrMissing.At("amount"), []string{d, "-5"}}))
	}
	err = errors.Join(err, f.Write(Problem{99, ErrQuote, []string{"x\"y,\n1"}}), f.Flush())
	if err != nil {
		t.Fatal(err)
	}
	rows := readCSV(t, b.String())
	if !slices.Equal(rows[0], []string{"行号", "代码", "原因", "a", "b"}) {
		t.Errorf("header %q", rows[0])
	}
	for i, d := range dangerous {
		want := []string{fmt.Sprint(i + 2), "value.missing", "amount: 此处必须有值。", "'" + strings.ReplaceAll(d, "\r\n", "\n"), "-5"}
		if !slices.Equal(rows[i+1], want) {
			t.Errorf("got %q, want %q", rows[i+1], want)
		}
	}
	if last := rows[len(rows)-1]; last[3] != "x\"y,\n1" {
		t.Errorf("broken row %q", last)
	}
}

var cells = []any{"王", int64(-5), Decimal{-1250, 2}, true, time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), nil}

func columns() []Column {
	return []Column{{"name", "姓名"}, {"n", ""}, {"amount", "金额"}, {"ok", ""}, {"at", ""}, {"none", ""}}
}

func export(t *testing.T, f Format, rows ...[]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, f, columns())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportCSV(t *testing.T) {
	t.Parallel()
	rows := [][]any{cells}
	for _, d := range dangerous {
		rows = append(rows, []any{d, int64(-5), Decimal{5, 2}, false, nil, nil})
	}
	got := readCSV(t, string(export(t, CSV, rows...)))
	if !slices.Equal(got[0], []string{"姓名", "n", "金额", "ok", "at", "none"}) {
		t.Errorf("header %q", got[0])
	}
	if !slices.Equal(got[1], []string{"王", "-5", "-12.50", "true", "2026-03-01T09:00:00Z", ""}) {
		t.Errorf("row %q", got[1])
	}
	for i, d := range dangerous {
		if row := got[i+2]; row[0] != "'"+d || row[1] != "-5" || row[2] != "0.05" {
			t.Errorf("%q became %q", d, row)
		}
	}
}

func TestExportJSONL(t *testing.T) {
	t.Parallel()
	got := string(export(t, JSONL, cells, []any{"=1", int64(1), Decimal{5, 0}, false, nil, nil}))
	want := `{"name":"王","n":-5,"amount":-12.50,"ok":true,"at":"2026-03-01T09:00:00Z","none":null}` + "\n" +
		`{"name":"=1","n":1,"amount":5,"ok":false,"at":null,"none":null}` + "\n"
	if got != want {
		t.Errorf("got %s", got)
	}
	for _, line := range strings.Split(strings.TrimSpace(got), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestExportXLSX(t *testing.T) {
	t.Parallel()
	f, err := excelize.OpenReader(bytes.NewReader(export(t, XLSX, cells, []any{"=1+1", int64(7), Decimal{1250, 2}, false, nil, nil})))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for cell, want := range map[string]string{"A1": "姓名", "A2": "王", "B2": "-5", "C2": "-12.5", "E2": "2026-03-01T09:00:00Z", "A3": "'=1+1", "C3": "12.5"} {
		if got, err := f.GetCellValue("Sheet1", cell); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", cell, got, err, want)
		}
	}
	for cell, number := range map[string]bool{"A2": false, "B2": true, "C2": true, "A3": false} {
		kind, err := f.GetCellType("Sheet1", cell)
		if err != nil || (kind == excelize.CellTypeUnset || kind == excelize.CellTypeNumber) != number {
			t.Errorf("%s has type %v, %v", cell, kind, err)
		}
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Decimal{"12.50": {1250, 2}, "-0.05": {-5, 2}, "7": {7, 0}, "0.000": {0, 3}, "-92233720368547758.08": {math.MinInt64, 2}} {
		if got := d.String(); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
	if _, err := NewWriter(nil, "pdf", nil); !errors.Is(err, ErrFormat) {
		t.Errorf("pdf: %v", err)
	}
}

// A writer that is no terminal gets plain lines, and short work none.
func TestPlainProgress(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	show := plainLines(&b, "reading", func() (int64, int64) { return 512 << 10, 1 << 20 })
	show(true)
	if b.Len() > 0 {
		t.Errorf("the end wrote %q", b.String())
	}
	show(false)
	if b.String() != "reading: 50% (512 of 1024 KiB)\n" {
		t.Errorf("got %q", b.String())
	}
	b.Reset()
	plainLines(&b, "reading", func() (int64, int64) { return 2048, 0 })(false)
	if b.String() != "reading: 2 KiB\n" {
		t.Errorf("got %q", b.String())
	}
}

// Stop waits for the goroutine, which shows the last state once.
func TestProgressStops(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ticked, ended int
	seen := make(chan struct{}, 1)
	p := every(time.Millisecond, func(last bool) {
		mu.Lock()
		defer mu.Unlock()
		if last {
			ended++
		} else {
			ticked++
			select {
			case seen <- struct{}{}:
			default:
			}
		}
	})
	<-seen
	p.Stop()
	if ended != 1 || ticked == 0 {
		t.Errorf("ended %d times after %d ticks", ended, ticked)
	}
	ShowProgress(&bytes.Buffer{}, "x", func() (int64, int64) { return 1, 1 }).Stop()
	var drawn bytes.Buffer
	bar(&drawn, "posting", func() (int64, int64) { return 5, 10 })(true)
	if !strings.Contains(drawn.String(), "posting") {
		t.Errorf("the bar drew %q", drawn.String())
	}
}
