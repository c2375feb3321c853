package app

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// reportPath is where browsers send what a page tried against its policy.
const reportPath = "/csp-report"

// The bounds of reports: anybody may send some.
const (
	maxReport     = 16 << 10
	maxReading    = 16          // at once
	logReports    = time.Minute // one of them goes to the log in this time
	reportWithin  = 5 * time.Second
	otherSections = "other"
)

// sections are the parts of a policy that reports are counted by.
var sections = []string{
	"default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr", "img-src", "font-src", "connect-src",
	"media-src", "worker-src", "manifest-src", "object-src", "base-uri", "form-action", "frame-src", "frame-ancestors", otherSections,
}

// violations bounds what reports cost.
type violations struct {
	reading atomic.Int64
	logged  atomic.Int64 // Unix ns
}

// complaint is what is read of a report.
type complaint struct {
	Old struct {
		Effective string `json:"effective-directive"`
		Violated  string `json:"violated-directive"`
		Blocked   string `json:"blocked-uri"`
		Document  string `json:"document-uri"`
	} `json:"csp-report"`
}

// takeReport counts a report. Whatever comes is answered alike, and nobody is told anything.
func (a *App) takeReport(w http.ResponseWriter, r *http.Request) {
	defer a.violations.reading.Add(-1)
	if a.violations.reading.Add(1) > maxReading {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(reportWithin)) // a recorder of tests has none
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	var said complaint
	if err != nil || json.Unmarshal(text, &said) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	section, _, _ := strings.Cut(said.Old.Effective, " ")
	if section == "" {
		section, _, _ = strings.Cut(said.Old.Violated, " ") // of older browsers
	}
	if !slices.Contains(sections, section) {
		section = otherSections
	}
	a.metrics.violations[section].Inc()
	now := a.Clock.Now().UnixNano()
	if last := a.violations.logged.Load(); now-last >= int64(logReports) && a.violations.logged.CompareAndSwap(last, now) {
		a.Log.Warn("a page tried what its policy forbids", "directive", section, "blocked", cut(said.Old.Blocked), "page", cut(said.Old.Document))
	}
	w.WriteHeader(http.StatusNoContent)
}

// cut is an address for the log without what may be secret in it, and not long.
func cut(address string) string {
	if i := strings.IndexAny(address, "?#"); i >= 0 {
		address = address[:i]
	}
	return strings.ToValidUTF8(address[:min(len(address), 200)], "")
}
