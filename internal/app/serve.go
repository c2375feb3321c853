package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

// The bounds of an end.
const (
	// drainWithin is how long requests that have begun get to finish: the longest that one
	// may take.
	drainWithin = 30 * time.Second
	// lastCalls is how long the door goes on letting in when it is about to be shut, and
	// maxInLine how many may stand in line in the end.
	lastCalls = 20 * time.Millisecond
	maxInLine = 4096
	// otherFiles are the open files that are no connections of callers.
	otherFiles = 256
)

// Serve answers on a listener, through h, until ctx ends or the storage fails: over TLS where
// secure says how, else in the open.
//
// The end, in this order: readiness is off; streams of events end; for a short while everybody is still served, and
// each answer asks to close its connection; the door is shut; what has begun finishes.
// Whoever was let in gets an answer. (http.Server.Shutdown alone would hang up on those
// whose request it reads after it was called.)
func (a *App) Serve(ctx context.Context, l net.Listener, secure *tls.Config, h http.Handler) error {
	server := api.Server("", a.farewell(h))
	server.ErrorLog = log.New(quiet{a.Log}, "", 0)
	server.ConnState = a.busy.note
	door := newDoor(l, a.places(), &a.open)
	failed := make(chan error, 1)
	go func() { // ends when the door is shut
		if server.TLSConfig = secure; secure != nil {
			failed <- server.ServeTLS(door, "", "")
			return
		}
		failed <- server.Serve(door)
	}()
	var err error
	select {
	case <-ctx.Done():
		a.Log.Info("stopping: no longer ready; the requests that have begun finish")
		a.stopping.Store(true)
		a.hangUp()
		a.linger()
	case <-a.DB.Failed():
		a.stopping.Store(true)
		a.hangUp()
		err = fmt.Errorf("the storage failed; start again to go on: %w", a.DB.Failure())
	case err = <-failed:
		return err
	}
	err = errors.Join(err, door.Close())
	if end := <-failed; !errors.Is(end, net.ErrClosed) {
		err = errors.Join(err, end)
	}
	drain, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	if late := errors.Join(a.busy.wait(drain), server.Shutdown(drain)); late != nil {
		err = errors.Join(err, fmt.Errorf("some requests did not finish: %w", late), server.Close())
	}
	return err
}

// hangUp ends the streams of events, here and in the test half: they would never finish.
func (a *App) hangUp() {
	a.API.HangUp()
	if a.test == nil {
		return
	}
	a.test.mu.Lock()
	defer a.test.mu.Unlock()
	if a.test.test != nil {
		a.test.test.API.HangUp()
	}
}

// busy counts the connections on which a request is on its way, or the first one has yet to
// come.
type busy struct{ n atomic.Int64 }

// note follows the life of one connection.
func (b *busy) note(c net.Conn, s http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, ok := c.(*guest)
	if !ok {
		return
	}
	now := s == http.StateNew || s == http.StateActive
	if now == g.busy {
		return
	}
	if g.busy = now; now {
		b.n.Add(1)
	} else {
		b.n.Add(-1)
	}
}

// wait returns when there is none, or with the error of ctx.
func (b *busy) wait(ctx context.Context) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for b.n.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
	return nil
}

// linger lets load balancers find out that this node is going, and callers who keep their
// connections find another one. Where nobody is connected there is nothing to wait for.
func (a *App) linger() {
	end := time.NewTimer(a.stopWait)
	defer end.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for a.open.Load() > 0 {
		select {
		case <-end.C:
			return
		case <-look.C:
		}
	}
}

// farewell asks callers to close their connection once the server is stopping.
func (a *App) farewell(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// places is how many connections may be open: what was configured, or what the system lets
// a process have.
func (a *App) places() int {
	most := a.maxConnections
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil && files.Cur < uint64(most+otherFiles) {
		most = max(int(files.Cur)-otherFiles, 16)
		a.Log.Warn("the system lets this process open too few files for max_connections", "files", files.Cur, "connections", most)
	}
	return most
}

// door is a listener with so many places. Whoever comes when all are taken waits outside
// until one is free: slow callers are sent away by the deadlines of the server. One
// goroutine accepts.
type door struct {
	net.Listener
	places chan struct{}
	shut   chan struct{}
	once   sync.Once
	open   *atomic.Int64
	rest   []net.Conn // who stood in line when the door was shut
}

func newDoor(l net.Listener, most int, open *atomic.Int64) *door {
	return &door{Listener: l, places: make(chan struct{}, most), shut: make(chan struct{}), open: open}
}

// Accept lets one in. Once the door is shut it lets those in who stand in line, and then
// returns net.ErrClosed.
func (d *door) Accept() (net.Conn, error) {
	placed := true
	select {
	case d.places <- struct{}{}:
	case <-d.shut:
		placed = false // the last in line need none
	}
	c, err := d.next()
	if err != nil {
		if placed {
			<-d.places
		}
		return nil, err
	}
	d.open.Add(1)
	return &guest{Conn: c, door: d, placed: placed}, nil
}

func (d *door) next() (net.Conn, error) {
	if len(d.rest) == 0 {
		c, err := d.Listener.Accept()
		if err == nil {
			return c, nil
		}
		select {
		case <-d.shut:
		default:
			return nil, err
		}
		d.rest = lastInLine(d.Listener)
		_ = d.Listener.Close() // at once; a second time where it was closed before
	}
	if len(d.rest) == 0 {
		return nil, net.ErrClosed
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c, nil
}

// lastInLine takes those whom the system has let in and nobody has accepted, and lets nobody
// in any more: closing the listener would cut whoever stands in line by then, so nothing that
// takes time may come between the last one and the end.
func lastInLine(l net.Listener) (line []net.Conn) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var files []int
	_ = raw.Control(func(listening uintptr) { // its error is that there is no listener
		for len(files) < maxInLine {
			fd, _, err := syscall.Accept(int(listening))
			if err != nil {
				break // nobody is left
			}
			files = append(files, fd)
		}
		_ = syscall.Shutdown(int(listening), syscall.SHUT_RDWR) // where it can't, Close ends it
	})
	for _, fd := range files {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "connection")
		if c, err := net.FileConn(f); err == nil { // with a descriptor of its own
			line = append(line, c)
		}
		_ = f.Close()
	}
	return line
}

// Close shuts the door.
func (d *door) Close() (err error) {
	d.once.Do(func() {
		close(d.shut)
		if l, ok := d.Listener.(interface{ SetDeadline(time.Time) error }); ok {
			err = l.SetDeadline(time.Now().Add(lastCalls)) // ends Accept
			return
		}
		err = d.Listener.Close()
	})
	return err
}

// guest gives its place back when it leaves.
type guest struct {
	net.Conn
	door   *door
	placed bool
	busy   bool
	once   sync.Once
}

// Close leaves.
func (g *guest) Close() error {
	g.once.Do(func() {
		g.door.open.Add(-1)
		if g.placed {
			<-g.door.places
		}
	})
	return g.Conn.Close()
}

// Debug serves the profiler, for whoever is on this machine. The returned function ends it.
func Debug(address string) (stop func() error, err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for the profiler: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with the server
	return server.Close, nil
}
