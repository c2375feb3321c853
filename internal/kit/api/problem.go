package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"

	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotent-Replayed"

	// urn is in front of a code in the type of a problem: stable, and no page to keep up.
	urn = "urn:patron:problem:"
)

// Seconds after which a refused caller may try again, where the refusal names none in its
// parameter retry_after.
const (
	retryInFlight = 1
	retryOverload = 2
	retryDefault  = 5
)

var (
	// ErrInternal is what a caller learns of a failure inside.
	ErrInternal = errs.New(errs.Internal, "internal",
		"Something went wrong on our side. Nobody but us can mend it; give us the trace id.", "服务器内部出错。请把 trace_id 告诉我们。")
	// ErrTimeout refuses a request that took longer than it may.
	ErrTimeout = errs.New(errs.Unavailable, "request.timeout",
		"The request took too long and was given up.", "请求用时过长，已放弃。")
	// ErrRoute answers a path that nothing has.
	ErrRoute = errs.New(errs.NotFound, "request.path",
		"There is nothing at this path.", "此路径不存在。")
	// ErrMethod answers a method that a path does not have. The header Allow names those it has.
	ErrMethod = errs.New(errs.Malformed, "request.method",
		"This path does not take this method.", "此路径不接受该方法。")
)

// Problem is the body of every refusal: RFC 9457, with a stable code.
type Problem struct {
	Type    string         `json:"type" example:"urn:patron:problem:ledger.insufficient" doc:"urn:patron:problem: and the code."`
	Code    string         `json:"code" example:"ledger.insufficient" doc:"Stable; programs hold on to it."`
	Title   string         `json:"title" doc:"The kind of refusal, in the language of the caller."`
	Detail  string         `json:"detail" doc:"What is wrong and what to do, in the language of the caller."`
	Status  int            `json:"status" example:"409" doc:"The HTTP status."`
	Errors  []ProblemField `json:"errors,omitempty" doc:"The parts of the request at fault; at most 50."`
	TraceID string         `json:"trace_id,omitempty" example:"4bf92f3577b34da6a3ce929d0e0e4736" doc:"Give it to us when you ask."`

	language string
	retry    int // seconds; 0 where trying again does not help
}

// ProblemField names one part of a request that is at fault.
type ProblemField struct {
	Location string `json:"location" example:"body.lines[2].amount" doc:"Where: path, query, header or body, and the way to it."`
	Message  string `json:"message" doc:"What is wrong with it, in the language of the caller."`
	Code     string `json:"code" example:"value.required" doc:"Stable; programs hold on to it."`
}

// Error, GetStatus, GetHeaders and ContentType make a Problem an error that Huma writes.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{"Content-Language": {p.language}}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// ContentType is application/problem+json, whatever was negotiated.
func (p *Problem) ContentType(string) string { return typeProblem }

// statuses and titles by errs.Kind.
var kinds = map[errs.Kind]struct {
	status int
	en, zh string
}{
	errs.Internal:        {http.StatusInternalServerError, "Internal error", "内部错误"},
	errs.Malformed:       {http.StatusBadRequest, "Malformed request", "请求格式有误"},
	errs.Invalid:         {http.StatusUnprocessableEntity, "Invalid value", "请求内容无效"},
	errs.Unauthenticated: {http.StatusUnauthorized, "Not signed in", "未登录"},
	errs.Forbidden:       {http.StatusForbidden, "Not permitted", "没有权限"},
	errs.NotFound:        {http.StatusNotFound, "Not found", "未找到"},
	errs.Conflict:        {http.StatusConflict, "Refused", "操作被拒绝"},
	errs.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large", "内容过大"},
	errs.TooMany:         {http.StatusTooManyRequests, "Too many requests", "请求过于频繁"},
	errs.Unavailable:     {http.StatusServiceUnavailable, "Not available now", "暂时不可用"},
}

// ProblemOf makes the problem that an error is to the caller of ctx: a refusal with its
// text, anything else as ErrInternal. It does not log; a batch that gives one problem for
// each item uses it for refusals only.
func ProblemOf(ctx context.Context, err error) *Problem {
	e := errs.As(err)
	if e == nil || e.Kind == errs.Internal {
		e = ErrInternal
	}
	lang, kind := Language(ctx), kinds[e.Kind]
	p := &Problem{
		Type: urn + e.Code, Code: e.Code, Status: kind.status,
		Title: i18n.Pick(lang, kind.en, kind.zh), Detail: e.Text(lang),
		TraceID: RequestInfo(ctx).TraceID, language: lang,
	}
	for _, f := range e.Fields[:min(len(e.Fields), maxFields)] {
		p.Errors = append(p.Errors, ProblemField{Location: clip(f.Location), Message: i18n.Pick(lang, f.EN, f.ZH), Code: f.Code})
	}
	if e.Kind == errs.TooMany || e.Kind == errs.Unavailable {
		p.retry = retryDefault
	}
	if seconds, ok := e.Param("retry_after").(int); ok && seconds > 0 {
		p.retry = seconds
	}
	if e.Is(ErrMethod) {
		p.Status = http.StatusMethodNotAllowed
	}
	return p
}

// problem is ProblemOf that also logs what went wrong inside, once.
func (r *Router) problem(ctx context.Context, err error) *Problem {
	if errs.As(err) == nil && ctx.Err() != nil {
		err = ErrTimeout.Because(err) // also where the caller hung up: nobody reads the answer
	}
	if errs.KindOf(err) == errs.Internal {
		r.logError(ctx, "request failed", err)
	}
	return ProblemOf(ctx, err)
}

// logError logs what went wrong in the request of ctx.
func (r *Router) logError(ctx context.Context, what string, err error) {
	s := scopeOf(ctx)
	r.log.LogAttrs(ctx, slog.LevelError, what, slog.String("trace_id", s.info.TraceID),
		slog.String("route", s.route), slog.String("caller", s.caller), slog.String("error", err.Error()))
}

// writeProblem answers with err as a problem.
func (r *Router) writeProblem(ctx context.Context, w http.ResponseWriter, err error) {
	p := r.problem(ctx, err)
	body, jsonErr := json.Marshal(p)
	if jsonErr != nil {
		panic("api: a problem that JSON cannot hold: " + jsonErr.Error())
	}
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", typeProblem)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the caller may be gone
}

// Huma makes its errors through these two; they become problems like all others.
func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, causes ...error) huma.StatusError {
		p := translated(ctx.Context(), status, msg, causes)
		for name, values := range p.GetHeaders() {
			ctx.SetHeader(name, values[0])
		}
		return p
	}
	huma.NewError = func(status int, msg string, causes ...error) huma.StatusError {
		return translated(context.Background(), status, msg, causes)
	}
	huma.ValidateStrictCasing = true
	huma.ErrorFormatter = formatToken
	tokenize()
}

// errUnexpected marks a message of Huma that no table here knows.
var errUnexpected = errors.New("api: unexpected error of the HTTP layer")
