package intake_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

type J = apptest.J

type imported struct {
	ID, State, Error, Name string
	Bytes                  int64
	Errors                 bool
	Report                 struct{ Lines, Taken, Parked, Refused, Repeated int64 }
}

var octets = apptest.Header{Name: "Content-Type", Value: "application/octet-stream"}

func upload(t *testing.T, c apptest.Client, kind, text string) (i imported) {
	t.Helper()
	c.Must(201, "POST", "/v1/imports?kind="+kind+"&name=list.csv", text, octets).Into(&i)
	return i
}

// started starts an import and waits until it has ended.
func started(t *testing.T, c apptest.Client, id string, body J) imported {
	t.Helper()
	c.Must(202, "POST", "/v1/imports/"+id+"/start", body)
	return ended(t, c, id)
}

func ended(t *testing.T, c apptest.Client, id string) (i imported) {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		i = imported{}
		if c.Get("/v1/imports/" + id).Into(&i); i.State != "started" {
			return i
		}
	}
	t.Fatalf("the import does not end: %+v", i)
	return i
}

// A file is uploaded, looked at, tried and imported; what was refused comes back to be
// mended; a second run, or one after a kill, adds nothing; and in the end nothing is left.
func TestImport(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			dir := o.Dir
			if dir == "" {
				dir = t.TempDir()
			}
			testImport(t, apptest.OpenAt(t, apptest.Setup{Database: o, Dir: dir, Box: seal.Test()}), dir)
		})
	}
}

func testImport(t *testing.T, a *apptest.App, dir string) {
	var b strings.Builder
	b.WriteString("会员号,姓名,手机号,标签\n")
	for i := range 30 {
		fmt.Fprintf(&b, "%d,王%d,1380013%04d,vip\n", i, i, i)
	}
	b.WriteString("31,坏,不是电话,vip\n")
	text, err := simplifiedchinese.GB18030.NewEncoder().String(b.String())
	if err != nil {
		t.Fatal(err)
	}
	i := upload(t, a.Client, "members", text)
	if i.State != "uploaded" || i.Bytes != int64(len(text)) || i.Name != "list.csv" {
		t.Fatalf("%+v", i)
	}
	at := "/v1/imports/" + i.ID
	var p struct {
		Format, Encoding, Separator string
		Columns                     []string
		Rows                        [][]string
		Mapping                     map[string]string
		Missing, Needs              [][]string
		Fields                      []struct{ Name string }
	}
	a.Get(at + "/preview").Into(&p)
	if p.Format != "csv" || p.Encoding != "GB18030" || p.Separator != "," || len(p.Rows) != 20 || p.Rows[1][1] != "王1" || len(p.Missing) != 0 || len(p.Needs) != 1 || !slices.Contains(p.Needs[0], "phone") || len(p.Fields) < 10 ||
		p.Mapping["external_id"] != "会员号" || p.Mapping["phone"] != "手机号" || p.Mapping["tags"] != "标签" {
		t.Errorf("preview: %+v", p)
	}
	a.Get(at + "/preview?kind=sales").Into(&p)
	if len(p.Missing) == 0 || slices.Contains(p.Missing[0], "phone") {
		t.Errorf("as sales it lacks %v", p.Missing)
	}
	tried := started(t, a.Client, i.ID, J{"source": "shop", "dry_run": true})
	if tried.State != "done" || tried.Report.Taken != 31 || a.Number("SELECT COUNT(*) FROM member") != 0 {
		t.Errorf("a trial: %+v, %d members", tried, a.Number("SELECT COUNT(*) FROM member"))
	}
	in := started(t, a.Client, i.ID, J{"source": "shop", "mapping": J{"external_id": "会员号", "name": "#2", "phone": "手机号", "tags": "标签"}})
	if in.State != "done" || in.Report.Lines != 31 || in.Report.Taken != 30 || in.Report.Refused != 1 || !in.Errors {
		t.Errorf("%+v", in)
	}
	refused := string(a.Get(at + "/errors").Body)
	if strings.Count(refused, "\n") != 2 || !strings.Contains(refused, "不是电话") || !strings.Contains(refused, "姓名") {
		t.Errorf("the refused rows are %q", refused)
	}
	if again := started(t, a.Client, i.ID, J{"source": "shop"}); again.Report.Repeated != 30 || again.Report.Taken != 0 {
		t.Errorf("a second run: %+v", again)
	}
	// As a kill leaves it: the job is ready again, and nothing of its end is written.
	a.Exec("DELETE FROM member_tag")
	a.Exec("UPDATE file_import SET state = 'started', report = '{}', done_ms = 0")
	a.Exec("UPDATE job SET state = 'ready', done_ms = NULL WHERE id = (SELECT MAX(id) FROM job WHERE kind = 'import.run')")
	a.Jobs.Nudge()
	if again := ended(t, a.Client, i.ID); again.Report.Repeated+again.Report.Refused != 31 || again.Report.Taken != 0 || a.Number("SELECT COUNT(*) FROM member") != 30 {
		t.Errorf("after a kill: %+v", again)
	}
	a.Do("POST", at+"/cancel", nil).Refused(409, "import.idle")
	a.Do("POST", at+"/resume", nil).Refused(409, "import.idle")
	left, err := os.ReadDir(filepath.Join(dir, "imports"))
	if err != nil || len(left) != 0 {
		t.Errorf("on the disk is left %v, %v", left, err)
	}
	a.Must(http.StatusNoContent, "DELETE", at, nil)
	a.Do("GET", at, nil).Refused(404, "import.unknown")
	if n := a.Number("SELECT COUNT(*) FROM stash") + a.Number("SELECT COUNT(*) FROM stash_part"); n != 0 {
		t.Errorf("%d rows of files are left", n)
	}
}

// What cannot be imported is refused, as far as that shows before the first row; and who
// may not is, too.
func TestImportRefusals(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Do("POST", "/v1/imports?kind=members", "", octets).Refused(422, "file.empty")
		a.Do("POST", "/v1/imports?kind=members", "a").Refused(400, "request.content_type")
		a.Do("POST", "/v1/imports?kind=secrets", "a", octets).Refused(422, "request.invalid")
		a.Do("POST", "/v1/imports", "a", octets).Refused(422, "request.invalid")
		if n := a.Number("SELECT COUNT(*) FROM stash") + a.Number("SELECT COUNT(*) FROM file_import"); n != 0 {
			t.Errorf("%d rows of refused uploads are left", n)
		}
		i := upload(t, a.Client, "sales", "什么,东西\n1,2\n")
		at := "/v1/imports/" + i.ID
		for _, bad := range []struct {
			body J
			code string
		}{
			{J{"source": "shop"}, "map.missing"}, {J{"source": "shop", "mapping": J{"document": "无"}}, "map.column"},
			{J{"source": "shop", "rates": J{"USD": "x"}}, "import.rate"}, {J{}, "request.invalid"},
		} {
			if r := a.Do("POST", at+"/start", bad.body); r.Status != 422 {
				t.Errorf("%v: %d %s", bad.body, r.Status, r.Body)
			}
		}
		a.Do("GET", at+"/errors", nil).Refused(404, "import.no_errors")
		a.Key("sales.write").Do("GET", at, nil).Refused(403, "request.permission")
		a.KeyAt([]string{"main"}, nil, "lists.import").Do("GET", at, nil).Refused(403, "program.limited")
		a.Clock.Advance(7 * 24 * time.Hour)
		a.Do("GET", at, nil).Refused(404, "import.unknown")
	})
}
