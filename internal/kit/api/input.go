package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

const (
	defaultMaxBody = 1 << 20 // bytes; a batch of 200 sales has about 200 kB
	maxQueryPairs  = 64
)

// What is wrong with a request before anything is decoded.
var (
	ErrTooLarge = errs.New(errs.TooLarge, "request.too_large",
		"The body is larger than {limit} bytes.", "请求体超过 {limit} 字节。")
	ErrContentType = errs.New(errs.Malformed, "request.content_type",
		"The body has to be sent as Content-Type: {allowed}.", "请求体应以 Content-Type: {allowed} 发送。")
	ErrEncoding = errs.New(errs.Malformed, "request.encoding",
		"Compressed request bodies are not taken.", "不接受压缩的请求体。")
	ErrBodyUnexpected = errs.New(errs.Malformed, "request.body_unexpected",
		"This route takes no body.", "此接口不接受请求体。")
	ErrBodyCut = errs.New(errs.Malformed, "request.body_cut",
		"The body ended before its announced length, or came too slowly.", "请求体未完整送达，或传输过慢。")
	ErrQuery = errs.New(errs.Malformed, "request.query",
		"The query string cannot be read.", "查询字符串无法读取。")
)

// input is the body of a request, read wholly. It is borrowed: nothing may hold on to its
// bytes after free.
type input struct {
	bytes   []byte
	compact bool // JSON without white space between tokens, or nothing
	buffer  *bytes.Buffer
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (in input) free() {
	if in.buffer != nil && in.buffer.Cap() <= maxPooled {
		bodies.Put(in.buffer)
	}
}

func (in input) reader() io.ReadCloser { return io.NopCloser(bytes.NewReader(in.bytes)) }

// readBody reads the body up to the limit of the route and, where it is JSON, scans it.
func (rt *route) readBody(w http.ResponseWriter, req *http.Request) (input, error) {
	if req.ContentLength == 0 || req.Body == nil || req.Body == http.NoBody {
		return input{compact: true}, nil
	}
	if enc := req.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return input{}, ErrEncoding.At("header.Content-Encoding")
	}
	limit := rt.doc.MaxBody
	if limit == 0 {
		limit = defaultMaxBody
	}
	tooLarge := ErrTooLarge.With("limit", limit).At("body")
	if req.ContentLength > limit {
		return input{}, tooLarge
	}
	in := input{buffer: bodies.Get().(*bytes.Buffer)}
	in.buffer.Reset()
	_, err := in.buffer.ReadFrom(http.MaxBytesReader(w, req.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		err = tooLarge
	case err != nil:
		err = ErrBodyCut.At("body").Because(err)
	default:
		in.bytes = in.buffer.Bytes()
		err = rt.checkBody(req, &in)
	}
	if err != nil {
		in.free()
		return input{}, err
	}
	return in, nil
}

// checkBody refuses a body that the route does not take, or that is not strict JSON.
func (rt *route) checkBody(req *http.Request, in *input) (err error) {
	if len(in.bytes) == 0 {
		in.compact = true
		return nil
	}
	if rt.op.RequestBody == nil {
		if trimmed := bytes.TrimSpace(in.bytes); string(trimmed) == "{}" {
			return nil // what many clients send for "nothing"
		}
		return ErrBodyUnexpected.At("body")
	}
	json, err := rt.checkType(req)
	if err != nil || !json {
		return err
	}
	in.compact, err = scanJSON(in.bytes)
	return err
}

// checkType reports whether the body is JSON, or refuses a type that the route does not take.
func (rt *route) checkType(req *http.Request) (json bool, err error) {
	header := req.Header.Get("Content-Type")
	content := rt.op.RequestBody.Content
	if header == "" || header == typeJSON {
		if _, ok := content[typeJSON]; ok {
			return true, nil
		}
	}
	name, params, err := mime.ParseMediaType(header)
	if _, ok := content[name]; err != nil || !ok {
		return false, ErrContentType.With("allowed", allowed(content)).At("header.Content-Type")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return false, ErrContentType.With("allowed", allowed(content)).At("header.Content-Type")
	}
	return name == typeJSON, nil
}

func allowed(content map[string]*huma.MediaType) string {
	return strings.Join(sortedKeys(content), ", ")
}

// readQuery parses the query strictly: every name is known and stands once, every value is
// text, and what is not text has a value.
func (rt *route) readQuery(req *http.Request) (url.Values, error) {
	raw := req.URL.RawQuery
	if raw == "" {
		return nil, nil
	}
	if strings.Count(raw, "&") >= maxQueryPairs {
		return nil, ErrQuery.At("query")
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, ErrQuery.At("query").Because(err)
	}
	for _, name := range sortedKeys(query) {
		if err := rt.checkParam(name, query[name]); err != nil {
			return nil, err
		}
	}
	return query, nil
}

func (rt *route) checkParam(name string, values []string) error {
	at := clip("query." + name)
	if err := checkText(at, name, values[0]); err != nil {
		return err
	}
	param := rt.query[name]
	switch {
	case param == nil:
		return unknownQuery.refuse(at)
	case len(values) > 1 && (param.Explode == nil || !*param.Explode):
		return ErrQuery.At(at)
	case param.Schema == nil:
		return nil
	case param.Schema.Type == huma.TypeBoolean && values[0] != "true" && values[0] != "false":
		return notBoolean.refuse(at)
	case param.Schema.Type == huma.TypeInteger && values[0] == "":
		return notInteger.refuse(at)
	}
	return nil
}

// checkPath refuses a path whose parts no database can hold.
func checkPath(path string) error { return checkText("path", path) }

func checkText(at string, texts ...string) error {
	for _, t := range texts {
		if !utf8.ValidString(t) {
			return ErrUTF8.At(strings.ToValidUTF8(at, "?"))
		}
		if strings.IndexByte(t, 0) >= 0 {
			return ErrNUL.At(strings.ReplaceAll(at, "\x00", "?"))
		}
	}
	return nil
}
