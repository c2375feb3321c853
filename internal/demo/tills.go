package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
)

// tills send requests to the ledger's part of the API, in this process: what tills and
// staff do goes the way that it will go, to the last check.
type tills struct {
	handler http.Handler
	sent    int
}

// trusted signs everybody in as the caller whose context it has: the requests come from
// this package.
type trusted struct{}

func (trusted) Authenticate(ctx context.Context, _ *http.Request) (api.Caller, error) {
	return api.CallerOf(ctx), nil
}

func newTills(a *app.App) *tills {
	r := api.New(api.Config{DB: a.DB, Clock: a.Clock, Auth: trusted{}, Log: a.Log, Vault: a.Box})
	a.Ledger.Routes(r)
	a.Rewards.Routes(r)
	a.Till.Routes(r)
	return &tills{handler: r.Handler()}
}

// answer is what a till gets.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// post sends a request and reads its answer into out. It reports false where the state did
// not allow it, which happens in a shop.
func (t *tills) post(ctx context.Context, path string, body, out any) (bool, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(text))
	if err != nil {
		return false, err
	}
	t.sent++
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("demo-%d", t.sent))
	a := &answer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(a, req)
	switch {
	case a.status == http.StatusConflict:
		return false, nil
	case a.status/100 != 2:
		return false, fmt.Errorf("POST %s: %d %s", path, a.status, a.body.Bytes())
	}
	return true, json.Unmarshal(a.body.Bytes(), out)
}
