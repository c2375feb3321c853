package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/connect/stash"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Exports and imports"}
	api.Get(r, "/v1/exports/lists", s.getLists, api.Doc{
		ID: "listExportLists", Summary: "Say which lists can be exported, with their columns and filters.", Tags: tags, Needs: staff.ExportLists,
	})
	api.Post(r, "/v1/exports", s.postExport, api.Doc{
		ID: "askExport", Summary: "Write a list to a file in the background.", Tags: tags, Needs: staff.ExportLists, Status: http.StatusAccepted,
		Description: "It takes the right to read the list as well. Filters are those of the list in the API. The file can be fetched for three days by who asked, and by who manages the programme; the audit trail keeps both.",
		Fails:       []error{ErrList, ErrColumn, ErrFilter, ErrHeaders, ErrMany, file.ErrEncoding, program.ErrTime, program.ErrLimited, stash.ErrFull},
	})
	api.Get(r, "/v1/exports", s.getExports, api.Doc{
		ID: "listExports", Summary: "List exports, newest first: one's own, or all for who manages the programme.", Tags: tags, Needs: staff.ExportLists,
	})
	api.Get(r, "/v1/exports/{id}", s.getExport, api.Doc{
		ID: "getExport", Summary: "Show an export and how far it is.", Tags: tags, Needs: staff.ExportLists, Fails: []error{ErrUnknown},
	})
	api.Get(r, "/v1/exports/{id}/file", s.getFile, api.Doc{
		ID: "fetchExport", Summary: "Fetch the file of an export.", Tags: tags, Needs: staff.ExportLists, Stream: true, Fails: []error{ErrUnknown, ErrUnfinished},
	})
	api.Delete(r, "/v1/exports/{id}", s.deleteExport, api.Doc{
		ID: "removeExport", Summary: "Stop an export, or remove its file.", Tags: tags, Needs: staff.ExportLists, Status: http.StatusNoContent, Fails: []error{ErrUnknown},
	})
}

type listView struct {
	Name    string         `json:"name" doc:"As requests name it."`
	Needs   api.Permission `json:"permission" doc:"The right that it takes to read it."`
	Columns []columnView   `json:"columns" doc:"What it has, in order."`
	Filters []string       `json:"filters" doc:"What it can be filtered by."`
}

type columnView struct {
	Name string `json:"name" doc:"As requests name it."`
	EN   string `json:"label_en" doc:"English label."`
	ZH   string `json:"label_zh" doc:"Chinese label."`
}

type listsOut struct {
	Body struct {
		Items []listView `json:"items" doc:"The lists that the caller may read."`
	}
}

