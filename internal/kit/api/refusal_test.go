package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Each row is a request that a good one differs from in one thing. It is sent in both
// languages, must have no effect, and must not be told back what it sent.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	const path, good = "/v1/teas/longjing/brew", `{"cups":1}`
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	const word = "verysecretvalue" // what was sent and must not come back

	for _, tt := range []struct {
		name     string
		ask      ask
		status   int
		code     string
		field    string // of the first part at fault: "location code"
		en, zh   string // of that part, or of the detail
		contains string // a header that must be there
	}{
		{"nobody", ask{path: path, body: good, as: "-"}, 401, "request.unauthenticated", "", "Sign in", "登录", "WWW-Authenticate"},
		{"named nobody", ask{path: path, body: good, as: "ghost"}, 401, "request.unauthenticated", "", "Sign in", "登录", "WWW-Authenticate"},
		{"no right", ask{path: path, body: good, as: "thirsty"}, 403, "request.permission", "", "tea.brew", "tea.brew", ""},
		{"other site", ask{path: path, body: good, as: "-", header: map[string]string{"Cookie": "patron_session=anna", "Sec-Fetch-Site": "cross-site"}},
			403, "request.cross_origin", "", "another site", "其他网站", ""},
		{"no route", ask{path: "/v1/coffees", body: good}, 404, "request.path", "", "nothing", "不存在", ""},
		{"no page", ask{method: "GET", path: "/nowhere"}, 404, "request.path", "", "nothing", "不存在", ""},
		{"wrong method", ask{method: "DELETE", path: path}, 405, "request.method", "", "method", "方法", "Allow"},
		{"trace method", ask{method: "TRACE", path: path}, 405, "request.method", "", "method", "方法", "Allow"},
		{"wrong method of a page", ask{method: "POST", path: "/openapi.json"}, 405, "request.method", "", "method", "方法", "Allow"},

		{"no body", ask{path: path}, 400, "request.body_missing", "body request.body_missing", "needs a JSON body", "请求体", ""},
		{"not JSON", ask{path: path, body: word}, 400, "request.json", "body request.json", "not valid JSON", "JSON", ""},
		{"trailing", ask{path: path, body: good + word}, 400, "request.trailing", "body request.trailing", "follows", "之后", ""},
		{"doubled", ask{path: path, body: `{"cups":1,"cups":2}`}, 400, "request.duplicate_key", "body.cups request.duplicate_key", "more than once", "重复", ""},
		{"doubled in a map", ask{path: path, body: `{"cups":1,"extra":{"a":"1","A":"2"}}`}, 400, "request.duplicate_key", "body.extra.A request.duplicate_key", "more than once", "重复", ""},
		{"wrong case", ask{path: path, body: `{"cups":1,"Note":"hot"}`}, 400, "request.unknown_field", "body.Note field.unknown", "no such field", "没有此字段", ""},
		{"unknown field", ask{path: path, body: `{"cups":1,"sugar":"` + word + `"}`}, 400, "request.unknown_field", "body.sugar field.unknown", "no such field", "没有此字段", ""},
		{"invalid UTF-8", ask{path: path, body: "{\"cups\":1,\"note\":\"\xff\"}"}, 400, "request.utf8", "body request.utf8", "UTF-8", "UTF-8", ""},
		{"deep", ask{path: path, body: strings.Repeat("[", 65) + strings.Repeat("]", 65)}, 400, "request.depth", "", "64", "64", ""},
		{"past int64", ask{path: path, body: `{"cups":9223372036854775808}`}, 400, "request.number", "body.cups request.number", "64-bit", "64 位", ""},
		{"large", ask{path: path, body: `{"cups":1,"note":"` + strings.Repeat("x", 1<<20) + `"}`}, 413, "request.too_large", "body request.too_large", "1048576", "1048576", ""},
		{"form", ask{path: path, body: good, header: header("Content-Type", "application/x-www-form-urlencoded")}, 400, "request.content_type", "header.Content-Type request.content_type", "application/json", "application/json", ""},
		{"other characters", ask{path: path, body: good, header: header("Content-Type", "application/json; charset=gbk")}, 400, "request.content_type", "header.Content-Type request.content_type", "application/json", "application/json", ""},
		{"gzip", ask{path: path, body: good, header: header("Content-Encoding", "gzip")}, 400, "request.encoding", "header.Content-Encoding request.encoding", "Compressed", "压缩", ""},
		{"body for a read", ask{method: "GET", path: "/v1/teas", body: good}, 400, "request.body_unexpected", "body request.body_unexpected", "takes no body", "不接受", ""},

		{"unknown parameter", ask{path: path + "?x=" + word, body: good}, 400, "request.unknown_field", "query.x query.unknown", "no such query", "没有此查询", ""},
		{"parameter in the wrong case", ask{path: path + "?Dry_run=true", body: good}, 400, "request.unknown_field", "query.Dry_run query.unknown", "no such query", "没有此查询", ""},
		{"doubled parameter", ask{path: path + "?dry_run=true&dry_run=false", body: good}, 400, "request.query", "query.dry_run request.query", "query string", "查询字符串", ""},
		{"bad escape", ask{path: path + "?dry_run=%zz", body: good}, 400, "request.query", "query request.query", "query string", "查询字符串", ""},
		{"semicolon", ask{path: path + "?dry_run=true;explain=true", body: good}, 400, "request.query", "query request.query", "query string", "查询字符串", ""},
		{"parameter that is no text", ask{path: path + "?dry_run=%ff", body: good}, 400, "request.utf8", "query.dry_run request.utf8", "UTF-8", "UTF-8", ""},
		{"NUL in the path", ask{path: "/v1/teas/%00/brew", body: good}, 400, "request.nul", "path request.nul", "U+0000", "U+0000", ""},
		{"path that is no text", ask{path: "/v1/teas/%ff/brew", body: good}, 400, "request.utf8", "path request.utf8", "UTF-8", "UTF-8", ""},
		{"dry run without a value", ask{path: path + "?dry_run", body: good}, 422, "request.invalid", "query.dry_run value.boolean", "true or false", "true 或 false", ""},
		{"nearly true", ask{path: path + "?dry_run=1", body: good}, 422, "request.invalid", "query.dry_run value.boolean", "true or false", "true 或 false", ""},
		{"limit", ask{method: "GET", path: "/v1/teas?limit=201"}, 422, "request.invalid", "query.limit value.maximum", "at most 200", "大于 200", ""},
		{"limit after a bare name", ask{method: "GET", path: "/v1/teas?cursor&limit=201"}, 422, "request.invalid", "query.limit value.maximum", "at most 200", "大于 200", ""},
		{"limit of nothing", ask{method: "GET", path: "/v1/teas?limit="}, 422, "request.invalid", "query.limit value.integer", "integer", "整数", ""},
		{"no limit", ask{method: "GET", path: "/v1/teas?limit=many"}, 422, "request.invalid", "query.limit value.integer", "integer", "整数", ""},
		{"cursor", ask{method: "GET", path: "/v1/teas?cursor=" + word}, 400, "request.cursor", "query.cursor request.cursor", "cursor", "游标", ""},
		{"long path", ask{method: "GET", path: "/v1/teas/" + strings.Repeat(word, 3)}, 422, "request.invalid", "path.name value.max_length", "at most 20", "最多 20", ""},

		{"missing", ask{path: path, body: `{}`}, 422, "request.invalid", "body.cups value.required", "required", "必填", ""},
		{"null", ask{path: path, body: `{"cups":null}`}, 422, "request.invalid", "body.cups value.integer", "integer", "整数", ""},
		{"type", ask{path: path, body: `{"cups":"` + word + `"}`}, 422, "request.invalid", "body.cups value.integer", "integer", "整数", ""},
		{"fraction", ask{path: path, body: `{"cups":1.5}`}, 422, "request.invalid", "body.cups value.integer", "integer", "整数", ""},
		{"integer in another dress", ask{path: path, body: `{"cups":1.0}`}, 422, "request.invalid", "body.cups value.type", "wrong type", "类型", ""},
		{"minimum", ask{path: path, body: `{"cups":0}`}, 422, "request.invalid", "body.cups value.minimum", "at least 1", "小于 1", ""},
		{"maximum", ask{path: path, body: `{"cups":13}`}, 422, "request.invalid", "body.cups value.maximum", "at most 12", "大于 12", ""},
		{"enum", ask{path: path, body: `{"cups":1,"kind":"` + word + `"}`}, 422, "request.invalid", "body.kind value.enum", "green, black", "green, black", ""},
		{"short", ask{path: path, body: `{"cups":1,"note":"x"}`}, 422, "request.invalid", "body.note value.min_length", "at least 2", "至少 2", ""},
		{"long", ask{path: path, body: `{"cups":1,"note":"` + word + `"}`}, 422, "request.invalid", "body.note value.max_length", "at most 10", "最多 10", ""},
		{"email", ask{path: path, body: `{"cups":1,"email":"` + word + `"}`}, 422, "request.invalid", "body.email value.email", "e-mail", "电子邮件", ""},
		{"time", ask{path: path, body: `{"cups":1,"at":"` + word + `"}`}, 422, "request.invalid", "body.at value.date_time", "RFC 3339", "RFC 3339", ""},
		{"item", ask{path: path, body: `{"cups":1,"guests":["a",2]}`}, 422, "request.invalid", "body.guests[1] value.string", "text", "文本", ""},
		{"items", ask{path: path, body: `{"cups":1,"guests":["a","b","c","d"]}`}, 422, "request.invalid", "body.guests value.max_items", "at most 3", "最多 3", ""},
		{"own words", ask{path: path, body: `{"cups":1,"grade":"` + word + `"}`}, 422, "request.invalid", "body tea.grade", "no such grade", "没有这个等级", ""},
		{"list for an object", ask{path: path, body: `[]`}, 422, "request.invalid", "body value.object", "object", "对象", ""},

		{"no key", ask{path: "/v1/teas/longjing/sell", body: good}, 400, "request.key_missing", "header.Idempotency-Key request.key_missing", "Idempotency-Key", "Idempotency-Key", ""},
		{"long key", ask{path: path, body: good, header: header("Idempotency-Key", strings.Repeat("k", 256))}, 400, "request.key_form", "header.Idempotency-Key request.key_form", "255", "255", ""},
		{"key with a space", ask{path: path, body: good, header: header("Idempotency-Key", "a b")}, 400, "request.key_form", "header.Idempotency-Key request.key_form", "visible", "可见", ""},
		{"key beyond ASCII", ask{path: path, body: good, header: header("Idempotency-Key", "钥匙")}, 400, "request.key_form", "header.Idempotency-Key request.key_form", "visible", "可见", ""},

		{"state", ask{path: "/v1/teas/sold-out/brew", body: good}, 409, "tea.sold_out", "", "There is no more sold-out.", "sold-out 已售完。", ""},
		{"missing thing", ask{method: "GET", path: "/v1/teas/coffee"}, 404, "tea.missing", "", "no such tea", "没有这种茶", ""},
		{"busy", ask{path: "/v1/fail/busy"}, 429, "tea.busy", "", "Slow down", "慢一点", "Retry-After"},
		{"closed", ask{path: "/v1/fail/closed"}, 503, "tea.closed", "", "Closed", "打烊", "Retry-After"},
		{"inside", ask{path: "/v1/fail/inside"}, 500, "internal", "", "our side", "内部出错", ""},
		{"internal refusal", ask{path: "/v1/fail/internal"}, 500, "internal", "", "our side", "内部出错", ""},
		{"panic", ask{path: "/v1/fail/panic"}, 500, "internal", "", "our side", "内部出错", ""},
	} {
		for lang, text := range map[string]string{"en": tt.en, "zh-CN": tt.zh} {
			t.Run(tt.name+" "+lang, func(t *testing.T) {
				tt.ask.lang = lang
				w := s.do(tt.ask)
				p := problemIn(t, w)
				if w.Code != tt.status || p.Code != tt.code {
					t.Fatalf("answer %d %s, want %d %s: %s", w.Code, p.Code, tt.status, tt.code, w.Body)
				}
				if got := w.Header().Values("Content-Language"); len(got) != 1 || got[0] != lang {
					t.Errorf("Content-Language = %q, want %q", got, lang)
				}
				said := p.Detail
				if tt.field != "" {
					if len(p.Errors) != 1 || p.Errors[0].Location+" "+p.Errors[0].Code != tt.field {
						t.Fatalf("errors = %+v, want %s", p.Errors, tt.field)
					}
					said = p.Errors[0].Message
				}
				if !strings.Contains(said, text) {
					t.Errorf("said %q, want %q in it", said, text)
				}
				if tt.contains != "" && w.Header().Get(tt.contains) == "" {
					t.Errorf("no header %s", tt.contains)
				}
				if body := w.Body.String(); strings.Contains(body, word) || strings.Contains(body, "secret") || strings.Contains(body, "kettle") {
					t.Errorf("the answer tells too much: %s", body)
				}
			})
		}
	}
	if got := s.brewed("longjing"); got != 0 {
		t.Errorf("refused requests brewed %d cups", got)
	}
}

