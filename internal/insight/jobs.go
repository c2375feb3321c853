package insight

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/job"
)

// rebuildKind is the job that brings the sums in line with the books.
const rebuildKind = "insight.rebuild"

func (s *Service) registerJobs() {
	s.o.Jobs.Register(rebuildKind, func(ctx context.Context, run *job.Run) error {
		_, err := s.Rebuild(ctx, func(done, total int64) { run.Progress(done, total, "") })
		return err
	})
}
