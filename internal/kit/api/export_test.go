package api

import "time"

// BeatEvery lets a test hear the heart of streams without waiting for it.
func (r *Router) BeatEvery(d time.Duration) { r.watches.beat = d }
