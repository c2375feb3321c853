package portal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png" // kinds of logos
	"net/http"
	"strings"

	_ "golang.org/x/image/webp"
)

type manifestIn struct {
	Language string `query:"lang" maxLength:"35" doc:"Language tag; the programme's first where absent."`
}

type manifestOut struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

// manifest is a Web App Manifest: how the portal looks on the screen of a phone. Its id
// stays, so that another name or language is still the same app.
type manifest struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	ShortName  string         `json:"short_name"`
	Text       string         `json:"description,omitempty"`
	Lang       string         `json:"lang"`
	Start      string         `json:"start_url"`
	Scope      string         `json:"scope"`
	Display    string         `json:"display"`
	Background string         `json:"background_color"`
	Theme      string         `json:"theme_color"`
	Icons      []manifestIcon `json:"icons"`
}

type manifestIcon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose,omitempty"`
}

// minIcon is the least side of an icon by which Chromium installs.
const minIcon = 144

func (s *Service) getManifest(ctx context.Context, in *manifestIn) (*manifestOut, error) {
	set := s.o.Program.Snapshot().Settings
	brand := set.Brand.View()
	lang := in.Language
	if lang == "" && len(set.Languages) > 0 {
		lang = set.Languages[0]
	}
	m := manifest{ID: "/portal/", Lang: "en", Name: set.NameEN, Text: brand.TaglineEN, Start: "/portal/", Scope: "/portal/", Display: "standalone",
		Background: "#F5F1F1", Theme: cmp.Or(brand.Color, "#612F4E")}
	if strings.HasPrefix(lang, "zh") {
		m.Lang, m.Name, m.Text = "zh-CN", set.NameZH, brand.TaglineZH
	}
	m.Name = cmp.Or(m.Name, set.NameEN, set.NameZH)
	m.ShortName = m.Name
	if logo, err := s.o.Program.Logo(ctx); err == nil {
		// A wide logo would be squeezed: the size must be told as it is, and an icon is square.
		if c, _, err := image.DecodeConfig(bytes.NewReader(logo.Body)); err == nil && c.Width == c.Height && c.Width >= minIcon {
			m.Icons = append(m.Icons, manifestIcon{Src: brand.LogoURL, Sizes: fmt.Sprintf("%[1]dx%[1]d", c.Width), Type: logo.Kind})
		}
	}
	if len(m.Icons) == 0 {
		m.Icons = []manifestIcon{
			{"/portal/icon-192.png", "192x192", "image/png", ""}, {"/portal/icon-512.png", "512x512", "image/png", ""},
			{"/portal/icon-mask-512.png", "512x512", "image/png", "maskable"},
		}
	}
	body, err := json.Marshal(m)
	return &manifestOut{Status: http.StatusOK, ContentType: "application/manifest+json", Cache: "no-cache", Body: body}, err
}
