package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// maxFields bounds the parts at fault in one answer: a body can hold far more.
const maxFields = 50

// What is said above the list of parts at fault.
var (
	ErrInvalid = errs.New(errs.Invalid, "request.invalid",
		"The request can be read, and holds values that cannot be. See errors.", "请求可以读取，但其中有无效的值，见 errors。")
	ErrUnknownField = errs.New(errs.Malformed, "request.unknown_field",
		"The request holds fields or parameters that this route does not have. See errors.", "请求中有此接口没有的字段或参数，见 errors。")
	ErrBodyMissing = errs.New(errs.Malformed, "request.body_missing",
		"This route needs a JSON body.", "此接口需要 JSON 请求体。")
)

// A complaint is one kind of thing that can be wrong with a value, in both languages. {0}
// and {1} stand for what the schema asks; what was sent is never shown.
type complaint struct {
	code      string
	en, zh    string
	malformed bool // the shape is wrong, not the value: 400, not 422
}

// Complaints that code here refers to.
var (
	unknownField = complaint{code: "field.unknown", en: "There is no such field.", zh: "没有此字段。", malformed: true}
	unknownQuery = complaint{code: "query.unknown", en: "There is no such query parameter.", zh: "没有此查询参数。", malformed: true}
	required     = complaint{code: "value.required", en: "This is required.", zh: "此项必填。"}
	notBoolean   = complaint{code: "value.boolean", en: "This has to be true or false.", zh: "应为 true 或 false。"}
	notInteger   = complaint{code: "value.integer", en: "This has to be an integer.", zh: "应为整数。"}
	notNumber    = complaint{code: "value.number", en: "This has to be a number.", zh: "应为数字。"}
	notDateTime  = complaint{code: "value.date_time", en: "This has to be a date and time of RFC 3339.", zh: "应为 RFC 3339 格式的日期时间。"}
	notURI       = complaint{code: "value.uri", en: "This has to be a URI.", zh: "应为 URI。"}
	wrongType    = complaint{code: "value.type", en: "This is of the wrong type.", zh: "类型不对。"}
	wrongValue   = complaint{code: "value.invalid", en: "This value is not valid.", zh: "此值无效。"}
	manyValues   = complaint{code: "value.single", en: "This takes one value.", zh: "只能有一个值。"}
)

// A validationKind is a message variable of Huma, what it means, and how many values of the
// schema the text takes. Huma computes its messages before it knows who reads them, so the
// variables are made to hold tokens, which translated turns into text.
type validationKind struct {
	message *string
	args    int
	complaint
}

