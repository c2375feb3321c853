package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/webp"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Brand is how the programme looks to its members.
type Brand struct {
	Color     string `json:"color,omitempty"` // "#rrggbb"; "" for Patron's own
	TaglineEN string `json:"tagline_en,omitempty"`
	TaglineZH string `json:"tagline_zh,omitempty"`
	Logo      string `json:"logo,omitempty"` // version of the logo: the beginning of its hash; "" for none
}

// The refusals.
var (
	ErrColor    = errs.New(errs.Invalid, "program.color", "A colour is # and six hexadecimal digits, like #612F4E.", "颜色须写作 # 加六位十六进制数，例如 #612F4E。")
	ErrContrast = errs.New(errs.Invalid, "program.contrast",
		"White text on this colour has a contrast of {ratio}:1; people need {least}:1 to read it. Choose a darker one.", "此颜色与白色文字的对比度为 {ratio}:1，低于易读所需的 {least}:1，请选择更深的颜色。")
	ErrTagline = errs.New(errs.Invalid, "program.tagline", "A tagline has at most {most} characters.", "标语不能超过 {most} 个字符。")
	ErrLogo    = errs.New(errs.Invalid, "program.logo",
		"A logo is a PNG or WebP picture of at most {most} pixels a side. SVG is not taken: it can hold scripts.", "标志须为 PNG 或 WebP 图片，边长不超过 {most} 像素。不接受 SVG，因其可能含有脚本。")
	ErrNoLogo = errs.New(errs.NotFound, "program.no_logo", "The programme has no logo.", "本计划没有标志。")
)

const (
	maxTagline = 60
	// leastContrast is what WCAG 2.2 asks of text (1.4.3, level AA). The brand's colour is the
	// ground of buttons with white text, and the colour of links on white.
	leastContrast = 4.5

	// MaxLogo bounds a logo in bytes: the portal's first load is to stay small.
	MaxLogo = 200 << 10
	maxSide = 2048 // in pixels: what a browser unpacks is bounded too
)

func (b Brand) check() error {
	if b.Color != "" {
		ratio, ok := onWhite(b.Color)
		if !ok {
			return ErrColor.At("body.brand.color")
		}
		if ratio < leastContrast {
			return ErrContrast.With("ratio", strconv.FormatFloat(math.Floor(ratio*10)/10, 'f', 1, 64), "least", leastContrast).At("body.brand.color")
		}
	}
	for _, t := range []struct{ text, at string }{{b.TaglineEN, "tagline_en"}, {b.TaglineZH, "tagline_zh"}} {
		if len([]rune(t.text)) > maxTagline {
			return ErrTagline.With("most", maxTagline).At("body.brand." + t.at)
		}
	}
	return nil
}

// onWhite is the contrast of a colour with white, 1 to 21, by the formula of WCAG 2.2
// ("contrast ratio" and "relative luminance" in its glossary).
func onWhite(color string) (ratio float64, ok bool) {
	if len(color) != 7 || color[0] != '#' {
		return 0, false
	}
	rgb, err := hex.DecodeString(color[1:])
	if err != nil {
		return 0, false
	}
	light := 0.0
	for i, share := range [3]float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		light += share * c
	}
	return 1.05 / (light + 0.05), true
}

// Logo is the picture of a programme.
type Logo struct {
	Kind    string // image/png or image/webp
	Body    []byte
	Version string // changes with the picture
}

// readLogo takes a picture for what it is, whatever its sender calls it.
func readLogo(body []byte) (Logo, error) {
	refusal := ErrLogo.With("most", maxSide).At("body")
	for _, f := range []struct {
		kind   string
		decode func([]byte) (image.Config, error)
	}{
		{"image/png", func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) }},
		{"image/webp", func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) }},
	} {
		c, err := f.decode(body)
		if err != nil {
			continue
		}
		if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide {
			return Logo{}, refusal
		}
		sum := sha256.Sum256(body)
		return Logo{f.kind, body, hex.EncodeToString(sum[:8])}, nil
	}
	return Logo{}, refusal
}

var (
	putLogoSQL = db.Define("program.putLogo", `
		INSERT INTO logo (id, kind, body, changed_ms)
		VALUES (1, $1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, body = excluded.body, changed_ms = excluded.changed_ms`)
	dropLogoSQL = db.Define("program.dropLogo", `
		DELETE FROM logo
		WHERE id = 1`)
	logoSQL = db.Define("program.logo", `
		SELECT kind, body
		FROM logo
		WHERE id = 1`)
)

// SetLogo puts a picture in the place of the logo; no bytes take it away.
func (s *Service) SetLogo(ctx context.Context, body []byte) (*Snapshot, error) {
	if err := wholeProgram(ctx); err != nil {
		return nil, err
	}
	var logo Logo
	if len(body) > 0 {
		var err error
		if logo, err = readLogo(body); err != nil {
			return nil, err
		}
	}
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		after := now.Settings
		after.Brand.Logo = logo.Version
		if err := updateSettings(ctx, tx, after); err != nil {
			return err
		}
		if logo.Version == "" {
			err = exec(ctx, tx, dropLogoSQL)
		} else {
			err = exec(ctx, tx, putLogoSQL, logo.Kind, logo.Body, s.clock.Now().UnixMilli())
		}
		if err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "program.logo", "program", now.Settings.Brand, after.Brand)
	})
	return s.Snapshot(), err
}

// Logo reads the picture, or gives ErrNoLogo. It is kept in memory under its version, so
// that a crowd at the portal's door costs the database nothing.
func (s *Service) Logo(ctx context.Context) (*Logo, error) {
	version := s.Snapshot().Settings.Brand.Logo
	if version == "" {
		return nil, ErrNoLogo
	}
	if kept := s.logo.Load(); kept != nil && kept.Version == version {
		return kept, nil
	}
	fresh := &Logo{}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, logoSQL).Scan(&fresh.Kind, &fresh.Body)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoLogo
	}
	if err != nil {
		return nil, fmt.Errorf("read the logo: %w", err)
	}
	sum := sha256.Sum256(fresh.Body)
	fresh.Version = hex.EncodeToString(sum[:8])
	s.logo.Store(fresh)
	return fresh, nil
}
