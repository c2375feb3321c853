package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/connect"
	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/track"
)

// Sink is where an import goes: into the services, by the same ways as requests.
type Sink struct {
	App           *App
	Source        string
	CreateMembers bool             // make members who are met for the first time
	History       bool             // the past comes in quietly
	Rates         map[string]int64 // of currencies, in millionths, before those of the settings
}

var _ connect.Sink = (*Sink)(nil)

// ErrNoMember refuses a document of somebody who is not a member.
var ErrNoMember = errs.New(errs.Invalid, "import.no_member", "There is no such member. With --create-members the import makes one.", "没有这个会员。加上 --create-members 可在导入时创建。")

// Sales posts documents of one batch together, in their order.
func (s *Sink) Sales(ctx context.Context, batch []file.Document) ([]connect.Outcome, error) {
	out := make([]connect.Outcome, len(batch))
	owners, err := s.owners(ctx, batch, out)
	if err != nil {
		return nil, err
	}
	var items []sale.Item
	var places []int
	for i := range batch {
		if out[i].Reason == nil {
			items = append(items, s.item(&batch[i], owners[i]))
			places = append(places, i)
		}
	}
	for j, r := range s.App.Sales.ImportMany(ctx, items, s.Rates, sale.Ask{History: s.History, Bulk: true}) {
		i := places[j]
		if err := s.outcome(&out[i], &batch[i], r); err != nil {
			return nil, err
		}
	}
	s.App.learner.flush(ctx)
	return out, nil
}

// outcome turns the answer to a document into what the report counts.
func (s *Sink) outcome(o *connect.Outcome, d *file.Document, r sale.Result) error {
	switch {
	case r.Err != nil:
		refused := errs.As(r.Err)
		if refused == nil || refused.Kind == errs.Internal || refused.Kind == errs.Unavailable {
			return fmt.Errorf("document %s: %w", d.Key, r.Err)
		}
		o.State, o.Reason = connect.Refused, refused
	case r.Repeated():
		o.State = connect.Repeated
	case r.Waits():
		o.State = connect.Parked // until its sale comes
	default:
		o.State = connect.Taken
		for _, l := range r.ParkedLines() {
			o.Lines = append(o.Lines, connect.LineOutcome{Line: l, State: connect.Parked, Reason: sale.ErrUnmatched})
		}
	}
	return nil
}

// owners finds the members of a batch, and makes those who are not there yet.
func (s *Sink) owners(ctx context.Context, batch []file.Document, out []connect.Outcome) ([]member.ID, error) {
	refs := make([]member.Ref, len(batch))
	for i, d := range batch {
		if d.Member == "" {
			continue
		}
		ref, err := member.ParseRef(d.Member)
		if err != nil {
			if err := refuse(&out[i], err); err != nil {
				return nil, err
			}
		}
		refs[i] = ref
	}
	ids, err := s.App.Members.FindMany(ctx, refs)
	if err != nil {
		return nil, err
	}
	var fresh []member.Enrolment
	first := map[string]int{} // member → place in fresh
	for i, d := range batch {
		if d.Member == "" || ids[i] != 0 || out[i].Reason != nil {
			continue
		}
		if !s.CreateMembers {
			out[i] = connect.Outcome{State: connect.Refused, Reason: ErrNoMember}
			continue
		}
		if _, ok := first[d.Member]; !ok {
			first[d.Member] = len(fresh)
			fresh = append(fresh, s.enrolment(d.Member, d.At))
			out[i].MemberCreated = true
		}
	}
	if len(fresh) == 0 {
		return ids, nil
	}
	made, err := s.App.Members.CreateMany(ctx, fresh)
	if err != nil {
		return nil, err
	}
	for i, d := range batch {
		n, ok := first[d.Member]
		if !ok || ids[i] != 0 || out[i].Reason != nil {
			continue
		}
		if made[n].Err != nil {
			out[i].MemberCreated = false
			if err := refuse(&out[i], made[n].Err); err != nil {
				return nil, err
			}
			continue
		}
		ids[i] = made[n].ID
	}
	return ids, nil
}

// enrolment is a member of whom nothing is known but one identifier.
func (s *Sink) enrolment(ref string, joined time.Time) member.Enrolment {
	e := member.Enrolment{Source: s.Source, JoinedAt: joined, History: s.History}
	kind, value, _ := strings.Cut(ref, ":")
	switch member.Kind(kind) {
	case member.KindPhone:
		e.Phone = value
	case member.KindEmail:
		e.Email = value
	case member.KindCard:
		e.Card = value
	case member.KindWeChat:
		e.WeChat = value
	case member.KindExternal:
		e.External = value
	}
	return e // a number or id of nobody has no identifier, and is refused for that
}

// refuse notes a refusal; any other error ends the import.
func refuse(o *connect.Outcome, err error) error {
	e := errs.As(err)
	if e == nil || e.Kind == errs.Internal || e.Kind == errs.Unavailable {
		return err
	}
	o.State, o.Reason = connect.Refused, e
	return nil
}

