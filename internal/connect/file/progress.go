package file

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

const (
	barEvery  = 200 * time.Millisecond // on a terminal
	lineEvery = 5 * time.Second        // elsewhere, as in a log
)

// Measure tells how far a piece of work has come and how far it goes; the second is 0 or
// less where nobody knows. Progress calls it from its own goroutine.
type Measure func() (done, total int64)

// Progress shows how work goes on: a bar on a terminal, elsewhere a plain line every few
// seconds. It has one goroutine, which Stop ends and waits for.
type Progress struct {
	stop chan struct{}
	done sync.WaitGroup
}

// ShowProgress begins to show a measure in bytes under a label.
func ShowProgress(w io.Writer, label string, m Measure) *Progress {
	f, ok := w.(*os.File)
	if ok && term.IsTerminal(int(f.Fd())) {
		return every(barEvery, bar(w, label, m))
	}
	return every(lineEvery, plainLines(w, label, m))
}

// every calls show at an interval until Stop, and once more at the end with last set.
func every(interval time.Duration, show func(last bool)) *Progress {
	p := &Progress{stop: make(chan struct{})}
	p.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show(false)
			case <-p.stop:
				show(true)
				return
			}
		}
	})
	return p
}

// Stop shows the last state and ends.
func (p *Progress) Stop() {
	close(p.stop)
	p.done.Wait()
}

// bar draws with the library. What cannot be drawn is not an error of the work.
func bar(w io.Writer, label string, m Measure) func(bool) {
	done, total := m()
	if total <= 0 {
		total = -1 // a spinner
	}
	b := progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(label),
		progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(barEvery/2))
	_ = b.Set64(done)
	return func(last bool) {
		done, _ := m()
		_ = b.Set64(done)
		if last {
			_ = b.Exit()
			_, _ = fmt.Fprintln(w)
		}
	}
}

// plainLines writes nothing at the end: short work leaves no line behind.
func plainLines(w io.Writer, label string, m Measure) func(bool) {
	return func(last bool) {
		if last {
			return
		}
		done, total := m()
		if total > 0 {
			_, _ = fmt.Fprintf(w, "%s: %d%% (%d of %d KiB)\n", label, 100*done/total, done>>10, total>>10)
			return
		}
		_, _ = fmt.Fprintf(w, "%s: %d KiB\n", label, done>>10)
	}
}
