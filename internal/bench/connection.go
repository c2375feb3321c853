package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

const (
	// answerWithin is how long an answer may take: longer than the server lets any.
	answerWithin = 60 * time.Second
	dialWithin   = 5 * time.Second
	// keepFirst is how much of an answer is kept for the message of an error.
	keepFirst = 512
	// maxAnswer bounds what is read of one: a batch of 200 sales answers under 1 MiB.
	maxAnswer = 16 << 20
)

// connection is one kept-alive HTTP/1.1 connection. It exists because net/http's client
// hands every request between three goroutines, which costs as much CPU as the server
// takes to answer, on the machine that both share.
type connection struct {
	at   *url.URL
	head string // of every request, after the request line: Host and Authorization
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte // of the last answer; valid until the next
}

func newConnection(at *url.URL, key string) *connection {
	return &connection{at: at, head: " HTTP/1.1\r\nHost: " + at.Host + "\r\nAuthorization: Bearer " + key + "\r\n"}
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is on its way
		c.conn = nil
	}
}

// open dials where there is no connection.
func (c *connection) open(ctx context.Context) (err error) {
	if c.conn != nil {
		return nil
	}
	host, dialer := c.at.Host, &net.Dialer{Timeout: dialWithin}
	if c.at.Port() == "" {
		host = net.JoinHostPort(c.at.Hostname(), map[string]string{"http": "80", "https": "443"}[c.at.Scheme])
	}
	if c.at.Scheme == "https" {
		c.conn, err = (&tls.Dialer{NetDialer: dialer}).DialContext(ctx, "tcp", host)
	} else {
		c.conn, err = dialer.DialContext(ctx, "tcp", host)
	}
	if err != nil {
		c.conn = nil
		return fmt.Errorf("connect to %s: %w", host, err)
	}
	c.in = bufio.NewReaderSize(c.conn, 16<<10)
	return nil
}

// do sends a request and reads its answer. key is the Idempotency-Key, "" for none. After
// an error the next request dials anew.
func (c *connection) do(ctx context.Context, method, path, key string, body []byte) (status int, err error) {
	if err := c.open(ctx); err != nil {
		return 0, err
	}
	if err := c.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return 0, err
	}
	c.out = append(append(append(append(c.out[:0], method...), ' '), c.at.Path...), path...)
	c.out = append(c.out, c.head...)
	if key != "" {
		c.out = append(append(append(c.out, "Idempotency-Key: "...), key...), "\r\n"...)
	}
	if body != nil {
		c.out = append(c.out, "Content-Type: application/json\r\nContent-Length: "...)
		c.out = append(strconv.AppendInt(c.out, int64(len(body)), 10), "\r\n"...)
	}
	c.out = append(append(c.out, "\r\n"...), body...)
	if _, err = c.conn.Write(c.out); err == nil {
		status, err = c.answer()
	}
	if err != nil {
		c.close()
		return 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return status, nil
}

var errAnswer = errors.New("the answer is no HTTP/1.1")

// framing is what the header says of the body.
type framing struct {
	status  int
	length  int // -1 where it is not said
	chunked bool
	closes  bool
}

// answer reads one answer, its body into c.body.
func (c *connection) answer() (status int, err error) {
	f, err := c.header()
	if err != nil {
		return 0, err
	}
	switch {
	case f.chunked:
		err = c.readChunks()
	case f.length >= 0:
		err = c.read(f.length)
	case f.status == http.StatusNoContent:
		c.body = c.body[:0]
	default:
		err = errAnswer
	}
	if f.closes {
		c.close()
	}
	return f.status, err
}

// header reads up to the empty line.
func (c *connection) header() (framing, error) {
	f := framing{length: -1}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return f, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return f, errAnswer
	}
	if f.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return f, errAnswer
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return f, err
		}
		name, value, ok := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		if !ok && len(name) == 0 {
			return f, nil
		}
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if f.length, err = strconv.Atoi(string(value)); err != nil || f.length > maxAnswer {
				return f, errAnswer
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			f.chunked = true
		case bytes.EqualFold(name, []byte("Connection")):
			f.closes = bytes.EqualFold(value, []byte("close"))
		}
	}
}

// read takes a body of a known length.
func (c *connection) read(length int) error {
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err := io.ReadFull(c.in, c.body)
	return err
}

// readChunks takes a body in chunks, and what follows the last of them.
func (c *connection) readChunks() (err error) {
	if c.body, err = io.ReadAll(io.LimitReader(httputil.NewChunkedReader(c.in), maxAnswer)); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil || len(bytes.TrimRight(line, "\r\n")) == 0 {
			return err
		}
	}
}

// said is the beginning of the last answer, for a message.
func (c *connection) said() string { return string(c.body[:min(len(c.body), keepFirst)]) }
