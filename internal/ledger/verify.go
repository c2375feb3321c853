package ledger

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Finding is one place where the books do not add up.
type Finding struct {
	Invariant string `json:"invariant"` // as I4; see Verify
	Where     string `json:"where"`     // "member mem_…, currency points"
	EN        string `json:"en"`
	ZH        string `json:"zh"`
}

// Report is what a verification found.
type Report struct {
	Entries  int64     `json:"entries"`
	Members  int64     `json:"members"`
	Findings []Finding `json:"findings"`
	// More is how many findings there are beyond those listed.
	More int64 `json:"more,omitempty"`
}

// Clean reports whether the books add up.
func (r *Report) Clean() bool { return len(r.Findings) == 0 }

// Check is a verification of a noun above the ledger, for rows that it owns. Run reads page
// by page, and calls found for each thing that is wrong.
type Check struct {
	Name string
	Run  func(ctx context.Context, d *db.DB, found func(Finding)) error
}

// maxFindings bounds a report: a book with more is beyond reading line by line.
const maxFindings = 1000

// Verify recomputes the invariants over everything, beside a running server: every member
// is read in one snapshot, page by page, so that memory stays bounded. progress, if not
// nil, is told how many of how many entries were read.
//
//	I1  the two sides of every entry sum to nothing
//	I2  a wallet is the sum of its entries, and each entry knows the balance after it
//	I3  usable and held points are what is in the lots, and hints leave no lot unseen
//	I4  a lot holds what its entries gave and took, never less than nothing
//	I5  nobody has usable points and a debt
//	I6  what members own is what the programme owes; nothing is in transit
//	I7  a hold ends once, and its lots are pinned by as much as it holds
//	I8  no more is given back than was spent
//	I9  a document stands for a posting that is there
//	I10 entries are numbered without gaps and say what they said when they were written
//	I11 events are numbered without gaps: each was written once
//
// An error means that the database could not be read; what is wrong with the books is in
// the report.
func Verify(ctx context.Context, d *db.DB, config *Config, progress func(done, total int64), checks ...Check) (Report, error) {
	v := &verifier{db: d, config: config, progress: progress, report: Report{Findings: []Finding{}}, totals: map[int64]*totals{}}
	if v.progress == nil {
		v.progress = func(int64, int64) {}
	}
	stages := []func(context.Context) error{v.size, v.members, v.programme, v.documents, v.events}
	for _, c := range checks {
		stages = append(stages, func(ctx context.Context) error {
			if err := c.Run(ctx, d, v.found); err != nil {
				return fmt.Errorf("check %s: %w", c.Name, err)
			}
			return nil
		})
	}
	for _, stage := range stages {
		if err := stage(ctx); err != nil {
			return v.report, fmt.Errorf("verify the ledger: %w", err)
		}
	}
	return v.report, nil
}

// verifier goes through the books once.
type verifier struct {
	db       *db.DB
	config   *Config
	progress func(done, total int64)
	report   Report
	total    int64 // entries that there were when it began
	accounts int64
	totals   map[int64]*totals // by currency
}

// totals are the two sides of a currency over all members.
type totals struct {
	owned  int64 // by wallets
	issued int64 // by entries: what the programme's accounts say it owes
	moving int64 // by entries between members
}

func (v *verifier) found(f Finding) {
	if len(v.report.Findings) == maxFindings {
		v.report.More++
		return
	}
	v.report.Findings = append(v.report.Findings, f)
}

func (v *verifier) of(currency int64) *totals {
	t := v.totals[currency]
	if t == nil {
		t = &totals{}
		v.totals[currency] = t
	}
	return t
}

// name is a currency as people know it.
func (v *verifier) name(currency int64) string {
	if v.config != nil {
		if c := v.config.Currencies[currency]; c != nil {
			return c.Code
		}
	}
	return fmt.Sprint(currency)
}

func memberName(member int64) string { return "member " + id.Encode("mem_", member, 0) }

var verifySizeSQL = db.Define("ledger.verifySize", `
	SELECT CAST(COALESCE(SUM(entry_n), 0) AS BIGINT), COUNT(*)
	FROM account`)

func (v *verifier) size(ctx context.Context) (err error) {
	v.accounts, v.total, err = Size(ctx, v.db)
	return err
}

// Size counts the accounts and the entries that they say they have. Neither ever becomes
// less.
func Size(ctx context.Context, d *db.DB) (accounts, entries int64, err error) {
	err = d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, verifySizeSQL).Scan(&entries, &accounts)
	})
	return accounts, entries, err
}

// scan reads rows of a table and hands each on. The values are good until the next row.
func scan(ctx context.Context, tx *db.Tx, stmt *db.Stmt, t *Table, each func([]any) error, args ...any) error {
	rows, err := tx.Query(ctx, stmt, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	targets := t.targets()
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := each(t.values(targets)); err != nil {
			return err
		}
	}
	return rows.Err()
}
