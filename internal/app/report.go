package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/patron-loyalty/patron/internal/insight"
	"github.com/patron-loyalty/patron/internal/kit/api"
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
	r, err := ledger.Verify(ctx, a.DB, a.Ledger.Config(), nil, sale.Check(), a.Plans.Check(), a.Coupons.Check(), a.Insight.Check(), a.Tiers.Check(), a.Rewards.Check(), a.Draws.Check(), trail, storage())
	return Report{Report: r, AuditHead: head.String()}, err
}

var (
	// ErrReport refuses a name that no report has.
	ErrReport = errs.New(errs.NotFound, "report.unknown", "There is no report {name}. There is: {names}; rebuild mends the sums that they are made of.", "没有报表 {name}。现有：{names}；rebuild 用于重建报表所用的汇总。")
	// ErrParam refuses a parameter that the report does not have.
	ErrParam = errs.New(errs.Invalid, "report.param", "The report {name} takes no parameter {param}.", "报表 {name} 没有参数 {param}。")
)

// Report writes a report: as JSON, the same that the API answers, or as a table.
func (a *App) Report(ctx context.Context, name string, params []string, asJSON bool, lang string, w io.Writer) error {
	given := map[string]string{}
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		given[key] = value
	}
	ctx = api.WithLanguage(ctx, lang)
	switch name {
	case "dashboard":
		return a.reportDashboard(ctx, given, asJSON, w)
	case "liability":
		return a.reportLiability(ctx, given, asJSON, w)
	case "rebuild":
		return a.reportRebuild(ctx, given, asJSON, w)
	}
	return ErrReport.With("name", name, "names", strings.Join(insight.ReportNames(), ", "))
}

// taken refuses parameters that are left over.
func taken(name string, left map[string]string) error {
	for key := range left {
		return ErrParam.With("name", name, "param", key)
	}
	return nil
}

func (a *App) reportDashboard(ctx context.Context, given map[string]string, asJSON bool, w io.Writer) error {
	var ask insight.Ask
	for key, to := range map[string]*string{"store": &ask.Store, "merchant": &ask.Merchant, "currency": &ask.Currency, "points": &ask.Points, "at": &ask.At} {
		*to = given[key]
		delete(given, key)
	}
	if err := taken("dashboard", given); err != nil {
		return err
	}
	d, err := a.Insight.Dashboard(ctx, ask)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(w).Encode(d)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\ttoday\ta week before\tfour weeks before\tthis month\tmonth before\t")
	for _, f := range d.Figures {
		if f.Today == nil {
			continue
		}
		fmt.Fprintf(t, "%s (%s)\t", f.Title, f.Unit)
		for _, c := range []insight.Compared{*f.Today, f.Today.Compare[0], f.Today.Compare[1], *f.Month, f.Month.Compare[0]} {
			if c.Value == nil {
				fmt.Fprint(t, "-\t")
				continue
			}
			fmt.Fprintf(t, "%d\t", *c.Value)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "As of %s, money in %s, points in %s\n", d.AsOf.Format(time.RFC3339), d.Currency, d.Points)
	return err
}

func (a *App) reportRebuild(ctx context.Context, given map[string]string, asJSON bool, w io.Writer) error {
	if err := taken("rebuild", given); err != nil {
		return err
	}
	n, err := a.Insight.Rebuild(ctx, nil)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]int{"mended": n})
	}
	_, err = fmt.Fprintf(w, "Compared with the books: %d rows of sums mended. 已与账目核对：修正汇总 %d 行。\n", n, n)
	return err
}

func (a *App) reportLiability(ctx context.Context, given map[string]string, asJSON bool, w io.Writer) error {
	if err := taken("liability", given); err != nil {
		return err
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
