package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/bench"
)

type benchCmd struct {
	Load       string  `arg:"" enum:"earn,spend,mixed" help:"earn (sales of three lines), spend or mixed."`
	URL        string  `required:"" name:"url" help:"Of the running server." placeholder:"URL"`
	Key        string  `required:"" help:"API key with the scopes for members, sales, points and system: all is simplest." placeholder:"KEY"`
	InFlight   int     `default:"64" help:"Requests under way at most."`
	Rate       float64 `help:"Requests a second, sent on time; without it as fast as they are answered." placeholder:"N"`
	Batch      int     `default:"1" help:"Sales in one request."`
	Seconds    float64 `default:"20" help:"How long to count."`
	WarmUp     float64 `default:"2" help:"Seconds before that."`
	Members    int     `default:"10000" help:"Whom it is about. Those who are missing are made first."`
	SpendShare float64 `default:"0.3" help:"Of mixed."`
	JSON       bool    `name:"json" help:"Print the result as JSON."`
}

// Run measures. A run with errors has a result, and fails.
func (c *benchCmd) Run(e *env) error {
	r, err := bench.Run(e.ctx, bench.Options{
		URL: c.URL, Key: c.Key, Load: bench.Load(c.Load), InFlight: c.InFlight, Rate: c.Rate, Batch: c.Batch, Members: c.Members,
		For: seconds(c.Seconds), WarmUp: seconds(c.WarmUp), SpendShare: c.SpendShare,
		Progress: func(doing string, done, total int64) {
			fmt.Fprintf(e.stderr, "%s: %d of %d\n", doing, done, total)
		},
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(e.stdout).Encode(r)
	} else {
		_, err = fmt.Fprintf(e.stdout, "%s on %s, %d members, %d in flight: %.0f/s in %.0f s; p50 %.1f ms, p95 %.1f ms, p99 %.1f ms; %d refused, %d errors; lag %.1f s, drained in %.1f s\n",
			r.Load, r.Engine, r.Members, r.InFlight, r.TPS, r.Seconds, r.P50, r.P95, r.P99, r.Refused, r.Errors, r.Lag, r.Drain)
	}
	if r.Errors > 0 {
		err = errors.Join(err, fmt.Errorf("%d requests failed, the first: %s", r.Errors, r.Error))
	}
	return err
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
