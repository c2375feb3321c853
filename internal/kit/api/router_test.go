package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

var (
	errSoldOut = errs.New(errs.Conflict, "tea.sold_out", "There is no more {tea}.", "{tea} 已售完。")
	errNoTea   = errs.New(errs.NotFound, "tea.missing", "There is no such tea.", "没有这种茶。")
	errBusy    = errs.New(errs.TooMany, "tea.busy", "Slow down.", "请慢一点。")
	errGrade   = errs.New(errs.Invalid, "tea.grade", "There is no such grade.", "没有这个等级。")
)

// grade refuses itself while it is decoded, in its own words.
type grade string

func (g *grade) UnmarshalText(b []byte) error {
	if string(b) != "A" && string(b) != "B" {
		return errGrade
	}
	*g = grade(b)
	return nil
}

type brewIn struct {
	Name string `path:"name" maxLength:"20" doc:"The tea."`
	api.DryRun
	Body struct {
		Cups   int64             `json:"cups" minimum:"1" maximum:"12" doc:"How many."`
		Kind   string            `json:"kind,omitempty" enum:"green,black" doc:"Of leaf."`
		Note   string            `json:"note,omitempty" minLength:"2" maxLength:"10"`
		Email  string            `json:"email,omitempty" format:"email"`
		Grade  grade             `json:"grade,omitempty"`
		Guests []string          `json:"guests,omitempty" maxItems:"3"`
		Extra  map[string]string `json:"extra,omitempty"`
		At     *time.Time        `json:"at,omitempty"`
	}
}

type brewOut struct {
	Location string `header:"Location"`
	Body     struct {
		Brewed int64  `json:"brewed" doc:"Cups, since the shop opened."`
		By     string `json:"by"`
	}
}

type listIn struct {
	api.Page
	Sweet bool `query:"sweet"`
}

type listOut struct{ Body api.List[string] }

// shop is a small program on the router: brewing writes a row, so that effects can be
// counted in the database and not only in memory.
type shop struct {
	t      *testing.T
	db     *db.DB
	clock  *clock.Manual
	router *api.Router
	http   http.Handler
	log    *lockedBuffer
	calls  atomic.Int64

	before func(context.Context, *brewIn) error // runs in front of the write of a brew
}

const noon = "2026-03-01T12:00:00Z"

func newShop(t *testing.T, d *db.DB, edit ...func(*api.Config)) *shop {
	t.Helper()
	at, err := time.Parse(time.RFC3339, noon)
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, db: d, clock: clock.At(at), log: &lockedBuffer{}}
	cfg := api.Config{
		DB: d, Clock: s.clock, Auth: guests{}, Title: "Tea", Version: "1",
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	s.router = api.New(cfg)
	s.routes()
	s.http = s.router.Handler()
	return s
}

func (s *shop) routes() {
	r := s.router
	api.Post(r, "/v1/teas/{name}/brew", s.brew, api.Doc{
		ID: "brewTea", Summary: "Brew a tea.", Description: "It takes minutes.", Tags: []string{"Tea"}, Status: http.StatusCreated,
		Needs: "tea.brew", Fails: []error{errSoldOut, errNoTea},
	})
	api.Post(r, "/v1/teas/{name}/gift", s.brew, api.Doc{ID: "giveTea", Summary: "Give a tea.", Tags: []string{"Tea"}, Needs: "tea.brew", Secret: true})
	api.Post(r, "/v1/teas/{name}/sell", s.sell, api.Doc{
		ID: "sellTea", Summary: "Sell a tea.", Tags: []string{"Till"}, Status: http.StatusCreated, KeyRequired: true, OwnKey: true,
	})
	api.Get(r, "/v1/teas", s.list, api.Doc{ID: "listTeas", Summary: "List teas.", Tags: []string{"Tea"}})
	api.Get(r, "/v1/teas/{name}", func(context.Context, *struct {
		Name string `path:"name" maxLength:"20"`
	}) (*struct{}, error) {
		return nil, errNoTea
	}, api.Doc{ID: "getTea", Summary: "Show a tea."})
	api.Post(r, "/v1/bell", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		s.calls.Add(1)
		return nil, nil
	}, api.Doc{ID: "ringBell", Summary: "Ring.", Public: true})
	api.Post(r, "/v1/fail/{how}", fail, api.Doc{ID: "fail", Summary: "Fail.", Public: true, Hidden: true})
	api.Get(r, "/v1/steam", func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			ctx.SetHeader("Content-Type", "text/plain")
			w := ctx.BodyWriter()
			for range 3 {
				_, _ = io.WriteString(w, "puff ")
				if err := http.NewResponseController(w.(http.ResponseWriter)).Flush(); err != nil {
					panic(err)
				}
			}
		}}, nil
	}, api.Doc{ID: "steam", Summary: "Watch.", Stream: true})
	api.Put(r, "/v1/label", func(_ context.Context, in *struct {
		RawBody []byte `contentType:"text/csv"`
	}) (*struct{}, error) {
		s.calls.Add(int64(len(in.RawBody)))
		return nil, nil
	}, api.Doc{ID: "putLabel", Summary: "Send a label.", MaxBody: 8})
}

