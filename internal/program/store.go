package program

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// errNoProgram means that the database is new.
var errNoProgram = errors.New("there is no programme yet")

var versionsSQL = db.Define("program.versions", `
	SELECT version, rates_version
	FROM program
	WHERE id = 1`)

func readVersions(ctx context.Context, tx *db.Tx) (version, rates int64, err error) {
	err = tx.QueryRow(ctx, versionsSQL).Scan(&version, &rates)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, errNoProgram
	}
	return version, rates, err
}

var settingsSQL = db.Define("program.settings", `
	SELECT version, rates_version, settings
	FROM program
	WHERE id = 1`)

// readSnapshot reads the whole programme. Inside a write transaction that has raised the
// version it sees what no other change can move.
func readSnapshot(ctx context.Context, tx *db.Tx) (*Snapshot, error) {
	var version, rates int64
	var text string
	if err := tx.QueryRow(ctx, settingsSQL).Scan(&version, &rates, &text); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	settings := Defaults() // a setting that is younger than the row keeps its default
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	merchants, err := readMerchants(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read merchants: %w", err)
	}
	stores, err := readStores(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read stores: %w", err)
	}
	tills, err := readTills(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read tills: %w", err)
	}
	s, err := newSnapshot(version, settings, merchants, stores, tills)
	if err != nil {
		return nil, err
	}
	s.ratesVersion = rates
	return s, nil
}

var merchantsSQL = db.Define("program.merchants", `
	SELECT id, code, name_en, name_zh, is_open
	FROM merchant
	ORDER BY id`)

func readMerchants(ctx context.Context, tx *db.Tx) ([]Merchant, error) {
	return all(ctx, tx, merchantsSQL, func(r *db.Rows, m *Merchant) error {
		return r.Scan(&m.ID, &m.Code, &m.NameEN, &m.NameZH, &m.Open)
	})
}

var storesSQL = db.Define("program.stores", `
	SELECT id, merchant_id, code, name_en, name_zh, zone, address, is_open
	FROM store
	ORDER BY id`)

func readStores(ctx context.Context, tx *db.Tx) ([]Store, error) {
	return all(ctx, tx, storesSQL, func(r *db.Rows, s *Store) error {
		return r.Scan(&s.ID, &s.Merchant, &s.Code, &s.NameEN, &s.NameZH, &s.Zone, &s.Address, &s.Open)
	})
}

var tillsSQL = db.Define("program.tills", `
	SELECT id, store_id, code, is_open
	FROM till
	ORDER BY id`)

func readTills(ctx context.Context, tx *db.Tx) ([]Till, error) {
	return all(ctx, tx, tillsSQL, func(r *db.Rows, t *Till) error {
		return r.Scan(&t.ID, &t.Store, &t.Code, &t.Open)
	})
}

// all reads every row of a statement.
func all[T any](ctx context.Context, tx *db.Tx, stmt *db.Stmt, scan func(*db.Rows, *T) error, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, stmt, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var row T
		if err := scan(rows, &row); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

var insertProgramSQL = db.Define("program.insert", `
	INSERT INTO program (id, version, rates_version, settings, changed_ms)
	VALUES (1, 1, 1, $1, $2)
	ON CONFLICT (id) DO NOTHING`)

// insertProgram writes the first programme and reports whether it was the first.
func insertProgram(ctx context.Context, tx *db.Tx, s Settings, at time.Time) (bool, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, insertProgramSQL, string(text), at.UnixMilli())
	if err != nil {
		return false, fmt.Errorf("insert programme: %w", err)
	}
	return n == 1, nil
}

var raiseVersionSQL = db.Define("program.raiseVersion", `
	UPDATE program SET version = version + 1, changed_ms = $1
	WHERE id = 1`)

func raiseVersion(ctx context.Context, tx *db.Tx, at time.Time) error {
	return exec(ctx, tx, raiseVersionSQL, at.UnixMilli())
}

var raiseRatesVersionSQL = db.Define("program.raiseRatesVersion", `
	UPDATE program SET rates_version = rates_version + 1, changed_ms = $1
	WHERE id = 1`)

func raiseRatesVersion(ctx context.Context, tx *db.Tx, at time.Time) error {
	return exec(ctx, tx, raiseRatesVersionSQL, at.UnixMilli())
}

var updateSettingsSQL = db.Define("program.updateSettings", `
	UPDATE program SET settings = $1
	WHERE id = 1`)