// A request with much amiss is told of all of it, in one order, and of not too much.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	var body strings.Builder
	body.WriteString(`{"note":"x"`)
	for i := range 100 {
		body.WriteString(`,"f` + strings.Repeat("x", i+1) + `":1`)
	}
	body.WriteString("}")
	first := ""
	for range 5 {
		w := s.do(ask{path: "/v1/teas/longjing/brew", body: body.String(), header: map[string]string{"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}})
		p := problemIn(t, w)
		if w.Code != http.StatusBadRequest || len(p.Errors) != 50 || p.Errors[0].Location != "body.cups" {
			t.Fatalf("%d with %d errors, first %v", w.Code, len(p.Errors), p.Errors[0])
		}
		if p.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" {
			t.Errorf("trace_id = %s", p.TraceID)
		}
		if first == "" {
			first = w.Body.String()
		}
		if w.Body.String() != first {
			t.Fatal("the same request is refused in two ways")
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	if got := s.do(ask{path: "/v1/fail/busy"}).Header().Get("Retry-After"); got != "7" {
		t.Errorf("Retry-After = %q, want that of the refusal", got)
	}
	if got := s.do(ask{path: "/v1/fail/closed"}).Header().Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After = %q, want the usual", got)
	}
}

// What went wrong inside is in the log once, with the trace id, the route and the cause.
func TestLog(t *testing.T) {
	t.Parallel()
	for how, cause := range map[string]string{"inside": "secret of the house", "internal": "the deeper secret", "panic": "the kettle is dry"} {
		s := newShop(t, dbtest.Open(t, db.SQLite))
		p := problemIn(t, s.do(ask{path: "/v1/fail/" + how}))
		log := s.log.String()
		if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, cause) ||
			!strings.Contains(log, p.TraceID) || !strings.Contains(log, `route="POST /v1/fail/{how}"`) {
			t.Errorf("%s: log is %q", how, log)
		}
	}
	s := newShop(t, dbtest.Open(t, db.SQLite))
	s.do(ask{path: "/v1/fail/busy"})
	s.do(ask{path: "/v1/teas/longjing/brew", body: `{}`})
	if log := s.log.String(); log != "" {
		t.Errorf("refusals are logged as errors: %s", log)
	}
}
