package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) readRoutes(r *api.Router) {
	tags := []string{"Points"}
	missing := []error{member.ErrNotFound, member.ErrRef, member.ErrQR, ErrCurrency}
	api.Get(r, "/v1/members/{ref}/wallets", s.getWallets, api.Doc{ID: "listWallets", Summary: "Read what a member has, as of now.", Tags: tags,
		Needs: staff.ReadPoints, Fails: missing})
	api.Get(r, "/v1/members/{ref}/entries", s.getEntries, api.Doc{ID: "listEntries", Summary: "List the ledger of a member, newest first.", Tags: tags,
		Needs: staff.ReadPoints, Fails: missing})
	api.Get(r, "/v1/members/{ref}/statement", s.getStatement, api.Doc{ID: "getStatement", Summary: "Draw up the statement of a member: opening balance, every movement, closing balance.", Tags: tags,
		Description: "json for programs, csv for spreadsheets, html to print. A movement belongs to the time at which it took effect. Without a period it is the last 365 days.",
		Needs:       staff.ReadPoints, Fails: append(missing, ErrPeriod, ErrStatementLong, program.ErrTime)})
	api.Get(r, "/v1/reports/liability", s.getLiability, api.Doc{ID: "getLiability", Summary: "Report what the programme owes: by month of issue, issuer and currency.", Tags: []string{"Reports"},
		Description: "Without as_of: what is written down now. With it: what had taken effect by then, which takes longer.",
		Needs:       staff.ReadReports, Fails: []error{program.ErrTime}})
}

type walletsOut struct{ Body []WalletView }

func (s *Service) getWallets(ctx context.Context, in *MemberRef) (*walletsOut, error) {
	m, err := s.trace(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.Wallets(ctx, m)
	return &walletsOut{list}, err
}

type entriesIn struct {
	MemberRef
	api.Page
	Currency string `query:"currency" maxLength:"40" doc:"Only entries of this currency."`
}

type entriesOut struct{ Body api.List[EntryView] }

func (s *Service) getEntries(ctx context.Context, in *entriesIn) (*entriesOut, error) {
	m, err := s.trace(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.EntryPage(ctx, m, in.Currency, in.Page)
	return &entriesOut{list}, err
}

// EntryPage is a page of the ledger of a member, newest first, of one currency or of all
// where code is "".
func (s *Service) EntryPage(ctx context.Context, m int64, code string, p api.Page) (out api.List[EntryView], err error) {
	cfg, currency := s.Config(), int64(0)
	if code != "" {
		c := cfg.ByCode[code] // one that is no longer in use has a past too
		if c == nil {
			return out, ErrCurrency.With("code", code).At("query.currency")
		}
		currency = c.ID
	}
	before, err := cursorOr(p.Cursor, 0)
	if err != nil {
		return out, err
	}
	list, err := s.Entries(ctx, m, currency, before, p.Limit+1)
	if err != nil {
		return out, err
	}
	out.Items = []EntryView{}
	for i, e := range list {
		if i == p.Limit {
			out.NextCursor = api.EncodeCursor(list[i-1].Seq)
			break
		}
		out.Items = append(out.Items, viewEntry(cfg, e, api.Language(ctx)))
	}
	return out, nil
}

// cursorOr reads the position of a list that is sorted by one number.
func cursorOr(text string, first int64) (int64, error) {
	at, err := api.DecodeCursor(text, 1)
	if err != nil || at == nil {
		return first, err
	}
	return at[0], nil
}

type statementIn struct {
	MemberRef
	From     string `query:"from" maxLength:"40" doc:"First day, or time, of the period."`
	To       string `query:"to" maxLength:"40" doc:"Last day of the period, or the first instant after it."`
	Currency string `query:"currency" maxLength:"40" doc:"Only this currency."`
	Format   string `query:"format" enum:"json,csv,html" default:"json" doc:"How it is written."`
}

type statementOut struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

func (s *Service) getStatement(ctx context.Context, in *statementIn) (*statementOut, error) {
	m, err := s.trace(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	from, to, err := s.period(in.From, in.To)
	if err != nil {
		return nil, err
	}
	lang, zone := api.Language(ctx), s.Config().Zone
	st, err := s.Statement(ctx, m, from, to, in.Currency, lang)
	if err != nil {
		return nil, err
	}
	out := &statementOut{}
	switch in.Format {
	case "csv":
		out.ContentType = "text/csv; charset=utf-8"
		out.Disposition = fmt.Sprintf("attachment; filename=\"statement-%s.csv\"", st.Number)
		out.Body, err = st.CSV(zone, lang)
	case "html":
		out.ContentType = "text/html; charset=utf-8"
		out.Policy = "default-src 'none'; style-src 'unsafe-inline'"
		set := s.program.Snapshot().Settings
		out.Body, err = st.HTML(zone, i18n.Pick(lang, set.NameEN, set.NameZH), lang)
	default:
		out.ContentType = "application/json"
		out.Body, err = json.Marshal(st)
	}
	return out, err
}

// defaultPeriod is how far back a statement goes that names no beginning.
const defaultPeriod = 365 * 24 * time.Hour

// period reads the bounds of a statement. A day is taken wholly, at both ends.
func (s *Service) period(fromText, toText string) (from, to time.Time, err error) {
	zone := s.Config().Zone
	toMS, err := instant(toText, zone, 1, "query.to")
	if err != nil {
		return from, to, err
	}
	if to = time.UnixMilli(toMS); toText == "" {
		to = s.clock.Now().Add(time.Millisecond) // what happens now is in it
	}
	fromMS, err := instant(fromText, zone, 0, "query.from")
	if err != nil {
		return from, to, err
	}
	if from = time.UnixMilli(fromMS); fromText == "" {
		from = program.DayOf(to.Add(-defaultPeriod), zone).Start(zone)
	}
	return from, to, nil
}

type liabilityIn struct {
	AsOf string `query:"as_of" maxLength:"40" doc:"The instant, exclusive; a date means its end. Not in the future."`
}

type liabilityOut struct{ Body *LiabilityReport }

// ErrFuture refuses a report about what has not happened.
var ErrFuture = errs.New(errs.Invalid, "ledger.future", "This is in the future.", "该时间尚未到来。")

func (s *Service) getLiability(ctx context.Context, in *liabilityIn) (*liabilityOut, error) {
	if in.AsOf == "" {
		r, err := s.Liability(ctx)
		return &liabilityOut{r}, err
	}
	ms, err := instant(in.AsOf, s.Config().Zone, 1, "query.as_of")
	if err != nil {
		return nil, err
	}
	if ms > s.clock.Now().UnixMilli() {
		return nil, ErrFuture.At("query.as_of")
	}
	r, err := s.LiabilityAt(ctx, time.UnixMilli(ms))
	return &liabilityOut{r}, err
}
