package tillsim

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// Bounds of a request.
const (
	answerWithin = 30 * time.Second
	maxAnswer    = 8 << 20
	maxTries     = 6 // of a request that the server is too busy for
	maxPause     = 10 * time.Second
)

// line is the till's connection to the server.
type line struct {
	to   *url.URL
	key  string
	http *http.Client
}

func newLine(to *url.URL, key string) *line {
	return &line{to: to, key: key, http: &http.Client{
		Timeout: answerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a till sends to where it was told
	}}
}

func (l *line) close() { l.http.CloseIdleConnections() }

// answer is what came for a request, read wholly.
type answer struct {
	message Message
	status  int
	replay  bool
	body    []byte
	problem struct{ Code, Detail string }
	err     error // no answer came
}

// short is the answer in a word or three, as steps name it: 201, "201 replayed", "409 checkout.over".
func (a answer) short() string {
	switch {
	case a.err != nil:
		return "no answer: " + a.err.Error()
	case a.problem.Code != "":
		return strconv.Itoa(a.status) + " " + a.problem.Code
	case a.replay:
		return strconv.Itoa(a.status) + " replayed"
	}
	return strconv.Itoa(a.status)
}

func (a answer) into(to any) error {
	if to == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, to); err != nil {
		return fmt.Errorf("%s %s: %w", a.message.Method, a.message.Path, err)
	}
	return nil
}

// request writes down a request. key "" sends none.
func (l *line) request(ctx context.Context, method, path, key string, body any) (*http.Request, []byte, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.to.String(), "/")+path, bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	req.Header.Set("Accept-Language", "en")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return req, text, nil
}

// send sends a request and waits for its answer. What the server is too busy for is sent again
// under the same key, when the server says.
func (l *line) send(ctx context.Context, method, path, key string, body any) (a answer) {
	for try := 1; ; try++ {
		var pause time.Duration
		if a, pause = l.once(ctx, method, path, key, body); pause == 0 || try == maxTries {
			return a
		}
		select {
		case <-ctx.Done():
			return a
		case <-time.After(pause):
		}
	}
}

// once sends a request. It returns for how long to wait before it is sent again, 0 for never.
func (l *line) once(ctx context.Context, method, path, key string, body any) (a answer, pause time.Duration) {
	a.message = Message{Method: method, Path: path, Key: key, Sent: body}
	req, _, err := l.request(ctx, method, path, key, body)
	if err != nil {
		a.err = err
		return a, 0
	}
	res, err := l.http.Do(req)
	if err != nil {
		a.err = err
		return a, 0
	}
	defer res.Body.Close()
	a.body, a.err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	a.status, a.replay = res.StatusCode, res.Header.Get("Idempotent-Replayed") == "true"
	a.message.Status, a.message.Replay = a.status, a.replay
	if json.Valid(a.body) {
		a.message.Answer = json.RawMessage(a.body)
	} else if len(a.body) > 0 {
		a.message.Answer = string(a.body)
	}
	if a.status >= 400 {
		_ = json.Unmarshal(a.body, &a.problem) // an answer that is no problem has no code
	}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		pause = min(max(time.Second, time.Duration(seconds)*time.Second), maxPause)
	}
	return a, pause
}

// dial opens a connection that the caller can break.
func (l *line) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	port := l.to.Port()
	if l.to.Scheme == "https" {
		if port == "" {
			port = "443"
		}
		return (&tls.Dialer{Config: &tls.Config{NextProtos: []string{"http/1.1"}}}).DialContext(ctx, "tcp", net.JoinHostPort(l.to.Hostname(), port))
	}
	if port == "" {
		port = "80"
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(l.to.Hostname(), port))
}

// drop sends a request wholly and breaks the connection: at once, or when the answer begins,
// which then nobody reads.
func (l *line) drop(ctx context.Context, method, path, key string, body any, answered bool) error {
	return l.breakOff(ctx, method, path, key, body, func(c net.Conn, head, text []byte) error {
		if _, err := c.Write(append(head, text...)); err != nil || !answered {
			return err
		}
		_, err := c.Read(make([]byte, 1))
		return err
	})
}

// half sends the head of a request and the first half of its body, and breaks the connection.
func (l *line) half(ctx context.Context, method, path, key string, body any) error {
	return l.breakOff(ctx, method, path, key, body, func(c net.Conn, head, text []byte) error {
		_, err := c.Write(append(head, text[:len(text)/2]...))
		return err
	})
}

func (l *line) breakOff(ctx context.Context, method, path, key string, body any, write func(c net.Conn, head, text []byte) error) error {
	req, text, err := l.request(ctx, method, path, key, body)
	if err != nil {
		return err
	}
	var whole bytes.Buffer
	if err := req.Write(&whole); err != nil {
		return err
	}
	head := whole.Bytes()[:whole.Len()-len(text)]
	c, err := l.dial(ctx)
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return errors.Join(err, c.Close())
	}
	return errors.Join(write(c, bytes.Clone(head), text), c.Close())
}

// skew is by how much the server's clock is ahead of this machine's, to the second.
func (l *line) skew(ctx context.Context) (time.Duration, error) {
	req, _, err := l.request(ctx, http.MethodGet, "/livez", "", nil)
	if err != nil {
		return 0, err
	}
	res, err := l.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil || time.Since(at).Abs() < 2*time.Second {
		return 0, nil //nolint:nilerr // a server without a date keeps the machine's
	}
	return time.Until(at) + time.Second, nil // the date is cut to the second: rather ahead than behind
}
