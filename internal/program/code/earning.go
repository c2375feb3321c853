package code

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// Earning is the base rule of the programme as a section of its file.
func Earning(s *program.Service) Part {
	return One[program.Earning]{
		Section: "earning", Called: errs.Word{EN: "base rule of earning", ZH: "基础积分规则"},
		Hold: s.Hold,
		Get: func(ctx context.Context, tx *db.Tx) (program.Earning, error) {
			set, err := s.SettingsIn(ctx, tx)
			return set.Earning, err
		},
		Forms: func(e *program.Earning) {
			if e.Excluded == nil {
				e.Excluded = []string{}
			}
		},
		Put:  func(ctx context.Context, tx *db.Tx, _, is program.Earning) error { return s.SetEarning(ctx, tx, is) },
		Done: s.Refresh,
	}
}
