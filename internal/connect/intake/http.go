package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/connect"
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
	broken := []error{file.ErrEmpty, file.ErrHeader, file.ErrDamaged, file.ErrOldExcel, file.ErrWorkbook, file.ErrSheet, file.ErrSize, file.ErrBomb}
	add := func(more ...error) []error { return append([]error{ErrUnknown, program.ErrLimited}, more...) }
	api.Post(r, "/v1/imports", s.postImport, api.Doc{
		ID: "uploadImport", Summary: "Upload a file to be imported.", Tags: tags, Needs: staff.ImportLists, Status: http.StatusCreated,
		Upload: true, MaxBody: MaxFile,
		Description: "The body is the file: CSV (gzipped too) or Excel, 200 MiB at most. It is kept for a week. Nothing of it is read yet: look at its preview, then start it.",
		Fails:       []error{program.ErrLimited, ErrMany, file.ErrEmpty, stash.ErrFull, api.ErrTooLarge, api.ErrBodyCut},
	})
	api.Get(r, "/v1/imports", s.getImports, api.Doc{ID: "listImports", Summary: "List uploads and what became of them, newest first.", Tags: tags, Needs: staff.ImportLists, Fails: []error{program.ErrLimited}})
	api.Get(r, "/v1/imports/{id}", s.getImport, api.Doc{ID: "getImport", Summary: "Show an import and how far it is.", Tags: tags, Needs: staff.ImportLists, Fails: add()})
	api.Get(r, "/v1/imports/{id}/preview", s.getPreview, api.Doc{
		ID: "previewImport", Summary: "Say what a file seems to be, with its first rows and a mapping that its columns suggest.", Tags: tags, Needs: staff.ImportLists, Fails: add(append(broken, ErrUploading)...),
	})
	api.Post(r, "/v1/imports/{id}/start", s.postStart, api.Doc{
		ID: "startImport", Summary: "Import an uploaded file in the background.", Tags: tags, Needs: staff.ImportLists, Status: http.StatusAccepted,
		Description: "With dry_run every row is read and checked and nothing is kept. A file may be started again once it has ended: what is in counts as repeated.",
		Fails: add(append(broken, ErrUploading, ErrRunning, connect.ErrSource, connect.ErrRate,
			file.ErrMapShape, file.ErrMapField, file.ErrMapTwice, file.ErrMapDouble, file.ErrMapColumn)...),
	})
	api.Post(r, "/v1/imports/{id}/cancel", s.postCancel, api.Doc{ID: "cancelImport", Summary: "Stop an import; what it brought in stays.", Tags: tags, Needs: staff.ImportLists, Fails: add(ErrIdle)})
	api.Post(r, "/v1/imports/{id}/resume", s.postResume, api.Doc{ID: "resumeImport", Summary: "Go on with an import that failed or was cancelled.", Tags: tags, Needs: staff.ImportLists, Fails: add(ErrIdle, ErrRunning)})
	api.Get(r, "/v1/imports/{id}/errors", s.getErrors, api.Doc{
		ID: "fetchImportErrors", Summary: "Fetch the rows that were refused, with the reasons, to be mended and imported again.", Tags: tags, Needs: staff.ImportLists, Stream: true, Fails: add(ErrClean),
	})
	api.Delete(r, "/v1/imports/{id}", s.deleteImport, api.Doc{ID: "removeImport", Summary: "Remove an upload; what it brought in stays.", Tags: tags, Needs: staff.ImportLists, Status: http.StatusNoContent, Fails: add(ErrRunning)})
}

type view struct {
	ID       string         `json:"id" doc:"The import."`
	Kind     file.Kind      `json:"kind" doc:"What its rows are about."`
	Name     string         `json:"name,omitempty" doc:"What its maker called the file; shown with a single import."`
	Bytes    int64          `json:"bytes" doc:"Size of the file; shown with a single import."`
	State    string         `json:"state" enum:"uploading,uploaded,started,done,failed,cancelled" doc:"Where it stands."`
	DryRun   bool           `json:"dry_run" doc:"Nothing is kept: a trial."`
	Maker    string         `json:"maker" doc:"Who uploaded it, as staff:stf_…"`
	Job      string         `json:"job_id,omitempty" doc:"The job that imports it."`
	Progress int64          `json:"progress" doc:"How much of the file is done, in bytes or documents."`
	Total    int64          `json:"progress_total" doc:"Of how much; 0 where that is not known."`
	Report   connect.Report `json:"report" doc:"The counts: of the rows so far while it runs."`
	Errors   bool           `json:"errors" doc:"Whether there is a file of refused rows."`
	Error    string         `json:"error,omitempty" doc:"Why it failed, in English."`
	Made     time.Time      `json:"made_at" doc:"When it was uploaded."`
	Done     *time.Time     `json:"done_at,omitempty" doc:"When it ended."`
	Until    time.Time      `json:"until" doc:"Until when the file is kept."`
}

