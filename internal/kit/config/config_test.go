package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "patron.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each source in turn says where to listen; the stronger one wins.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := write(t, "# where\nlisten: 127.0.0.1:2\nmax_batch: 7\n")
	env := []string{"PATH=/bin", "PATRON_LISTEN=127.0.0.1:3", "PATRON_OTHER=x"}
	flag := map[string]string{"listen": "127.0.0.1:4"}
	for _, tt := range []struct {
		name  string
		file  string
		env   []string
		flags map[string]string
		want  string
	}{
		{"default", "", nil, nil, "127.0.0.1:8080"},
		{"file", file, nil, nil, "127.0.0.1:2"},
		{"environment over file", file, env, nil, "127.0.0.1:3"},
		{"flag over environment", file, env, flag, "127.0.0.1:4"},
		{"flag over file", file, nil, flag, "127.0.0.1:4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := Load(tt.file, tt.env, tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			if c.Listen != tt.want {
				t.Errorf("Listen = %s, want %s", c.Listen, tt.want)
			}
			if batch := map[bool]int{true: 7, false: 256}[tt.file != ""]; c.MaxBatch != batch {
				t.Errorf("MaxBatch = %d, want %d", c.MaxBatch, batch)
			}
		})
	}
}

// Every key can be set from a file, in each way that YAML writes a plain value.
func TestFile(t *testing.T) {
	t.Parallel()
	path := write(t, `---
data_dir: "/srv/patron data"   # quoted
database_url: 'postgres://p:s@db/patron?sslmode=disable'
listen: "[::1]:80"
tls_cert: /etc/a.crt
tls_key: /etc/a.key
acme_domain: Shop.example, www.shop.example
acme_email: a@shop.example
acme_ca: https://ca.lan/directory
acme_root: /etc/ca.pem
tls_local: true
tls_names: till.lan,192.168.1.10
http_listen: off
trusted_proxy: 10.1.2.3/8, 2001:db8::1
log_level: debug
log_format: json
default_language: en
max_batch: 10000
posting_workers: 0
max_connections: 16
stop_wait: 2s
debug_listen: "[::1]:6060"
otel_endpoint: https://u:p@collector:4318/x
otel_share: 0.25
backup_at: "23:30"
backup_dir: /mnt/backups
backup_keep_days: 30
backup_recipient: age1abc, age1def
public_url: https://club.example
smtp_url: smtps://me:hunter2@mail.example:465
smtp_from: club@club.example
portal_inbox: true
portal_codes_per_hour: 10
`)
	got, err := Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{"/srv/patron data", "postgres://p:s@db/patron?sslmode=disable", "[::1]:80",
		"/etc/a.crt", "/etc/a.key", []string{"shop.example", "www.shop.example"}, "a@shop.example", "https://ca.lan/directory", "/etc/ca.pem",
		true, []string{"till.lan", "192.168.1.10"}, "off", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}, "debug", "json", "en", 10000, 0, 16, 2 * time.Second, "[::1]:6060", "https://u:p@collector:4318/x", 0.25, "23:30", "/mnt/backups", 30, "age1abc, age1def", "https://club.example", "smtps://me:hunter2@mail.example:465", "club@club.example", true, 10}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load =\n%#v, want\n%#v", got, want)
	}
	for _, empty := range []string{"", "# nothing yet\n", "---\n"} {
		if c, err := Load(write(t, empty), nil, nil); err != nil || !reflect.DeepEqual(c, Defaults()) {
			t.Errorf("Load(%q) = %v, %v; want the defaults", empty, c, err)
		}
	}
}

