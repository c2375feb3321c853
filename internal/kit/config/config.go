// Package config reads how the program is to run: where its data are, where it listens,
// what it logs.
//
// A value comes from a flag of the command line, else from the environment (PATRON_LISTEN),
// else from one YAML file (--config), else from the default. All four speak of the same
// keys (keys.go) and write their values the same way, and every mistake is refused with
// the place where it stands: a misspelt key that is ignored would be found only when it
// matters. Settings of the loyalty programme are no configuration: they live in the
// database (package program).
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Config is how the program is to run.
type Config struct {
	DataDir         string         // directory of the SQLite file, keys and socket
	DatabaseURL     string         // of PostgreSQL; empty for SQLite. May hold a password
	Listen          string         // host:port
	TLSCert, TLSKey string         // files of a certificate with its chain, and of its key; both or none
	ACMEDomain      []string       // names that certificates are fetched for; empty for none
	ACMEEmail       string         // where the authority writes to
	ACMECA          string         // URL of its directory; empty for Let's Encrypt
	ACMERoot        string         // file of the root that the authority itself is known by; empty for those of the system
	TLSLocal        bool           // certificates come from an authority of our own, in the data directory
	TLSNames        []string       // names and addresses that its certificates hold besides the machine's
	HTTPListen      string         // host:port of plain HTTP beside TLS, which leads there; empty for the default, or off
	TrustedProxy    []netip.Prefix // networks of proxies whose X-Forwarded-For and -Proto are believed
	LogLevel        string         // debug, info, warn, error
	LogFormat       string         // text, json
	DefaultLanguage string         // of answers to callers that name none: zh-CN, en
	MaxBatch        int            // most commands in one batch of the posting engine
	PostingWorkers  int            // 0 = one for every two cores
	MaxConnections  int            // that are open at once
	StopWait        time.Duration  // for which the server goes on serving after it was told to stop
	DebugListen     string         // host:port of the profiler, on loopback; empty for none
	OtelEndpoint    string         // of a collector of OpenTelemetry; empty for no traces
	OtelShare       float64        // of the requests that are traced without being asked to, 0 to 1
	BackupAt        string         // time of day in the programme's zone, as 03:00, or off
	BackupDir       string         // where scheduled backups go; empty for a folder of the data directory
	BackupKeepDays  int            // how long they are kept
	BackupRecipient string         // public keys of age that backups are encrypted for; empty for the key of the data directory
	PublicURL       string         // how browsers reach the program, as https://club.example; empty to go by each request
	SMTPURL         string         // mail server for codes of the portal; may hold a password. Empty: none
	SMTPFrom        string         // address that its mail is from
	PortalInbox     bool           // show the codes of the portal to everybody, as in a demonstration
	PortalCodes     int            // that the portal sends in an hour at most
}

// Defaults are the values of keys that nobody gives.
func Defaults() Config {
	return Config{
		DataDir: "./patron-data", Listen: "127.0.0.1:8080",
		LogLevel: "info", LogFormat: "text", DefaultLanguage: "zh-CN",
		MaxBatch: 256, MaxConnections: 8192, StopWait: time.Second, OtelShare: 0.01, BackupAt: "03:00", BackupKeepDays: 14, PortalCodes: 2000,
	}
}

// The refusals. place says where the value stands: "patron.yaml:3", "PATRON_LISTEN".
var (
	ErrFile    = errs.New(errs.Invalid, "config.file", "The configuration file {path} cannot be read.", "无法读取配置文件 {path}。")
	ErrYAML    = errs.New(errs.Invalid, "config.yaml", "{place}: this is not a list of key: value in YAML.", "{place}：不是 YAML 的“键: 值”列表。")
	ErrUnknown = errs.New(errs.Invalid, "config.unknown", "{place}: there is no key {key}. The keys are {keys}.", "{place}：没有配置项 {key}。可用的配置项：{keys}。")
	ErrTwice   = errs.New(errs.Invalid, "config.twice", "{place}: the key {key} stands twice.", "{place}：配置项 {key} 重复。")
	ErrValue   = errs.New(errs.Invalid, "config.value", "{place}: {key} has to be {want}.", "{place}：{key} 应为{want_zh}。")
)

