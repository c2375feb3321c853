package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Rule is a rule with its life.
type Rule struct {
	ID       int64
	Code     string
	Version  int64       // the last that was published; 0 for none
	Draft    *Definition // what waits to be published, or nil
	Revision int64       // grows at every change
	Created  time.Time
	Changed  time.Time
	Runs     []Run                 // in order
	Versions map[int64]*Definition // those that were asked for
}

// Run says from when on a version counts. Version 0 is paused, -1 is ended.
type Run struct {
	Version int64
	FromMS  int64
}

const ended = -1

// at is what counts at an instant: a version, 0 for none, or ended.
func (r *Rule) at(ms int64) (version int64) {
	for _, run := range r.Runs {
		if run.FromMS <= ms {
			version = run.Version
		}
	}
	return version
}

// Planned returns the run that is yet to come, if there is one.
func (r *Rule) Planned(ms int64) *Run {
	for i := range r.Runs {
		if r.Runs[i].FromMS > ms {
			return &r.Runs[i]
		}
	}
	return nil
}

// The states of a rule.
const (
	Draft     = "draft"
	Scheduled = "scheduled"
	Live      = "live"
	Paused    = "paused"
	Ended     = "ended"
)

// State is where a rule stands at an instant.
func (r *Rule) State(ms int64) string {
	now, planned := r.at(ms), r.Planned(ms)
	switch {
	case now > 0:
		if d := r.Versions[now]; d != nil {
			if _, until := d.Valid.instants(); until <= ms {
				return Ended
			}
		}
		return Live
	case now == ended:
		return Ended
	case planned != nil && planned.Version > 0:
		return Scheduled
	case r.Version == 0:
		return Draft
	}
	return Paused
}

// Counts is the definition that people look at: the version that counts or is planned, else
// the last one, else the draft.
func (r *Rule) Counts(ms int64) (*Definition, int64) {
	version := r.at(ms)
	if p := r.Planned(ms); version <= 0 && p != nil && p.Version > 0 {
		version = p.Version
	}
	if version <= 0 {
		version = r.Version
	}
	if version == 0 {
		return r.Draft, 0
	}
	return r.Versions[version], version
}

var (
	configVersionSQL = db.Define("rule.configVersion", `
		SELECT version
		FROM rule_config
		WHERE one = 1`)
	raiseSQL = db.Define("rule.raise", `
		UPDATE rule_config
		SET version = version + 1
		WHERE one = 1`)
	rulesSQL = db.Define("rule.rules", `
		SELECT id, code, version, draft, revision, created_ms, changed_ms
		FROM rule
		ORDER BY id`)
	runsSQL = db.Define("rule.runs", `
		SELECT rule_id, version, from_ms
		FROM rule_run
		ORDER BY rule_id, from_ms, seq`)
	definitionsSQL = db.Define("rule.definitions", `
		SELECT rule_id, version, definition
		FROM rule_version
		ORDER BY rule_id, version`)
	versionsSQL = db.Define("rule.versions", `
		SELECT version, definition, published_ms, published_by
		FROM rule_version
		WHERE rule_id = $1 AND version < $2
		ORDER BY version DESC
		LIMIT $3`)
	insertRuleSQL = db.Define("rule.insert", `
		INSERT INTO rule (id, code, version, draft, revision, created_ms, changed_ms)
		VALUES ($1, $2, 0, $3, 1, $4, $4)`)
	updateRuleSQL = db.Define("rule.update", `
		UPDATE rule
		SET version = $3, draft = $4, revision = revision + 1, changed_ms = $5
		WHERE id = $1 AND revision = $2`)
	deleteRuleSQL = db.Define("rule.delete", `
		DELETE FROM rule
		WHERE id = $1 AND revision = $2 AND version = 0`)
	insertVersionSQL = db.Define("rule.insertVersion", `
		INSERT INTO rule_version (rule_id, version, definition, published_ms, published_by)
		VALUES ($1, $2, $3, $4, $5)`)
	insertRunSQL = db.Define("rule.insertRun", `
		INSERT INTO rule_run (rule_id, seq, version, from_ms)
		SELECT $1, COALESCE(MAX(r.seq), 0) + 1, $2, $3
		FROM rule_run AS r
		WHERE r.rule_id = $1`).
		// A parameter in a SELECT list has no column to take its type from.
		OnPostgres(`
		INSERT INTO rule_run (rule_id, seq, version, from_ms)
		SELECT $1::BIGINT, COALESCE(MAX(r.seq), 0) + 1, $2::BIGINT, $3::BIGINT
		FROM rule_run AS r
		WHERE r.rule_id = $1`)
	unplanSQL = db.Define("rule.unplan", `
		DELETE FROM rule_run
		WHERE rule_id = $1 AND from_ms > $2`)
	groupsSQL = db.Define("rule.groups", `
		SELECT code, name_en, name_zh, mode, stage, revision
		FROM rule_group
		ORDER BY code`)
	insertGroupSQL = db.Define("rule.insertGroup", `
		INSERT INTO rule_group (code, name_en, name_zh, mode, stage, revision)
		VALUES ($1, $2, $3, $4, $5, 1)`)
	updateGroupSQL = db.Define("rule.updateGroup", `
		UPDATE rule_group
		SET name_en = $2, name_zh = $3, mode = $4, stage = $5, revision = revision + 1
		WHERE code = $1 AND revision = $6`)
	deleteGroupSQL = db.Define("rule.deleteGroup", `
		DELETE FROM rule_group
		WHERE code = $1`)
	makeBudgetSQL = db.Define("rule.makeBudget", `
		INSERT INTO rule_budget (id, used)
		VALUES ($1, 0)
		ON CONFLICT (id) DO NOTHING`)
	budgetsSQL = db.Define("rule.budgets", `
		SELECT id, used
		FROM rule_budget
		ORDER BY id`)
)