var validations = []validationKind{
	{&validation.MsgUnexpectedProperty, 0, unknownField},
	{&validation.MsgExpectedRFC3339DateTime, 0, notDateTime},
	{&validation.MsgExpectedRFC1123DateTime, 0, complaint{code: "value.http_date", en: "This has to be a date and time of HTTP (RFC 1123).", zh: "应为 HTTP（RFC 1123）格式的日期时间。"}},
	{&validation.MsgExpectedRFC3339Date, 0, complaint{code: "value.date", en: "This has to be a date, as 2026-03-01.", zh: "应为日期，如 2026-03-01。"}},
	{&validation.MsgExpectedRFC3339Time, 0, complaint{code: "value.time", en: "This has to be a time, as 14:05:00.", zh: "应为时间，如 14:05:00。"}},
	{&validation.MsgExpectedRFC5322Email, 0, complaint{code: "value.email", en: "This has to be an e-mail address.", zh: "应为电子邮件地址。"}},
	{&validation.MsgExpectedRFC5890Hostname, 0, complaint{code: "value.hostname", en: "This has to be a host name.", zh: "应为主机名。"}},
	{&validation.MsgExpectedRFC2673IPv4, 0, complaint{code: "value.ipv4", en: "This has to be an IPv4 address.", zh: "应为 IPv4 地址。"}},
	{&validation.MsgExpectedRFC2373IPv6, 0, complaint{code: "value.ipv6", en: "This has to be an IPv6 address.", zh: "应为 IPv6 地址。"}},
	{&validation.MsgExpectedRFCIPAddr, 0, complaint{code: "value.ip", en: "This has to be an IP address.", zh: "应为 IP 地址。"}},
	{&validation.MsgExpectedRFC3986URI, 0, notURI},
	{&validation.MsgExpectedRFC4122UUID, 0, complaint{code: "value.uuid", en: "This has to be a UUID.", zh: "应为 UUID。"}},
	{&validation.MsgExpectedRFC6570URITemplate, 0, complaint{code: "value.uri_template", en: "This has to be a URI template.", zh: "应为 URI 模板。"}},
	{&validation.MsgExpectedRFC6901JSONPointer, 0, complaint{code: "value.json_pointer", en: "This has to be a JSON pointer.", zh: "应为 JSON 指针。"}},
	{&validation.MsgExpectedRFC6901RelativeJSONPointer, 0, complaint{code: "value.relative_json_pointer", en: "This has to be a relative JSON pointer.", zh: "应为相对 JSON 指针。"}},
	{&validation.MsgExpectedRegexp, 0, complaint{code: "value.regex", en: "This has to be a regular expression.", zh: "应为正则表达式。"}},
	{&validation.MsgExpectedMatchAtLeastOneSchema, 0, complaint{code: "value.any_of", en: "This has none of the forms that are allowed.", zh: "不符合任何一种允许的形式。"}},
	{&validation.MsgExpectedMatchExactlyOneSchema, 0, complaint{code: "value.one_of", en: "This has to have exactly one of the forms that are allowed.", zh: "应恰好符合一种允许的形式。"}},
	{&validation.MsgExpectedNotMatchSchema, 0, complaint{code: "value.not", en: "This has a form that is not allowed.", zh: "此形式不被允许。"}},
	{&validation.MsgExpectedPropertyNameInObject, 0, complaint{code: "value.discriminator", en: "This is required: it says which form the object has.", zh: "此项必填：它说明对象是哪种形式。"}},
	{&validation.MsgExpectedBoolean, 0, notBoolean},
	{&validation.MsgExpectedDuration, 0, complaint{code: "value.duration", en: "This has to be a duration, as 1h30m.", zh: "应为时长，如 1h30m。"}},
	{&validation.MsgExpectedNumber, 0, notNumber},
	{&validation.MsgExpectedInteger, 0, notInteger},
	{&validation.MsgExpectedString, 0, complaint{code: "value.string", en: "This has to be a text.", zh: "应为文本。"}},
	{&validation.MsgExpectedBase64String, 0, complaint{code: "value.base64", en: "This has to be text in base64.", zh: "应为 base64 文本。"}},
	{&validation.MsgExpectedArray, 0, complaint{code: "value.array", en: "This has to be a list.", zh: "应为列表。"}},
	{&validation.MsgExpectedObject, 0, complaint{code: "value.object", en: "This has to be an object.", zh: "应为对象。"}},
	{&validation.MsgExpectedArrayItemsUnique, 0, complaint{code: "value.unique", en: "The items of this list have to differ.", zh: "列表中的各项不能重复。"}},
	{&validation.MsgExpectedOneOf, 1, complaint{code: "value.enum", en: "This has to be one of: {0}.", zh: "应为以下之一：{0}。"}},
	{&validation.MsgExpectedMinimumNumber, 1, complaint{code: "value.minimum", en: "This has to be at least {0}.", zh: "不能小于 {0}。"}},
	{&validation.MsgExpectedExclusiveMinimumNumber, 1, complaint{code: "value.exclusive_minimum", en: "This has to be more than {0}.", zh: "应大于 {0}。"}},
	{&validation.MsgExpectedMaximumNumber, 1, complaint{code: "value.maximum", en: "This has to be at most {0}.", zh: "不能大于 {0}。"}},
	{&validation.MsgExpectedExclusiveMaximumNumber, 1, complaint{code: "value.exclusive_maximum", en: "This has to be less than {0}.", zh: "应小于 {0}。"}},
	{&validation.MsgExpectedNumberBeMultipleOf, 1, complaint{code: "value.multiple_of", en: "This has to be a multiple of {0}.", zh: "应为 {0} 的倍数。"}},
	{&validation.MsgExpectedMinLength, 1, complaint{code: "value.min_length", en: "This needs at least {0} characters.", zh: "至少 {0} 个字符。"}},
	{&validation.MsgExpectedMaxLength, 1, complaint{code: "value.max_length", en: "This takes at most {0} characters.", zh: "最多 {0} 个字符。"}},
	{&validation.MsgExpectedBePattern, 1, complaint{code: "value.pattern", en: "This has to be: {0}.", zh: "格式应为：{0}。"}},
	{&validation.MsgExpectedMatchPattern, 1, complaint{code: "value.pattern", en: "This has to match the pattern {0}.", zh: "应符合格式 {0}。"}},
	{&validation.MsgExpectedMinItems, 1, complaint{code: "value.min_items", en: "This needs at least {0} items.", zh: "至少 {0} 项。"}},
	{&validation.MsgExpectedMaxItems, 1, complaint{code: "value.max_items", en: "This takes at most {0} items.", zh: "最多 {0} 项。"}},
	{&validation.MsgExpectedMinProperties, 1, complaint{code: "value.min_properties", en: "This needs at least {0} fields.", zh: "至少 {0} 个字段。"}},
	{&validation.MsgExpectedMaxProperties, 1, complaint{code: "value.max_properties", en: "This takes at most {0} fields.", zh: "最多 {0} 个字段。"}},
	{&validation.MsgExpectedRequiredProperty, 1, required},
	{&validation.MsgExpectedDependentRequiredProperty, 2, complaint{code: "value.required_with", en: "This is required where {1} is given.", zh: "给出 {1} 时此项必填。"}},
}