// view shows an import as it and its job say.
func (s *Service) view(ctx context.Context, i Import) (view, error) {
	v := view{ID: i.PublicID(), Kind: i.Kind, State: i.State, DryRun: i.DryRun, Maker: i.Maker, Report: i.Report, Made: i.Made, Until: i.Until}
	if i.Job != 0 {
		v.Job = i.Job.String()
	}
	if !i.Done.IsZero() {
		v.Done = &i.Done
	}
	v.Errors = i.State == "done" && i.Report.Refused > 0
	if i.State != "started" {
		return v, nil
	}
	j, err := s.o.Jobs.Get(ctx, i.Job)
	if errors.Is(err, job.ErrUnknown) {
		v.State = "cancelled"
		return v, nil
	}
	if err != nil {
		return v, err
	}
	_ = json.Unmarshal([]byte(j.Note), &v.Report) // "" before the first batch
	v.Progress, v.Total = j.Progress, j.Total
	switch j.State {
	case job.Failed:
		v.State, v.Error = "failed", j.Error
	case job.Cancelled:
		v.State = "cancelled"
	}
	return v, nil
}

type importOut struct{ Body view }

func (s *Service) answer(ctx context.Context, n int64, err error) (*importOut, error) {
	if err != nil {
		return nil, err
	}
	i, m, size, err := s.Get(ctx, n)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, i)
	v.Name, v.Bytes = m.Name, size
	return &importOut{v}, err
}

type uploadIn struct {
	Kind file.Kind `query:"kind" required:"true" enum:"members,sales,events,balances,products" doc:"What its rows are about."`
	Name string    `query:"name" maxLength:"200" doc:"What the file is called, to be told apart from others."`
}

func (s *Service) postImport(ctx context.Context, in *uploadIn) (*importOut, error) {
	i, err := s.Upload(ctx, in.Kind, in.Name, api.BodyOf(ctx))
	return s.answer(ctx, i.ID, err)
}

type pageIn struct{ api.Page }

type importsOut struct{ Body api.List[view] }

