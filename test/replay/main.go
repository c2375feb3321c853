// Command replay starts a fresh server on a temporary database, feeds it a recorded history of
// offers through its public API, and prints how its completions compare with the recorded ones:
// one line of JSON. See offers.sh.
package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/patron-loyalty/patron/internal/replay"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: replay PATRON OFFERS.csv.gz MEMBERS.csv.gz EVENTS.csv.gz")
		os.Exit(2)
	}
	result, err := run(context.Background(), os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(1)
	}
}

// startWithin is how long the server may take to be ready.
const startWithin = time.Minute

func run(ctx context.Context, binary string, paths []string) (out replay.Result, err error) {
	dir, err := os.MkdirTemp("", "patron-replay.")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	files := make([]io.Reader, len(paths))
	for i, path := range paths {
		f, err := open(path)
		if err != nil {
			return out, err
		}
		files[i] = f
	}
	url, stop, err := serve(ctx, binary, dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	key, err := exec.CommandContext(ctx, binary, "key", "create", "--name", "replay", "--scopes", "all", "--data-dir", dir).Output()
	if err != nil {
		return out, fmt.Errorf("make a key: %w", err)
	}
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	return replay.Offers(ctx, replay.Server{URL: url, Key: strings.TrimSpace(string(key)), Log: log}, replay.Files{Offers: files[0], Members: files[1], Events: files[2]})
}

// open opens a file, unpacked where its name says that it is packed.
func open(path string) (io.Reader, error) {
	f, err := os.Open(path)
	if err != nil || filepath.Ext(path) != ".gz" {
		return f, err
	}
	return gzip.NewReader(f)
}

// serve starts the server on a free port and waits until it is ready.
func serve(ctx context.Context, binary, dir string) (url string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--data-dir", dir, "--listen", address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error {
		return errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}
	url = "http://" + address
	for until := time.Now().Add(startWithin); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(url + "/readyz")
		if err != nil {
			continue
		}
		if err := res.Body.Close(); err != nil {
			return "", nil, err
		}
		if res.StatusCode == http.StatusOK {
			return url, stop, nil
		}
	}
	return "", nil, errors.Join(errors.New("the server did not become ready"), stop())
}