// maxFile bounds the file: ours have ten lines.
const maxFile = 64 << 10

// Load reads the configuration from a file (path "" = none), the environment (as
// os.Environ gives it) and flags (by key, "listen"; only those that were given). Values
// are never shown in its errors, as one may hold a password.
func Load(path string, env []string, flags map[string]string) (Config, error) {
	c := Defaults()
	if path != "" {
		if err := c.readFile(path); err != nil {
			return Config{}, err
		}
	}
	if err := c.readEnv(env); err != nil {
		return Config{}, err
	}
	for _, k := range keys { // in the order of the table, so that the first error is always the same
		if text, ok := flags[k.name]; ok {
			if err := k.set(&c, text, "--"+strings.ReplaceAll(k.name, "_", "-")); err != nil {
				return Config{}, err
			}
		}
	}
	for name := range flags {
		if find(name) == nil {
			panic(fmt.Sprintf("config: no key for the flag %q", name)) // the command line is ours
		}
	}
	return c, nil
}

// readEnv takes the variables that are ours by name. Others that begin with PATRON_ are
// left alone: they may belong to a wrapper or a test.
func (c *Config) readEnv(env []string) error {
	given := map[string]string{}
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	for _, k := range keys {
		name := "PATRON_" + strings.ToUpper(k.name)
		if text, ok := given[name]; ok {
			if err := k.set(c, text, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) readFile(path string) error {
	bad := ErrFile.With("path", path)
	f, err := os.Open(path)
	if err != nil {
		return bad.Because(err)
	}
	defer f.Close() // read only
	text := make([]byte, maxFile+1)
	n, err := readUpTo(f, text)
	if err != nil {
		return bad.Because(err)
	}
	if n > maxFile {
		return bad.Because(fmt.Errorf("larger than %d bytes", maxFile))
	}
	return c.readYAML(path, text[:n])
}

// TLS reports whether the server speaks TLS itself.
func (c Config) TLS() bool {
	return c.TLSCert != "" || c.TLSKey != "" || len(c.ACMEDomain) > 0 || c.TLSLocal
}

// LogValue is the configuration without its secret: what the log may show.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("data_dir", c.DataDir), slog.String("database_url", redact(c.DatabaseURL)), slog.String("listen", c.Listen),
		slog.String("tls_cert", c.TLSCert), slog.String("tls_key", c.TLSKey), slog.Any("acme_domain", c.ACMEDomain), slog.String("acme_ca", c.ACMECA),
		slog.Bool("tls_local", c.TLSLocal), slog.Any("tls_names", c.TLSNames), slog.String("http_listen", c.HTTPListen), slog.Any("trusted_proxy", c.TrustedProxy),
		slog.String("log_level", c.LogLevel), slog.String("log_format", c.LogFormat), slog.String("default_language", c.DefaultLanguage),
		slog.Int("max_batch", c.MaxBatch), slog.Int("posting_workers", c.PostingWorkers), slog.Int("max_connections", c.MaxConnections),
		slog.Duration("stop_wait", c.StopWait), slog.String("debug_listen", c.DebugListen), slog.String("otel_endpoint", redact(c.OtelEndpoint)), slog.Float64("otel_share", c.OtelShare),
		slog.String("backup_at", c.BackupAt), slog.String("backup_dir", c.BackupDir), slog.Int("backup_keep_days", c.BackupKeepDays),
		slog.String("backup_recipient", c.BackupRecipient), slog.String("public_url", c.PublicURL),
		slog.String("smtp_url", redact(c.SMTPURL)), slog.String("smtp_from", c.SMTPFrom), slog.Bool("portal_inbox", c.PortalInbox), slog.Int("portal_codes_per_hour", c.PortalCodes),
	)
}

// String is LogValue as text, so that no %v prints the password.
func (c Config) String() string { return c.LogValue().String() }

// redact leaves of a URL what tells databases apart. Parameters go too: a password can be
// one of them.
func redact(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil {
		return "(set)"
	}
	return u.Scheme + "://" + u.Host + u.Path
}
