package till

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Shifts"}
	api.Post(r, "/v1/shifts", s.postShift, api.Doc{
		ID: "openShift", Summary: "Open a shift at a till with what lies in the drawer.", Tags: tags, Needs: staff.WriteSales, Status: http.StatusCreated, Fails: []error{ErrOpen, program.ErrNoStore, program.ErrOff},
	})
	api.Get(r, "/v1/shifts", s.getShifts, api.Doc{
		ID: "listShifts", Summary: "List shifts, newest first.", Tags: tags, Needs: staff.ReadSales, Fails: []error{program.ErrNoStore},
		Description: "A caller who is limited to stores sees those of theirs: a page may then hold fewer than limit.",
	})
	api.Get(r, "/v1/shifts/{id}", s.getShift, api.Doc{
		ID: "getShift", Summary: "Show a shift with its report: of an open one, until now.", Tags: tags, Needs: staff.ReadSales, Fails: []error{ErrUnknown},
	})
	api.Post(r, "/v1/shifts/{id}/close", s.postClose, api.Doc{
		ID: "closeShift", Summary: "Close a shift with what was counted in the drawer.", Tags: tags, Needs: staff.WriteSales, Fails: []error{ErrUnknown, ErrClosed, ErrNotYours, ErrNote},
		Description: "Expected is what lay in the drawer, with what came in as cash by sales and top-ups, less what went back as cash.",
	})
	api.Get(r, "/v1/reports/shift", s.getReport, api.Doc{
		ID: "getShiftReport", Summary: "Add up what a till or a salesperson sold, took back and took in.", Tags: tags, Needs: staff.ReadSales, Fails: []error{ErrSpan, program.ErrNoStore, program.ErrTime},
	})
	s.checkoutRoutes(r)
	s.offlineRoutes(r)
}

type view struct {
	ID          string     `json:"id" doc:"The shift."`
	Store       string     `json:"store" doc:"Id of the store."`
	Till        string     `json:"till" doc:"The till, as sales name it."`
	Cashier     string     `json:"cashier,omitempty" doc:"Who works there, as sales name them."`
	State       string     `json:"state" enum:"open,closed" doc:"Whether it is closed."`
	OpenedBy    string     `json:"opened_by" doc:"Who opened it, as staff:stf_…"`
	Opened      time.Time  `json:"opened_at" doc:"When."`
	OpeningCash int64      `json:"opening_cash" doc:"What lay in the drawer, in minor units of the programme's money."`
	ClosedBy    string     `json:"closed_by,omitempty" doc:"Who closed it."`
	Closed      *time.Time `json:"closed_at,omitempty" doc:"When."`
	Counted     int64      `json:"counted_cash" doc:"What was counted at closing."`
	Expected    int64      `json:"expected_cash" doc:"What should lie there."`
	Difference  int64      `json:"difference" doc:"Counted less expected, once it is closed."`
	Note        string     `json:"note,omitempty" doc:"A remark at closing."`
	Report      *Report    `json:"report,omitempty" doc:"Shown with a single shift."`
}

func show(sh Shift) view {
	v := view{
		ID: sh.PublicID(), Store: program.StoreID(sh.Store), Till: sh.Till, Cashier: sh.Cashier, State: "open", OpenedBy: sh.OpenedBy, Opened: sh.Opened,
		OpeningCash: sh.OpeningCash, Counted: sh.Counted, Expected: sh.Expects, Note: sh.Note,
	}
	if !sh.Closed.IsZero() {
		v.State, v.ClosedBy, v.Closed, v.Difference = "closed", sh.ClosedBy, &sh.Closed, sh.Counted-sh.Expects
	}
	return v
}

type shiftOut struct{ Body view }

type openIn struct {
	Body struct {
		Store   string `json:"store" minLength:"1" maxLength:"64" doc:"Id or code of the store."`
		Till    string `json:"till" minLength:"1" maxLength:"64" doc:"The till, as its sales name it."`
		Cashier string `json:"cashier,omitempty" maxLength:"64" doc:"Who works there, as sales name them."`
		Cash    int64  `json:"opening_cash,omitempty" minimum:"0" maximum:"1000000000000" doc:"What lies in the drawer, in minor units of the programme's money."`
	}
}

