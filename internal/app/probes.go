package app

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// probeWithin bounds a probe: a database that does not answer sooner is not ready.
const probeWithin = 2 * time.Second

// probes adds the two questions of supervisors. They tell nothing but yes or no.
func (a *App) probes() {
	a.API.Mux().HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		say(w, a.DB.Failure() == nil)
	})
	a.API.Mux().HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), probeWithin)
		defer cancel()
		err := a.DB.InTx(ctx, func(context.Context, *db.Tx) error { return nil })
		say(w, err == nil && a.DB.Failure() == nil)
	})
}

func say(w http.ResponseWriter, ok bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "unavailable\n"
	}
	_, _ = w.Write([]byte(text)) // a caller who is gone needs no answer
}