func updateSettings(ctx context.Context, tx *db.Tx, s Settings) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return exec(ctx, tx, updateSettingsSQL, string(text))
}

var insertMerchantSQL = db.Define("program.insertMerchant", `
	INSERT INTO merchant (id, code, name_en, name_zh, is_open, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $6)`)

func insertMerchant(ctx context.Context, tx *db.Tx, m Merchant, at time.Time) error {
	return exec(ctx, tx, insertMerchantSQL, m.ID, m.Code, m.NameEN, m.NameZH, m.Open, at.UnixMilli())
}

var updateMerchantSQL = db.Define("program.updateMerchant", `
	UPDATE merchant SET name_en = $2, name_zh = $3, is_open = $4, changed_ms = $5
	WHERE id = $1`)

func updateMerchant(ctx context.Context, tx *db.Tx, m Merchant, at time.Time) error {
	return exec(ctx, tx, updateMerchantSQL, m.ID, m.NameEN, m.NameZH, m.Open, at.UnixMilli())
}

var insertStoreSQL = db.Define("program.insertStore", `
	INSERT INTO store (id, merchant_id, code, name_en, name_zh, zone, address, is_open, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`)

func insertStore(ctx context.Context, tx *db.Tx, s Store, at time.Time) error {
	return exec(ctx, tx, insertStoreSQL, s.ID, s.Merchant, s.Code, s.NameEN, s.NameZH, s.Zone, s.Address, s.Open, at.UnixMilli())
}

var updateStoreSQL = db.Define("program.updateStore", `
	UPDATE store SET name_en = $2, name_zh = $3, zone = $4, address = $5, is_open = $6, changed_ms = $7
	WHERE id = $1`)

func updateStore(ctx context.Context, tx *db.Tx, s Store, at time.Time) error {
	return exec(ctx, tx, updateStoreSQL, s.ID, s.NameEN, s.NameZH, s.Zone, s.Address, s.Open, at.UnixMilli())
}

var insertTillSQL = db.Define("program.insertTill", `
	INSERT INTO till (id, store_id, code, is_open, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $5)`)

func insertTill(ctx context.Context, tx *db.Tx, t Till, at time.Time) error {
	return exec(ctx, tx, insertTillSQL, t.ID, t.Store, t.Code, t.Open, at.UnixMilli())
}

var updateTillSQL = db.Define("program.updateTill", `
	UPDATE till SET is_open = $2, changed_ms = $3
	WHERE id = $1`)

func updateTill(ctx context.Context, tx *db.Tx, t Till, at time.Time) error {
	return exec(ctx, tx, updateTillSQL, t.ID, t.Open, at.UnixMilli())
}

var ratesSQL = db.Define("program.rates", `
	SELECT day, rate
	FROM fx_rate
	WHERE currency = $1
	ORDER BY day`)

// readRates reads every rate of a currency: at most one a day.
func readRates(ctx context.Context, tx *db.Tx, currency string) (map[Day]int64, error) {
	list, err := all(ctx, tx, ratesSQL, scanRate, currency)
	days := make(map[Day]int64, len(list))
	for _, r := range list {
		days[r.Day] = r.Millionths
	}
	return days, err
}

var ratesPageSQL = db.Define("program.ratesPage", `
	SELECT day, rate
	FROM fx_rate
	WHERE currency = $1 AND day < $2
	ORDER BY day DESC
	LIMIT $3`)

// readRatesPage reads the latest n rates before a day.
func readRatesPage(ctx context.Context, tx *db.Tx, currency string, before int64, n int) ([]Rate, error) {
	return all(ctx, tx, ratesPageSQL, scanRate, currency, before, n)
}

func scanRate(r *db.Rows, rate *Rate) error { return r.Scan(&rate.Day, &rate.Millionths) }

var upsertRateSQL = db.Define("program.upsertRate", `
	INSERT INTO fx_rate (currency, day, rate)
	VALUES ($1, $2, $3)
	ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate`)

func upsertRate(ctx context.Context, tx *db.Tx, r Rate) error {
	return exec(ctx, tx, upsertRateSQL, r.Currency, r.Day, r.Millionths)
}

// exec runs a write and names it in its error.
func exec(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) error {
	if _, err := tx.Exec(ctx, stmt, args...); err != nil {
		return fmt.Errorf("%s: %w", stmt.Name(), err)
	}
	return nil
}