func (s *Service) postShift(ctx context.Context, in *openIn) (*shiftOut, error) {
	b := in.Body
	sh, err := s.Open(ctx, b.Store, b.Till, b.Cashier, b.Cash)
	if err != nil {
		return nil, err
	}
	return &shiftOut{show(sh)}, nil
}

type shiftsIn struct {
	api.Page
	Store string `query:"store" maxLength:"64" doc:"With till: only its shifts."`
	Till  string `query:"till" maxLength:"64" doc:"With store: only its shifts."`
	Open  bool   `query:"open" doc:"Only open ones."`
}

type shiftsOut struct{ Body api.List[view] }

func (s *Service) getShifts(ctx context.Context, in *shiftsIn) (*shiftsOut, error) {
	if (in.Store == "") != (in.Till == "") {
		return nil, program.ErrNoStore.At("query.store")
	}
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if at != nil {
		before = at[0]
	}
	list, err := s.List(ctx, in.Store, in.Till, in.Open, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out, snap, c := &shiftsOut{}, s.o.Program.Snapshot(), api.CallerOf(ctx)
	out.Body.Items = []view{}
	for i, sh := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].ID)
			break
		}
		if snap.SeesStore(c, sh.Store) {
			out.Body.Items = append(out.Body.Items, show(sh))
		}
	}
	return out, nil
}

type shiftRef struct {
	ID string `path:"id" maxLength:"40" doc:"The shift."`
}

func (r shiftRef) number() (int64, error) {
	_, n, err := id.Decode(prefix, r.ID)
	if err != nil {
		return 0, ErrUnknown
	}
	return n, nil
}

func (s *Service) getShift(ctx context.Context, in *shiftRef) (*shiftOut, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	sh, err := s.Get(ctx, n)
	if err != nil {
		return nil, err
	}
	if sh.Closed.IsZero() {
		if sh.Report, err = s.Sums(ctx, sh, s.o.Clock.Now()); err != nil {
			return nil, err
		}
		sh.Expects = sh.OpeningCash + sh.Report.cashIn(s.o.Program.Snapshot().Settings.Currency)
	}
	v := show(sh)
	v.Report = &sh.Report
	return &shiftOut{v}, nil
}

type closeIn struct {
	ID   string `path:"id" maxLength:"40" doc:"The shift."`
	Body struct {
		Counted int64  `json:"counted_cash" minimum:"0" maximum:"1000000000000" doc:"What was counted, in minor units of the programme's money."`
		Note    string `json:"note,omitempty" maxLength:"2000" doc:"A remark, at most 500 characters."`
	}
}

func (s *Service) postClose(ctx context.Context, in *closeIn) (*shiftOut, error) {
	n, err := shiftRef{in.ID}.number()
	if err != nil {
		return nil, err
	}
	sh, err := s.Close(ctx, n, in.Body.Counted, in.Body.Note)
	if err != nil {
		return nil, err
	}
	v := show(sh)
	v.Report = &sh.Report
	return &shiftOut{v}, nil
}

type reportIn struct {
	Store string `query:"store" maxLength:"64" doc:"Id or code; the default store where absent."`
	Till  string `query:"till" maxLength:"64" doc:"Only this till, as sales name it."`
	Staff string `query:"staff" maxLength:"64" doc:"Only this salesperson, as sales name them."`
	By    string `query:"by" maxLength:"64" doc:"Whose top-ups count, as staff:stf_…; all of the store where absent."`
	From  string `query:"from" required:"true" maxLength:"40" doc:"From this time on."`
	To    string `query:"to" required:"true" maxLength:"40" doc:"Before this time."`
}

type reportOut struct{ Body Report }

func (s *Service) getReport(ctx context.Context, in *reportIn) (*reportOut, error) {
	snap := s.o.Program.Snapshot()
	ref := in.Store
	if ref == "" {
		ref = program.StoreID(snap.DefaultStore().ID)
	}
	st, err := s.store(ctx, ref)
	if err != nil {
		return nil, errs.As(err).At("query.store")
	}
	sp := Span{Store: st.ID, Till: in.Till, Staff: in.Staff, Cashier: in.By}
	for name, part := range map[string]struct {
		text string
		to   *time.Time
	}{"from": {in.From, &sp.From}, "to": {in.To, &sp.To}} {
		if *part.to, err = snap.ParseTime(part.text); err != nil {
			return nil, errs.As(err).At("query." + name)
		}
	}
	r, err := s.Report(ctx, sp)
	return &reportOut{r}, err
}
