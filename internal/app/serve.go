package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
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
	// lastCalls is how long connections are still taken that had reached this machine when
	// the door was shut.
	lastCalls = 20 * time.Millisecond
	// otherFiles are the open files that are no connections of callers.
	otherFiles = 256
)

// Serve answers on a listener, through h, until ctx ends or the storage fails.
//
// The end, in this order: readiness is off; for a short while everybody is still served, and
// each answer asks to close its connection; the door is shut; what has begun finishes.
// Whoever was let in gets an answer.
func (a *App) Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := api.Server("", a.farewell(h))
	server.ErrorLog = slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn)
	door := newDoor(l, a.places(), &a.open)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(door) }() // ends with Shutdown
	var err error
	select {
	case <-ctx.Done():
		a.Log.Info("stopping: no longer ready; the requests that have begun finish")
		a.stopping.Store(true)
		a.linger()
	case <-a.DB.Failed():
		a.stopping.Store(true)
		err = fmt.Errorf("the storage failed; start again to go on: %w", a.DB.Failure())
	case err = <-failed:
		return err
	}
	drain, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	if late := server.Shutdown(drain); late != nil {
		err = errors.Join(err, fmt.Errorf("some requests did not finish: %w", late), server.Close())
	}
	if end := <-failed; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
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
// until one is free: slow callers are sent away by the deadlines of the server.
type door struct {
	net.Listener
	places chan struct{}
	shut   chan struct{}
	once   sync.Once
	open   *atomic.Int64
}

func newDoor(l net.Listener, most int, open *atomic.Int64) *door {
	return &door{Listener: l, places: make(chan struct{}, most), shut: make(chan struct{}), open: open}
}

// Accept lets one in.
func (d *door) Accept() (net.Conn, error) {
	select {
	case d.places <- struct{}{}:
	case <-d.shut:
		return nil, errors.Join(net.ErrClosed, d.Listener.Close())
	}
	c, err := d.Listener.Accept()
	if err == nil {
		d.open.Add(1)
		return &guest{Conn: c, door: d}, nil
	}
	<-d.places
	select {
	case <-d.shut:
		return nil, errors.Join(net.ErrClosed, d.Listener.Close())
	default:
		return nil, err
	}
}

// Close shuts the door after those who have come already: a connection that this machine
// has taken and that nobody reads would be cut.
func (d *door) Close() (err error) {
	d.once.Do(func() {
		close(d.shut)
		if l, ok := d.Listener.(interface{ SetDeadline(time.Time) error }); ok {
			err = l.SetDeadline(time.Now().Add(lastCalls))
			return
		}
		err = d.Listener.Close()
	})
	return err
}

// guest gives its place back when it leaves.
type guest struct {
	net.Conn
	door *door
	once sync.Once
}

// Close leaves.
func (g *guest) Close() error {
	g.once.Do(func() {
		g.door.open.Add(-1)
		<-g.door.places
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
