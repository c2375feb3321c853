package sale

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// A void is a return of the whole sale, marked as such: it is posted as every return is, and
// beyond that bound to the till of the sale and to the minutes after it, while the customer
// still stands there.

const (
	voidWithin = 30 * time.Minute
	maxReason  = 200 // characters
	// maxReprints is up to which number reprints of a receipt are counted.
	maxReprints = 100
	reprinted   = "sale.reprint"
)

var (
	// ErrVoidLate refuses to void what was sold some time ago.
	ErrVoidLate = errs.New(errs.Conflict, "sale.void_late", "A sale can be voided for {minutes} minutes. Take it back as a return.", "销售只能在 {minutes} 分钟内撤销，请改作退货。")
	// ErrVoidTill refuses to void the sale of another till.
	ErrVoidTill = errs.New(errs.Conflict, "sale.void_till", "Only the till that sold it can void a sale. Take it back as a return.", "只能由原收银台撤销，请改作退货。")
	// ErrVoidPart refuses to void what came back in part already.
	ErrVoidPart = errs.New(errs.Conflict, "sale.void_part", "Part of this sale has been returned already. Return the rest.", "该销售已有部分退货，请退回剩余部分。")
	// ErrReason refuses a reason that is none.
	ErrReason = errs.New(errs.Invalid, "sale.reason", "Say why, in 1 to {max} characters.", "请填写 1 至 {max} 个字符的原因。")
)

func (s *Service) tillRoutes(r *api.Router) {
	tags := []string{"Sales"}
	api.Post(r, "/v1/sales/{id}/void", s.postVoid, api.Doc{
		ID: "voidSale", Summary: "Undo a sale at its till while the customer still stands there.", Tags: tags, Needs: staff.WriteSales, Status: 201, KeyRequired: true, OwnKey: true,
		Description: "It is a return of the whole, marked as void: for half an hour, by the till that sold, and only while nothing of it came back. Payments go back as they came.",
		Fails:       []error{ErrNotFound, ErrIsReturn, ErrVoidLate, ErrVoidTill, ErrVoidPart, ErrReason, ErrNothing, ErrTaken, ErrFuture},
	})
	api.Get(r, "/v1/sales/{id}/receipt", s.getReceipt, api.Doc{
		ID: "getReceipt", Summary: "Read what stands on the receipt of a sale or return.", Tags: tags, Needs: staff.ReadSales, Fails: []error{ErrNotFound},
	})
	api.Post(r, "/v1/sales/{id}/receipt/reprint", s.postReprint, api.Doc{
		ID: "reprintReceipt", Summary: "Note that a receipt is printed once more, and read what stands on it.", Tags: tags, Needs: staff.WriteSales,
		Description: "The answer says which reprint it is, to be printed on it. The audit trail keeps who did it.", Fails: []error{ErrNotFound},
	})
}

