package till

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) offlineRoutes(r *api.Router) {
	tags := []string{"Offline tills"}
	api.Get(r, "/v1/offline/keys", s.getOfflineKeys, api.Doc{ID: "listOfflineKeys", Summary: "List the public keys by which tills check snapshots, the newest first.", Tags: tags, Needs: staff.ReadSales})
	api.Post(r, "/v1/offline/keys", s.postOfflineKey, api.Doc{
		ID: "rotateOfflineKey", Summary: "Make a new key for snapshots. What the old one has signed stays good.", Tags: tags, Needs: program.Manage, Status: http.StatusCreated,
	})
	api.Post(r, "/v1/offline/snapshots", s.postSnapshots, api.Doc{
		ID: "takeAlong", Summary: "Sign what a till may give to some members while the line is down.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusOK, Secret: true,
		Description: "One result for each member, in order: a snapshot or a problem. Ask anew while the line is up, as often as a member may have changed: what is newer conflicts less. It needs members.read too.",
		Fails:       []error{ErrOfflineOff, program.ErrNoStore, api.ErrPermission},
	})
	api.Post(r, "/v1/offline/sales", s.postOfflineSale, api.Doc{
		ID: "recordOfflineSale", Summary: "Record a sale that a till made by a snapshot.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusCreated, KeyRequired: true, OwnKey: true,
		Description: "The sale stands as the customer was told. What the books no longer hold is a conflict, which notices of the answer name, and which the programme's policy settles. " +
			"Upload in any order, as often as you like: the document number is unique for ever under its source.",
		Fails: []error{
			ErrSnapshot, ErrSnapshotPlace, ErrSnapshotTime, ErrNotTaken, ErrTerms, ErrOverpaid, sale.ErrTaken, sale.ErrFuture, sale.ErrLineTwice, sale.ErrQuantity,
			coupon.ErrTwice, member.ErrNotFound, program.ErrTime, ledger.ErrUnknown, ledger.ErrOverload,
		},
	})
	api.Get(r, "/v1/offline/conflicts", s.getConflicts, api.Doc{
		ID: "listOfflineConflicts", Summary: "List what tills gave without a line and the books did not hold, the newest first.", Tags: tags, Needs: staff.ReadSales, Fails: []error{api.ErrCursor},
		Description: "A caller who is limited to stores sees those of theirs, and state leaves others out: a page may then hold fewer than limit.",
	})
	api.Post(r, "/v1/offline/conflicts/{id}/settle", s.postSettle, api.Doc{
		ID: "settleOfflineConflict", Summary: "Say who bears an open conflict.", Tags: tags, Needs: program.Manage, Fails: []error{ErrNoConflict, ErrSettled, ErrNote},
	})
	api.Get(r, "/v1/reports/offline", s.getOfflineReport, api.Doc{
		ID: "getOfflineReport", Summary: "Add up conflicts by store, kind and who bears them.", Tags: tags, Needs: staff.ReadReports, Fails: []error{ErrReportSpan, program.ErrTime},
		Description: "By when they were uploaded. No person is named.",
	})
}

type offlineKeyView struct {
	ID        int64      `json:"id" doc:"As kid of the claims names it."`
	Algorithm string     `json:"algorithm" doc:"Ed25519."`
	PublicKey string     `json:"public_key" doc:"32 bytes in base64url, without padding."`
	Made      *time.Time `json:"made_at" doc:"When it was made."`
	Retired   *time.Time `json:"retired_at,omitempty" doc:"Since when it signs nothing any more; what it signed before stays good."`
}

type offlineKeysOut struct {
	Body struct {
		Items []offlineKeyView `json:"items" doc:"The keys."`
	}
}

func (s *Service) getOfflineKeys(ctx context.Context, _ *struct{}) (*offlineKeysOut, error) {
	if _, err := s.signingKey(ctx); err != nil { // the first is made by whoever asks first
		return nil, err
	}
	list, err := s.OfflineKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &offlineKeysOut{}
	for _, k := range list {
		out.Body.Items = append(out.Body.Items, offlineKeyView{k.ID, "Ed25519", base64.RawURLEncoding.EncodeToString(k.public), timeOrNil(k.made), timeOrNil(k.retired)})
	}
	return out, nil
}

