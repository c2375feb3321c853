package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/export"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// command runs a command as if it had come over the server's socket.
func command(t *testing.T, a *apptest.App, args ...string) (out []byte) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	e := &env{ctx: a.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, exit: func(int) {}, app: a.App}
	if code := run(e, args); code != 0 {
		t.Fatalf("patron %s: exit %d: %s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.Bytes()
}

// table reads an export in CSV.
func table(t *testing.T, text []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// cell is the value of a column in a row.
func cell(rows [][]string, row int, column string) string {
	return rows[row][slices.Index(rows[0], column)]
}

// What is exported is what import reads: sales that are exported and imported again are
// all there already. Amounts are in units, times in the programme's zone, and a name that
// would be a formula is none.
func TestExport(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Must(201, "POST", "/v1/members", apptest.J{"external_id": "shop/1", "name": "=2+3", "phone": "13800138000"})
		for i := range 3 {
			a.Post("/v1/sales", a.Sale(apptest.J{"source": "shop", "member": "ext:shop/1", "document": string(rune('a' + i))}))
		}
		sales := command(t, a, "export", "sales")
		rows := table(t, sales)
		if !slices.Equal(rows[0], export.Columns("sales")) {
			t.Errorf("columns %v, want %v", rows[0], export.Columns("sales"))
		}
		if at := cell(rows, 1, "at"); !strings.HasSuffix(at, "+08:00") {
			t.Errorf("a time is written %q", at)
		}
		name := filepath.Join(t.TempDir(), "sales.csv")
		if err := os.WriteFile(name, sales, 0o600); err != nil {
			t.Fatal(err)
		}
		var report connect.Report
		if err := json.Unmarshal(command(t, a, "import", "sales", name, "--source", "shop", "--json"), &report); err != nil {
			t.Fatal(err)
		}
		if lines := int64(len(rows) - 1); report.Lines != lines || report.Repeated != lines || lines < 3 {
			t.Errorf("imported again: %+v, want %d lines repeated", report, lines)
		}

		members := table(t, command(t, a, "export", "members"))
		if got := cell(members, 1, "name"); got == "=2+3" || !strings.Contains(got, "2+3") {
			t.Errorf("the name is written %q", got)
		}
		if got := cell(members, 1, "phone"); !strings.Contains(got, "+8613800138000") {
			t.Errorf("the telephone number is written %q", got)
		}
		entries := table(t, command(t, a, "export", "entries"))
		if cell(entries, 1, "kind") != "earn" || cell(entries, 1, "currency") != "points" || len(entries) != 4 {
			t.Errorf("entries: %v", entries)
		}
	})
}

func TestExportFormats(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		id := a.Member()
		var row struct{ ID, Number string }
		if err := json.Unmarshal(command(t, a, "export", "members", "--format", "jsonl"), &row); err != nil || row.ID != id {
			t.Errorf("jsonl: %+v %v, want %s", row, err, id)
		}
		book, err := excelize.OpenReader(bytes.NewReader(command(t, a, "export", "members", "--format", "xlsx")))
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := book.GetRows("Sheet1")
		if err != nil || len(sheet) != 2 || sheet[1][0] != id {
			t.Errorf("xlsx: %v %v", sheet, err)
		}
	})
}

// Lists are longer than one page, and bounded by time.
// pageRows is how many rows an export reads at a time.
const pageRows = 200

func TestExportPages(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		const many = pageRows + 7
		list := make([]member.Enrolment, many)
		for i := range list {
			list[i] = member.Enrolment{External: "shop/" + string(rune('a'+i%26)) + string(rune('a'+i/26)), JoinedAt: apptest.Noon.AddDate(0, 0, -i)}
		}
		if _, err := a.Members.CreateMany(a.Context(), list); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			args []string
			want int
		}{
			{nil, many},
			{[]string{"--from", "2026-03-10"}, 1},
			{[]string{"--to", "2026-03-10"}, many - 1},
			{[]string{"--from", "2026-03-01T00:00:00+08:00", "--to", "2026-03-03"}, 2},
		} {
			rows := table(t, command(t, a, append([]string{"export", "members"}, tt.args...)...))
			if len(rows)-1 != tt.want {
				t.Errorf("export members %v: %d rows, want %d", tt.args, len(rows)-1, tt.want)
			}
		}
		for range pageRows + 3 {
			a.Post("/v1/sales", a.Sale(nil))
		}
		rows := table(t, command(t, a, "export", "sales"))
		documents := map[string]bool{}
		for i := range rows[1:] {
			documents[cell(rows, i+1, "document")] = true
		}
		if len(documents) != pageRows+3 {
			t.Errorf("%d documents, want %d", len(documents), pageRows+3)
		}
	})
}