type voidIn struct {
	api.DryRun
	ID   string `path:"id" maxLength:"64" doc:"The sale (sal_…)."`
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"64" doc:"Number of the void; unique for ever under the sale's source."`
		At       string `json:"at" minLength:"1" maxLength:"40" doc:"When."`
		Till     string `json:"till" maxLength:"64" doc:"The till, as the sale named it."`
		Staff    string `json:"staff,omitempty" maxLength:"64" doc:"Who voids, as sales name them."`
		Reason   string `json:"reason" minLength:"1" maxLength:"800" doc:"Why; at most 200 characters, and no names."`
	}
}

func (s *Service) postVoid(ctx context.Context, in *voidIn) (*api.RawOf[ReturnAnswer], error) {
	key, err := saleKey(in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	n := NewReturn{
		Source: d.Source, Document: in.Body.Document, At: in.Body.At, Sale: key, Store: program.StoreID(d.Store), Till: in.Body.Till, Staff: in.Body.Staff, Flags: Void,
		Reason: strings.TrimSpace(in.Body.Reason),
	}
	for _, p := range d.Body.Payments {
		if p.Kind != "points" { // points go back by themselves
			n.Payments = append(n.Payments, Payment{Kind: p.Kind, Amount: p.Amount})
		}
	}
	again, err := s.byDocument(ctx, d.Source, n.Document) // a repeated request is answered as the first was
	if err != nil {
		return nil, err
	}
	if len(again) == 0 {
		if err := s.mayVoid(d, n); err != nil {
			return nil, err
		}
	}
	return raw[ReturnAnswer](s.TakeBack(ctx, n, 0, Ask{DryRun: in.DryRun.DryRun, HTTP: true, Key: api.KeyOf(ctx)}))
}

func (s *Service) mayVoid(d *Document, n NewReturn) error {
	switch {
	case n.Reason == "" || utf8.RuneCountInString(n.Reason) > maxReason:
		return ErrReason.With("max", maxReason).At("body.reason")
	case d.Kind != Purchase:
		return ErrIsReturn
	case d.Till != n.Till:
		return ErrVoidTill.At("body.till")
	case s.clock.Now().Sub(time.UnixMilli(d.PostedMS)) >= voidWithin:
		return ErrVoidLate.With("minutes", int(voidWithin.Minutes()))
	case d.hasReturns():
		return ErrVoidPart
	}
	return nil
}

// Receipt is what stands on the paper.
type Receipt struct {
	Number   string       `json:"number" doc:"Number of the receipt: the document."`
	Copy     int          `json:"copy" doc:"0 on the first print, then which reprint it is."`
	Program  ReceiptName  `json:"program" doc:"Name of the programme."`
	Store    ReceiptPlace `json:"store" doc:"Where it was sold."`
	Member   string       `json:"member_number,omitempty" doc:"The member's number for people."`
	Sale     View         `json:"sale" doc:"The sale or return."`
	Returned int64        `json:"returned" doc:"Of a sale: money that went back since, in minor units."`
}

// ReceiptName is a name in both languages.
type ReceiptName struct {
	EN string `json:"name_en"`
	ZH string `json:"name_zh"`
}

// ReceiptPlace is a store as a receipt names it.
type ReceiptPlace struct {
	Code    string `json:"code"`
	EN      string `json:"name_en"`
	ZH      string `json:"name_zh"`
	Address string `json:"address,omitempty"`
}

type receiptOut struct{ Body Receipt }

func (s *Service) receipt(ctx context.Context, text string) (r Receipt, err error) {
	key, err := saleKey(text)
	if err != nil {
		return r, err
	}
	d, err := s.Get(ctx, key)
	if err != nil {
		return r, err
	}
	prints, err := s.audit.Entries(ctx, staff.Filter{Subject: d.ID(), Action: reprinted}, maxReprints)
	if err != nil {
		return r, err
	}
	snap := s.program.Snapshot()
	r = Receipt{Number: d.Document, Copy: len(prints), Program: ReceiptName{snap.Settings.NameEN, snap.Settings.NameZH}, Sale: s.view(d)}
	if st, ok := snap.Store(d.Store); ok {
		r.Store = ReceiptPlace{st.Code, st.NameEN, st.NameZH, st.Address}
	}
	if d.Owner != 0 {
		r.Member = member.ID(d.Owner).Number()
	}
	for _, l := range d.Body.Lines {
		r.Returned += l.BackAmount
	}
	return r, nil
}

func (s *Service) getReceipt(ctx context.Context, in *getIn) (*receiptOut, error) {
	r, err := s.receipt(ctx, in.ID)
	return &receiptOut{r}, err
}

func (s *Service) postReprint(ctx context.Context, in *getIn) (*receiptOut, error) {
	r, err := s.receipt(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r.Copy++
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.audit.Record(ctx, tx, reprinted, r.Sale.ID, nil, map[string]int{"copy": r.Copy})
	})
	return &receiptOut{r}, err
}
