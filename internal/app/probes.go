package app

import (
	"net/http"
	"strings"
)

// probes adds the two questions of supervisors, and the metrics. The first two need no key:
// they tell nothing of the business.
func (a *App) probes() {
	a.API.Mux().HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		if a.DB.Failure() != nil {
			say(w, http.StatusServiceUnavailable, "unavailable\n")
			return
		}
		say(w, http.StatusOK, "ok\n")
	})
	a.API.Mux().HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		ready, text := report(a.Health())
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", "5")
		}
		say(w, status, text)
	})
	a.API.Mux().HandleFunc("GET /metrics", a.serveMetrics)
}

// report is the answer to /readyz: one word, and a line for each check.
func report(checks []Check) (ready bool, text string) {
	var lines strings.Builder
	ready = true
	for _, c := range checks {
		word := "ok"
		if !c.OK {
			word, ready = "failed", false
		}
		lines.WriteString(strings.TrimSpace(word+" "+c.Name+" "+c.Says) + "\n")
	}
	if !ready {
		return false, "unavailable\n" + lines.String()
	}
	return true, "ok\n" + lines.String()
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a caller who is gone needs no answer
}
