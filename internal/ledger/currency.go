package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/program"
)

// maxCurrencies bounds how many kinds of points a programme has: all are held in memory,
// and a wallet is shown with a row for each.
const maxCurrencies = 100

// The reasons for which a change of currencies is refused.
var (
	ErrNoCurrency      = errs.New(errs.NotFound, "ledger.no_currency", "There is no such point currency.", "没有这个积分币种。")
	ErrCurrencyCode    = errs.New(errs.Invalid, "ledger.currency_code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores, and begins with a letter.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成，并以字母开头。")
	ErrCurrencyTaken   = errs.New(errs.Conflict, "ledger.currency_taken", "There is a point currency with this code already.", "该代码的积分币种已存在。")
	ErrCurrencyChanged = errs.New(errs.Conflict, "ledger.currency_changed", "The currency was changed by someone else; read it again.", "该币种已被他人修改，请重新读取。")
	ErrCurrencyInUse   = errs.New(errs.Conflict, "ledger.currency_in_use", "Sales earn this currency; let them earn another one first.", "消费正在累积该币种，请先改用其他币种。")
	ErrCurrencies      = errs.New(errs.Conflict, "ledger.currencies", "There may be no more than {most} point currencies.", "积分币种不能超过 {most} 个。")
	ErrDecimals        = errs.New(errs.Invalid, "ledger.decimals", "The decimals of a currency are fixed once it is made.", "币种的小数位数创建后不可更改。")
)

// CurrencyRow is a Currency with the number of its changes.
type CurrencyRow struct {
	Currency
	Version int64
}

var (
	// The versions grow by one with every change and rows never go, so their sum tells
	// any two states apart.
	currencyVersionSQL = db.Define("ledger.currencyVersion", `
		SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT)
		FROM currency`)
	currenciesSQL = db.Define("ledger.currencies", `
		SELECT id, code, kind, name_en, name_zh, policy, active, version
		FROM currency
		ORDER BY id`)
	currencySQL = db.Define("ledger.currency", `
		SELECT id, code, kind, name_en, name_zh, policy, active, version
		FROM currency
		WHERE code = $1`)
	firstCurrencySQL = db.Define("ledger.firstCurrency", `
		INSERT INTO currency (id, code, kind, name_en, name_zh, policy, active, version)
		SELECT $1, $2, $3, $4, $5, $6, 1, 1
		WHERE NOT EXISTS (SELECT 1 FROM currency)
		ON CONFLICT (code) DO NOTHING`).
		// A parameter in a SELECT list has no column to take its type from.
		OnPostgres(`
		INSERT INTO currency (id, code, kind, name_en, name_zh, policy, active, version)
		SELECT $1::BIGINT, $2::TEXT, $3::TEXT, $4::TEXT, $5::TEXT, $6::TEXT, 1, 1
		WHERE NOT EXISTS (SELECT 1 FROM currency)
		ON CONFLICT (code) DO NOTHING`)
	insertCurrencySQL = db.Define("ledger.insertCurrency", `
		INSERT INTO currency (id, code, kind, name_en, name_zh, policy, active, version)
		VALUES ($1, $2, $3, $4, $5, $6, 1, 1)`)
	updateCurrencySQL = db.Define("ledger.updateCurrency", `
		UPDATE currency
		SET name_en = $3, name_zh = $4, policy = $5, active = $6, version = version + 1
		WHERE id = $1 AND version = $2`)
)

func currencyVersion(ctx context.Context, tx *db.Tx) (v int64, err error) {
	err = tx.QueryRow(ctx, currencyVersionSQL).Scan(&v)
	return v, err
}

func readCurrencies(ctx context.Context, tx *db.Tx) ([]*CurrencyRow, error) {
	rows, err := tx.Query(ctx, currenciesSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*CurrencyRow
	for rows.Next() {
		c, err := scanCurrency(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

func readCurrency(ctx context.Context, tx *db.Tx, code string) (*CurrencyRow, error) {
	c, err := scanCurrency(tx.QueryRow(ctx, currencySQL, code).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoCurrency
	}
	return c, err
}

// InUse reports whether there is a currency of a code that is in use, as tx sees it: nouns
// above check by it what they write.
func InUse(ctx context.Context, tx *db.Tx, code string) (bool, error) {
	c, err := readCurrency(ctx, tx, code)
	if errors.Is(err, ErrNoCurrency) {
		return false, nil
	}
	return err == nil && c.Active, err
}

func scanCurrency(scan func(...any) error) (*CurrencyRow, error) {
	var c CurrencyRow
	var policy string
	if err := scan(&c.ID, &c.Code, &c.Kind, &c.NameEN, &c.NameZH, &policy, &c.Active, &c.Version); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(policy), &c.Policy); err != nil {
		return nil, fmt.Errorf("policy of currency %s: %w", c.Code, err)
	}
	return &c, nil
}

// text is the policy as the row keeps it.
func (p Policy) text() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain numbers and words
	}
	return string(b)
}

// foundCurrency makes the first currency. Of two nodes that start at the same time one
// does; the other finds it done.
func (s *Service) foundCurrency(ctx context.Context) error {
	n, err := s.db.NextID(ctx, "currency")
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, firstCurrencySQL, n, "points", string(Points), "Points", "积分", Policy{}.text())
		return err
	})
}

var currencyCodes = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Currencies lists the currencies, in the order in which they were made.
func (s *Service) Currencies(ctx context.Context) (list []*CurrencyRow, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readCurrencies(ctx, tx)
		return err
	})
	return list, err
}

