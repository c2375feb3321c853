package rule

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The refusals of back-tests.
var (
	ErrNoTest   = errs.New(errs.NotFound, "rule.no_test", "There is no such back-test.", "没有这个回测。")
	ErrPeriod   = errs.New(errs.Invalid, "rule.period", "The period ends after it begins, and not in the future.", "结束日期须晚于开始日期，且不在未来。")
	ErrTestOver = errs.New(errs.Conflict, "rule.test_over", "This back-test has ended.", "该回测已结束。")
)

func (s *Service) testRoutes(r *api.Router) {
	tags := []string{"Rules"}
	api.Post(r, "/v1/rules/back-tests", s.postTest, api.Doc{
		ID: "startBackTest", Summary: "Work out in the background what rules would have given on the sales of a past period.", Tags: tags,
		Description: "The rules that count now, with drafts in place of those of their codes and without those that are left out, as if they had counted all the time, against what those sales have in fact earned. Sales that nobody owns are left out, returns are taken off.",
		Needs:       staff.WriteRules, Status: http.StatusAccepted, Fails: append([]error{ErrPeriod, program.ErrDay}, wrong...),
	})
	api.Get(r, "/v1/rules/back-tests", s.getTests, api.Doc{
		ID: "listBackTests", Summary: "List back-tests, newest first.", Tags: tags, Needs: staff.ReadRules,
	})
	api.Get(r, "/v1/rules/back-tests/{id}", s.getTest, api.Doc{
		ID: "getBackTest", Summary: "Read a back-test: how far it is, and what came out.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoTest},
	})
	api.Post(r, "/v1/rules/back-tests/{id}/cancel", s.postCancel, api.Doc{
		ID: "cancelBackTest", Summary: "Stop a back-test.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNoTest, ErrTestOver},
	})
}

// Asked is what a back-test is to work out.
type Asked struct {
	From    string       `json:"from" maxLength:"10" doc:"First day." example:"2026-10-01"`
	Until   string       `json:"until" maxLength:"10" doc:"The day after the last." example:"2026-11-01"`
	Rules   []Definition `json:"rules,omitempty" maxItems:"50" doc:"Drafts, in place of the rules of their codes or beside them."`
	Without []string     `json:"without,omitempty" maxItems:"200" doc:"Codes of rules to leave out."`
}

// Report is what came out of a back-test. Points are net of returns, in the smallest unit.
type Report struct {
	Sales      int64          `json:"sales" doc:"Sales that were looked at."`
	Members    int64          `json:"members" doc:"Members who have made them."`
	Touched    int64          `json:"members_touched" doc:"Members for whom the outcome differs from what was."`
	Failed     int64          `json:"failures" doc:"Rules that could not be worked out for a sale."`
	Currencies []CurrencyTest `json:"currencies" doc:"In all, by currency."`
	Rules      []RuleTest     `json:"rules" doc:"By rule; what was given by rules that are not among them too."`
	Days       []DayTest      `json:"days" doc:"By day of the sale and currency, for a chart."`
	Most       []MemberTest   `json:"most" doc:"Members who gain most, at most 20."`
	Least      []MemberTest   `json:"least" doc:"Members who lose most, at most 20."`
	Blind      []string       `json:"blind" doc:"What conditions ask that is not known of the past, and was taken for nothing, as member.points."`
}

// CurrencyTest is the outcome for one currency.
type CurrencyTest struct {
	Currency string       `json:"currency" doc:"Code."`
	Points   int64        `json:"points" doc:"What would have been given."`
	Was      int64        `json:"was" doc:"What was given."`
	Cost     *money.Money `json:"cost,omitempty" doc:"What points would cost, by the unit value of the currency; absent where it has none."`
	WasCost  *money.Money `json:"was_cost,omitempty" doc:"What was costs."`
	Members  int64        `json:"members" doc:"Members who would have been given any."`
	WasFor   int64        `json:"was_members" doc:"Members who were given any."`
}

// RuleTest is the outcome for one rule.
type RuleTest struct {
	Rule     string `json:"rule" doc:"Code; base for the settings' own."`
	NameEN   string `json:"name_en" doc:"Name in English."`
	NameZH   string `json:"name_zh" doc:"Name in Chinese."`
	Currency string `json:"currency" doc:"Code."`
	Points   int64  `json:"points" doc:"What it would have given."`
	Was      int64  `json:"was" doc:"What it gave."`
	Times    int64  `json:"times" doc:"For how many sales it would have given something."`
	WasTimes int64  `json:"was_times" doc:"For how many sales it gave something."`
	Members  int64  `json:"members" doc:"Members whom it would have given something."`
	Capped   int64  `json:"capped" doc:"For how many sales a cap or the budget cut it."`
}

