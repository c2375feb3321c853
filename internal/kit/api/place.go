package api

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrOverload refuses a request while too many of its class are being worked on.
var ErrOverload = errs.New(errs.Unavailable, "request.overload",
	"Too much is going on just now. Try again in a moment, with the same Idempotency-Key.", "当前请求过多，请稍后使用相同的幂等键重试。").With("retry_after", retryOverload)

// Class is what a request is to the business. Each class has places of its own, so that a
// crowd of one never keeps the others out.
type Class int

// The classes. A route whose key is kept with its posting is Posting, a list is Browsing, a
// export Streaming, what strangers may ask Public, a stream of events that goes on for as long
// as somebody listens Watching, and all else Serving.
const (
	Posting Class = iota
	Serving
	Browsing
	Streaming
	Public
	Watching
	classes
)

// String is the class as it stands in metrics.
func (c Class) String() string {
	return [classes]string{"posting", "serving", "browsing", "streaming", "public", "watching"}[c]
}

// Classes lists all of them.
func Classes() []Class { return []Class{Posting, Serving, Browsing, Streaming, Public, Watching} }

// Room bounds a class: so many requests are worked on at once, so many more wait for a
// place, each for so long at most. Whoever comes then is refused with ErrOverload.
type Room struct {
	Places, Waiting int
	Patience        time.Duration
}

// rooms are the bounds by default. A posting waits in its engine, so it needs a place and
// little else: the engine decides some thousand in a second. Lists read much; more at once
// than half of the connections of SQLite that read would keep the look-ups of sales waiting.
// Those who sign in wait for their turn to be hashed, which has a bound of its own, and must
// take no place from people at work. A stream of events costs its connection and little else.
var rooms = [classes]Room{
	Posting:   {4096, 0, 0},
	Serving:   {128, 1024, 2 * time.Second},
	Browsing:  {2, 128, 5 * time.Second},
	Streaming: {16, 0, 0},
	Public:    {1024, 0, 0},
	Watching:  {512, 0, 0},
}

// room is a Room in use.
type room struct {
	Room
	taken   chan struct{} // one for each place
	waiting atomic.Int64
	refused atomic.Int64
}

func newRoom(r Room) *room { return &room{Room: r, taken: make(chan struct{}, r.Places)} }

// enter takes a place, or refuses. Whoever got one leaves.
func (r *room) enter(ctx context.Context) error {
	select {
	case r.taken <- struct{}{}:
		return nil
	default:
		return r.wait(ctx)
	}
}

func (r *room) wait(ctx context.Context) error {
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > int64(r.Waiting) {
		r.refused.Add(1)
		return ErrOverload
	}
	patience := time.NewTimer(r.Patience)
	defer patience.Stop()
	select {
	case r.taken <- struct{}{}:
		return nil
	case <-patience.C:
	case <-ctx.Done():
	}
	r.refused.Add(1)
	return ErrOverload
}

func (r *room) leave() { <-r.taken }

// Crowd is how full a class is.
type Crowd struct{ Working, Waiting, Refused int64 }

// Crowd says how full a class is, and how many were refused so far.
func (r *Router) Crowd(c Class) Crowd {
	in := r.rooms[c]
	return Crowd{int64(len(in.taken)), in.waiting.Load(), in.refused.Load()}
}

// class is that of a route.
func (rt *route) class() Class {
	_, list := rt.query["limit"]
	switch {
	case rt.doc.OwnKey:
		return Posting
	case rt.doc.Public:
		return Public
	case rt.doc.watch:
		return Watching
	case rt.doc.Stream, rt.doc.Upload:
		return Streaming
	case list:
		return Browsing
	}
	return Serving
}
