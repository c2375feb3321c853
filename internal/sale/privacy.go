package sale

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
)

var _ privacy.Part = (*Service)(nil)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "sales" }

// personPage is how many sales one snapshot, or one transaction of an erasure, takes.
const personPage = 50

// ofPerson goes through all sales and returns of a person's records, those that were
// assigned to one of them among them, and hands on a page at a time outside of the
// snapshot. A sale that was assigned from one record to another comes twice.
func (s *Service) ofPerson(ctx context.Context, who privacy.Person, each func([]*Document) error) error {
	for _, m := range who.Records {
		for _, r := range []run{{int64(m), 0}, {int64(m), 1}} {
			for c := []int64(nil); ; {
				var page []*Document
				err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
					page, err = r.read(ctx, tx, c, math.MinInt64, math.MaxInt64, personPage)
					return err
				})
				if err != nil {
					return fmt.Errorf("read sales of member %d: %w", m, err)
				}
				if err := each(page); err != nil {
					return err
				}
				if len(page) < personPage {
					break
				}
				last := page[len(page)-1]
				c = []int64{r.record, r.assigned, last.AtMS, int64(id.Shard(last.Member)), last.Member, last.Seq}
			}
		}
	}
	return nil
}

// Export writes sales and returns, and then their lines, payments and discounts.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	err := to.Sheet("sales", "id", "kind", "state", "source", "document", "sale_id", "store", "till", "channel", "currency", "total", "at", "recorded_at", "flags", "attributes", "earned", "taken_back", "given_back")
	if err != nil {
		return err
	}
	err = s.ofPerson(ctx, who, func(page []*Document) error {
		for _, d := range page {
			v := s.view(d)
			if err := to.Row(v.ID, v.Kind, v.State, v.Source, v.Document, v.SaleID, program.StoreID(d.Store), v.Till, v.Channel, v.Currency, v.Total, v.At, v.PostedAt, v.Flags, some(v.Attributes), v.Points, v.ClawedBack, v.Restored); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := to.Sheet("sale_lines", "sale", "line", "sku", "name", "category", "brand", "quantity", "amount", "returned_quantity", "returned_amount", "attributes"); err != nil {
		return err
	}
	err = s.ofPerson(ctx, who, func(page []*Document) error {
		for _, d := range page {
			for _, l := range s.view(d).Lines {
				if err := to.Row(d.ID(), l.Line, l.SKU, l.Name, l.Category, l.Brand, l.Quantity, l.Amount, l.ReturnedQuantity, l.ReturnedAmount, some(l.Attributes)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := to.Sheet("sale_payments", "sale", "what", "kind", "reference", "amount"); err != nil {
		return err
	}
	return s.ofPerson(ctx, who, func(page []*Document) error {
		for _, d := range page {
			for _, p := range d.Body.Payments {
				if err := to.Row(d.ID(), "payment", p.Kind, p.Reference, p.Amount); err != nil {
					return err
				}
			}
			for _, x := range d.Body.Discounts {
				if err := to.Row(d.ID(), "discount", x.Kind, x.Ref, x.Amount); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// some is attributes as a cell, nil for none.
func some(attributes map[string]any) any {
	if len(attributes) == 0 {
		return nil
	}
	b, err := json.Marshal(attributes)
	if err != nil {
		panic(err) // they were read from JSON
	}
	return json.RawMessage(b)
}

var wipeBodySQL = db.Define("sale.wipeBody", `
	UPDATE sale
	SET body = $4
	WHERE shard = $1 AND member_id = $2 AND seq = $3`)

// Erase takes from the sales of a person what tills may have written about them: attributes,
// and the references by which a payment can be found at whoever made it. What was bought,
// when and for how much stays: it is the shop's book-keeping.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	return s.ofPerson(ctx, e.Person, func(page []*Document) error {
		for _, d := range page {
			if !d.Body.wipe() {
				continue
			}
			if err := s.wipe(ctx, d.Member, d.Seq); err != nil {
				return fmt.Errorf("wipe sale %s: %w", d.ID(), err)
			}
		}
		return nil
	})
}

// wipe reads the sale anew under the lock of its account, so that a return that is posted
// at the same time is not lost.
func (s *Service) wipe(ctx context.Context, m, seq int64) error {
	return s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := ledger.LockAccount(ctx, tx, m); err != nil {
			return err
		}
		d, err := scan(tx.QueryRow(ctx, getSQL, id.Shard(m), m, seq))
		if err != nil || !d.Body.wipe() {
			return err
		}
		_, err = tx.Exec(ctx, wipeBodySQL, id.Shard(m), m, seq, pack(d.Body))
		return err
	})
}

// wipe takes the free text out of what a document says, and reports whether there was any.
func (b *Body) wipe() (changed bool) {
	changed = b.Attributes != nil
	b.Attributes = nil
	for i := range b.Lines {
		changed = changed || b.Lines[i].Attributes != nil
		b.Lines[i].Attributes = nil
	}
	for i := range b.Payments {
		p := &b.Payments[i]
		if p.Reference != "" && !strings.HasPrefix(p.Reference, "hld_") {
			p.Reference, changed = "", true
		}
	}
	return changed
}
