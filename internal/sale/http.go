package sale

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Sales"}
	api.Post(r, "/v1/sales", s.postSale, api.Doc{
		ID: "recordSale", Summary: "Record a sale and give what it earns.", Tags: tags, Needs: staff.WriteSales, Status: 201, KeyRequired: true, OwnKey: true,
		Description: "The document number is unique for ever under its source: sent again with the same content, it gets the first answer. What a line earns is fixed here; returns take back its share.",
		Fails:       []error{ErrTotal, ErrLineTwice, ErrQuantity, ErrFuture, ErrTaken, ErrCoupons, ErrPayment, ErrHoldOwner, member.ErrNotFound, member.ErrQR, program.ErrNoStore, ledger.ErrUnknown, ledger.ErrOverload},
	})
	api.Post(r, "/v1/sales/batch", s.postBatch, api.Doc{
		ID: "recordSales", Summary: "Record up to 200 sales, each with a key of its own.", Tags: tags, Needs: staff.WriteSales, Status: 200, OwnKey: true,
		Description: "Each item stands or falls alone: the answer has one result for each, in the same order, and locations in its problem begin at the item. Only a body that is malformed, or breaks this schema, is refused as a whole, and then nothing of it is recorded.",
	})
	api.Post(r, "/v1/sales/{id}/returns", s.postReturn, api.Doc{
		ID: "returnSale", Summary: "Take back lines of a sale, or all of it.", Tags: tags, Needs: staff.WriteSales, Status: 201, KeyRequired: true, OwnKey: true,
		Fails: []error{ErrNotFound, ErrNoLine, ErrLineTwice, ErrTooMuch, ErrNothing, ErrIsReturn, ErrEarlier, ErrTaken, ErrFuture},
	})
	api.Post(r, "/v1/returns", s.postReturnByDocument, api.Doc{
		ID: "returnByDocument", Summary: "Take back lines of a sale that is named by its document; it may be yet to come.", Tags: tags, Needs: staff.WriteSales, Status: 201, KeyRequired: true, OwnKey: true,
		Description: "A return that comes before its sale is answered 202 and takes effect when the sale is recorded.",
		Fails:       []error{ErrNotFound, ErrNoLine, ErrLineTwice, ErrTooMuch, ErrNothing, ErrEarlier, ErrTaken, ErrFuture, ErrOtherOwner, member.ErrNotFound, member.ErrQR},
	})
	api.Post(r, "/v1/sales/{id}/assign", s.postAssign, api.Doc{
		ID: "assignSale", Summary: "Give a sale that nobody owns to a member, who earns as of its day.", Tags: tags, Needs: staff.WriteSales, KeyRequired: true, OwnKey: true,
		Fails: []error{ErrNotFound, ErrAssigned, ErrIsReturn, member.ErrNotFound, member.ErrQR},
	})
	s.tillRoutes(r)
	api.Get(r, "/v1/sales/{id}", s.getSale, api.Doc{ID: "getSale", Summary: "Read a sale or return.", Tags: tags, Needs: staff.ReadSales, Fails: []error{ErrNotFound}})
	api.Get(r, "/v1/sales", s.listSales, api.Doc{
		ID: "listSales", Summary: "List sales and returns, newest first.", Tags: tags, Needs: staff.ReadSales,
		Description: "With member, what was recorded last comes first, and sales that were assigned later come after the others. " +
			"A page may hold fewer than limit, or none, while next_cursor goes on: a page looks at a bounded number of sales, and filters may leave few of them.",
		Fails: []error{api.ErrCursor, ErrFilter, member.ErrNotFound, member.ErrQR, program.ErrNoStore},
	})
}

type saleIn struct {
	api.DryRun
	Body New
}

func (s *Service) postSale(ctx context.Context, in *saleIn) (*api.RawOf[Answer], error) {
	r := s.Record(ctx, in.Body, Ask{DryRun: in.DryRun.DryRun, Explain: in.Explain, HTTP: true, Key: api.KeyOf(ctx)})
	return raw[Answer](r)
}

// raw hands on what the engine kept, or the refusal.
func raw[T any](r Result) (*api.RawOf[T], error) {
	if r.Raw.Status == 0 {
		return nil, r.Err
	}
	return &api.RawOf[T]{Raw: r.Raw}, nil
}

type batchIn struct {
	api.DryRun
	Body struct {
		Items []batchItem `json:"items" minItems:"1" maxItems:"200" doc:"The sales."`
	}
}

type batchItem struct {
	Key string `json:"idempotency_key" minLength:"1" maxLength:"255" doc:"As the header Idempotency-Key of a single sale."`
	New
}

type batchOut struct {
	Body struct {
		Items []batchResult `json:"items" doc:"One result for each sale, in order."`
	}
}

type batchResult struct {
	Status   int             `json:"status" doc:"What the sale alone would have been answered."`
	Replayed bool            `json:"replayed,omitempty" doc:"The sale was recorded by an earlier request."`
	Sale     json.RawMessage `json:"sale,omitempty" doc:"The answer, where it was recorded."`
	Problem  json.RawMessage `json:"problem,omitempty" doc:"The problem, where it was refused."`
}