func (s *Service) getLists(ctx context.Context, _ *struct{}) (*listsOut, error) {
	out := &listsOut{}
	out.Body.Items = []listView{}
	for _, l := range lists {
		if api.Require(ctx, l.needs) != nil {
			continue
		}
		v := listView{Name: l.name, Needs: l.needs, Filters: append([]string{}, l.filters...)}
		for _, c := range l.columns {
			v.Columns = append(v.Columns, columnView{c.name, c.en, c.zh})
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type askIn struct {
	Body struct {
		List     string            `json:"list" minLength:"1" maxLength:"40" doc:"What to write: see /v1/exports/lists." example:"members"`
		Format   file.Format       `json:"format,omitempty" enum:"csv,xlsx,jsonl" default:"csv" doc:"Of the file."`
		Encoding file.Encoding     `json:"encoding,omitempty" enum:"utf-8,gb18030" default:"utf-8" doc:"Of csv: utf-8 begins with a mark that Excel understands; gb18030 is for older programs in China."`
		Headers  string            `json:"headers,omitempty" enum:"names,en,zh-CN" doc:"What stands over the columns: the names of the API, which import reads, or labels. Labels in the caller's language where absent."`
		Filter   map[string]string `json:"filter,omitempty" maxProperties:"20" doc:"As the parameters of the list in the API."`
		Columns  []string          `json:"columns,omitempty" maxItems:"60" doc:"Which columns, in which order; all where absent."`
	}
}

type view struct {
	ID       string            `json:"id" doc:"The export."`
	List     string            `json:"list" doc:"What is in it."`
	Format   string            `json:"format" doc:"Of the file."`
	Filter   map[string]string `json:"filter,omitempty" doc:"What it was filtered by; shown with a single export."`
	Columns  []string          `json:"columns,omitempty" doc:"Which columns it has, where they were chosen; shown with a single export."`
	Maker    string            `json:"maker" doc:"Who asked for it, as staff:stf_…"`
	Job      string            `json:"job_id" doc:"The job that writes it."`
	State    job.State         `json:"state" enum:"ready,running,done,failed,cancelled" doc:"Where it stands."`
	Progress int64             `json:"progress" doc:"Rows written so far."`
	Rows     int64             `json:"rows" doc:"Rows of the finished file, without its header."`
	Bytes    int64             `json:"bytes" doc:"Size of the file; shown with a single export."`
	Error    string            `json:"error,omitempty" doc:"Why it failed, in English."`
	Made     time.Time         `json:"made_at" doc:"When it was asked for."`
	Done     *time.Time        `json:"done_at,omitempty" doc:"When it was written."`
	Until    time.Time         `json:"until" doc:"Until when the file can be fetched."`
}

// view shows an export. Its job may have been purged: then it ended long ago.
func (s *Service) view(ctx context.Context, e Export) (view, error) {
	v := view{ID: e.PublicID(), List: e.List, Format: e.Format, Maker: e.Maker, Job: e.Job.String(), State: job.Done, Progress: e.Rows, Rows: e.Rows, Made: e.Made, Until: e.Until}
	if !e.Done.IsZero() {
		v.Done = &e.Done
		return v, nil
	}
	j, err := s.o.Jobs.Get(ctx, e.Job)
	if errors.Is(err, job.ErrUnknown) { // stopped, and forgotten since
		v.State = job.Cancelled
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.State, v.Progress, v.Error = j.State, j.Progress, j.Error
	if v.State != job.Done {
		return v, nil
	}
	// It ended since e was read, or was removed while it ran.
	fresh, _, err := s.read(ctx, e.ID)
	if errors.Is(err, ErrUnknown) || err == nil && fresh.Done.IsZero() {
		v.State = job.Cancelled
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Done, v.Rows, v.Progress = &fresh.Done, fresh.Rows, fresh.Rows
	return v, nil
}

type exportOut struct{ Body view }

func (s *Service) postExport(ctx context.Context, in *askIn) (*exportOut, error) {
	b := in.Body
	ask := Request{List: b.List, Format: b.Format, Encoding: b.Encoding, Headers: b.Headers, Language: api.Language(ctx), Filter: b.Filter, Columns: b.Columns}
	switch ask.Headers {
	case "":
		ask.Headers = ask.Language
	case "names":
		ask.Headers = ""
	}
	if ask.Format == "" {
		ask.Format = file.CSV
	}
	if ask.Encoding == file.GB18030 && ask.Format != file.CSV {
		return nil, file.ErrEncoding.With("encoding", ask.Encoding).At("body.encoding")
	}
	e, err := s.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, e)
	v.Filter, v.Columns = ask.Filter, ask.Columns
	return &exportOut{v}, err
}

type pageIn struct{ api.Page }

type exportsOut struct{ Body api.List[view] }

func (s *Service) getExports(ctx context.Context, in *pageIn) (*exportsOut, error) {
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if at != nil {
		before = at[0]
	}
	list, err := s.List(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &exportsOut{}
	out.Body.Items = []view{}
	for i, e := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].ID)
			break
		}
		v, err := s.view(ctx, e) // reads the job of those that are not done: there are few
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type exportIn struct {
	ID string `path:"id" maxLength:"40" doc:"The export."`
}

func number(text string) (int64, error) {
	_, n, err := id.Decode(prefix, text)
	if err != nil {
		return 0, ErrUnknown
	}
	return n, nil
}

func (s *Service) getExport(ctx context.Context, in *exportIn) (*exportOut, error) {
	n, err := number(in.ID)
	if err != nil {
		return nil, err
	}
	e, m, err := s.Get(ctx, n)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, e)
	if err != nil {
		return nil, err
	}
	v.Filter, v.Columns = m.Request.Filter, m.Request.Columns
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		v.Bytes, err = s.o.Stash.Memo(ctx, tx, e.Stash, &m)
		return err
	})
	return &exportOut{v}, err
}

func (s *Service) deleteExport(ctx context.Context, in *exportIn) (*struct{}, error) {
	n, err := number(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Remove(ctx, n)
}

// kinds are the media types of the formats.
var kinds = map[string]string{
	string(file.CSV): "text/csv", string(file.JSONL): "application/jsonl",
	string(file.XLSX): "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// getFile streams. What goes wrong once it has begun can only cut it.
func (s *Service) getFile(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
	n, err := number(in.ID)
	if err != nil {
		return nil, err
	}
	e, _, err := s.Get(ctx, n)
	if err != nil {
		return nil, err
	}
	if e.Done.IsZero() {
		return nil, ErrUnfinished
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, "export.fetch", e.PublicID(), nil, nil)
	})
	if err != nil {
		return nil, err
	}
	from, err := s.o.Stash.Read(ctx, e.Stash)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s.%s", e.List, e.Made.In(s.o.Program.Snapshot().Zone).Format("20060102-1504"), e.Format)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer from.Close()
		hc.SetHeader("Content-Type", kinds[e.Format])
		hc.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetStatus(http.StatusOK)
		if _, err := io.Copy(api.Patiently(hc), from); err != nil {
			s.o.Log.Error("the file of an export was cut short", "export", e.PublicID(), "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
