package portal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
)

// A code is good in its own programme only, though the sandbox has the same keys; and over
// midnight, when the key changes.
func TestRealms(t *testing.T) {
	t.Parallel()
	box, now := seal.Test(), clock.At(time.Date(2026, 3, 10, 23, 59, 30, 0, time.UTC))
	at := func(realm string) *Service { return &Service{o: Options{Box: box, Clock: now, Realm: realm}} }
	code, _ := at("").qr(7)
	if m, err := at("").Resolve(t.Context(), code); err != nil || m != 7 {
		t.Errorf("at home: %d, %v", m, err)
	}
	if m, err := at("sandbox").Resolve(t.Context(), code); !errors.Is(err, member.ErrQR) {
		t.Errorf("in the sandbox: %d, %v", m, err)
	}
	before := at("").qrKey(now.Now().Unix())
	now.Advance(45 * time.Second)
	if m, err := at("").Resolve(t.Context(), code); err != nil || m != 7 {
		t.Errorf("after midnight: %d, %v", m, err)
	}
	if string(before) == string(at("").qrKey(now.Now().Unix())) {
		t.Error("a new day has the old key")
	}
	now = clock.At(now.Now().Add(-time.Minute)) // the node that made it is a quarter of a minute ahead
	if _, err := at("").Resolve(t.Context(), code); !errors.Is(err, member.ErrQR) {
		t.Errorf("from the future: %v", err)
	}
}

// A mail server that cannot be meant is refused before anything starts, and its password is
// told to nobody.
func TestNewMail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, server, from string
		ok                 bool
	}{
		{"TLS", "smtps://me:hunter2@mail.example:465", "club@club.example", true},
		{"STARTTLS", "smtp://mail.example", "club@club.example", true},
		{"this machine", "smtp://127.0.0.1:2525", "club@club.example", true},
		{"no sender", "smtp://mail.example", "", false},
		{"no host", "smtps://me:hunter2@", "club@club.example", false},
		{"another kind", "imap://me:hunter2@mail.example", "club@club.example", false},
		{"no URL", "smtps://me:hunter2@mail.example:port", "club@club.example", false},
	} {
		_, err := NewMail(tt.server, tt.from)
		if (err == nil) != tt.ok || err != nil && (!errors.Is(err, ErrMail) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A message says what its code is for in the language of who asked.
func TestMessage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		m    Message
		want []string
	}{
		{Message{Code: "123456", Programme: "Tea", Language: "en", Minutes: 10}, []string{"123456 is your code for Tea", "to sign in to Tea", "within 10 minutes"}},
		{Message{Code: "123456", Programme: "茶", Language: "zh-CN", Minutes: 10}, []string{"茶验证码：123456", "登录茶", "10 分钟"}},
		{Message{Code: "123456", Programme: "Tea", Language: "en", Minutes: 10, Closing: true}, []string{"close your account with Tea for good"}},
		{Message{Code: "123456", Programme: "茶", Language: "zh-CN", Minutes: 10, Closing: true}, []string{"注销茶会员账户"}},
	} {
		text := tt.m.subject() + "\n" + tt.m.text()
		for _, want := range tt.want {
			if !strings.Contains(text, want) || strings.Contains(text, "%!") {
				t.Errorf("%q is not in %q", want, text)
			}
		}
	}
}
