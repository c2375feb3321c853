package insight

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ErrKind refuses a kind of entry that there is not.
var ErrKind = errs.New(errs.Invalid, "ledger.unknown_kind", "There is no such kind of entry.", "没有这种分录类型。")

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Get(r, "/v1/reports", s.getReports, api.Doc{
		ID: "listReports", Summary: "List the reports, with what each says and takes.", Tags: []string{"Reports"}, Needs: staff.ReadReports,
	})
	api.Get(r, "/v1/reports/dashboard", s.getDashboard, api.Doc{
		ID: "getDashboard", Summary: "Report today against the same weekday before, and this month against last.", Tags: []string{"Reports"},
		Description: "Each figure says what it counts, in the language of the caller. Today is so far, what it is set against are whole days. " +
			"The figures come from sums by day that are kept while things happen: lag_ms says by how much they are behind.",
		Needs: staff.ReadReports,
		Fails: []error{program.ErrNoStore, program.ErrNoMerchant, program.ErrTime, ledger.ErrCurrency, ErrBoth, ErrAhead},
	})
	api.Get(r, "/v1/attention", s.getAttention, api.Doc{
		ID: "listAttention", Summary: "List what waits for the caller, the most urgent first.", Tags: []string{"Reports"},
		Description: "Of each thing how many there are, counted up to 100. Things that the caller could do nothing about are not in it.",
	})
	api.Get(r, "/v1/search", s.getSearch, api.Doc{
		ID: "search", Summary: "Search members, sales and products at once.", Tags: []string{"Search"},
		Description: "A phone, card, e-mail, member number or words of a name; a number of a sale; a sku or words of a product. What the caller may not read is not searched.",
	})
	api.Get(r, "/v1/entries", s.getEntries, api.Doc{
		ID: "searchEntries", Summary: "List movements of points over all members, newest first.", Tags: []string{"Points"},
		Description: "What changes what a member has; that points became usable or were set aside is only in the member's own list. " +
			"The log of events is read backwards, a bounded part of it for each page: a page may hold fewer than was asked for, or none, and still have a next_cursor. " +
			"A movement is here once its event was handed on.",
		Needs: staff.ReadPoints, Fails: []error{ErrKind, ledger.ErrCurrency, program.ErrTime},
	})
	api.Watch(r, "/v1/live", s.openLive, api.Doc{
		ID: "watchLive", Summary: "Follow sales, returns, joinings and movements as they happen.", Tags: []string{"Reports"},
		Description: "The id of each message is its position in the event log; a browser that comes back goes on where it was. " +
			"Names are masked, and only for those who may see members. Callers who are limited to stores get what happens in those. What is imported from the past is not in it. " +
			"A listener who falls far behind gets a message of the kind skipped, and goes on near the end.",
		Needs: staff.ReadSales,
	})
}

type reportItem struct {
	Name       string   `json:"name" doc:"As in patron report NAME."`
	Title      string   `json:"title" doc:"What it is called, in the language of the caller."`
	Definition string   `json:"definition" doc:"What it says, in a line."`
	Path       string   `json:"path" doc:"The route that answers it."`
	Params     []string `json:"params" doc:"What it takes, as parameters of the route and of --param."`
}

type reportsOut struct{ Body api.List[reportItem] }

func (s *Service) getReports(ctx context.Context, _ *struct{}) (*reportsOut, error) {
	i := pick(api.Language(ctx))
	out := &reportsOut{}
	for _, r := range reports {
		out.Body.Items = append(out.Body.Items, reportItem{r.name, r.title[i], r.definition[i], r.path, r.params})
	}
	return out, nil
}

type dashboardIn struct {
	Store    string `query:"store" maxLength:"64" doc:"Only this store, by id or code."`
	Merchant string `query:"merchant" maxLength:"64" doc:"Only this merchant, by id or code."`
	Currency string `query:"currency" maxLength:"3" doc:"The currency of money; the programme's where absent." example:"CNY"`
	Points   string `query:"points" maxLength:"40" doc:"Code of the point currency; that which sales earn where absent."`
	At       string `query:"at" maxLength:"40" doc:"The day that is to be today in the report; now where absent."`
	Days     int    `query:"days" minimum:"1" maximum:"92" default:"14" doc:"How many days the series have."`
}

type dashboardOut struct{ Body *Dashboard }

func (s *Service) getDashboard(ctx context.Context, in *dashboardIn) (*dashboardOut, error) {
	d, err := s.Dashboard(ctx, Ask(*in))
	return &dashboardOut{d}, err
}

type attentionOut struct {
	Body struct {
		Items []Item `json:"items" doc:"What waits; empty where nothing does."`
	}
}

func (s *Service) getAttention(ctx context.Context, _ *struct{}) (*attentionOut, error) {
	list, err := s.Attention(ctx)
	out := &attentionOut{}
	out.Body.Items = list
	return out, err
}

type searchIn struct {
	Q string `query:"q" required:"true" minLength:"1" maxLength:"400" doc:"What to look for."`
}

type searchOut struct{ Body *Found }

func (s *Service) getSearch(ctx context.Context, in *searchIn) (*searchOut, error) {
	found, err := s.Search(ctx, in.Q)
	return &searchOut{found}, err
}

type entriesIn struct {
	api.Page
	Currency string `query:"currency" maxLength:"40" doc:"Only this point currency."`
	Kind     string `query:"kind" maxLength:"20" doc:"Only this kind: earn, spend, capture, expire, clawback, restore, transfer_out, transfer_in, fee, adjust, merge_out, merge_in, merge_back, topup, opening."`
	From     string `query:"from" maxLength:"40" doc:"Written at this time or later."`
	To       string `query:"to" maxLength:"40" doc:"Written before this time."`
	Document string `query:"document" maxLength:"100" doc:"Only what was posted under this document."`
	Staff    string `query:"staff" maxLength:"64" doc:"Only what this person or key asked for: stf_… or key_…"`
}

type entriesOut struct{ Body api.List[ledger.Listed] }

func (s *Service) getEntries(ctx context.Context, in *entriesIn) (*entriesOut, error) {
	f := EntryFilter{Currency: in.Currency, Kind: in.Kind, Document: in.Document, Staff: in.Staff, Limit: in.Limit}
	snap := s.o.Program.Snapshot()
	for _, b := range []struct {
		text, at string
		to       *int64
	}{{in.From, "query.from", &f.From}, {in.To, "query.to", &f.To}} {
		if b.text == "" {
			continue
		}
		t, err := snap.ParseTime(b.text)
		if err != nil {
			return nil, program.ErrTime.At(b.at)
		}
		*b.to = max(1, t.UnixMilli())
	}
	c, err := api.DecodeCursor(in.Cursor, 2)
	if err != nil {
		return nil, err
	}
	if c != nil {
		f.Before, f.In = c[0], int(c[1])
	}
	page, err := s.Entries(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &entriesOut{}
	out.Body.Items = page.Items
	if page.More {
		out.Body.NextCursor = api.EncodeCursor(page.Position, int64(page.In))
	}
	return out, member.NameAll(ctx, s.o.Members, out.Body.Items, func(e *ledger.Listed) (string, *string) { return e.Member, &e.Name })
}