func (s *Service) postBatch(ctx context.Context, in *batchIn) (*batchOut, error) {
	if most := s.program.Snapshot().Settings.Limits.BatchSales; len(in.Body.Items) > most {
		return nil, ErrMany.With("most", most).At("body.items")
	}
	list, asks := make([]New, len(in.Body.Items)), make([]Ask, len(in.Body.Items))
	for i, item := range in.Body.Items {
		key, err := api.MakeKey(ctx, "POST /v1/sales/batch", item.Key, []byte(pack(item.New)))
		if err != nil {
			err = at(err, "body.idempotency_key")
		}
		if in.DryRun.DryRun {
			key = api.Key{}
		}
		list[i], asks[i] = item.New, Ask{DryRun: in.DryRun.DryRun, Explain: in.Explain, HTTP: true, Key: key, refused: err}
	}
	out := &batchOut{}
	for _, r := range s.RecordMany(ctx, list, asks) {
		out.Body.Items = append(out.Body.Items, resultIn(ctx, r))
	}
	return out, nil
}

func resultIn(ctx context.Context, r Result) batchResult {
	b := batchResult{Status: r.Raw.Status, Replayed: r.Raw.Replayed}
	switch {
	case r.Raw.Status == 0:
		p := api.ProblemOf(ctx, r.Err)
		b.Status, b.Problem = p.Status, json.RawMessage(pack(p))
	case r.Raw.Status >= 400:
		b.Problem = r.Raw.Body
	default:
		b.Sale = r.Raw.Body
	}
	return b
}

// returnLine is one line of a return as a caller sends it.
type returnLine struct {
	Line     int64    `json:"line" minimum:"1" maximum:"1000000" doc:"Number of the line in the sale."`
	Quantity Quantity `json:"quantity" doc:"How much of it comes back."`
	Amount   *int64   `json:"amount,omitempty" minimum:"0" maximum:"1000000000000" doc:"Money given back for it, in minor units; absent = in proportion."`
}

func asked(lines []returnLine) (out []Asked, err error) {
	for i, l := range lines {
		if err := l.Quantity.check(l.Line, fmt.Sprintf("body.lines[%d].quantity", i)); err != nil {
			return nil, err
		}
		a := Asked{Line: l.Line, Milli: int64(l.Quantity), Amount: -1}
		if l.Amount != nil {
			a.Amount = *l.Amount
		}
		out = append(out, a)
	}
	return out, nil
}

// ReturnAt is who took a return, and how the money went back.
type ReturnAt struct {
	Till     string       `json:"till,omitempty" maxLength:"64" doc:"The till that took it."`
	Staff    string       `json:"staff,omitempty" maxLength:"64" doc:"Who took it."`
	Payments []NewPayment `json:"payments,omitempty" maxItems:"20" doc:"How the money went back; points go back by themselves."`
}

// on says so in a return.
func (r ReturnAt) on(n NewReturn) NewReturn {
	n.Till, n.Staff = r.Till, r.Staff
	for _, p := range r.Payments {
		n.Payments = append(n.Payments, Payment(p))
	}
	return n
}

type returnIn struct {
	api.DryRun
	ID   string `path:"id" maxLength:"64" doc:"The sale (sal_…)."`
	Body struct {
		Document string `json:"document" minLength:"1" maxLength:"64" doc:"Number of the return; unique for ever under the sale's source."`
		At       string `json:"at" minLength:"1" maxLength:"40" doc:"When it came back."`
		ReturnAt
		Lines []returnLine `json:"lines,omitempty" maxItems:"1000" doc:"What comes back; absent = all that is left."`
	}
}

