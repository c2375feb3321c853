package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Client sends requests with one API key. It is safe for use by many goroutines.
type Client struct {
	t    testing.TB
	url  string
	key  string
	http *http.Client
	ctx  context.Context // of In; the test's where nil
}

// In returns the same client, whose requests end with ctx.
func (c Client) In(ctx context.Context) Client {
	c.ctx = ctx
	return c
}

// Secret is the key that the client bears, for a test that makes a request by itself.
func (c Client) Secret() string { return c.key }

// Response is an answer, read wholly.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	t      testing.TB
	asked  string
}

// Header is one header of a request. An empty value takes it away.
type Header struct{ Name, Value string }

// Keyed is the header that makes a write safe to repeat.
func Keyed(key string) Header { return Header{"Idempotency-Key", key} }

// Language is the header that asks for a language.
func Language(tag string) Header { return Header{"Accept-Language", tag} }

// keys numbers the requests that bring no key of their own.
var keys atomic.Int64

// Send sends a request and returns the answer, or why none came. body is nil, text that is
// sent as it is, or anything that JSON can hold. A write gets a fresh Idempotency-Key
// unless headers name one.
func (c Client) Send(method, path string, body any, headers ...Header) (Response, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return Response{}, err
		}
		reader = bytes.NewReader(text)
	}
	ctx := c.ctx
	if ctx == nil {
		ctx = c.t.Context()
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, reader)
	if err != nil {
		return Response{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		req.Header.Set("Idempotency-Key", "auto-"+itoa(keys.Add(1)))
	}
	for _, h := range headers {
		if req.Header.Del(h.Name); h.Value != "" {
			req.Header.Set(h.Name, h.Value)
		}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return Response{Status: res.StatusCode, Header: res.Header, Body: answer, t: c.t, asked: method + " " + path}, err
}

// Do is Send that fails the test where no answer comes.
func (c Client) Do(method, path string, body any, headers ...Header) Response {
	c.t.Helper()
	r, err := c.Send(method, path, body, headers...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// Must is Do that fails the test unless the answer has a status.
func (c Client) Must(status int, method, path string, body any, headers ...Header) Response {
	c.t.Helper()
	r := c.Do(method, path, body, headers...)
	if r.Status != status {
		c.t.Fatalf("%s %s: %d, want %d\n%s", method, path, r.Status, status, r.Body)
	}
	return r
}

// Post is Must for what is made: 201.
func (c Client) Post(path string, body any, headers ...Header) Response {
	c.t.Helper()
	return c.Must(http.StatusCreated, http.MethodPost, path, body, headers...)
}

// Get is Must for what is read: 200.
func (c Client) Get(path string) Response {
	c.t.Helper()
	return c.Must(http.StatusOK, http.MethodGet, path, nil)
}

// Into reads the body as JSON.
func (r Response) Into(to any) Response {
	r.t.Helper()
	unmarshal(r.t, r.Body, to)
	return r
}

// Replayed reports whether it is the answer of an earlier request.
func (r Response) Replayed() bool { return r.Header.Get("Idempotent-Replayed") == "true" }

// Problem is what a refusal says.
type Problem struct {
	Code   string
	Title  string
	Detail string
	Status int
	Errors []struct{ Location, Message, Code string }
}

// Problem reads a refusal, and fails the test where the answer is none.
func (r Response) Problem() (p Problem) {
	r.t.Helper()
	if got := r.Header.Get("Content-Type"); r.Status < 400 || got != "application/problem+json" {
		r.t.Fatalf("%s: %d %s is no problem\n%s", r.asked, r.Status, got, r.Body)
	}
	unmarshal(r.t, r.Body, &p)
	if p.Status != r.Status {
		r.t.Fatalf("%s: the problem says %d, the answer %d", r.asked, p.Status, r.Status)
	}
	return p
}

// Refused fails the test unless the answer is a refusal with a status and code.
func (r Response) Refused(status int, code string) Problem {
	r.t.Helper()
	p := r.Problem()
	if r.Status != status || p.Code != code {
		r.t.Fatalf("%s: refused with %d %s, want %d %s\n%s", r.asked, r.Status, p.Code, status, code, r.Body)
	}
	return p
}
