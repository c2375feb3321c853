package export_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

type made struct {
	ID, State, Error, Maker string
	Rows, Bytes             int64
	Filter                  map[string]string
}

// finished asks for an export and waits until its job has ended.
func finished(t *testing.T, c apptest.Client, body J) (e made) {
	t.Helper()
	c.Must(202, "POST", "/v1/exports", body).Into(&e)
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		c.Get("/v1/exports/" + e.ID).Into(&e)
		if e.State != "ready" && e.State != "running" {
			return e
		}
	}
	t.Fatalf("the export does not end: %+v", e)
	return e
}

func rows(t *testing.T, text []byte) [][]string {
	t.Helper()
	list, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return list
}

// What is fetched is what was asked for: filtered, the columns that were chosen in their
// order, labels in the language, and inert.
func TestExport(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/members", J{"external_id": "shop/1", "name": "=2+3", "tags": []string{"vip"}, "phone": "13800138000"})
		a.Post("/v1/members", J{"external_id": "shop/2", "name": "王小明", "tags": []string{"vip"}})
		a.Post("/v1/members", J{"external_id": "shop/3", "name": "other"})
		e := finished(t, a.Client, J{"list": "members", "filter": J{"tag": "vip"}, "columns": []string{"name", "phone", "tags"}, "headers": "zh-CN"})
		if e.State != "done" || e.Rows != 2 || e.Bytes == 0 || e.Filter["tag"] != "vip" {
			t.Fatalf("%+v", e)
		}
		r := a.Get("/v1/exports/" + e.ID + "/file")
		if got := r.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="members-20260310-`) || !strings.HasSuffix(got, `.csv"`) {
			t.Errorf("the file is called %s", got)
		}
		got := rows(t, r.Body)
		slices.SortFunc(got[1:], slices.Compare)
		if len(got) != 3 || !slices.Equal(got[0], []string{"姓名", "手机", "标签"}) || !slices.Equal(got[1], []string{"'=2+3", "'+8613800138000", "vip"}) || got[2][0] != "王小明" {
			t.Errorf("%q", got)
		}
		e = finished(t, a.Client, J{"list": "members", "encoding": "gb18030", "headers": "names", "columns": []string{"name"}})
		text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(a.Get("/v1/exports/" + e.ID + "/file").Body)
		if err != nil || !bytes.Contains(text, []byte("王小明")) || !bytes.HasPrefix(text, []byte(`"name"`)) {
			t.Errorf("in GB18030: %q %v", text, err)
		}
		a.Post("/v1/sales", a.Sale(J{"member": "ext:shop/1", "till": "T1"}))
		a.Post("/v1/sales", a.Sale(J{"member": "ext:shop/1", "till": "T2"}))
		for list, want := range map[string]struct {
			filter J
			rows   int64
		}{
			"sales": {J{"till": "T1"}, 1}, "entries": {J{"member": "ext:shop/1"}, 2}, "products": {nil, 1}, "audit": {J{"action": "export.ask"}, 6}, "liability": {nil, 1},
		} {
			if list == "audit" {
				continue // last, as it counts the others
			}
			if e := finished(t, a.Client, J{"list": list, "filter": want.filter, "format": "xlsx"}); e.Rows != want.rows && list != "products" || e.State != "done" {
				t.Errorf("%s: %+v, want %d rows", list, e, want.rows)
			}
		}
		if e := finished(t, a.Client, J{"list": "audit", "filter": J{"action": "export.ask"}, "format": "jsonl"}); e.Rows != 7 {
			t.Errorf("the trail has %d exports, want 7", e.Rows)
		}
		for _, bad := range []struct {
			body J
			code string
		}{
			{J{"list": "secrets"}, "export.list"}, {J{"list": "members", "columns": []string{"password"}}, "export.column"},
			{J{"list": "members", "columns": []string{"name", "name"}}, "export.column"}, {J{"list": "members", "filter": J{"till": "1"}}, "export.filter"},
			{J{"list": "sales", "filter": J{"from": "yesterday"}}, "program.time"}, {J{"list": "sales", "format": "xlsx", "encoding": "gb18030"}, "export.encoding"},
		} {
			a.Do("POST", "/v1/exports", bad.body).Refused(422, bad.code)
		}
		if e := finished(t, a.Client, J{"list": "sales", "filter": J{"store": "nowhere"}}); e.State != "failed" || !strings.Contains(e.Error, "store") {
			t.Errorf("a store that is not there: %+v", e)
		}
	})
}

// A file is for who asked and for who manages the programme, for as long as it is kept.
// Who asks gets what they may read, within their limits.
func TestWhoseExport(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/stores", J{"code": "east", "name_en": "East", "merchant": "main"})
		a.Post("/v1/sales", a.Sale(nil))
		a.Post("/v1/sales", a.Sale(J{"store": "east"}))
		analyst, other := a.Key("sales.read", "lists.export"), a.Key("sales.read", "lists.export")
		e := finished(t, analyst, J{"list": "sales"})
		if e.Rows != 2 {
			t.Errorf("%+v", e)
		}
		file := "/v1/exports/" + e.ID + "/file"
		analyst.Get(file)
		other.Do("GET", file, nil).Refused(404, "export.unknown")
		other.Do("GET", "/v1/exports/"+e.ID, nil).Refused(404, "export.unknown")
		other.Do("DELETE", "/v1/exports/"+e.ID, nil).Refused(404, "export.unknown")
		a.Get(file)
		var list struct{ Items []made }
		if other.Get("/v1/exports").Into(&list); len(list.Items) != 0 {
			t.Errorf("somebody else sees %+v", list)
		}
		if a.Get("/v1/exports").Into(&list); len(list.Items) != 1 {
			t.Errorf("who manages the programme sees %+v", list)
		}
		analyst.Do("POST", "/v1/exports", J{"list": "members"}).Refused(403, "request.permission")
		a.Key("sales.read").Do("POST", "/v1/exports", J{"list": "sales"}).Refused(403, "request.permission")
		east := a.KeyAt(nil, []string{"east"}, "sales.read", "points.read", "lists.export")
		if e := finished(t, east, J{"list": "sales"}); e.Rows != 1 {
			t.Errorf("who is limited to one store gets %d rows", e.Rows)
		}
		east.Do("POST", "/v1/exports", J{"list": "entries"}).Refused(403, "program.limited")

		if n := a.Number("SELECT COUNT(*) FROM audit WHERE action = 'export.fetch'"); n != 2 {
			t.Errorf("the trail has %d fetches, want 2", n)
		}
		analyst.Must(http.StatusNoContent, "DELETE", "/v1/exports/"+e.ID, nil)
		analyst.Do("GET", file, nil).Refused(404, "export.unknown")
		e = finished(t, analyst, J{"list": "sales"})
		a.Clock.Advance(3 * 24 * time.Hour)
		analyst.Do("GET", "/v1/exports/"+e.ID+"/file", nil).Refused(404, "export.unknown")
		if err := a.Stash.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := a.Number("SELECT COUNT(*) FROM stash") + a.Number("SELECT COUNT(*) FROM stash_part"); n != 0 {
			t.Errorf("%d rows of files are left when their time is over", n)
		}
	})
}