func (s *Service) getImports(ctx context.Context, in *pageIn) (*importsOut, error) {
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if at != nil {
		before = at[0]
	}
	list, err := s.List(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &importsOut{}
	out.Body.Items = []view{}
	for n, i := range list {
		if n == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[n-1].ID)
			break
		}
		v, err := s.view(ctx, i) // reads the job of those that have not ended: there are few
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

type importRef struct {
	ID string `path:"id" maxLength:"40" doc:"The import."`
}

func (r importRef) number() (int64, error) {
	_, n, err := id.Decode(prefix, r.ID)
	if err != nil {
		return 0, ErrUnknown
	}
	return n, nil
}

func (s *Service) getImport(ctx context.Context, in *importRef) (*importOut, error) {
	n, err := in.number()
	return s.answer(ctx, n, err)
}

type previewIn struct {
	ID    string    `path:"id" maxLength:"40" doc:"The import."`
	Kind  file.Kind `query:"kind" enum:"members,sales,events,balances,products" doc:"What its rows are about; as uploaded where absent."`
	Sheet string    `query:"sheet" maxLength:"100" doc:"Of an Excel file; the first where absent."`
}

type fieldView struct {
	Name    string   `json:"name" doc:"What a column can fill."`
	Aliases []string `json:"aliases" doc:"Names of columns that are taken for it."`
}

type previewOut struct {
	Body struct {
		Format   string            `json:"format" enum:"csv,xlsx" doc:"Of the file."`
		Encoding string            `json:"encoding" doc:"Of its text; empty for Excel."`
		Comma    string            `json:"separator" doc:"Between its cells; empty for Excel."`
		Columns  []string          `json:"columns" doc:"Its header."`
		Rows     [][]string        `json:"rows" doc:"Its first rows, 20 at most."`
		Bad      []string          `json:"unreadable" doc:"Of the first rows, those that cannot be read, and why."`
		Mapping  map[string]string `json:"mapping" doc:"Which column seems to fill which field: by name, or by place as #3."`
		Missing  [][]string        `json:"missing" doc:"Groups of fields of which one has to be mapped and none is."`
		Needs    [][]string        `json:"needs" doc:"Groups of fields of which one at least has to be mapped."`
		Fields   []fieldView       `json:"fields" doc:"All that a column can fill."`
		Open     string            `json:"open_prefix" doc:"Fields that begin so may be named freely, as attr.size; empty for none."`
	}
}

func (s *Service) getPreview(ctx context.Context, in *previewIn) (*previewOut, error) {
	n, err := importRef{in.ID}.number()
	if err != nil {
		return nil, err
	}
	p, err := s.Preview(ctx, n, in.Kind, in.Sheet, api.Language(ctx))
	if err != nil {
		return nil, err
	}
	kind := in.Kind
	if kind == "" {
		i, _, _, err := s.Get(ctx, n)
		if err != nil {
			return nil, err
		}
		kind = i.Kind
	}
	out := &previewOut{}
	b := &out.Body
	b.Format, b.Encoding, b.Comma, b.Columns, b.Rows, b.Bad, b.Mapping, b.Missing, b.Open = p.Format, p.Encoding, p.Comma, p.Header, p.Rows, p.Bad, p.Map, p.Missing, kind.Open()
	if b.Missing == nil {
		b.Missing = [][]string{}
	}
	b.Needs = file.Needs(kind)
	for _, f := range file.Fields(kind) {
		b.Fields = append(b.Fields, fieldView{f.Name, append([]string{}, f.Aliases...)})
	}
	return out, nil
}

type startIn struct {
	ID   string `path:"id" maxLength:"40" doc:"The import."`
	Body struct {
		Source        string            `json:"source" minLength:"1" maxLength:"64" doc:"Where the data comes from: part of every document number and external id, and of what keeps a second run from adding anything."`
		Mapping       map[string]string `json:"mapping,omitempty" maxProperties:"100" doc:"Which column fills which field; by the names of the columns where absent."`
		CreateMembers bool              `json:"create_members,omitempty" doc:"Make members who are met for the first time."`
		History       bool              `json:"history,omitempty" doc:"The past comes in quietly: points as of then, no messages."`
		Currency      string            `json:"currency,omitempty" maxLength:"3" doc:"Of all amounts; the programme's where absent."`
		Rates         map[string]string `json:"rates,omitempty" maxProperties:"50" doc:"What one unit of a currency is worth in the programme's."`
		DocumentFrom  []string          `json:"document_from,omitempty" maxItems:"6" doc:"Fields that make a document together, where the file has no number."`
		ReturnsPrefix string            `json:"returns_prefix,omitempty" maxLength:"20" doc:"Documents whose number begins with it are returns."`
		DateOrder     file.DateOrder    `json:"date_order,omitempty" enum:"dmy,mdy" doc:"How dates such as 3/4/2026 are to be read."`
		Sheet         string            `json:"sheet,omitempty" maxLength:"100" doc:"Of an Excel file; the first where absent."`
		DryRun        bool              `json:"dry_run,omitempty" doc:"Read and check everything, keep nothing."`
	}
}

func (s *Service) postStart(ctx context.Context, in *startIn) (*importOut, error) {
	n, err := importRef{in.ID}.number()
	if err != nil {
		return nil, err
	}
	b := in.Body
	rates, err := connect.ParseRates(b.Rates)
	if err != nil {
		return nil, connect.ErrRate.At("body.rates")
	}
	_, err = s.Start(ctx, n, Plan{
		Map: b.Mapping, Source: b.Source, Currency: b.Currency, Rates: rates, CreateMembers: b.CreateMembers, History: b.History, DocumentFrom: b.DocumentFrom,
		ReturnsPrefix: b.ReturnsPrefix, DateOrder: b.DateOrder, Sheet: b.Sheet, DryRun: b.DryRun, Language: api.Language(ctx),
	})
	return s.answer(ctx, n, err)
}

func (s *Service) postCancel(ctx context.Context, in *importRef) (*importOut, error) {
	n, err := in.number()
	if err == nil {
		err = s.Cancel(ctx, n)
	}
	return s.answer(ctx, n, err)
}

func (s *Service) postResume(ctx context.Context, in *importRef) (*importOut, error) {
	n, err := in.number()
	if err == nil {
		err = s.Resume(ctx, n)
	}
	return s.answer(ctx, n, err)
}

func (s *Service) deleteImport(ctx context.Context, in *importRef) (*struct{}, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	return nil, s.Remove(ctx, n)
}

// getErrors streams. What goes wrong once it has begun can only cut it.
func (s *Service) getErrors(ctx context.Context, in *importRef) (*huma.StreamResponse, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	i, _, _, err := s.Get(ctx, n)
	if err != nil {
		return nil, err
	}
	if i.State != "done" || i.Report.Refused == 0 {
		return nil, ErrClean
	}
	if err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.o.Audit.Record(ctx, tx, "import.fetch", i.PublicID(), nil, nil)
	}); err != nil {
		return nil, err
	}
	from, err := s.o.Stash.Read(ctx, i.Errors)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer from.Close()
		hc.SetHeader("Content-Type", "text/csv; charset=utf-8")
		hc.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename="errors-%s.csv"`, i.PublicID()))
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetStatus(http.StatusOK)
		if _, err := io.Copy(api.Patiently(hc), from); err != nil {
			s.o.Log.Error("an error file was cut short", "import", i.PublicID(), "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
