package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Raw is an answer that is written byte for byte, as the posting engine kept it.
type Raw struct {
	Status   int
	Body     []byte // JSON
	Replayed bool   // it is the answer of an earlier request: says so in a header
}

// RawOf is a Raw that the reference documents as type D. Use it as the output type of a
// handler: func(ctx, *in) (*api.RawOf[Sale], error).
type RawOf[D any] struct{ Raw }

// rawAnswer is what register knows a RawOf by, whatever its D.
type rawAnswer interface {
	raw() Raw
	shape() reflect.Type
}

func (r *RawOf[D]) raw() Raw          { return r.Raw }
func (*RawOf[D]) shape() reflect.Type { return reflect.TypeFor[D]() }

// rawOut is how Huma is given a Raw: a function that writes it.
type rawOut struct {
	Body func(huma.Context)
}

func writeRaw(raw Raw) *rawOut {
	return &rawOut{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType(raw.Status))
		if raw.Replayed {
			ctx.SetHeader(headerReplayed, "true")
		}
		ctx.SetStatus(raw.Status)
		_, _ = ctx.BodyWriter().Write(raw.Body) // into memory; the connection comes later
	}}
}

// contentType is that of a kept answer: a refusal is a problem, the rest is plain JSON.
func contentType(status int) string {
	if status >= http.StatusBadRequest {
		return typeProblem
	}
	return typeJSON
}

// documentRaw puts the schema of D where Huma would have put that of the output's body.
func (r *Router) documentRaw(op *huma.Operation, raw rawAnswer) {
	status := op.DefaultStatus
	if status == 0 {
		status = http.StatusOK
		op.DefaultStatus = status
	}
	schema := r.huma.OpenAPI().Components.Schemas.Schema(raw.shape(), true, title(op.OperationID)+"Response")
	op.Responses[statusText(status)] = &huma.Response{
		Description: http.StatusText(status),
		Content:     map[string]*huma.MediaType{typeJSON: {Schema: schema}},
	}
}
