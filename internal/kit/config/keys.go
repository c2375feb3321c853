package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// key is one thing that can be set, and the one way to read it from text.
type key struct {
	name     string
	want, zh string // what a value has to be
	read     func(c *Config, text string) bool
}

// keys are all keys, in the order in which the documentation lists them.
var keys = []key{
	{"data_dir", "the path of a directory", "目录路径", func(c *Config, t string) bool { c.DataDir = t; return t != "" }},
	{"database_url", "a URL like postgres://user@host/database, or empty for SQLite", "形如 postgres://user@host/database 的 URL，留空则使用 SQLite", readDatabaseURL},
	{"listen", "an address like 127.0.0.1:8080", "形如 127.0.0.1:8080 的地址", readListen},
	{"tls_cert", "the path of a file, or empty", "文件路径，或留空", func(c *Config, t string) bool { c.TLSCert = t; return true }},
	{"tls_key", "the path of a file, or empty", "文件路径，或留空", func(c *Config, t string) bool { c.TLSKey = t; return true }},
	{"acme_domain", "names like shop.example.com, separated by commas, or empty", "形如 shop.example.com 的域名，以逗号分隔，或留空", readACMEDomain},
	{"acme_email", "an e-mail address, or empty", "邮箱地址，或留空", func(c *Config, t string) bool { c.ACMEEmail = t; return t == "" || strings.Contains(t, "@") }},
	{"acme_ca", "the https URL of a directory, or empty for Let's Encrypt", "目录的 https URL，留空则使用 Let's Encrypt", readACMECA},
	{"acme_root", "the path of a file, or empty", "文件路径，或留空", func(c *Config, t string) bool { c.ACMERoot = t; return true }},
	{"tls_local", "true or false", " true 或 false", func(c *Config, t string) bool { c.TLSLocal = t == "true"; return t == "true" || t == "false" }},
	{"tls_names", "names and addresses like till.lan,192.168.1.10, or empty", "形如 till.lan,192.168.1.10 的名称和地址，或留空", readTLSNames},
	{"http_listen", "an address like 0.0.0.0:80, or off, or empty", "形如 0.0.0.0:80 的地址，或 off，或留空", readHTTPListen},
	{"trusted_proxy", "networks like 10.0.0.0/8,192.0.2.7, or empty", "形如 10.0.0.0/8,192.0.2.7 的网段，或留空", readTrustedProxy},
	{"log_level", "debug, info, warn or error", " debug、info、warn 或 error", readLogLevel},
	{"log_format", "text or json", " text 或 json", func(c *Config, t string) bool { c.LogFormat = t; return t == "text" || t == "json" }},
	{"default_language", "zh-CN or en", " zh-CN 或 en", func(c *Config, t string) bool { c.DefaultLanguage = t; return t == "zh-CN" || t == "en" }},
	{"max_batch", "a whole number from 1 to 10000", " 1 至 10000 的整数", func(c *Config, t string) bool { return readInt(&c.MaxBatch, t, 1, 10_000) }},
	{"posting_workers", "a whole number from 0 to 256", " 0 至 256 的整数", func(c *Config, t string) bool { return readInt(&c.PostingWorkers, t, 0, 256) }},
	{"max_connections", "a whole number from 16 to 1000000", " 16 至 1000000 的整数", func(c *Config, t string) bool { return readInt(&c.MaxConnections, t, 16, 1_000_000) }},
	{"stop_wait", "a duration from 0s to 60s, like 5s", " 0s 至 60s 的时长，如 5s", readStopWait},
	{"debug_listen", "an address of this machine alone, like 127.0.0.1:6060, or empty", "仅限本机的地址，如 127.0.0.1:6060，或留空", readDebugListen},
	{"otel_endpoint", "a URL like http://127.0.0.1:4318, or empty", "形如 http://127.0.0.1:4318 的 URL，或留空", readOtelEndpoint},
	{"otel_share", "a number from 0 to 1", " 0 至 1 的数", readOtelShare},
	{"backup_at", "a time of day like 03:00, or off", "形如 03:00 的时刻，或 off", readBackupAt},
	{"backup_dir", "the path of a directory, or empty for one in the data directory", "目录路径，留空则使用数据目录中的目录", func(c *Config, t string) bool { c.BackupDir = t; return true }},
	{"backup_keep_days", "a whole number from 1 to 3650", " 1 至 3650 的整数", func(c *Config, t string) bool { return readInt(&c.BackupKeepDays, t, 1, 3650) }},
	{"backup_recipient", "public keys of age like age1…, separated by commas, or empty", "形如 age1… 的 age 公钥，以逗号分隔，或留空", readRecipient},
	{"public_url", "a URL like https://club.example, or empty", "形如 https://club.example 的 URL，或留空", readPublicURL},
	{"smtp_url", "a URL like smtps://user:password@mail.example:465 or smtp://mail.example:587, or empty", "形如 smtps://user:password@mail.example:465 或 smtp://mail.example:587 的 URL，或留空", readSMTP},
	{"smtp_from", "an e-mail address, or empty", "电子邮箱地址，或留空", readSMTPFrom},
	{"portal_inbox", "true or false", " true 或 false", readInbox},
	{"portal_codes_per_hour", "a whole number from 10 to 1000000", " 10 至 1000000 的整数", func(c *Config, t string) bool { return readInt(&c.PortalCodes, t, 10, 1_000_000) }},
}

