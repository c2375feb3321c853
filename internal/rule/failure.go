package rule

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The refusals of failures.
var (
	ErrNoFailure = errs.New(errs.NotFound, "rule.no_failure", "There is no such failure.", "没有这条失败记录。")
	ErrMended    = errs.New(errs.Conflict, "rule.mended", "This was tried again already.", "已重试成功。")
)

func (s *Service) failureRoutes(r *api.Router) {
	tags := []string{"Rules"}
	api.Get(r, "/v1/rules/failures", s.getFailures, api.Doc{
		ID: "listRuleFailures", Summary: "List sales and events for which a rule could not be worked out, newest first.", Tags: tags, Needs: staff.ReadRules,
	})
	api.Post(r, "/v1/rules/failures/{id}/retry", s.postRetry, api.Doc{
		ID: "retryRuleFailure", Summary: "Work out a rule again that failed, by its latest version and as of the sale's own time, and give what it and its group give.", Tags: tags,
		Needs: staff.WriteRules, Fails: []error{ErrNoFailure, ErrMended, ErrAgain, sale.ErrNotFound, sale.ErrCameBack, ledger.ErrMayNotEarn},
	})
}

type failureView struct {
	ID     string     `json:"id" doc:"The failure."`
	Rule   string     `json:"rule" doc:"Code and version."`
	RuleID string     `json:"rule_id" doc:"The rule."`
	SaleID string     `json:"sale_id,omitempty" doc:"The sale; absent for an event."`
	Member string     `json:"member_id" doc:"Whose it is."`
	At     time.Time  `json:"at" doc:"When it failed."`
	Code   string     `json:"code" doc:"Stable name of why."`
	WhyEN  string     `json:"why_en" doc:"Why, in English."`
	WhyZH  string     `json:"why_zh" doc:"Why, in Chinese."`
	Mended *time.Time `json:"mended_at,omitempty" doc:"When it was tried again with success."`
}

type failuresIn struct {
	api.Page
	Open bool `query:"open" doc:"Only those that were not tried again with success."`
}

type failuresOut struct{ Body api.List[failureView] }

type failureRef struct {
	ID string `path:"id" maxLength:"100" doc:"The failure."`
}

type retryOut struct {
	Body struct {
		Failure failureView `json:"failure" doc:"The failure, as it stands now."`
		Points  []tryPoints `json:"points" doc:"What was given now."`
	}
}

// failure is one row.
type failure struct {
	member, seq, rule, version, at, done int64
	code, en, zh                         string
}

var failuresSQL = db.Define("rule.failures", `
	SELECT member_id, seq, rule_id, version, at_ms, code, reason_en, reason_zh, done_ms
	FROM rule_failure
	WHERE (at_ms < $1 OR at_ms = $1 AND (rule_id < $2 OR rule_id = $2 AND (member_id < $3 OR member_id = $3 AND seq < $4))) AND (done_ms = 0 OR $5 = 0)
	ORDER BY at_ms DESC, rule_id DESC, member_id DESC, seq DESC
	LIMIT $6`)

func failurePublicID(f failure) string {
	return id.Encode("rfl_", f.member, f.seq) + "." + strconv.FormatInt(f.rule, 36)
}

// parseFailure reads what failurePublicID made.
func parseFailure(text string) (f failure, err error) {
	head, rule, ok := strings.Cut(text, ".")
	if f.member, f.seq, err = id.Decode("rfl_", head); err != nil || !ok {
		return f, ErrNoFailure
	}
	if f.rule, err = strconv.ParseInt(rule, 36, 64); err != nil {
		return f, ErrNoFailure
	}
	return f, nil
}

func (f failure) view(b *book) failureView {
	v := failureView{
		ID: failurePublicID(f), RuleID: ID(f.rule), Rule: ID(f.rule), SaleID: id.Encode("sal_", f.member, f.seq), At: time.UnixMilli(f.at).UTC(),
		Code: f.code, WhyEN: f.en, WhyZH: f.zh,
	}
	if f.member > 0 {
		v.Member = member.ID(f.member).String()
	}
	for _, r := range b.rules {
		if r.ID == f.rule {
			v.Rule = Name(r.Code, f.version)
		}
	}
	if f.done > 0 {
		done := time.UnixMilli(f.done).UTC()
		v.Mended = &done
	}
	return v
}

