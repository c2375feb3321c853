package canary

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	const text = "Quill 金丝雀 Road"
	for _, tt := range []struct{ name, in string }{
		{"plain text", "a " + text + " b"},
		{"hexadecimal", hex.EncodeToString([]byte("x" + text))},
		{"base64", base64.StdEncoding.EncodeToString([]byte(`{"a":"` + text + `"}`))},
		{"base64", base64.URLEncoding.EncodeToString([]byte(`{"ab":"` + text + `"}`))},
		{"base64", base64.StdEncoding.EncodeToString([]byte(`{"abc":"` + text + `"}`))},
		{"URL encoding", "q=" + url.QueryEscape(text)},
		{"UTF-16LE", "Q\x00u\x00i\x00l\x00l\x00 \x00\xd1\x91\x1d\x4e\xc0\x96 \x00R\x00o\x00a\x00d\x00"},
		{"", "Quill Road"},
		{"", ""},
	} {
		if got := Find([]byte(tt.in), text); got != tt.name {
			t.Errorf("in %q: %q, want %q", tt.in, got, tt.name)
		}
	}
}
