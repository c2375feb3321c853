package job

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// End is how a run ended.
type End int

// The ends that are counted.
const (
	EndDone   End = iota
	EndAgain      // it failed and will be tried again
	EndFailed     // it failed for good
	ends
)

// String is the end as it stands in metrics.
func (e End) String() string { return [ends]string{"done", "again", "failed"}[e] }

// Ended returns how many runs of this process ended in each way since the start.
func (q *Queue) Ended() map[End]int64 {
	out := map[End]int64{}
	for e := range q.ended {
		out[End(e)] = q.ended[e].Load()
	}
	return out
}

var depthSQL = db.Define("job.depth", `
	SELECT state, COUNT(*)
	FROM job
	WHERE state IN ('ready', 'running', 'failed')
	GROUP BY state
	ORDER BY state`)

// Depth returns how many jobs of all nodes are in each state in which something may still
// become of them.
func (q *Queue) Depth(ctx context.Context) (map[State]int64, error) {
	out := map[State]int64{Ready: 0, Running: 0, Failed: 0}
	err := q.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.Query(ctx, depthSQL)
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() {
			var s State
			var n int64
			if err := rows.Scan(&s, &n); err != nil {
				return err
			}
			out[s] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	return out, nil
}