func (s *Service) postOfflineKey(ctx context.Context, _ *struct{}) (*offlineKeysOut, error) {
	if err := s.RotateOfflineKey(ctx); err != nil {
		return nil, err
	}
	return s.getOfflineKeys(ctx, nil)
}

type snapshotsIn struct {
	Body struct {
		Store   string   `json:"store" minLength:"1" maxLength:"64" doc:"Id or code of the store."`
		Till    string   `json:"till" minLength:"1" maxLength:"64" doc:"The till, as its sales name it."`
		Members []string `json:"members" minItems:"1" maxItems:"50" doc:"Whom the till expects, by any identifier."`
	}
}

type snapshotsOut struct {
	Body struct {
		Items []Snapshot `json:"items" doc:"One result for each member, in order."`
	}
}

func (s *Service) postSnapshots(ctx context.Context, in *snapshotsIn) (out *snapshotsOut, err error) {
	if !api.CallerOf(ctx).Can[staff.ReadMembers] { // it tells of balances and vouchers
		return nil, api.ErrPermission.With("permission", string(staff.ReadMembers))
	}
	out = &snapshotsOut{}
	out.Body.Items, err = s.Issue(ctx, in.Body.Store, in.Body.Till, in.Body.Members)
	return out, err
}

type offlineSaleIn struct {
	api.DryRun
	Body OfflineSale
}

func (s *Service) postOfflineSale(ctx context.Context, in *offlineSaleIn) (*api.RawOf[sale.Answer], error) {
	r := s.Take(ctx, in.Body, sale.Ask{DryRun: in.DryRun.DryRun, Explain: in.Explain, HTTP: true, Key: api.KeyOf(ctx)})
	if r.Raw.Status == 0 {
		return nil, r.Err
	}
	return &api.RawOf[sale.Answer]{Raw: r.Raw}, nil
}

type conflictView struct {
	ID       string     `json:"id" doc:"The conflict: ofc_…"`
	Kind     string     `json:"kind" enum:"voucher,points,limit" doc:"voucher: it could not be used any more. points: some were not there any more. limit: a till or store gave more than it may; of that nothing is lost."`
	State    string     `json:"state" enum:"open,settled" doc:"open waits for a person."`
	Outcome  string     `json:"outcome,omitempty" enum:"programme,store,nobody" doc:"Who bears it. nobody: it was made good, or was none."`
	MemberID string     `json:"member_id" doc:"Whose purchase it was."`
	SaleID   string     `json:"sale_id" doc:"The sale; it stands."`
	Store    string     `json:"store" doc:"Id of the store."`
	Till     string     `json:"till" doc:"The till that gave it."`
	Ref      string     `json:"ref" doc:"Code of the voucher, or of the currency; of a limit whose: snapshot or store."`
	Why      string     `json:"why" doc:"Code of the refusal that it would have got: coupon.used, ledger.insufficient …"`
	Amount   int64      `json:"amount" doc:"Uses of the voucher, or points that were missing."`
	Worth    int64      `json:"worth" doc:"What that was worth, in minor units of the programme's currency."`
	At       *time.Time `json:"at" doc:"When the till gave it."`
	Posted   *time.Time `json:"posted_at" doc:"When it was uploaded."`
	Settled  *time.Time `json:"settled_at,omitempty" doc:"When it was settled."`
	By       string     `json:"settled_by,omitempty" doc:"Who settled it: policy, or staff:stf_…"`
	Note     string     `json:"note,omitempty" doc:"What they said about it."`
}

func showConflict(c Conflict) conflictView {
	v := conflictView{
		ID: c.PublicID(), Kind: c.Kind.String(), State: "settled", Outcome: c.Outcome.String(), MemberID: member.ID(c.Member).String(), SaleID: id.Encode("sal_", c.Sale.Member, c.Sale.Seq), Store: program.StoreID(c.Store), Till: c.Till,
		Ref: c.Ref, Why: c.Why, Amount: c.Amount, Worth: c.Worth, At: timeOrNil(c.At), Posted: timeOrNil(c.Posted), Settled: timeOrNil(c.Settled), By: c.By, Note: c.Note,
	}
	if c.Open {
		v.State = "open"
	}
	return v
}

