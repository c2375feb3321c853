package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Beside a running server of the embedded database a tool cannot open the file. It then
// hands its words over a Unix socket in the data directory, and the server does the
// command in the tool's name and streams what it prints. Whoever may write to the socket
// may read the database and its keys anyway: both have mode 0600.

// errRemote says that the database is held by something that is no server.
var errRemote = errs.New(errs.Conflict, "tool.locked", "Another process has the database open and does not serve tools. Wait for it, or stop it.", "另一个进程正占用数据库且不接受工具命令。请等待其结束或停止它。")

// order is what a tool sends first, one line of JSON.
type order struct {
	Args []string
	Dir  string
	Vars []string
}

// input is a piece of the tool's standard input, one line of JSON each. An empty piece is
// its end; the connection stays open, so that its end means that the tool is gone.
type input struct{ In []byte }

// frame is what the server sends back, one line of JSON each.
type frame struct {
	Out, Err []byte `json:",omitempty"`
	Exit     *int   `json:",omitempty"`
}

func socketPath(dir string) string { return filepath.Join(dir, "patron.sock") }

// remote has the server do this command.
func (e *env) remote() error {
	conn, err := net.Dial("unix", socketPath(e.config.DataDir))
	if err != nil {
		return errRemote.Because(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(e.ctx, func() { _ = conn.Close() }) // the server sees it and ends the command
	defer stop()
	send := json.NewEncoder(conn)
	if err := send.Encode(order{e.args, e.dir, e.vars}); err != nil {
		return err
	}
	go func() { // ends with the input or the connection
		_, _ = io.Copy(inputWriter{send}, e.stdin)
		_ = send.Encode(input{})
	}()
	frames := json.NewDecoder(conn)
	for {
		var f frame
		if err := frames.Decode(&f); err != nil {
			return fmt.Errorf("the server did not finish the command: %w", err)
		}
		if err := errors.Join(write(e.stdout, f.Out), write(e.stderr, f.Err)); err != nil {
			return err
		}
		if f.Exit != nil && *f.Exit != 0 {
			return errQuiet
		}
		if f.Exit != nil {
			return nil
		}
	}
}

type inputWriter struct{ to *json.Encoder }

func (w inputWriter) Write(b []byte) (int, error) { return len(b), w.to.Encode(input{b}) }

func write(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := w.Write(b)
	return err
}

// serveTools does commands of tools until the returned function is called, which waits for
// those that run.
func serveTools(e *env, a *app.App) (stop func(), err error) {
	path := socketPath(e.config.DataDir)
	if err := os.MkdirAll(e.config.DataDir, 0o700); err != nil {
		return nil, err
	}
	_ = os.Remove(path) // left by a process that was killed
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the socket for tools: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	ctx, cancel := context.WithCancel(e.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			running.Go(func() { serveTool(ctx, conn, a) })
		}
	})
	return func() { _ = listener.Close(); cancel(); running.Wait() }, nil
}

func serveTool(ctx context.Context, conn net.Conn, a *app.App) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := json.NewDecoder(conn)
	var o order
	if in.Decode(&o) != nil {
		return
	}
	out := &framed{enc: json.NewEncoder(conn)}
	stdin, feed := io.Pipe()
	go func() { // ends with the connection
		defer cancel() // nobody waits for the command any more
		for {
			var piece input
			if err := in.Decode(&piece); err != nil {
				_ = feed.CloseWithError(err)
				return
			}
			if len(piece.In) == 0 {
				_ = feed.Close()
			} else if _, err := feed.Write(piece.In); err != nil {
				continue // the command wants no more; its end is still listened for
			}
		}
	}()
	e := &env{
		ctx: ctx, stdin: stdin, stdout: frameWriter{out, false}, stderr: frameWriter{out, true}, vars: o.Vars, dir: o.Dir, app: a,
		exit: func(int) {}, // of the parser, for --help: the command ends by itself
	}
	code := run(e, o.Args)
	out.send(frame{Exit: &code})
	_ = stdin.Close()
}

// framed sends frames, one after the other.
type framed struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (f *framed) send(x frame) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.enc.Encode(x)
}

type frameWriter struct {
	to  *framed
	err bool
}

func (w frameWriter) Write(b []byte) (int, error) {
	f := frame{Out: b}
	if w.err {
		f = frame{Err: b}
	}
	return len(b), w.to.send(f)
}
