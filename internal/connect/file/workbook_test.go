package file

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// book makes a workbook with one sheet for each list of rows, named S1, S2 and so on.
func book(t *testing.T, sheets ...[][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, rows := range sheets {
		name := fmt.Sprintf("S%d", i+1)
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for j, row := range rows {
			if err := f.SetSheetRow(name, fmt.Sprintf("A%d", j+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	noon := time.Date(2010, 12, 1, 8, 26, 0, 0, time.UTC)
	body := book(t,
		[][]any{{"订单号", "日期", "金额", "备注"}, {"A1", noon, 0.1 + 0.2, "=1+1"}, {}, {"A2", "2010-12-02", 5}, {"A3", noon, 1, "x", "too many"}},
		[][]any{{"other"}, {1}},
	)
	path := write(t, "sales.xlsx", body)
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !r.Spreadsheet {
		t.Error("a workbook is not known for one")
	}
	m, err := NewMapping(Sales, "", r.Header())
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewValues(r, "CNY", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	row, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if at, err := v.Time(m.Get(row.Cells, "at")); err != nil || !at.Equal(noon) {
		t.Errorf("time %v, %v", at, err)
	}
	if n, err := v.Money(m.Get(row.Cells, "amount")); err != nil || n != 30 {
		t.Errorf("amount of 0.30000000000000004 is %d, %v", n, err)
	}
	if got, want := readAll(t, r), []string{"4 A2|2010-12-02|5|", "5 !row.fields"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if read, total := r.Progress(); read == 0 || total != 0 {
		t.Errorf("progress %d of %d at the end", read, total)
	}

	second, err := Open(path, Options{Sheet: "S2"})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if got := readAll(t, second); !slices.Equal(got, []string{"2 1"}) {
		t.Errorf("second sheet %q", got)
	}
	if _, err := Open(path, Options{Sheet: "S3"}); !errors.Is(err, ErrSheet) || !strings.Contains(err.Error(), "S1, S2") {
		t.Errorf("no such sheet: %v", err)
	}
}

// bomb packs one sheet of n bytes of spaces into what looks like a workbook.
func bombOf(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for ; n > 0; n -= len(spaces) {
		if _, err := w.Write(spaces[:min(n, len(spaces))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// said makes an archive whose directory says that its entry has these sizes.
func said(t *testing.T, packed, unpacked uint32) (*bytes.Reader, int64) {
	t.Helper()
	b := bombOf(t, 1<<20)
	entry := b[bytes.LastIndex(b, []byte("PK\x01\x02")):]
	binary.LittleEndian.PutUint32(entry[20:], packed)
	binary.LittleEndian.PutUint32(entry[24:], unpacked)
	return bytes.NewReader(b), int64(len(b))
}

func TestZipBomb(t *testing.T) {
	t.Parallel()
	if _, err := Open(write(t, "bomb.xlsx", bombOf(t, 4<<20)), Options{}); !errors.Is(err, ErrBomb) {
		t.Errorf("by ratio: %v", err)
	}
	if err := checkZip(said(t, maxEntry/50, maxEntry+1)); !errors.Is(err, ErrBomb) {
		t.Errorf("by size: %v", err)
	}
	if err := checkZip(said(t, maxEntry/50, maxEntry)); err != nil {
		t.Errorf("the largest entry that may be: %v", err)
	}
	// One that lies about its size is stopped by the zip reader while it unpacks.
	liar := bombOf(t, 4<<20)
	directory := bytes.LastIndex(liar, []byte("PK\x01\x02"))
	copy(liar[directory+24:], []byte{0, 0, 16, 0}) // says 1 MiB
	if _, err := Open(write(t, "liar.xlsx", liar), Options{}); !errors.Is(err, ErrWorkbook) {
		t.Errorf("a liar: %v", err)
	}
	if err := checkZip(bytes.NewReader(liar), int64(len(liar))); err != nil {
		t.Errorf("the liar does not reach the zip reader: %v", err)
	}
	if _, err := Open(write(t, "wide.xlsx", book(t, [][]any{slices.Repeat([]any{"x"}, MaxColumns+1)})), Options{}); !errors.Is(err, ErrHeader) {
		t.Errorf("too wide: %v", err)
	}
}

// A workbook with any byte changed is refused or read, and never ends the program.
func TestDamagedWorkbook(t *testing.T) {
	t.Parallel()
	good := book(t, [][]any{{"a", "b"}, {1, 2}, {3, 4}})
	for i := 0; i < len(good); i += 97 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x55
		r, err := Open(write(t, "x.xlsx", bad), Options{})
		for n := 0; err == nil; n++ {
			if _, err = r.Next(); n > 10 {
				t.Fatalf("byte %d: no end", i)
			}
		}
		if r != nil {
			if err := r.Close(); err != nil && err != io.EOF {
				t.Logf("byte %d: close: %v", i, err)
			}
		}
	}
}