// DayTest is the outcome of one day.
type DayTest struct {
	Day      string `json:"day" doc:"Date."`
	Currency string `json:"currency" doc:"Code."`
	Points   int64  `json:"points" doc:"What would have been given."`
	Was      int64  `json:"was" doc:"What was given."`
}

// MemberTest is the outcome for one member.
type MemberTest struct {
	Member   string `json:"member_id" doc:"The member."`
	Currency string `json:"currency" doc:"Code."`
	Points   int64  `json:"points" doc:"What would have been given."`
	Was      int64  `json:"was" doc:"What was given."`
	Sales    int64  `json:"sales" doc:"Their sales in the period."`
}

type testView struct {
	ID     string     `json:"id" doc:"The back-test."`
	State  string     `json:"state" enum:"waiting,running,done,failed,cancelled" doc:"Where it stands."`
	Asked  Asked      `json:"asked" doc:"What was asked."`
	Done   int64      `json:"done" doc:"Sales that have been looked at."`
	Total  int64      `json:"total" doc:"Of how many, about; 0 while that is not known."`
	Report *Report    `json:"report,omitempty" doc:"What came out, once it is done."`
	Error  string     `json:"error,omitempty" doc:"Why it failed."`
	By     string     `json:"made_by" doc:"Who asked, as staff:stf_…"`
	Made   time.Time  `json:"made_at" doc:"When it was asked for."`
	Ended  *time.Time `json:"ended_at,omitempty" doc:"When it ended."`
}

type testIn struct{ Body Asked }

type testOut struct{ Body testView }

type testRef struct {
	ID string `path:"id" maxLength:"60" doc:"The back-test."`
}

type testsOut struct{ Body api.List[testView] }

// statedTest is one row.
type statedTest struct {
	id                   int64
	state, asked, report string
	fault, by            string
	made, done           int64
	doneN, totalN        int64
}

const testColumns = `id, state, asked, report, error, made_by, made_ms, done_ms, done_n, total_n`

var (
	insertTestSQL = db.Define("rule.insertTest", `
		INSERT INTO rule_test (id, job_id, state, asked, report, error, made_by, made_ms, done_ms, done_n, total_n)
		VALUES ($1, $2, 'waiting', $3, '', '', $4, $5, 0, 0, 0)`)
	testSQL = db.Define("rule.test", `
		SELECT `+testColumns+`
		FROM rule_test
		WHERE id = $1`)
	testsSQL = db.Define("rule.tests", `
		SELECT `+testColumns+`
		FROM rule_test
		WHERE id < $1
		ORDER BY id DESC
		LIMIT $2`)
	goOnSQL = db.Define("rule.testGoesOn", `
		UPDATE rule_test
		SET state = 'running', done_n = $2, total_n = $3
		WHERE id = $1 AND state IN ('waiting', 'running')`)
	endTestSQL = db.Define("rule.testEnds", `
		UPDATE rule_test
		SET state = $2, report = $3, error = $4, done_ms = $5
		WHERE id = $1 AND state IN ('waiting', 'running')`)
)

func testID(n int64) string { return id.Encode("rbt_", 0, n) }

func scanTest(row interface{ Scan(...any) error }) (t statedTest, err error) {
	err = row.Scan(&t.id, &t.state, &t.asked, &t.report, &t.fault, &t.by, &t.made, &t.done, &t.doneN, &t.totalN)
	return t, err
}

func (t statedTest) view() (testView, error) {
	v := testView{ID: testID(t.id), State: t.state, Done: t.doneN, Total: t.totalN, Error: t.fault, By: t.by, Made: time.UnixMilli(t.made).UTC()}
	if err := json.Unmarshal([]byte(t.asked), &v.Asked); err != nil {
		return v, fmt.Errorf("read back-test %d: %w", t.id, err)
	}
	if t.done > 0 {
		at := time.UnixMilli(t.done).UTC()
		v.Ended = &at
	}
	if t.report == "" {
		return v, nil
	}
	v.Report = &Report{}
	return v, json.Unmarshal([]byte(t.report), v.Report)
}

func (s *Service) postTest(ctx context.Context, in *testIn) (*testOut, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	for i := range in.Body.Rules {
		if err := s.accept(words, &in.Body.Rules[i]); err != nil {
			return nil, inList(err, "rules", i)
		}
	}
	if _, _, err := s.period(in.Body); err != nil {
		return nil, err
	}
	n, err := s.db.NextID(ctx, "rule_test")
	if err != nil {
		return nil, err
	}
	asked, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := job.Enqueue(ctx, tx, job.New{Kind: testKind, Args: map[string]int64{"id": n}, MaxTries: 3, Now: now})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertTestSQL, n, int64(made), string(asked), staff.ActorOf(ctx), now.UnixMilli()); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "rule.back_test", testID(n), nil, map[string]any{"from": in.Body.From, "until": in.Body.Until, "rules": len(in.Body.Rules), "without": in.Body.Without})
	})
	if err != nil {
		return nil, fmt.Errorf("ask for a back-test: %w", err)
	}
	s.jobs.Nudge()
	return s.shownTest(ctx, n)
}