type conflictsIn struct {
	api.Page
	State string `query:"state" enum:"open,settled" doc:"Only those."`
	Store string `query:"store" maxLength:"64" doc:"Only of this store: id or code."`
}

type conflictsOut struct{ Body api.List[conflictView] }

func (s *Service) getConflicts(ctx context.Context, in *conflictsIn) (*conflictsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 4)
	if err != nil {
		return nil, err
	}
	only := int64(0)
	if in.Store != "" {
		st, err := s.store(ctx, in.Store)
		if err != nil {
			return nil, errs.As(err).At("query.store")
		}
		only = st.ID
	}
	list, err := s.Conflicts(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out, snap, who := &conflictsOut{}, s.o.Program.Snapshot(), api.CallerOf(ctx)
	out.Body.Items = []conflictView{}
	for i, c := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].place()...)
			break
		}
		v := showConflict(c)
		if snap.SeesStore(who, c.Store) && (only == 0 || c.Store == only) && (in.State == "" || v.State == in.State) {
			out.Body.Items = append(out.Body.Items, v)
		}
	}
	return out, nil
}

type settleIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"The conflict."`
	Body struct {
		Outcome string `json:"outcome" enum:"programme,store,nobody" doc:"Who bears it."`
		Note    string `json:"note,omitempty" maxLength:"2000" doc:"Why, in at most 500 characters."`
	}
}

type conflictOut struct{ Body conflictView }

func (s *Service) postSettle(ctx context.Context, in *settleIn) (*conflictOut, error) {
	outcome := map[string]Outcome{"programme": ByProgram, "store": ByStore, "nobody": ByNobody}[in.Body.Outcome]
	c, err := s.Settle(ctx, in.ID, outcome, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return &conflictOut{showConflict(c)}, nil
}

type offlineReportIn struct {
	From string `query:"from" required:"true" maxLength:"40" doc:"From when on they were uploaded; a date is its midnight in the programme's zone."`
	To   string `query:"to" required:"true" maxLength:"40" doc:"Until when, exclusive; at most 366 days later."`
}

type conflictSumView struct {
	Store   string `json:"store" doc:"Id of the store."`
	Kind    string `json:"kind" enum:"voucher,points,limit"`
	State   string `json:"state" enum:"open,settled"`
	Outcome string `json:"outcome,omitempty" enum:"programme,store,nobody" doc:"Who bears them."`
	Count   int64  `json:"count" doc:"How many."`
	Amount  int64  `json:"amount" doc:"Uses of vouchers, or points."`
	Worth   int64  `json:"worth" doc:"What they were worth, in minor units."`
}

type offlineReportOut struct {
	Body struct {
		Currency string            `json:"currency" doc:"ISO 4217 code of the money."`
		Items    []conflictSumView `json:"items" doc:"By store, kind, state and outcome."`
		Lost     int64             `json:"lost" doc:"What programme and stores bear of vouchers and points together."`
		Open     int64             `json:"open" doc:"What nobody bears yet."`
	}
}

func (s *Service) getOfflineReport(ctx context.Context, in *offlineReportIn) (*offlineReportOut, error) {
	snap := s.o.Program.Snapshot()
	from, err := snap.ParseTime(in.From)
	if err != nil {
		return nil, errs.As(err).At("query.from")
	}
	to, err := snap.ParseTime(in.To)
	if err != nil {
		return nil, errs.As(err).At("query.to")
	}
	list, err := s.ConflictSums(ctx, from, to)
	if err != nil {
		return nil, err
	}
	out := &offlineReportOut{}
	out.Body.Currency, out.Body.Items = snap.Settings.Currency, []conflictSumView{}
	for _, x := range list {
		v := conflictSumView{program.StoreID(x.Store), x.Kind.String(), "settled", x.Outcome.String(), x.Count, x.Amount, x.Worth}
		switch {
		case x.Open:
			v.State = "open"
			if x.Kind != ConflictLimit {
				out.Body.Open += x.Worth
			}
		case x.Kind != ConflictLimit && x.Outcome != ByNobody:
			out.Body.Lost += x.Worth
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}
