package connect

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Bounds of a batch. A batch is what one call of the Sink takes: large enough that the
// posting engine has work for a whole transaction, small enough to stay in memory and to
// stop soon.
const (
	batchRecords = 200
	batchRows    = 2_000 // a batch of long documents ends here
	// batchAlone is that of rows, beside no server: each batch waits for the disk once, and
	// holds other writers up for as long as it takes.
	batchAlone = 1_000
)

var (
	// ErrSource refuses an import without a name for its source.
	ErrSource = errs.New(errs.Invalid, "import.source", "Name where the data comes from with --source: it is part of what keeps a second run from adding anything.", "请用 --source 指明数据来源：再次导入时据此避免重复。")
	// ErrCounts says that rows were lost or counted twice: a bug, never the file's fault.
	ErrCounts = errs.New(errs.Internal, "import.counts", "The rows of the file do not add up. Please report this.", "文件行数与结果不符，请反馈此问题。")
)

// Options say what to import and how.
type Options struct {
	Kind     file.Kind
	Path     string // "-" for standard input
	File     file.Options
	Map      string         // as --map; "" maps by the names of the columns
	Source   string         // name of the import; part of every natural key
	Currency string         // ISO 4217, of all amounts in the file
	Location *time.Location // of times without a zone: the programme's
	Order    file.DateOrder
	Sales    file.SalesOptions // Source is filled in from above
	Alone    bool              // nobody waits behind it: rows go in larger batches

	DryRun bool
	Errors *file.Refused                               // where refused rows go; nil for nowhere
	Show   func(label string, m Measure) (stop func()) // shows progress; nil for nothing
	Told   func(soFar Report)                          // hears the counts after each batch; nil for nobody
}

// Measure is file.Measure, named here for callers that import this package only.
type Measure = file.Measure

// Import brings one file in. The report is right, as far as the import came, also where
// an error is returned. Run it again after an error: what is in counts as repeated.
//
// A dry run reads and checks every row and calls no sink (which may be nil): its Taken
// counts the rows that can be read, and what state would refuse it cannot know.
func Import(ctx context.Context, sink Sink, o Options) (Report, error) {
	var report Report
	if o.Source == "" {
		return report, ErrSource
	}
	r, err := file.Open(o.Path, o.File)
	if err != nil {
		return report, err
	}
	d := &driver{sink: sink, o: o, r: r, report: &report}
	err = d.begin()
	if err == nil {
		err = d.run(ctx)
	}
	report.Lines = r.Rows()
	if o.Errors != nil {
		err = errors.Join(err, o.Errors.Flush())
	}
	if err = errors.Join(err, r.Close()); err == nil {
		err = report.check()
	}
	return report, err
}

// check is the law of the four counts, looked at after every import.
func (r *Report) check() error {
	if sum := r.Taken + r.Parked + r.Refused + r.Repeated; sum != r.Lines {
		return ErrCounts.Because(fmt.Errorf("%d rows, %d accounted for", r.Lines, sum))
	}
	return nil
}

// driver is one import on its way.
type driver struct {
	sink    Sink
	o       Options
	r       *file.Reader
	records file.Records
	report  *Report
}

// begin checks all that can be checked before a row is read.
func (d *driver) begin() error {
	m, err := file.NewMapping(d.o.Kind, d.o.Map, d.r.Header())
	if err != nil {
		return err
	}
	if err := errors.Join(file.CheckFrom(d.o.Sales.From), m.Check(d.o.Sales.From...)); err != nil {
		return err
	}
	v, err := file.NewValues(d.r, d.o.Currency, d.o.Location)
	if err != nil {
		return err
	}
	v.Order = d.o.Order
	d.records = file.Records{Map: m, Values: v, Source: d.o.Source}
	if d.o.Errors != nil {
		return d.o.Errors.Begin(d.r.Header())
	}
	return nil
}

func (d *driver) run(ctx context.Context) error {
	switch d.o.Kind {
	case file.Sales:
		return d.sales(ctx)
	case file.Members:
		return stream(ctx, d, d.records.Member, Sink.Members)
	case file.Events:
		return stream(ctx, d, d.records.Event, Sink.Events)
	case file.Balances:
		return stream(ctx, d, d.records.Balance, Sink.Balances)
	case file.Products:
		return stream(ctx, d, d.records.Product, Sink.Products)
	}
	return file.ErrKind.With("kind", d.o.Kind)
}

// tell tells how far the import is.
func (d *driver) tell() {
	if d.o.Told != nil {
		d.report.Lines = d.r.Rows()
		d.o.Told(*d.report)
	}
}

// show begins to show progress; the function that it returns ends it.
func (d *driver) show(label string, m Measure) func() {
	if d.o.Show == nil {
		return func() {}
	}
	return d.o.Show(label, m)
}

// refuse counts one refused row and writes it to the error file.
func (d *driver) refuse(p file.Problem) error {
	d.report.count(Refused, 1)
	d.report.reason(p.Reason.Code, 1)
	if d.o.Errors == nil {
		return nil
	}
	return d.o.Errors.Write(p)
}

// settle counts one row of a record by what became of it.
func (d *driver) settle(s State, reason *errs.Error, line int64, cells []string) error {
	if s == Refused {
		return d.refuse(file.Problem{FileLine: line, Reason: reason, Cells: cells})
	}
	d.report.count(s, 1)
	if s == Parked && reason != nil {
		d.report.reason(reason.Code, 1)
	}
	return nil
}
