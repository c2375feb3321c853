// Package connect is where Patron meets other systems. Here stands the import of files;
// shops, webhooks and brokers follow beside it.
//
// Life of an import: a file is opened and its mapping checked (package file); its rows
// become records, or are refused; records go in batches to a Sink, which answers for each
// what became of it; the answers are counted, and what was refused goes to an error file.
//
// Laws:
//   - The four counts of a Report add up to its lines: every row of the file was taken,
//     parked, refused or met again.
//   - An import can be broken off at any time and run again: the Sink knows by source and
//     document what it has, and what it has is not added twice.
//   - A dry run calls no Sink.
package connect

import (
	"context"

	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// State says what became of a record.
type State int

// The states. The zero value is none of them, so that a forgotten answer shows.
const (
	_        State = iota
	Taken          // it is in, now
	Repeated       // it was in before, with the same content; nothing changed
	Parked         // it is kept, and waits for something: a return for its sale
	Refused        // it is not in; Reason says why
)

// Outcome is what a Sink answers for one record.
type Outcome struct {
	State         State
	Reason        *errs.Error   // of Refused always, of Parked where there is one to tell
	MemberCreated bool          // a member was made on the way
	Lines         []LineOutcome // lines of a document that went another way than the document
}

// LineOutcome is an exception for one line of a document.
type LineOutcome struct {
	Line   int // the number of the line in the document
	State  State
	Reason *errs.Error
}

// Sink takes what a file holds. Each method answers with one outcome for each record, in
// order. An error means that the batch as a whole is not known to be in: it ends the
// import, and a second run finds out.
type Sink interface {
	Sales(ctx context.Context, batch []file.Document) ([]Outcome, error)
	Members(ctx context.Context, batch []file.MemberRow) ([]Outcome, error)
	Events(ctx context.Context, batch []file.EventRow) ([]Outcome, error)
	Balances(ctx context.Context, batch []file.BalanceRow) ([]Outcome, error)
	Products(ctx context.Context, batch []file.ProductRow) ([]Outcome, error)
}

// Report is what an import did. Lines counts rows of the file, without its header; for
// sales, Taken and so on count rows too, not documents.
type Report struct {
	Lines          int64            `json:"lines"`
	Taken          int64            `json:"taken"`
	Parked         int64            `json:"parked"`
	Refused        int64            `json:"refused"`
	Repeated       int64            `json:"repeated"`
	Sales          int64            `json:"sales"`           // documents that were taken now
	Returns        int64            `json:"returns"`         // likewise, of returns
	MembersCreated int64            `json:"members_created"` // of an import of sales: on the way
	Reasons        map[string]int64 `json:"reasons,omitempty"`
}

// Add adds the report of another file.
func (r *Report) Add(o Report) {
	r.Lines += o.Lines
	r.Taken += o.Taken
	r.Parked += o.Parked
	r.Refused += o.Refused
	r.Repeated += o.Repeated
	r.Sales += o.Sales
	r.Returns += o.Returns
	r.MembersCreated += o.MembersCreated
	for code, n := range o.Reasons {
		r.reason(code, n)
	}
}

// reason counts rows that were refused or parked, by code.
func (r *Report) reason(code string, n int64) {
	if r.Reasons == nil {
		r.Reasons = map[string]int64{}
	}
	r.Reasons[code] += n
}

// count adds n rows of one state.
func (r *Report) count(s State, n int64) {
	switch s {
	case Taken:
		r.Taken += n
	case Repeated:
		r.Repeated += n
	case Parked:
		r.Parked += n
	case Refused:
		r.Refused += n
	default:
		panic("connect: a sink answered with no state")
	}
}
