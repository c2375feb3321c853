package connect

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// call hands a batch to the sink and checks that each record was answered for.
func call[T any](ctx context.Context, d *driver, batch []T, to func(Sink, context.Context, []T) ([]Outcome, error)) ([]Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outcomes, err := to(d.sink, ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("import a batch of %d %s: %w", len(batch), d.o.Kind, err)
	}
	if len(outcomes) != len(batch) {
		panic(fmt.Sprintf("connect: a sink gave %d outcomes for %d records", len(outcomes), len(batch)))
	}
	for i, o := range outcomes {
		mute := o.State == Refused && o.Reason == nil
		for _, l := range o.Lines {
			mute = mute || l.State == Refused && l.Reason == nil
		}
		if mute {
			panic(fmt.Sprintf("connect: a sink refused record %d of a batch without a reason", i))
		}
	}
	return outcomes, nil
}

// sales gathers the documents of a file, and sends them in the order of their time.
func (d *driver) sales(ctx context.Context) error {
	o := d.o.Sales
	o.Source = d.o.Source
	stop := d.show("reading", d.r.Progress)
	docs, err := file.Gather(ctx, d.r, d.records.Map, d.records.Values, o, d.refuse)
	stop()
	if err != nil {
		return err
	}
	err = d.post(ctx, docs)
	return errors.Join(err, docs.Close())
}

func (d *driver) post(ctx context.Context, docs *file.Documents) error {
	defer d.show("posting", docs.Progress)()
	var batch []file.Document
	rows := 0
	for {
		doc, err := docs.Next()
		if err != nil && err != io.EOF {
			return err
		}
		if end := err == io.EOF; end || len(batch) == batchRecords || rows+doc.Rows() > batchRows && len(batch) > 0 {
			if err := d.sendSales(ctx, batch); err != nil || end {
				return err
			}
			d.tell()
			batch, rows = batch[:0], 0
		}
		for _, p := range doc.Problems {
			if err := d.refuse(p); err != nil {
				return err
			}
		}
		if len(doc.Lines) > 0 {
			batch, rows = append(batch, doc), rows+doc.Rows()
		}
	}
}

func (d *driver) sendSales(ctx context.Context, batch []file.Document) error {
	if len(batch) == 0 {
		return ctx.Err()
	}
	if d.o.DryRun {
		for _, doc := range batch {
			if err := d.settleDocument(doc, Outcome{State: Taken}); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	outcomes, err := call(ctx, d, batch, Sink.Sales)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if err := d.settleDocument(batch[i], o); err != nil {
			return err
		}
	}
	return nil
}

// settleDocument counts the rows of one document.
func (d *driver) settleDocument(doc file.Document, o Outcome) error {
	if o.MemberCreated {
		d.report.MembersCreated++
	}
	if o.State == Taken && doc.Type == file.Return {
		d.report.Returns++
	} else if o.State == Taken {
		d.report.Sales++
	}
	except := make(map[int]LineOutcome, len(o.Lines))
	for _, l := range o.Lines {
		except[l.Line] = l
	}
	for _, l := range doc.Lines {
		state, reason := o.State, o.Reason
		if e, ok := except[l.Line]; ok {
			state, reason = e.State, e.Reason
		}
		if err := d.settle(state, reason, l.FileLine, l.Cells); err != nil {
			return err
		}
	}
	return nil
}

// place is where a record stood in the file, and what it was made of.
type place struct {
	line  int64
	cells []string
}

// stream sends rows that are records by themselves, in the order of the file.
func stream[T any](ctx context.Context, d *driver, parse func(file.Row) (T, *errs.Error), to func(Sink, context.Context, []T) ([]Outcome, error)) error {
	defer d.show("importing", d.r.Progress)()
	var batch []T
	var places []place
	most := batchRecords
	if d.o.Alone {
		most = batchAlone
	}
	for {
		row, err := d.r.Next()
		if err != nil && err != io.EOF {
			return err
		}
		if end := err == io.EOF; end || len(batch) == most {
			if err := send(ctx, d, batch, places, to); err != nil || end {
				return err
			}
			d.tell()
			batch, places = batch[:0], places[:0]
		}
		if row.Bad != nil {
			if err := d.refuse(file.Problem{FileLine: row.Line, Reason: row.Bad, Cells: []string{row.Raw}}); err != nil {
				return err
			}
			continue
		}
		record, bad := parse(row)
		cells := append([]string(nil), row.Cells...)
		if bad != nil {
			if err := d.refuse(file.Problem{FileLine: row.Line, Reason: bad, Cells: cells}); err != nil {
				return err
			}
			continue
		}
		batch, places = append(batch, record), append(places, place{row.Line, cells})
	}
}

func send[T any](ctx context.Context, d *driver, batch []T, places []place, to func(Sink, context.Context, []T) ([]Outcome, error)) error {
	if len(batch) == 0 {
		return ctx.Err()
	}
	outcomes := make([]Outcome, len(batch))
	if d.o.DryRun {
		for i := range outcomes {
			outcomes[i].State = Taken
		}
	} else {
		var err error
		if outcomes, err = call(ctx, d, batch, to); err != nil {
			return err
		}
	}
	for i, o := range outcomes {
		if o.MemberCreated {
			d.report.MembersCreated++
		}
		if err := d.settle(o.State, o.Reason, places[i].line, places[i].cells); err != nil {
			return err
		}
	}
	return ctx.Err()
}