func (s *Service) postReturn(ctx context.Context, in *returnIn) (*api.RawOf[ReturnAnswer], error) {
	key, err := saleKey(in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	lines, err := asked(in.Body.Lines)
	if err != nil {
		return nil, err
	}
	return raw[ReturnAnswer](s.TakeBack(ctx, in.Body.on(NewReturn{
		Source: d.Source, Document: in.Body.Document, At: in.Body.At, Sale: key, Store: program.StoreID(d.Store), Lines: lines,
	}), 0, Ask{DryRun: in.DryRun.DryRun, HTTP: true, Key: api.KeyOf(ctx)}))
}

func saleKey(text string) (ledger.LotKey, error) {
	m, seq, err := id.Decode(idPrefix, text)
	if err != nil {
		return ledger.LotKey{}, ErrNotFound
	}
	return ledger.LotKey{Member: m, Seq: seq}, nil
}

type returnByDocumentIn struct {
	api.DryRun
	Body struct {
		Source   string `json:"source" minLength:"1" maxLength:"64" doc:"System that numbers the returns."`
		Document string `json:"document" minLength:"1" maxLength:"64" doc:"Number of the return; unique for ever under its source."`
		Of       struct {
			Source   string `json:"source" minLength:"1" maxLength:"64"`
			Document string `json:"document" minLength:"1" maxLength:"64"`
		} `json:"of" doc:"The sale."`
		Member string `json:"member,omitempty" maxLength:"255" doc:"Whose it is. A return of somebody else's sale is refused, or parked where it came before its sale."`
		At     string `json:"at" minLength:"1" maxLength:"40" doc:"When it came back."`
		Store  string `json:"store,omitempty" maxLength:"64" doc:"Where it came back, while the sale has not come."`
		ReturnAt
		Lines []returnLine `json:"lines,omitempty" maxItems:"1000" doc:"What comes back; absent = all of it."`
	}
}

func (s *Service) postReturnByDocument(ctx context.Context, in *returnByDocumentIn) (*api.RawOf[ReturnAnswer], error) {
	var owner member.ID
	if in.Body.Member != "" {
		ref, err := member.ParseRef(in.Body.Member)
		if err == nil {
			owner, err = s.members.Find(ctx, ref)
		}
		if err != nil {
			return nil, at(err, "body.member")
		}
	}
	lines, err := asked(in.Body.Lines)
	if err != nil {
		return nil, err
	}
	return raw[ReturnAnswer](s.TakeBack(ctx, in.Body.on(NewReturn{
		Source: in.Body.Source, Document: in.Body.Document, At: in.Body.At, Store: in.Body.Store,
		Of: &Of{in.Body.Of.Source, in.Body.Of.Document}, Lines: lines,
	}), owner, Ask{DryRun: in.DryRun.DryRun, HTTP: true, Key: api.KeyOf(ctx)}))
}

type assignIn struct {
	api.DryRun
	ID   string `path:"id" maxLength:"64" doc:"The sale (sal_…)."`
	Body struct {
		Member string `json:"member" minLength:"1" maxLength:"255" doc:"Whose it is, by any identifier."`
	}
}

func (s *Service) postAssign(ctx context.Context, in *assignIn) (*api.RawOf[Answer], error) {
	key, err := saleKey(in.ID)
	if err != nil {
		return nil, err
	}
	ref, err := member.ParseRef(in.Body.Member)
	if err != nil {
		return nil, at(err, "body.member")
	}
	return raw[Answer](s.Assign(ctx, key, ref, Ask{DryRun: in.DryRun.DryRun, Explain: in.Explain, HTTP: true, Key: api.KeyOf(ctx)}))
}

type getIn struct {
	ID string `path:"id" maxLength:"64" doc:"The sale or return (sal_…)."`
}

type getOut struct{ Body View }

func (s *Service) getSale(ctx context.Context, in *getIn) (*getOut, error) {
	key, err := saleKey(in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return &getOut{s.view(d)}, nil
}

// Filter says which sales and returns to list. All that is given must hold.
type Filter struct {
	Member     string `query:"member" maxLength:"255" doc:"Only those of this member, by any identifier."`
	Source     string `query:"source" maxLength:"64" doc:"With document: the one of this number."`
	Document   string `query:"document" maxLength:"64" doc:"With source."`
	From       string `query:"from" maxLength:"40" doc:"Not earlier than this."`
	To         string `query:"to" maxLength:"40" doc:"Earlier than this."`
	Store      string `query:"store" maxLength:"64" doc:"Only those of this store: id or code."`
	Till       string `query:"till" maxLength:"64" doc:"Only those of this till, as sales name it."`
	Staff      string `query:"staff" maxLength:"64" doc:"Only those of this salesperson, as sales name them."`
	Channel    string `query:"channel" maxLength:"64" doc:"Only those of this channel."`
	Kind       string `query:"kind" enum:"sale,return" doc:"Only sales, or only returns."`
	Unassigned bool   `query:"unassigned" doc:"Only sales that nobody owns yet."`
	State      string `query:"state" enum:"waiting,parked,returned" doc:"Only returns that wait for their sale, or that need a person; or only sales of which something came back."`
}

type listIn struct {
	api.Page
	Filter
}

type listOut struct{ Body api.List[View] }

// ErrFilter refuses filters that do not go together.
var ErrFilter = errs.New(errs.Invalid, "sale.filter", "Source and document come together, and neither with member, unassigned or state; of these three only one.", "source 与 document 须同时使用，且不与 member、unassigned、state 并用；这三者只能选一。")

func (s *Service) listSales(ctx context.Context, in *listIn) (*listOut, error) {
	docs, next, err := s.List(ctx, in.Filter, in.Page)
	if err != nil {
		return nil, err
	}
	out := &listOut{}
	out.Body.Items, out.Body.NextCursor = make([]View, 0, len(docs)), next
	for _, d := range docs {
		out.Body.Items = append(out.Body.Items, s.view(d))
	}
	return out, member.NameAll(ctx, s.members, out.Body.Items, func(v *View) (string, *string) { return v.MemberID, &v.MemberName })
}
