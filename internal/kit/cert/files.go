package cert

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Files is a certificate in two files that somebody else renews.
type Files struct {
	cert, key string
	log       *slog.Logger
	every     time.Duration
	now       atomic.Pointer[tls.Certificate]

	mu   sync.Mutex
	seen string // the state of the files that was read last
}

// OpenFiles reads a certificate with its chain, and its key, as PEM.
func OpenFiles(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, every: lookEvery}
	if err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config is for the listener.
func (f *Files) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.now.Load(), nil })
}

// Leaf is the certificate of the moment.
func (f *Files) Leaf() *tls.Certificate { return f.now.Load() }

// Reload reads the files again. On an error the certificate of before stays.
func (f *Files) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = f.state()
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return ErrFiles.With("cert", f.cert, "key", f.key, "cause", err.Error()).Because(err)
	}
	f.now.Store(&pair)
	return nil
}

// state tells one version of the files from the next; links are followed, as those who
// renew like to turn them.
func (f *Files) state() (s string) {
	for _, path := range []string{f.cert, f.key} {
		if st, err := os.Stat(path); err == nil {
			s += fmt.Sprintf("%d %d|", st.ModTime().UnixNano(), st.Size())
		}
	}
	return s
}

// Run reads the files again whenever they change, and when told to by again, until ctx ends.
func (f *Files) Run(ctx context.Context, again <-chan os.Signal) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-tick.C:
			f.mu.Lock()
			same := f.seen == f.state()
			f.mu.Unlock()
			if same {
				continue
			}
		}
		if err := f.Reload(); err != nil {
			f.log.Error("the certificate was not exchanged; the one before stays", "error", err)
			continue
		}
		f.log.Info("a certificate was read", "file", f.cert, "until", f.now.Load().Leaf.NotAfter)
	}
}