// AddCurrency makes a currency. Its code, kind and decimals are fixed from then on. It
// needs a caller without limits.
func (s *Service) AddCurrency(ctx context.Context, c Currency) (*CurrencyRow, error) {
	c.Active = true
	if limited(ctx) {
		return nil, program.ErrLimited
	}
	err := c.checkNew(len(s.Config().Currencies))
	if err != nil {
		return nil, err
	}
	if c.ID, err = s.db.NextID(ctx, "currency"); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, insertCurrencySQL, c.ID, c.Code, string(c.Kind), c.NameEN, c.NameZH, c.Policy.text()); err != nil {
			return err
		}
		return s.tellCurrency(ctx, tx, "currency.add", nil, &c)
	})
	if errors.Is(err, db.ErrUnique) {
		return nil, ErrCurrencyTaken.At("body.code").Because(err)
	}
	if err != nil {
		return nil, err
	}
	s.nudge()
	return &CurrencyRow{c, 1}, s.Refresh(ctx)
}

// checkNew refuses a currency that cannot be made beside so many, and gives it both names.
func (c *Currency) checkNew(others int) error {
	c.NameEN, c.NameZH = bothNames(c.NameEN, c.NameZH)
	switch {
	case !currencyCodes.MatchString(c.Code):
		return ErrCurrencyCode.At("body.code")
	case c.NameEN == "":
		return program.ErrName.At("body.name_en")
	case others >= maxCurrencies:
		return ErrCurrencies.With("most", maxCurrencies)
	}
	if err := c.Check(); err != nil {
		return errs.As(err).At("body.policy")
	}
	return nil
}

// CurrencyChange is a change of a currency: what is nil stays.
type CurrencyChange struct {
	Version        int64 // that the caller has seen; 0 = any
	NameEN, NameZH *string
	Policy         *Policy // as a whole; its decimals are those that the currency has
	Active         *bool
}

// ChangeCurrency changes names, policy or use of a currency. Lots that are there keep the
// instants that they were born with; the new policy counts from the next posting on.
func (s *Service) ChangeCurrency(ctx context.Context, code string, ch CurrencyChange) (after *CurrencyRow, err error) {
	if limited(ctx) {
		return nil, program.ErrLimited
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		before, err := readCurrency(ctx, tx, code)
		if err != nil {
			return err
		}
		if ch.Version != 0 && ch.Version != before.Version {
			return ErrCurrencyChanged
		}
		if after, err = ch.apply(before); err != nil {
			return err
		}
		if !after.Active && code == s.program.Snapshot().Settings.Earning.Currency {
			return ErrCurrencyInUse.At("body.active")
		}
		n, err := tx.Exec(ctx, updateCurrencySQL, after.ID, before.Version, after.NameEN, after.NameZH, after.Policy.text(), after.Active)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrCurrencyChanged // between the reading and here
		}
		after.Version++
		return s.tellCurrency(ctx, tx, "currency.change", &before.Currency, &after.Currency)
	})
	if err != nil {
		return nil, err
	}
	s.nudge()
	return after, s.Refresh(ctx)
}

func (ch CurrencyChange) apply(before *CurrencyRow) (*CurrencyRow, error) {
	c := *before
	if ch.NameEN != nil {
		c.NameEN = *ch.NameEN
	}
	if ch.NameZH != nil {
		c.NameZH = *ch.NameZH
	}
	if ch.Active != nil {
		c.Active = *ch.Active
	}
	if ch.Policy != nil {
		if ch.Policy.Decimals != c.Policy.Decimals {
			return nil, ErrDecimals.At("body.policy.decimals")
		}
		c.Policy = *ch.Policy
	}
	if c.NameEN, c.NameZH = bothNames(c.NameEN, c.NameZH); c.NameEN == "" {
		return nil, program.ErrName.At("body.name_en")
	}
	if err := c.Check(); err != nil {
		return nil, errs.As(err).At("body.policy")
	}
	return &c, nil
}

// tellCurrency notes a change in the trail and tells of it.
func (s *Service) tellCurrency(ctx context.Context, tx *db.Tx, action string, before, after *Currency) error {
	var was any
	if before != nil {
		was = before
	}
	if err := s.audit.Record(ctx, tx, action, after.Code, was, after); err != nil {
		return err
	}
	return s.announce(ctx, tx, after)
}

// announce tells of a change of a currency.
func (s *Service) announce(ctx context.Context, tx *db.Tx, after *Currency) error {
	return event.Append(ctx, tx, event.Event{
		Kind: "currency.changed", AtMS: s.clock.Now().UnixMilli(),
		Body: event.MustBody(struct {
			Code   string `json:"code"`
			Active bool   `json:"active"`
		}{after.Code, after.Active}),
	})
}

// checkEarning refuses settings by which sales earn what does not exist.
func (s *Service) checkEarning(ctx context.Context, tx *db.Tx, before, after program.Settings) error {
	if before.Earning.Currency == after.Earning.Currency {
		return nil
	}
	c, err := readCurrency(ctx, tx, after.Earning.Currency)
	if errors.Is(err, ErrNoCurrency) || err == nil && !c.Active {
		return ErrCurrency.With("code", after.Earning.Currency).At("body.earning.currency")
	}
	return err
}

// bothNames gives a currency that is named in one language the same name in the other.
func bothNames(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

// limited reports whether the caller has a part of the programme only.
func limited(ctx context.Context) bool {
	c := api.CallerOf(ctx)
	return len(c.Merchants)+len(c.Stores) > 0
}
