package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Report is what a verification found.
type Report struct {
	ledger.Report
	// AuditHead is the newest link of the chain over the audit trail, as in "128:9f86d0…": worth
	// keeping elsewhere, to compare with next time.
	AuditHead string `json:"audit_head"`
}

// Verify recomputes every invariant of the programme: of its books, and of the chain over
// its audit trail (A1); and it looks whether the file that they are in is whole. kept, if not nil, is a head of that chain from an earlier time.
func (a *App) Verify(ctx context.Context, kept *staff.Head) (Report, error) {
	var head staff.Head
	trail := ledger.Check{Name: "audit trail", Run: func(ctx context.Context, _ *db.DB, found func(ledger.Finding)) (err error) {
		head, err = a.Audit.VerifyAudit(ctx, kept, func(f staff.Flaw) {
			found(ledger.Finding{Invariant: "A1", Where: f.Where, EN: f.EN, ZH: f.ZH})
		})
		return err
	}}
	r, err := ledger.Verify(ctx, a.DB, a.Ledger.Config(), nil, sale.Check(), a.Insight.Check(), trail, storage())
	return Report{Report: r, AuditHead: head.String()}, err
}

var (
	// ErrReport refuses a name that no report has.
	ErrReport = errs.New(errs.NotFound, "report.unknown", "There is no report {name}. There is: liability.", "没有报表 {name}。现有：liability。")
	// ErrParam refuses a parameter that the report does not have.
	ErrParam = errs.New(errs.Invalid, "report.param", "The report {name} takes no parameters.", "报表 {name} 没有参数。")
)

// Report writes a report: as JSON, the same that the API answers, or as a table.
func (a *App) Report(ctx context.Context, name string, params []string, asJSON bool, lang string, w io.Writer) error {
	switch {
	case name != "liability":
		return ErrReport.With("name", name)
	case len(params) > 0:
		return ErrParam.With("name", name)
	}
	r, err := a.Ledger.Liability(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "month\tissuer\tcurrency\tgranted\tredeemed\texpired\tclawed back\tmoved\toutstanding\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", row.Month, row.Issuer, row.Currency, row.Granted, row.Redeemed, row.Expired, row.ClawedBack, row.Moved, row.Outstanding)
	}
	for _, row := range r.Totals {
		fmt.Fprintf(t, "total\t\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", row.Currency, row.Granted, row.Redeemed, row.Expired, row.ClawedBack, row.Moved, row.Outstanding)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "As of %s, worth in %s\n", r.AsOf, r.Money)
	return err
}