// book is all rules and groups as one transaction saw them.
type book struct {
	version int64
	rules   []*Rule
	groups  []Group
}

func configVersion(ctx context.Context, tx *db.Tx) (v int64, err error) {
	err = tx.QueryRow(ctx, configVersionSQL).Scan(&v)
	return v, err
}

// readBook reads everything: rules are few, see maxRules.
func readBook(ctx context.Context, tx *db.Tx) (b *book, err error) {
	b = &book{}
	if b.version, err = configVersion(ctx, tx); err != nil {
		return nil, err
	}
	byID := map[int64]*Rule{}
	err = db.ReadRows(func(rows *db.Rows) error {
		r, err := scanRule(rows)
		if err == nil {
			byID[r.ID] = r
			b.rules = append(b.rules, r)
		}
		return err
	})(tx.Query(ctx, rulesSQL))
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	err = db.ReadRows(func(rows *db.Rows) error {
		var rule int64
		var run Run
		err := rows.Scan(&rule, &run.Version, &run.FromMS)
		if r := byID[rule]; err == nil && r != nil {
			r.Runs = append(r.Runs, run)
		}
		return err
	})(tx.Query(ctx, runsSQL))
	if err != nil {
		return nil, fmt.Errorf("read runs of rules: %w", err)
	}
	err = db.ReadRows(func(rows *db.Rows) error {
		var rule, version int64
		var text string
		if err := rows.Scan(&rule, &version, &text); err != nil {
			return err
		}
		d, err := definitionOf(text)
		if r := byID[rule]; err == nil && r != nil {
			r.Versions[version] = d
		}
		return err
	})(tx.Query(ctx, definitionsSQL))
	if err != nil {
		return nil, fmt.Errorf("read versions of rules: %w", err)
	}
	b.groups, err = readGroups(ctx, tx)
	return b, err
}

func readGroups(ctx context.Context, tx *db.Tx) (list []Group, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var g Group
		err := rows.Scan(&g.Code, &g.NameEN, &g.NameZH, &g.Mode, &g.Stage, &g.Revision)
		list = append(list, g)
		return err
	})(tx.Query(ctx, groupsSQL))
	return list, err
}

func scanRule(row interface{ Scan(...any) error }) (*Rule, error) {
	r := &Rule{Versions: map[int64]*Definition{}}
	var draft string
	var created, changed int64
	if err := row.Scan(&r.ID, &r.Code, &r.Version, &draft, &r.Revision, &created, &changed); err != nil {
		return nil, err
	}
	r.Created, r.Changed = time.UnixMilli(created).UTC(), time.UnixMilli(changed).UTC()
	if draft == "" {
		return r, nil
	}
	var err error
	r.Draft, err = definitionOf(draft)
	return r, err
}

// definitionOf reads a definition that this program wrote.
func definitionOf(text string) (*Definition, error) {
	d := &Definition{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, fmt.Errorf("read the definition of a rule: %w", err)
	}
	return d, nil
}

// text is a definition as its row keeps it, "" for none.
func (d *Definition) text() string {
	if d == nil {
		return ""
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic("rule: a definition that JSON cannot hold: " + err.Error())
	}
	return string(b)
}

// find finds a rule by public id or code.
func (b *book) find(ref string) (*Rule, error) {
	n := numberOf(ref)
	for _, r := range b.rules {
		if r.Code == ref || r.ID == n {
			return r, nil
		}
	}
	return nil, ErrUnknown
}

func (b *book) group(code string) *Group {
	for i := range b.groups {
		if b.groups[i].Code == code {
			return &b.groups[i]
		}
	}
	return nil
}

// users are the codes of rules that belong to a group, by what counts or is drafted.
func (b *book) users(group string, nowMS int64) (list []string) {
	for _, r := range b.rules {
		counts, _ := r.Counts(nowMS)
		if counts != nil && counts.Stack.Group == group && r.State(nowMS) != Ended || r.Draft != nil && r.Draft.Stack.Group == group {
			list = append(list, r.Code)
		}
	}
	return list
}

// save writes a rule's row, guarded by its revision.
func (r *Rule) save(ctx context.Context, tx *db.Tx, at time.Time) error {
	n, err := tx.Exec(ctx, updateRuleSQL, r.ID, r.Revision, r.Version, r.Draft.text(), at.UnixMilli())
	if err != nil {
		return fmt.Errorf("change rule %d: %w", r.ID, err)
	}
	if n == 0 {
		return ErrEdited
	}
	return nil
}

// Published is one version of a rule.
type Published struct {
	Version int64
	Rule    *Definition
	At      time.Time
	By      string
}

func readVersions(ctx context.Context, tx *db.Tx, rule, before int64, limit int) (list []Published, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		var p Published
		var text string
		var at int64
		err := rows.Scan(&p.Version, &text, &at, &p.By)
		if err != nil {
			return err
		}
		p.At = time.UnixMilli(at).UTC()
		if p.Rule, err = definitionOf(text); err == nil {
			list = append(list, p)
		}
		return err
	})(tx.Query(ctx, versionsSQL, rule, before, limit))
	return list, err
}

// taken turns a second rule of one code into its refusal.
func taken(err error) error {
	if errors.Is(err, db.ErrUnique) {
		return ErrTaken.At("body.code").Because(err)
	}
	return err
}

// listed joins codes for a refusal.
func listed(codes []string) string { return strings.Join(codes, ", ") }