// period is the instants of what was asked.
func (s *Service) period(a Asked) (from, until time.Time, err error) {
	zone := s.program.Snapshot().Zone
	first, err := program.ParseDay(a.From)
	if err != nil {
		return from, until, at(err, "body.from")
	}
	end, err := program.ParseDay(a.Until)
	if err != nil {
		return from, until, at(err, "body.until")
	}
	if end <= first || end > program.DayOf(s.clock.Now(), zone)+1 {
		return from, until, ErrPeriod.At("body.until")
	}
	return first.Start(zone), end.Start(zone), nil
}

func (s *Service) shownTest(ctx context.Context, n int64) (*testOut, error) {
	var t statedTest
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		t, err = scanTest(tx.QueryRow(ctx, testSQL, n))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoTest
	}
	if err != nil {
		return nil, err
	}
	v, err := t.view()
	return &testOut{v}, err
}

func (s *Service) getTests(ctx context.Context, in *struct{ api.Page }) (*testsOut, error) {
	before, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if before == nil {
		before = []int64{never}
	}
	var list []statedTest
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			t, err := scanTest(rows)
			list = append(list, t)
			return err
		})(tx.Query(ctx, testsSQL, before[0], in.Limit+1))
	})
	if err != nil {
		return nil, err
	}
	out := &testsOut{}
	out.Body.Items = []testView{}
	for i, t := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].id)
			break
		}
		t.report = "" // a list is for finding one
		v, err := t.view()
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

func (r testRef) number() (int64, error) {
	_, n, err := id.Decode("rbt_", r.ID)
	if err != nil {
		return 0, ErrNoTest
	}
	return n, nil
}

func (s *Service) getTest(ctx context.Context, in *testRef) (*testOut, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	return s.shownTest(ctx, n)
}

func (s *Service) postCancel(ctx context.Context, in *testRef) (*testOut, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	if _, err := s.shownTest(ctx, n); err != nil {
		return nil, err
	}
	if ended, err := s.endTest(ctx, n, "cancelled", "", ""); err != nil || !ended {
		return nil, cmp.Or(err, error(ErrTestOver))
	}
	return s.shownTest(ctx, n)
}

// endTest ends a back-test; false where it has ended already.
func (s *Service) endTest(ctx context.Context, n int64, state, report, fault string) (ended bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		count, err := tx.Exec(ctx, endTestSQL, n, state, report, fault, s.clock.Now().UnixMilli())
		ended = count > 0
		return err
	})
	return ended, err
}

// runTest is a back-test as a job. It begins anew where a server died over it.
func (s *Service) runTest(ctx context.Context, run *job.Run) error {
	var args struct{ ID int64 }
	if err := run.Args(&args); err != nil {
		return err
	}
	out, err := s.shownTest(ctx, args.ID)
	if err != nil {
		return err
	}
	report, err := s.backTest(ctx, out.Body.Asked, func(done, total int64) (bool, error) {
		run.Progress(done, total, "")
		on := false
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			n, err := tx.Exec(ctx, goOnSQL, args.ID, done, total)
			on = n > 0
			return err
		})
		return on, err
	})
	switch {
	case errors.Is(err, errStopped):
		return nil
	case err != nil && ctx.Err() == nil:
		_, ending := s.endTest(ctx, args.ID, "failed", "", err.Error())
		return errors.Join(job.Permanent(err), ending)
	case err != nil:
		return err
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	_, err = s.endTest(ctx, args.ID, "done", string(text), "")
	return err
}

var errStopped = errors.New("rule: the back-test was cancelled")

// BackTest works out what rules would have given, at once.
func (s *Service) BackTest(ctx context.Context, a Asked) (*Report, error) {
	return s.backTest(ctx, a, func(int64, int64) (bool, error) { return true, nil })
}

// cost is what points are worth by their currency's unit value; nil where it has none.
func (r *replay) cost(code string, points int64) *money.Money {
	cur := r.service.ledger.Config().ByCode[code]
	if cur == nil || cur.Policy.UnitValue == 0 {
		return nil
	}
	n, ok := money.MulDiv(max(0, points), cur.Policy.UnitValue, program.RateOne, money.HalfUp)
	if !ok {
		return nil
	}
	return &money.Money{Amount: n, Currency: r.service.program.Snapshot().Settings.Currency}
}
