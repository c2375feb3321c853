package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// typeFile is what an upload is sent as.
const typeFile = "application/octet-stream"

// patience is how long the other end may be silent within a file that comes or goes. The
// server's own limits of time are for requests that fit in memory.
const patience = 30 * time.Second

type bodyKey struct{}

// BodyOf is the body of an upload, to be read once. A read that finds the body longer than
// the route allows gives ErrTooLarge, and one that finds it cut short ErrBodyCut.
func BodyOf(ctx context.Context) io.Reader {
	r, _ := ctx.Value(bodyKey{}).(io.Reader)
	if r == nil {
		return strings.NewReader("")
	}
	return r
}

// upload hands the body to the handler as it comes: it is never in memory as a whole.
func (rt *route) upload(ctx context.Context, w http.ResponseWriter, req *http.Request, query url.Values) (*reply, error) {
	limit := rt.doc.MaxBody
	switch enc := req.Header.Get("Content-Encoding"); {
	case enc != "" && !strings.EqualFold(enc, "identity"):
		return nil, ErrEncoding.At("header.Content-Encoding")
	case req.Header.Get("Content-Type") != typeFile:
		return nil, ErrContentType.With("allowed", typeFile).At("header.Content-Type")
	case req.ContentLength > limit:
		return nil, ErrTooLarge.With("limit", limit).At("body")
	}
	room := rt.router.rooms[rt.of]
	if err := room.enter(ctx); err != nil {
		return nil, err
	}
	defer room.leave()
	body := &uploaded{from: http.MaxBytesReader(w, req.Body, limit), control: http.NewResponseController(w), limit: limit}
	out := newReply()
	rt.call(context.WithValue(ctx, bodyKey{}, body), out, req, query, input{})
	_ = body.control.SetWriteDeadline(time.Now().Add(patience)) // the answer is small, and its time began with the request
	return out, nil
}

// uploaded is a body on its way in.
type uploaded struct {
	from    io.Reader
	control *http.ResponseController
	limit   int64
}

// Read is part of io.Reader.
func (u *uploaded) Read(p []byte) (int, error) {
	_ = u.control.SetReadDeadline(time.Now().Add(patience)) // not of a connection in a test
	n, err := u.from.Read(p)
	var over *http.MaxBytesError
	switch {
	case err == nil || err == io.EOF:
	case errors.As(err, &over):
		err = ErrTooLarge.With("limit", u.limit).At("body")
	default:
		err = ErrBodyCut.At("body").Because(err)
	}
	return n, err
}

// Patiently is the body of a streamed answer, for a file that may take long: as long as the
// other end goes on reading, it is not cut.
func Patiently(hc huma.Context) io.Writer {
	w := hc.BodyWriter()
	if to, ok := w.(http.ResponseWriter); ok {
		return &patient{to, http.NewResponseController(to)}
	}
	return w
}

type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write is part of io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience)) // not of a connection in a test
	return p.ResponseWriter.Write(b)
}
