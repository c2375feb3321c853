package staff

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Preference is how a person wants to see the console; "" is what their browser says.
type Preference struct{ Language, Theme string }

// ErrPreference refuses what the console does not have.
var ErrPreference = errs.New(errs.Invalid, "staff.preference",
	"A language is zh-CN or en, a theme light or dark; empty for what the browser says.", "语言为 zh-CN 或 en，主题为 light 或 dark；留空则跟随浏览器。")

var (
	preferenceSQL = db.Define("staff.preference", `
	SELECT language, theme
	FROM staff
	WHERE id = $1`)
	preferSQL = db.Define("staff.prefer", `
	UPDATE staff
	SET language = $2, theme = $3
	WHERE id = $1`)
)

// Preference reads the caller's own.
func (s *Service) Preference(ctx context.Context, account int64) (p Preference, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, preferenceSQL, account).Scan(&p.Language, &p.Theme)
	})
	if err != nil {
		return p, fmt.Errorf("preference of account %d: %w", account, err)
	}
	return p, nil
}

// Prefer changes the caller's own preference: nil leaves a part. It is nobody else's
// business, and on no trail.
func (s *Service) Prefer(ctx context.Context, language, theme *string) error {
	n, err := self(ctx)
	if err != nil {
		return err
	}
	if language != nil && !slices.Contains([]string{"", "zh-CN", "en"}, *language) {
		return ErrPreference.At("body.language")
	}
	if theme != nil && !slices.Contains([]string{"", "light", "dark"}, *theme) {
		return ErrPreference.At("body.theme")
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var p Preference
		if err := tx.QueryRow(ctx, preferenceSQL, n).Scan(&p.Language, &p.Theme); err != nil {
			return fmt.Errorf("preference of account %d: %w", n, err)
		}
		if language != nil {
			p.Language = *language
		}
		if theme != nil {
			p.Theme = *theme
		}
		_, err := tx.Exec(ctx, preferSQL, n, p.Language, p.Theme)
		return err
	})
}