// Keys lists the names of all keys.
func Keys() []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

func find(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// set reads text into c, or says what it has to be.
func (k key) set(c *Config, text, place string) error {
	if !k.read(c, text) {
		return ErrValue.With("place", place, "key", k.name, "want", k.want, "want_zh", k.zh)
	}
	return nil
}

func readDatabaseURL(c *Config, text string) bool {
	c.DatabaseURL = text
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
}

func readListen(c *Config, text string) bool {
	c.Listen = text
	return isAddress(text)
}

func readHTTPListen(c *Config, text string) bool {
	c.HTTPListen = text
	return text == "" || text == Off || isAddress(text)
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}

// list reads what stands between commas, without spaces around it; nothing is an empty list.
func list(text string) (out []string) {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for one := range strings.SplitSeq(text, ",") {
		out = append(out, strings.ToLower(strings.TrimSpace(one)))
	}
	return out
}

// isName reports whether a text is the name of a host.
func isName(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(text) <= 253
}

func readACMEDomain(c *Config, text string) bool {
	c.ACMEDomain = list(text)
	return !slices.ContainsFunc(c.ACMEDomain, func(n string) bool { return !isName(n) || net.ParseIP(n) != nil })
}

func readACMECA(c *Config, text string) bool {
	c.ACMECA = text
	u, err := url.Parse(text)
	return text == "" || err == nil && u.Scheme == "https" && u.Host != ""
}

func readTLSNames(c *Config, text string) bool {
	c.TLSNames = list(text)
	return !slices.ContainsFunc(c.TLSNames, func(n string) bool { return !isName(n) && net.ParseIP(n) == nil })
}

// readTrustedProxy takes networks, and addresses as networks of one.
func readTrustedProxy(c *Config, text string) bool {
	c.TrustedProxy = nil
	for _, one := range list(text) {
		network, err := netip.ParsePrefix(one)
		if err != nil {
			address, err := netip.ParseAddr(one)
			if err != nil || address.Zone() != "" {
				return false
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network.Addr().Is4In6() || network.Bits() == 0 { // nobody may speak for everybody
			return false
		}
		c.TrustedProxy = append(c.TrustedProxy, network.Masked())
	}
	return true
}

// maxStopWait leaves supervisors time for the rest before they lose patience.
const maxStopWait = time.Minute

func readStopWait(c *Config, text string) bool {
	d, err := time.ParseDuration(text)
	c.StopWait = d
	return err == nil && d >= 0 && d <= maxStopWait
}

// readDebugListen takes addresses of loopback only: what is served there is for whoever
// may log in to the machine.
func readDebugListen(c *Config, text string) bool {
	if c.DebugListen = text; text == "" {
		return true
	}
	host, _, err := net.SplitHostPort(text)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func readOtelEndpoint(c *Config, text string) bool {
	c.OtelEndpoint = text
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func readOtelShare(c *Config, text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	c.OtelShare = f
	return err == nil && f >= 0 && f <= 1
}

func readPublicURL(c *Config, text string) bool {
	c.PublicURL = text
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
}

func readSMTP(c *Config, text string) bool {
	c.SMTPURL = text
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "smtp" || u.Scheme == "smtps") && u.Hostname() != "" && strings.Trim(u.Path, "/") == ""
}

func readSMTPFrom(c *Config, text string) bool {
	c.SMTPFrom = text
	a, err := mail.ParseAddress(text)
	return text == "" || err == nil && a.Address == text
}

func readInbox(c *Config, text string) bool {
	c.PortalInbox = text == "true"
	return text == "true" || text == "false"
}

// Off is the value of BackupAt that makes no backups by themselves, and of HTTPListen that
// has no plain HTTP.
const Off = "off"

func readBackupAt(c *Config, text string) bool {
	c.BackupAt = text
	_, err := time.Parse("15:04", text)
	return text == Off || err == nil && len(text) == len("03:00")
}

// readRecipient looks at the beginning of each key; the rest is looked at where it is used.
func readRecipient(c *Config, text string) bool {
	c.BackupRecipient = text
	for one := range strings.SplitSeq(text, ",") {
		if text != "" && !strings.HasPrefix(strings.TrimSpace(one), "age1") {
			return false
		}
	}
	return true
}

func readLogLevel(c *Config, text string) bool {
	c.LogLevel = text
	return slices.Contains([]string{"debug", "info", "warn", "error"}, text)
}

func readInt(to *int, text string, least, most int) bool {
	n, err := strconv.Atoi(text)
	*to = n
	return err == nil && n >= least && n <= most
}

// Level is LogLevel as slog knows it.
func (c Config) Level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		panic("config: " + err.Error()) // readLogLevel has checked it
	}
	return l
}

// readYAML reads the file through its syntax tree, which knows the line of every key.
func (c *Config) readYAML(path string, text []byte) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return ErrYAML.With("place", path).Because(err)
	}
	if len(file.Docs) == 0 || len(file.Docs) == 1 && isNothing(file.Docs[0].Body) {
		return nil
	}
	body, ok := file.Docs[0].Body.(ast.MapNode)
	if !ok || len(file.Docs) > 1 {
		return ErrYAML.With("place", path)
	}
	seen := map[string]bool{}
	for pairs := body.MapRange(); pairs.Next(); {
		if err := c.readPair(path, pairs.KeyValue(), seen); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) readPair(path string, pair *ast.MappingValueNode, seen map[string]bool) error {
	token := pair.Key.GetToken()
	name, place := token.Value, fmt.Sprintf("%s:%d", path, token.Position.Line)
	k := find(name)
	switch {
	case k == nil:
		return ErrUnknown.With("place", place, "key", strconv.Quote(name), "keys", strings.Join(Keys(), ", "))
	case seen[name]:
		return ErrTwice.With("place", place, "key", name)
	}
	seen[name] = true
	value, ok := scalar(pair.Value)
	if !ok {
		return ErrValue.With("place", place, "key", name, "want", k.want, "want_zh", k.zh)
	}
	return k.set(c, value, place)
}

// scalar is the text of a plain value; lists, maps, anchors and nulls are none.
func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value, true
	}
	return "", false
}

func isNothing(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	_, comment := n.(*ast.CommentGroupNode)
	return n == nil || null || comment
}

// readUpTo fills buf as far as r goes.
func readUpTo(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