// A mistake is refused, in both languages, with the key and the place where it stands.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       error
		shows      string
	}{
		{"misspelt", "listen: 127.0.0.1:1\nlistn: x\n", ErrUnknown, ":2"},
		{"capitals", "Listen: 127.0.0.1:1\n", ErrUnknown, `"Listen"`},
		{"twice", "log_level: info\n\nlog_level: info\n", ErrTwice, ""},
		{"no port", "listen: localhost\n", ErrValue, "listen"},
		{"port too high", "listen: localhost:65536\n", ErrValue, ":1"},
		{"port with zeros", "listen: localhost:080\n", ErrValue, ":1"},
		{"no name", "acme_domain: shop_1.example\n", ErrValue, "acme_domain"},
		{"an address for a name", "acme_domain: 192.0.2.1\n", ErrValue, "acme_domain"},
		{"no name between commas", "acme_domain: a.example,,b.example\n", ErrValue, "acme_domain"},
		{"an authority in the open", "acme_ca: http://ca.lan\n", ErrValue, "acme_ca"},
		{"perhaps", "tls_local: yes\n", ErrValue, "tls_local"},
		{"neither name nor address", "tls_names: a b\n", ErrValue, "tls_names"},
		{"no port of plain HTTP", "http_listen: on\n", ErrValue, "http_listen"},
		{"a proxy by name", "trusted_proxy: nginx\n", ErrValue, "trusted_proxy"},
		{"everybody is a proxy", "trusted_proxy: 0.0.0.0/0\n", ErrValue, "trusted_proxy"},
		{"everybody of IPv6 is a proxy", "trusted_proxy: 10.0.0.0/8,::/0\n", ErrValue, "trusted_proxy"},
		{"level", "data_dir: x\nlog_level: loud\n", ErrValue, ":2"},
		{"format", "log_format: xml\n", ErrValue, "log_format"},
		{"language", "default_language: fr\n", ErrValue, "default_language"},
		{"batch of none", "max_batch: 0\n", ErrValue, "max_batch"},
		{"batch of too many", "max_batch: 10001\n", ErrValue, "max_batch"},
		{"batch in words", "max_batch: many\n", ErrValue, "max_batch"},
		{"workers below none", "posting_workers: -1\n", ErrValue, "posting_workers"},
		{"too few connections", "max_connections: 15\n", ErrValue, "max_connections"},
		{"a long farewell", "stop_wait: 61s\n", ErrValue, "stop_wait"},
		{"a wait without a unit", "stop_wait: 5\n", ErrValue, "stop_wait"},
		{"a profiler for all", "debug_listen: 0.0.0.0:6060\n", ErrValue, "debug_listen"},
		{"a profiler for all, said shortly", "debug_listen: :6060\n", ErrValue, "debug_listen"},
		{"a profiler by name", "debug_listen: localhost:6060\n", ErrValue, "debug_listen"},
		{"a profiler without a port", "debug_listen: 127.0.0.1\n", ErrValue, "debug_listen"},
		{"a collector of another kind", "otel_endpoint: grpc://c:4317\n", ErrValue, "otel_endpoint"},
		{"a collector nowhere", "otel_endpoint: http://\n", ErrValue, "otel_endpoint"},
		{"more than all", "otel_share: 1.01\n", ErrValue, "otel_share"},
		{"no number", "otel_share: NaN\n", ErrValue, "otel_share"},
		{"no time of day", "backup_at: 25:00\n", ErrValue, "backup_at"},
		{"half a time of day", "backup_at: \"3:00\"\n", ErrValue, "backup_at"},
		{"kept for no day", "backup_keep_days: 0\n", ErrValue, "backup_keep_days"},
		{"a secret for a public key", "backup_recipient: age1abc,AGE-SECRET-KEY-1X\n", ErrValue, "backup_recipient"},
		{"a page for an address", "public_url: https://club.example/portal\n", ErrValue, "public_url"},
		{"a mail server of another kind", "smtp_url: imap://mail.example\n", ErrValue, "smtp_url"},
		{"a name before the address", "smtp_from: Club <club@club.example>\n", ErrValue, "smtp_from"},
		{"an inbox, perhaps", "portal_inbox: yes please\n", ErrValue, "portal_inbox"},
		{"too few codes", "portal_codes_per_hour: 9\n", ErrValue, "portal_codes_per_hour"},
		{"no directory", "data_dir: ''\n", ErrValue, "data_dir"},
		{"null", "data_dir:\n", ErrValue, "data_dir"},
		{"list", "data_dir: [a]\n", ErrValue, "data_dir"},
		{"other database", "database_url: mysql://x\n", ErrValue, "database_url"},
		{"not a map", "- a\n", ErrYAML, ""},
		{"a word", "hello\n", ErrYAML, ""},
		{"two documents", "listen: a:1\n---\nlisten: a:2\n", ErrYAML, ""},
		{"no YAML", "listen: [\n", ErrYAML, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, tt.text)
			_, err := Load(path, nil, nil)
			if !errors.Is(err, tt.want) {
				if !(tt.want == ErrTwice && errors.Is(err, ErrYAML)) { // the parser may find it first
					t.Fatalf("Load = %v, want %v", err, tt.want)
				}
			}
			for _, lang := range []string{"en", "zh-CN"} {
				text := errs.As(err).Text(lang)
				if !strings.Contains(text, path) || !strings.Contains(text, tt.shows) || strings.Contains(text, "{") {
					t.Errorf("%s: %q does not show %q and %q", lang, text, path, tt.shows)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil, nil); !errors.Is(err, ErrFile) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(write(t, strings.Repeat("# long\n", maxFile/7+1)), nil, nil); !errors.Is(err, ErrFile) {
		t.Errorf("a file past its bound: %v", err)
	}
	if _, err := Load("", []string{"PATRON_MAX_BATCH="}, nil); !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "PATRON_MAX_BATCH") {
		t.Errorf("a bad variable: %v", err)
	}
	if _, err := Load("", nil, map[string]string{"data_dir": ""}); !errors.Is(err, ErrValue) || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("a bad flag: %v", err)
	}
}

// However a configuration is printed, the password is not in it.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://me:hunter2@db/x", "postgres://db/x?user=me&password=hunter2"} {
		c, err := Load("", []string{"PATRON_DATABASE_URL=" + url}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"%v", "%+v", "%s"} {
			if text := fmt.Sprintf(format, c); strings.Contains(text, "hunter2") || !strings.Contains(text, "db/x") {
				t.Errorf("printed as %s", text)
			}
		}
	}
	_, err := Load("", []string{"PATRON_DATABASE_URL=postgres://me:hunter2@[db"}, nil)
	if !errors.Is(err, ErrValue) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("refused as %v", err)
	}
}