// fixed are the messages that Huma writes without a variable.
var fixed = map[string]complaint{
	"unknown query parameter":              unknownQuery,
	"required path parameter is missing":   required,
	"required query parameter is missing":  required,
	"required header parameter is missing": required,
	"required cookie parameter is missing": required,
	"required form parameter is missing":   required,
	"invalid integer":                      notInteger,
	"invalid float":                        notNumber,
	"invalid floating value":               notNumber,
	"invalid boolean":                      notBoolean,
	"invalid url.URL value":                notURI,
	"expected value to match exactly one schema but matched multiple": {
		code: "value.one_of", en: "This has to have exactly one of the forms that are allowed.", zh: "应恰好符合一种允许的形式。"},
	"expected at most one value, but received multiple values": manyValues,
}

// A token is mark, the index of a validation, and its arguments, with mark between.
const mark = "\x1f"

const (
	tokenType    = mark + "type"    // then the way to the field
	tokenRefusal = mark + "refusal" // then code, English, Chinese of an errs.Error
)

func tokenize() {
	for i, v := range validations {
		*v.message = mark + strconv.Itoa(i) + strings.Repeat(mark+"%v", v.args)
	}
}

// formatToken fills a token with as many arguments as it takes. The others are causes that
// repeat the value, and are left out.
func formatToken(format string, args ...any) string {
	if !strings.HasPrefix(format, mark) {
		return fmt.Sprintf(format, args...)
	}
	args = slices.Clone(args[:min(len(args), strings.Count(format, "%v"))])
	for i, a := range args {
		if f, ok := a.(float64); ok {
			args[i] = strconv.FormatFloat(f, 'f', -1, 64)
		}
	}
	return fmt.Sprintf(format, args...)
}

// decode is json.Unmarshal whose errors are tokens.
func decode(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	switch e := errs.As(err); {
	case err == nil:
		return nil
	case e != nil:
		return errors.New(strings.Join([]string{tokenRefusal, e.Code, e.Text("en"), e.Text("zh-CN")}, mark))
	case errors.As(err, &wrong):
		return errors.New(tokenType + mark + wrong.Field)
	}
	return errors.New(tokenType + mark)
}

// translated makes the problem that an error of Huma is.
func translated(ctx context.Context, status int, msg string, causes []error) *Problem {
	switch {
	case msg == "request body is required":
		return ProblemOf(ctx, ErrBodyMissing.At("body"))
	case status >= http.StatusInternalServerError:
		return ProblemOf(ctx, errUnexpected)
	}
	fields := make([]errs.Field, 0, len(causes))
	malformed := false
	for _, c := range causes {
		f, m := field(c)
		fields = append(fields, f)
		malformed = malformed || m
	}
	// Huma walks maps, so that the order of unknown fields is chance; an answer is not.
	slices.SortStableFunc(fields, func(a, b errs.Field) int { return strings.Compare(a.Location, b.Location) })
	e := *ErrInvalid
	if malformed {
		e = *ErrUnknownField
	}
	e.Fields = fields
	return ProblemOf(ctx, &e)
}

// field tells one cause of Huma's in our words, and whether it makes the request malformed.
func field(cause error) (errs.Field, bool) {
	var detail *huma.ErrorDetail
	if !errors.As(cause, &detail) {
		if e := errs.As(cause); e != nil && len(e.Fields) > 0 {
			return e.Fields[0], e.Kind == errs.Malformed
		}
		return wrongValue.field("body"), false
	}
	at := detail.Location
	parts := strings.Split(strings.TrimPrefix(detail.Message, mark), mark)
	switch {
	case !strings.HasPrefix(detail.Message, mark):
		return plain(detail.Message).field(at), plain(detail.Message).malformed
	case strings.HasPrefix(detail.Message, tokenRefusal):
		return errs.Field{Location: at, Code: parts[1], EN: parts[2], ZH: parts[3]}, false
	case strings.HasPrefix(detail.Message, tokenType):
		if parts[1] != "" {
			at += "." + parts[1]
		}
		return wrongType.field(at), false
	}
	i, err := strconv.Atoi(parts[0])
	if err != nil || i >= len(validations) {
		return wrongValue.field(at), false
	}
	c := validations[i].complaint
	if c.code == required.code || c.code == "value.required_with" {
		at += "." + parts[1] // Huma names the object; we name the field that it lacks
	}
	return c.field(at, parts[1:]...), c.malformed
}

func plain(message string) complaint {
	if c, ok := fixed[message]; ok {
		return c
	}
	if strings.HasPrefix(message, "invalid date/time for format ") {
		return notDateTime
	}
	return wrongValue
}

func (c complaint) field(at string, args ...string) errs.Field {
	f := errs.Field{Location: at, Code: c.code, EN: c.en, ZH: c.zh}
	for i, a := range args {
		place := "{" + strconv.Itoa(i) + "}"
		f.EN, f.ZH = strings.ReplaceAll(f.EN, place, a), strings.ReplaceAll(f.ZH, place, a)
	}
	return f
}

// refuse is the refusal of one part of a request, with the text of a complaint.
func (c complaint) refuse(at string) error {
	e := *ErrInvalid
	if c.malformed {
		e = *ErrUnknownField
	}
	e.Fields = []errs.Field{c.field(at)}
	return &e
}