func (s *shop) brew(ctx context.Context, in *brewIn) (*brewOut, error) {
	s.calls.Add(1)
	if in.Name == "sold-out" {
		return nil, errSoldOut.With("tea", in.Name)
	}
	if s.before != nil {
		if err := s.before(ctx, in); err != nil {
			return nil, err
		}
	}
	var out brewOut
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.ExecText(ctx, `INSERT INTO sequence (name, next) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET next = sequence.next + excluded.next`, in.Name, in.Body.Cups); err != nil {
			return err
		}
		rows, err := tx.QueryText(ctx, `SELECT next FROM sequence WHERE name = $1`, in.Name)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := rows.Scan(&out.Body.Brewed); err != nil {
				return err
			}
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	out.Location, out.Body.By = "/v1/teas/"+in.Name, api.CallerOf(ctx).ID
	return &out, err
}

// sell is a route whose service keeps its key itself.
func (s *shop) sell(ctx context.Context, in *brewIn) (*api.RawOf[brewOut], error) {
	s.calls.Add(1)
	if s.before != nil {
		if err := s.before(ctx, in); err != nil {
			return nil, err
		}
	}
	key := api.KeyOf(ctx)
	body, err := json.Marshal(map[string]any{"set": key.Set, "language": api.Language(ctx)})
	return &api.RawOf[brewOut]{Raw: api.Raw{Status: http.StatusCreated, Body: body, Replayed: s.calls.Load() > 1}}, err
}

func (s *shop) list(_ context.Context, in *listIn) (*listOut, error) {
	from, err := api.DecodeCursor(in.Cursor, 2)
	if err != nil {
		return nil, err
	}
	out := &listOut{Body: api.List[string]{Items: []string{"longjing"}}}
	if from == nil {
		out.Body.NextCursor = api.EncodeCursor(int64(in.Limit), -1)
	}
	return out, nil
}

func fail(ctx context.Context, in *struct {
	How string `path:"how"`
}) (*struct{}, error) {
	switch in.How {
	case "panic":
		panic("the kettle is dry")
	case "inside":
		return nil, errors.New("secret of the house")
	case "internal":
		return nil, errs.New(errs.Internal, "tea.leak", "secret of the house", "秘密").Because(errors.New("the deeper secret"))
	case "busy":
		return nil, errBusy.With("retry_after", 7)
	case "closed":
		return nil, errs.New(errs.Unavailable, "tea.closed", "Closed.", "已打烊。")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, nil
}

// guests signs in whoever says "Bearer name", and lets everyone but "thirsty" brew.
type guests struct{}

func (guests) Authenticate(_ context.Context, r *http.Request) (api.Caller, error) {
	name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c, err := r.Cookie("patron_session"); err == nil {
		name, ok = c.Value, true
	}
	switch {
	case name == "ghost":
		return api.Caller{}, nil
	case !ok:
		return api.Caller{}, api.ErrUnauthenticated
	}
	return api.Caller{Kind: "key", ID: name, Can: map[api.Permission]bool{"tea.brew": name != "thirsty"}}, nil
}

// ask is one request; the zero of most fields means the usual.
type ask struct {
	method, path, body string
	header             map[string]string
	as                 string // "-" for nobody
	lang               string
}

func (s *shop) do(a ask) *httptest.ResponseRecorder { return s.ask(s.t.Context(), a) }

func (s *shop) ask(ctx context.Context, a ask) *httptest.ResponseRecorder {
	method := a.method
	if method == "" {
		method = http.MethodPost
	}
	var body io.Reader
	if a.body != "" {
		body = strings.NewReader(a.body)
	}
	req := httptest.NewRequestWithContext(ctx, method, "http://shop.example"+a.path, body)
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch a.as {
	case "":
		req.Header.Set("Authorization", "Bearer anna")
	case "-":
	default:
		req.Header.Set("Authorization", "Bearer "+a.as)
	}
	if a.lang != "" {
		req.Header.Set("Accept-Language", a.lang)
	}
	for k, v := range a.header {
		req.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, req)
	return w
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	var p api.Problem
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%d is not answered with a problem: %v: %s", w.Code, err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q", got)
	}
	if p.Status != w.Code || p.Type != "urn:patron:problem:"+p.Code || p.Title == "" || p.Detail == "" || len(p.TraceID) != 32 {
		t.Errorf("incomplete problem: %s", w.Body)
	}
	return p
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// BenchmarkRequest is what a write costs here, without its service: sign-in, strict
// reading, key, decoding, validation, answer.
func BenchmarkRequest(b *testing.B) {
	router := api.New(api.Config{DB: new(db.DB), Clock: clock.System(), Auth: guests{}, Title: "Tea"})
	answer := api.Raw{Status: http.StatusCreated, Body: []byte(`{"brewed":1,"by":"anna"}`)}
	api.Post(router, "/v1/teas/{name}/sell", func(context.Context, *brewIn) (*api.RawOf[brewOut], error) {
		return &api.RawOf[brewOut]{Raw: answer}, nil
	}, api.Doc{ID: "sellTea", Summary: "Sell.", Status: http.StatusCreated, KeyRequired: true, OwnKey: true})
	h := router.Handler()
	body := `{"cups":1,"kind":"green","note":"hot","guests":["anna","ben"],"extra":{"` + strings.Repeat("k", 400) + `":"` + strings.Repeat("v", 400) + `"}}`
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest(http.MethodPost, "/v1/teas/longjing/sell", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer anna")
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", "9b0a8f6e-3a55-4f0e-9f55-9a4f4a1d2c3b")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != http.StatusCreated {
			b.Fatal(w.Code, w.Body)
		}
	}
}