func (s *Sink) item(d *file.Document, owner member.ID) sale.Item {
	at := d.At.Format(time.RFC3339Nano)
	if d.Type == file.Return {
		r := &sale.NewReturn{Source: s.Source, Document: d.Key, At: at, Store: d.Store}
		if d.Of != "" {
			r.Of = &sale.Of{Source: s.Source, Document: d.Of}
		}
		for _, l := range d.Lines {
			r.Lines = append(r.Lines, sale.Asked{Line: int64(l.Line), SKU: l.SKU, Milli: l.QuantityMilli, Amount: l.Amount})
		}
		return sale.Item{Return: r, Owner: owner}
	}
	n := &sale.New{Source: s.Source, Document: d.Key, At: at, Currency: d.Currency, Total: d.Total, Store: d.Store, Till: d.Till, Staff: d.Staff, Channel: d.Channel}
	for _, l := range d.Lines {
		n.Lines = append(n.Lines, sale.NewLine{Line: int64(l.Line), SKU: l.SKU, Quantity: sale.Quantity(l.QuantityMilli), Amount: l.Amount, Name: l.Name, Category: l.Category, Brand: l.Brand})
	}
	return sale.Item{Sale: n, Owner: owner}
}

// Members enrols members.
func (s *Sink) Members(ctx context.Context, batch []file.MemberRow) ([]connect.Outcome, error) {
	list := make([]member.Enrolment, 0, len(batch))
	places := make([]int, 0, len(batch))
	out := make([]connect.Outcome, len(batch))
	schema, err := s.App.Members.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	for i, row := range batch {
		e, err := s.enrol(row, schema)
		if err != nil {
			if err := refuse(&out[i], err); err != nil {
				return nil, err
			}
			continue
		}
		list, places = append(list, e), append(places, i)
	}
	made, err := s.App.Members.CreateMany(ctx, list)
	if err != nil {
		return nil, err
	}
	for j, m := range made {
		o := &out[places[j]]
		switch {
		case m.Err == nil:
			o.State = connect.Taken
		case errors.Is(m.Err, member.ErrIdentifierTaken) && list[j].External != "":
			if o.State, o.Reason, err = s.repeated(ctx, list[j], errs.As(m.Err)); err != nil {
				return nil, err
			}
		default:
			if err := refuse(o, m.Err); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// repeated tells a member who came with an earlier import from one whose phone or e-mail
// is somebody else's: the first is there under the same external id.
func (s *Sink) repeated(ctx context.Context, e member.Enrolment, taken *errs.Error) (connect.State, *errs.Error, error) {
	ref, err := member.RefTo(member.KindExternal, e.External)
	if err != nil {
		return connect.Refused, errs.As(err), nil
	}
	found, err := s.App.Members.FindMany(ctx, []member.Ref{ref})
	if err != nil {
		return 0, nil, err
	}
	if found[0] != 0 {
		return connect.Repeated, nil, nil
	}
	return connect.Refused, taken, nil
}

func (s *Sink) enrol(row file.MemberRow, schema []member.Attribute) (member.Enrolment, error) {
	e := member.Enrolment{
		External: row.ExternalID, Phone: row.Phone, Email: row.Email, Card: row.Card, Name: row.Name, Gender: member.Gender(row.Gender),
		Birthday: row.Birthday, City: row.City, Language: row.Language, Tags: row.Tags, JoinedAt: row.JoinedAt, Source: s.Source, History: s.History,
	}
	var err error
	if e.StoreID, err = s.App.Members.StoreID(row.Store); err != nil {
		return e, err
	}
	for key, text := range row.Attributes {
		for _, a := range schema {
			if a.Key != key {
				continue
			}
			v, err := a.FromText(text)
			if err != nil {
				return e, err
			}
			if e.Attributes == nil {
				e.Attributes = map[string]any{}
			}
			e.Attributes[key] = v
		}
	}
	return e, nil
}

// Products writes products over what the catalogue has of them, those of a batch together.
func (s *Sink) Products(ctx context.Context, batch []file.ProductRow) ([]connect.Outcome, error) {
	out := make([]connect.Outcome, len(batch))
	list := make([]catalog.Product, len(batch))
	var places []int
	waits := map[string]bool{} // skus in places
	for i, row := range batch {
		list[i] = s.product(row)
		if err := list[i].Check(); err != nil {
			if err := refuse(&out[i], err); err != nil {
				return nil, err
			}
			continue
		}
		if waits[row.SKU] { // the row before it comes first
			if err := s.put(ctx, list, places, out); err != nil {
				return nil, err
			}
			places = places[:0]
			clear(waits)
		}
		places, waits[row.SKU] = append(places, i), true
	}
	if err := s.put(ctx, list, places, out); err != nil {
		return nil, err
	}
	s.App.Events.Nudge()
	return out, nil
}

func (s *Sink) product(row file.ProductRow) catalog.Product {
	p := catalog.Product{SKU: row.SKU, NameEN: row.NameEN, NameZH: row.NameZH, Category: catalog.Path(row.Category), Brand: row.Brand, Cost: row.Cost, Price: row.Price, Active: true}
	if p.NameEN == "" && p.NameZH == "" {
		p.NameEN, p.NameZH = row.Name, row.Name
	}
	if row.Cost != nil || row.Price != nil {
		p.Currency = s.App.Program.Snapshot().Settings.Currency
	}
	return p
}

// put writes the products at places in one transaction. Where one of them is refused, each
// goes by itself.
func (s *Sink) put(ctx context.Context, list []catalog.Product, places []int, out []connect.Outcome) error {
	if len(places) == 0 {
		return nil
	}
	some := make([]catalog.Product, len(places))
	for j, i := range places {
		some[j] = list[i]
	}
	var changed []string
	err := s.App.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		changed, err = s.App.Catalog.PutAll(ctx, tx, some)
		return err
	})
	switch {
	case err == nil:
	case len(places) == 1:
		return refuse(&out[places[0]], err)
	default:
		for _, i := range places {
			if err := s.put(ctx, list, []int{i}, out); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range places {
		out[i].State = connect.Repeated
		if slices.Contains(changed, list[i].SKU) {
			out[i].State = connect.Taken
		}
	}
	return nil
}

// Events posts what members did, the events of a batch together.
func (s *Sink) Events(ctx context.Context, batch []file.EventRow) ([]connect.Outcome, error) {
	out := make([]connect.Outcome, len(batch))
	list := make([]track.Event, len(batch))
	for i, row := range batch {
		list[i] = track.Event{Type: row.Type, Member: row.Member, Key: row.Key, At: row.At, Properties: map[string]any{}}
		for k, v := range row.Properties {
			list[i].Properties[k] = v
		}
	}
	told, err := s.App.Track.Import(ctx, list)
	if err != nil {
		return nil, err
	}
	for i, e := range told {
		out[i].State = connect.Taken
		if e.Repeated {
			out[i].State = connect.Repeated
		}
		if e.Err != nil {
			if err := refuse(&out[i], e.Err); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Balances posts opening points, those of a batch together.
func (s *Sink) Balances(ctx context.Context, batch []file.BalanceRow) ([]connect.Outcome, error) {
	out := make([]connect.Outcome, len(batch))
	var requests []ledger.Request
	var places []int
	for i, row := range batch {
		c, err := s.opening(ctx, row)
		if err != nil {
			if err := refuse(&out[i], err); err != nil {
				return nil, err
			}
			continue
		}
		requests, places = append(requests, ledger.Request{Command: c, Bulk: true}), append(places, i)
	}
	for j, a := range s.App.Ledger.Engine().DoMany(ctx, requests) {
		o := &out[places[j]]
		p, _ := a.Value.(*ledger.Posted)
		switch {
		case a.Err != nil:
			if err := refuse(o, a.Err); err != nil {
				return nil, err
			}
		case p != nil && p.Repeated():
			o.State = connect.Repeated
		default:
			o.State = connect.Taken
		}
	}
	return out, nil
}

// opening is the command of one balance: its document is the row's own content, so that a
// second run finds it.
func (s *Sink) opening(ctx context.Context, row file.BalanceRow) (c ledger.EarnCommand, err error) {
	if row.Amount == "" {
		return c, ErrNoTiers
	}
	code := row.Currency
	if code == "" {
		code = s.App.Program.Snapshot().Settings.Earning.Currency
	}
	cur, err := s.App.Ledger.Config().Currency(code)
	if err != nil {
		return c, err
	}
	amount, err := money.Parse(row.Amount, cur.Policy.Decimals)
	if err != nil {
		return c, err
	}
	ref, err := member.ParseRef(row.Member)
	if err != nil {
		return c, err
	}
	who, err := s.App.Members.Find(ctx, ref)
	if err != nil {
		return c, err
	}
	c = ledger.EarnCommand{
		Member: int64(who), Currency: code, Amount: amount, Opening: true, Source: s.Source, Reason: "opening",
		Document: fmt.Sprintf("%s/%s/%s/%d/%d", row.Member, code, row.Amount, ms(row.EarnedAt), ms(row.ExpiresAt)),
		EarnedMS: ms(row.EarnedAt), ActiveMS: ms(row.EarnedAt), ExpiresMS: ms(row.ExpiresAt),
	}
	if row.Issuer != "" {
		m, err := s.App.Program.Snapshot().FindMerchant(row.Issuer)
		if err != nil {
			return c, err
		}
		c.Issuer = m.ID
	}
	return c, nil
}

// ms is an instant as the ledger counts, 0 for none.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// ErrNoTiers refuses a row of a tier.
var ErrNoTiers = errs.New(errs.Invalid, "import.no_tiers", "This programme has no tiers.", "本计划没有等级。")
