package ledger

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
)

// ErrKindFixed refuses another kind for a currency that is there.
var ErrKindFixed = errs.New(errs.Conflict, "ledger.kind_fixed", "The kind of a currency is fixed once it is made.", "币种的类型创建后不可更改。")

// CurrencyItem is a currency as the programme's file has it.
type CurrencyItem struct {
	Code   string `json:"code" minLength:"1" maxLength:"40" doc:"Unique; never changes." example:"points"`
	Kind   Kind   `json:"kind" enum:"points,growth,stored" doc:"points: earned and spent. growth: a score, never spent. stored: money paid in."`
	NameEN string `json:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where left out."`
	NameZH string `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where left out."`
	Active bool   `json:"active" doc:"Whether new points are given and used. A currency is never removed; false takes it out of use."`
	Policy Policy `json:"policy" doc:"How it behaves."`
}

func (i CurrencyItem) currency() Currency {
	return Currency{Code: i.Code, Kind: i.Kind, NameEN: i.NameEN, NameZH: i.NameZH, Policy: i.Policy, Active: i.Active}
}

var holdCurrenciesSQL = db.Define("ledger.holdCurrencies", `
	UPDATE currency
	SET active = active`)

// Part is the currencies as a section of the programme's file.
func (s *Service) Part() code.Part {
	return code.List[CurrencyItem]{
		Section: "currencies", Called: errs.Word{EN: "point currency", ZH: "积分币种"}, Code: func(i CurrencyItem) string { return i.Code },
		Hold: func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, holdCurrenciesSQL) // there are few
			return err
		},
		All: func(ctx context.Context, tx *db.Tx) ([]CurrencyItem, error) {
			list, err := readCurrencies(ctx, tx)
			out := make([]CurrencyItem, 0, len(list))
			for _, c := range list {
				out = append(out, CurrencyItem{c.Code, c.Kind, c.NameEN, c.NameZH, c.Active, c.Policy})
			}
			return out, err
		},
		Forms: func(i *CurrencyItem) { i.NameEN, i.NameZH = bothNames(i.NameEN, i.NameZH) },
		Put:   s.putCurrency,
		Done: func(ctx context.Context) error {
			s.nudge()
			return s.Refresh(ctx)
		},
	}
}

// putCurrency writes one currency of the file.
func (s *Service) putCurrency(ctx context.Context, tx *db.Tx, was *CurrencyItem, is CurrencyItem) error {
	c := is.currency()
	if was != nil {
		return s.changeIn(ctx, tx, was, &c)
	}
	list, err := readCurrencies(ctx, tx)
	if err != nil {
		return err
	}
	if err := c.checkNew(len(list)); err != nil {
		return err
	}
	if c.ID, err = s.db.NextID(ctx, "currency"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertCurrencySQL, c.ID, c.Code, string(c.Kind), c.NameEN, c.NameZH, c.Policy.text()); err != nil {
		return fmt.Errorf("add currency %s: %w", c.Code, err)
	}
	if !c.Active { // it is made in use
		if _, err := tx.Exec(ctx, updateCurrencySQL, c.ID, 1, c.NameEN, c.NameZH, c.Policy.text(), false); err != nil {
			return fmt.Errorf("add currency %s: %w", c.Code, err)
		}
	}
	return s.announce(ctx, tx, &c)
}

func (s *Service) changeIn(ctx context.Context, tx *db.Tx, was *CurrencyItem, c *Currency) error {
	if was.Kind != c.Kind {
		return ErrKindFixed.At("kind")
	}
	before, err := readCurrency(ctx, tx, c.Code)
	if err != nil {
		return err
	}
	ch := CurrencyChange{NameEN: &c.NameEN, NameZH: &c.NameZH, Policy: &c.Policy, Active: &c.Active}
	after, err := ch.apply(before)
	if err != nil {
		return err
	}
	if !after.Active {
		set, err := s.program.SettingsIn(ctx, tx)
		if err != nil {
			return err
		}
		if set.Earning.Currency == c.Code {
			return ErrCurrencyInUse.At("active")
		}
	}
	if _, err := tx.Exec(ctx, updateCurrencySQL, after.ID, before.Version, after.NameEN, after.NameZH, after.Policy.text(), after.Active); err != nil {
		return fmt.Errorf("change currency %s: %w", c.Code, err)
	}
	return s.announce(ctx, tx, &after.Currency)
}

// ConfigIn is the settings that decisions are made by as a transaction sees them, for nouns
// above that check in it what they write.
func (s *Service) ConfigIn(ctx context.Context, tx *db.Tx) (*Config, error) {
	list, err := readCurrencies(ctx, tx)
	if err != nil {
		return nil, err
	}
	now := s.Config()
	c := &Config{Zone: now.Zone, Issuer: now.Issuer, Currencies: make(map[int64]*Currency, len(list)), ByCode: make(map[string]*Currency, len(list))}
	for _, row := range list {
		c.Currencies[row.ID], c.ByCode[row.Code] = &row.Currency, &row.Currency
	}
	return c, nil
}
