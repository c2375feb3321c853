//go:build torture

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/canary"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A code of the portal goes through a real mail server (OpenSMTPD, which wants root) and opens
// the door; where the server refuses an address, the guest hears that nothing was sent, and
// the log does not say to whom.
func TestMail(t *testing.T) {
	t.Parallel()
	server, box := startMail(t)
	var logged lockedLog
	a := apptest.OpenAt(t, apptest.Setup{
		Database: dbtest.Options(t, db.SQLite), Box: seal.Test(), Log: slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}),
		Edit: func(c *config.Config) { c.SMTPURL, c.SMTPFrom = "smtp://"+server, "club@club.example" },
	})
	post := func(path, body string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequest("POST", a.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Language", "zh-CN")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out := map[string]any{}
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, out
	}
	status, asked := post("/portal/v1/codes", `{"email":"guest@club.example"}`)
	if status != 202 {
		t.Fatalf("%d %v", status, asked)
	}
	subject, from, text := receive(t, box)
	code := regexp.MustCompile(`^\d{6}`).FindString(text)
	if subject != "常客验证码："+code || code == "" || !strings.Contains(from, "club@club.example") || !strings.Contains(text, "10 分钟") {
		t.Errorf("from %q, subject %q:\n%s", from, subject, text)
	}
	if status, in := post("/portal/v1/join", fmt.Sprintf(`{"email":"guest@club.example","challenge":%q,"code":%q}`, asked["challenge"], code)); status != 201 {
		t.Errorf("%d %v", status, in)
	}
	if status, in := post("/portal/v1/codes", `{"email":"canary.guest@elsewhere.example"}`); status != 503 || in["code"] != "portal.not_sent" {
		t.Errorf("an address that the server refuses: %d %v", status, in)
	}
	logged.Lock()
	defer logged.Unlock()
	if !strings.Contains(logged.String(), "a code was not sent") {
		t.Errorf("nothing was logged: %s", logged.String())
	}
	canary.None(t, "log", logged.Bytes(), []string{"guest@club.example", "canary.guest@elsewhere.example"})
}

type lockedLog struct {
	sync.Mutex
	bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(b)
}

// startMail starts a mail server that keeps what comes for club.example, and refuses the rest.
func startMail(t *testing.T) (address, box string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "patron-mail-") // not t.TempDir, where the server's user may not look
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	box = filepath.Join(dir, "mail")
	conf := filepath.Join(dir, "smtpd.conf")
	text := fmt.Sprintf("table who { \"@\" = \"nobody\" }\nlisten on 127.0.0.1 port %s\naction keep maildir %q virtual <who>\nmatch from any for domain club.example action keep\n", port, box)
	for _, step := range []error{os.Chmod(dir, 0o755), os.Mkdir(box, 0o777), os.Chmod(box, 0o777), os.WriteFile(conf, []byte(text), 0o600)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	var said bytes.Buffer
	server := exec.Command("smtpd", "-d", "-f", conf)
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatalf("start the mail server (package opensmtpd): %v", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the mail server:\n%s", said.String())
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return address, box
		}
		if time.Now().After(end) {
			t.Fatal("the mail server does not listen")
		}
	}
}

// receive waits for the one message of a box.
func receive(t *testing.T, box string) (subject, from, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		list, err := filepath.Glob(filepath.Join(box, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			continue
		}
		raw, err := os.ReadFile(list[0])
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
			t.Fatal(err)
		}
		if how := m.Header.Get("Content-Transfer-Encoding"); how != "quoted-printable" {
			t.Fatalf("encoded as %q", how)
		}
		plain, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		return subject, m.Header.Get("From"), string(plain)
	}
	t.Fatal("no message came")
	return "", "", ""
}
