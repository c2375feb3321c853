// Package export writes lists out: members, sales, entries of the ledger, products, the
// audit trail, what is owed.
//
// Life: somebody asks for a list, with the filters that the list of the API has, some of
// its columns and a format. Write streams it, page by page, to wherever it is told: the
// command line to standard output, a job into the stash. From there its maker, an owner or
// a manager fetches the file until its time is over.
//
// Laws:
//   - One list is written by one function, whoever asks.
//   - Memory does not grow with a list, and no snapshot of the database outlives a page.
//   - Who asks gets no more than the list would show them: the job works with their rights
//     and limits.
//   - Every export is on the audit trail: who asked, for what, how many rows there were,
//     and who fetched the file.
package export

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/connect/stash"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Options are what a Service is made of. All are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Ledger  *ledger.Service
	Catalog *catalog.Service
	Sales   *sale.Service
	Audit   *staff.Audit
	Jobs    *job.Queue
	Stash   *stash.Stash
}

// Service writes lists. It is safe for use by many goroutines.
type Service struct{ o Options }

// New makes the service and registers its job.
func New(o Options) *Service {
	s := &Service{o}
	o.Jobs.Register(runKind, s.run)
	o.Jobs.Register(sweepKind, s.sweep)
	o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind, MaxTries: 1})
	return s
}

// Request says what to write, and how.
type Request struct {
	List     string            `json:"list"`
	Format   file.Format       `json:"format"`
	Encoding file.Encoding     `json:"encoding"`
	Headers  string            `json:"headers"` // "en" or "zh-CN" for people, "" for the names that import reads
	Language string            `json:"language"`
	Filter   map[string]string `json:"filter"`
	Columns  []string          `json:"columns"` // all where empty
}

// The refusals.
var (
	ErrList    = errs.New(errs.Invalid, "export.list", "There is no list {list}. There are: {lists}.", "没有列表 {list}，可导出：{lists}。")
	ErrColumn  = errs.New(errs.Invalid, "export.column", "The list {list} has no column {column}, or it stands twice. It has: {columns}.", "列表 {list} 没有列 {column} 或该列重复。可用：{columns}。")
	ErrFilter  = errs.New(errs.Invalid, "export.filter", "The list {list} is not filtered by {filter}. It is by: {filters}.", "列表 {list} 不支持条件 {filter}。可用：{filters}。")
	ErrHeaders = errs.New(errs.Invalid, "export.headers", "Headers are names, en or zh-CN.", "表头须为 names、en 或 zh-CN。")
)

// list is one that can be written.
type list struct {
	name    string
	needs   api.Permission
	wide    bool // shows the whole programme: not for callers with limits
	columns []column
	filters []string
	write   func(*writing, context.Context) error
}

type column struct{ name, en, zh string }

func (l *list) names() []string {
	out := make([]string, len(l.columns))
	for i, c := range l.columns {
		out[i] = c.name
	}
	return out
}

// Lists are the names of the lists that there are.
func Lists() []string {
	out := make([]string, len(lists))
	for i := range lists {
		out[i] = lists[i].name
	}
	return out
}

// Columns are the names of the columns of a list, in order; nil for no list.
func Columns(name string) []string {
	if l, err := find(name); err == nil {
		return l.names()
	}
	return nil
}

func find(name string) (*list, error) {
	for i := range lists {
		if lists[i].name == name {
			return &lists[i], nil
		}
	}
	return nil, ErrList.With("list", name, "lists", strings.Join(Lists(), ", "))
}

// writing is one list on its way out.
type writing struct {
	s      *Service
	list   *list
	snap   *program.Snapshot
	ask    Request
	pick   []int // places of the columns that were chosen
	cells  []any
	out    file.Writer
	rows   int64
	told   func(rows int64)
	filter map[string]string
}

// plan checks a request. It reads nothing but settings.
func (s *Service) plan(ask Request) (*writing, error) {
	l, err := find(ask.List)
	if err != nil {
		return nil, errs.As(err).At("body.list")
	}
	w := &writing{s: s, list: l, snap: s.o.Program.Snapshot(), ask: ask, filter: ask.Filter}
	for name, value := range ask.Filter {
		if !slices.Contains(l.filters, name) {
			return nil, ErrFilter.With("list", l.name, "filter", name, "filters", strings.Join(l.filters, ", ")).At("body.filter")
		}
		if at := name == "from" || name == "to" || strings.HasPrefix(name, "joined_"); at && value != "" {
			if _, err := w.snap.ParseTime(value); err != nil {
				return nil, errs.As(err).At("body.filter." + name)
			}
		}
	}
	chosen := ask.Columns
	if len(chosen) == 0 {
		chosen = l.names()
	}
	for i, name := range chosen {
		place := slices.Index(l.names(), name)
		if place < 0 || slices.Contains(chosen[:i], name) {
			return nil, ErrColumn.With("list", l.name, "column", name, "columns", strings.Join(l.names(), ", ")).At("body.columns")
		}
		w.pick = append(w.pick, place)
	}
	switch ask.Headers {
	case "", i18n.English, i18n.Chinese:
	default:
		return nil, ErrHeaders.At("body.headers")
	}
	return w, nil
}

// header is what stands over the columns that were chosen.
func (w *writing) header() []file.Column {
	out := make([]file.Column, len(w.pick))
	for i, place := range w.pick {
		c := w.list.columns[place]
		out[i] = file.Column{Name: c.name}
		if w.ask.Headers != "" {
			out[i].Title = i18n.Pick(w.ask.Headers, c.en, c.zh)
		}
	}
	return out
}

// Write writes a list and returns how many rows it has, without its header. The rights of
// the caller of ctx limit what is in it. told, which may be nil, hears how far it is.
func (s *Service) Write(ctx context.Context, to io.Writer, ask Request, told func(rows int64)) (rows int64, err error) {
	w, err := s.plan(ask)
	if err != nil {
		return 0, err
	}
	if told == nil {
		told = func(int64) {}
	}
	w.told = told
	if w.out, err = file.NewWriterIn(to, ask.Format, ask.Encoding, w.header()); err != nil {
		return 0, err
	}
	w.cells = make([]any, len(w.pick))
	err = w.list.write(w, ctx)
	if e := w.out.Close(); err == nil { // a workbook holds a file of its own, to be closed whatever happened
		err = e
	}
	return w.rows, err
}

// row writes the columns that were chosen of one row.
func (w *writing) row(cells ...any) error {
	if len(cells) != len(w.list.columns) {
		panic("export: a row of " + w.list.name + " does not fit its columns")
	}
	for i, place := range w.pick {
		w.cells[i] = cells[place]
	}
	w.rows++
	return w.out.Write(w.cells...)
}

// time is an instant as a cell: in the programme's zone, nil for none.
func (w *writing) time(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms).In(w.snap.Zone)
}

// store is the code of a store, nil for none.
func (w *writing) store(n int64) any {
	if s, ok := w.snap.Store(n); ok {
		return s.Code
	}
	return nil
}

// instant is a filter by time; the zero time where there is none. plan has read it once.
func (w *writing) instant(name string) (time.Time, error) {
	if w.filter[name] == "" {
		return time.Time{}, nil
	}
	return w.snap.ParseTime(w.filter[name])
}