func (s *Service) getFailures(ctx context.Context, in *failuresIn) (*failuresOut, error) {
	c, err := api.DecodeCursor(in.Cursor, 4)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = []int64{never, 0, 0, 0}
	}
	open := int64(0)
	if in.Open {
		open = 1
	}
	var list []failure
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var f failure
			err := rows.Scan(&f.member, &f.seq, &f.rule, &f.version, &f.at, &f.code, &f.en, &f.zh, &f.done)
			list = append(list, f)
			return err
		})(tx.Query(ctx, failuresSQL, c[0], c[1], c[2], c[3], open, in.Limit+1))
	})
	if err != nil {
		return nil, err
	}
	out := &failuresOut{}
	out.Body.Items = []failureView{}
	for i, f := range list {
		if i == in.Limit {
			last := list[i-1]
			out.Body.NextCursor = api.EncodeCursor(last.at, last.rule, last.member, last.seq)
			break
		}
		out.Body.Items = append(out.Body.Items, f.view(s.Snapshot().book))
	}
	return out, nil
}

// again is a salePart that gives what a rule that failed, and its group, would have given: by
// the latest version of the rule, on the facts of the sale.
type again struct {
	*salePart
	failed failure
	group  string // "" where the rule stands alone
	now    int64
}

func failureRow(f failure) ledger.RowKey {
	return ledger.RowKey{Table: failureTable, Key: []any{int64(id.Shard(f.member)), f.member, f.seq, f.rule}}
}

// Needs adds the failure's row, which guards against giving twice.
func (p *again) Needs(owner int64) ledger.Needs {
	n := p.salePart.Needs(owner)
	n.Rows = append(n.Rows, failureRow(p.failed))
	return n
}

// Decide gives what the unit of the rule says.
func (p *again) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	row := s.Row(failureTable, failureRow(p.failed).Key...)
	switch {
	case row == nil:
		return ErrNoFailure
	case row[9].(int64) != 0:
		return ErrMended
	}
	var kept []keptRule
	(&sale.Reversal{Sale: o.Doc}).Kept(p.service, &kept)
	out, more, err := p.work(s, a, o, func(x *Outcome) bool {
		return (x.id == p.failed.rule || p.group != "" && x.groupCode() == p.group) && !gaveAlready(o.Doc, x)
	})
	if err != nil {
		return err
	}
	for _, x := range out {
		if x.id == p.failed.rule && x.fault != nil {
			return ErrAgain.With("reason", errs.Word{EN: row[7].(string), ZH: row[8].(string)})
		}
	}
	if kept = append(kept, more...); kept != nil {
		o.Keep(p.service, kept)
	}
	row = slices.Clone(row)
	row[9] = p.now
	s.Put(failureTable, row...)
	return nil
}

// gaveAlready reports whether a sale has earned by a rule, in whatever version.
func gaveAlready(d *sale.Document, x *Outcome) bool {
	return slices.ContainsFunc(d.Effect.Earned, func(e sale.Earned) bool {
		code, _, _ := strings.Cut(e.Rule, "@")
		return code == x.def.Code
	})
}

// ErrAgain tells that a rule failed once more.
var ErrAgain = errs.New(errs.Conflict, "rule.failed_again", "The rule cannot be worked out still: {reason}", "规则仍无法计算：{reason}")

func (s *Service) postRetry(ctx context.Context, in *failureRef) (*retryOut, error) {
	f, err := parseFailure(in.ID)
	if err != nil {
		return nil, err
	}
	res := s.sales.More(ctx, ledger.LotKey{Member: f.member, Seq: f.seq}, sale.Ask{}, func(ctx context.Context, b *sale.Basket) (sale.Part, error) {
		snap := s.Snapshot()
		set := snap.latest(b.At.UnixMilli(), f.rule)
		p, err := s.prepare(ctx, b, set)
		if err != nil {
			return nil, err
		}
		if p == nil {
			p = &salePart{service: s, plan: &plan{set: set}, facts: b.Facts(), owner: b.Owner}
		}
		a := &again{salePart: p, failed: f, now: s.clock.Now().UnixMilli()}
		for _, c := range set.list {
			if c.id == f.rule {
				a.group = c.groupCode()
			}
		}
		return a, nil
	})
	if res.Err != nil {
		return nil, res.Err
	}
	out := &retryOut{}
	out.Body.Points = []tryPoints{}
	for _, g := range res.Answer.Points {
		out.Body.Points = append(out.Body.Points, tryPoints{g.Currency, g.Amount})
	}
	f, err = s.readFailure(ctx, f)
	out.Body.Failure = f.view(s.Snapshot().book)
	return out, err
}

var failureSQL = db.Define("rule.failure", `
	SELECT version, at_ms, code, reason_en, reason_zh, done_ms
	FROM rule_failure
	WHERE shard = $1 AND member_id = $2 AND seq = $3 AND rule_id = $4`)

func (s *Service) readFailure(ctx context.Context, f failure) (failure, error) {
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, failureSQL, id.Shard(f.member), f.member, f.seq, f.rule).Scan(&f.version, &f.at, &f.code, &f.en, &f.zh, &f.done)
	})
	return f, err
}
