package offer

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	configSQL = db.Define("offer.config", `
		SELECT version, check_in
		FROM offer_config
		WHERE one = 1`)
	raiseSQL = db.Define("offer.raiseConfig", `
		UPDATE offer_config
		SET version = version + 1
		WHERE one = 1`)
	checkInSQL = db.Define("offer.setCheckIn", `
		UPDATE offer_config
		SET version = version + 1, check_in = $1
		WHERE one = 1`)

	offersSQL = db.Define("offer.all", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM offer
		ORDER BY id DESC`)
	offerSQL = db.Define("offer.one", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM offer
		WHERE id = $1`)
	offerByCodeSQL = db.Define("offer.byCode", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM offer
		WHERE code = $1`)
	insertOfferSQL = db.Define("offer.insert", `
		INSERT INTO offer (id, code, state, version, terms, made_ms, changed_ms, ended_ms)
		VALUES ($1, $2, 'draft', 1, $3, $4, $4, 0)
		ON CONFLICT (code) DO NOTHING`)
	updateOfferSQL = db.Define("offer.update", `
		UPDATE offer
		SET terms = $3, version = version + 1, changed_ms = $4
		WHERE id = $1 AND version = $2`)
	moveOfferSQL = db.Define("offer.move", `
		UPDATE offer
		SET state = $3, changed_ms = $4, ended_ms = $5
		WHERE id = $1 AND state = $2`)
	removeOfferSQL = db.Define("offer.remove", `
		DELETE FROM offer
		WHERE id = $1 AND state = 'draft'`)
	removeVersionsSQL = db.Define("offer.removeVersions", `
		DELETE FROM offer_version
		WHERE offer_id = $1`)
	insertVersionSQL = db.Define("offer.insertVersion", `
		INSERT INTO offer_version (offer_id, version, terms, actor, at_ms)
		VALUES ($1, $2, $3, $4, $5)`)
	versionsSQL = db.Define("offer.versions", `
		SELECT offer_id, version, terms, actor, at_ms
		FROM offer_version
		ORDER BY offer_id, version`)
	versionsOfSQL = db.Define("offer.versionsOf", `
		SELECT offer_id, version, terms, actor, at_ms
		FROM offer_version
		WHERE offer_id = $1
		ORDER BY version DESC
		LIMIT 200`)
)

func readConfig(ctx context.Context, tx *db.Tx) (version int64, checkIn string, err error) {
	err = tx.QueryRow(ctx, configSQL).Scan(&version, &checkIn)
	return version, checkIn, err
}

func scanOffer(scan func(...any) error) (*Offer, error) {
	var o Offer
	var terms string
	var made, changed int64
	if err := scan(&o.ID, &o.Code, &o.State, &o.Version, &terms, &made, &changed, &o.EndedMS); err != nil {
		return nil, err
	}
	o.Made, o.Changed = timeOf(made), timeOf(changed)
	if err := json.Unmarshal([]byte(terms), &o.Terms); err != nil {
		return nil, fmt.Errorf("terms of offer %d: %w", o.ID, err)
	}
	return &o, nil
}

func readOffers(ctx context.Context, tx *db.Tx) (list []*Offer, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		o, err := scanOffer(rows.Scan)
		list = append(list, o)
		return err
	})(tx.Query(ctx, offersSQL))
	return list, err
}

// Version is what an offer said from a moment on.
type Version struct {
	Number int64
	Terms  Terms
	Actor  string
	AtMS   int64
}

func scanVersion(rows *db.Rows) (offer int64, v Version, err error) {
	var terms string
	if err := rows.Scan(&offer, &v.Number, &terms, &v.Actor, &v.AtMS); err != nil {
		return 0, v, err
	}
	return offer, v, json.Unmarshal([]byte(terms), &v.Terms)
}

func readVersions(ctx context.Context, tx *db.Tx, each func(offer, number int64, t *Terms)) error {
	return db.ReadRows(func(rows *db.Rows) error {
		offer, v, err := scanVersion(rows)
		if err == nil {
			each(offer, v.Number, &v.Terms)
		}
		return err
	})(tx.Query(ctx, versionsSQL))
}

func insertVersion(ctx context.Context, tx *db.Tx, o *Offer, actor string, atMS int64) error {
	_, err := tx.Exec(ctx, insertVersionSQL, o.ID, o.Version, string(pack(o.Terms)), actor, atMS)
	return err
}
