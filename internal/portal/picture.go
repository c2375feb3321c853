package portal

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// quiet is the white margin that ISO/IEC 18004 wants around a QR code, in modules.
const quiet = 4

// pngScale makes a code of 33 modules about 650 pixels wide: good print at 5 cm.
const pngScale = 16

// draw makes the modules of a QR code: black is true. Level M is read with a seventh of it
// under a thumb.
func draw(text string) (barcode.Barcode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("draw a QR code: %w", err)
	}
	return code, nil
}

func black(c color.Color) bool {
	r, _, _, _ := c.RGBA()
	return r < 1<<15
}

// drawSVG is a QR code as a picture without script or style, dark on white in any theme.
func drawSVG(text string) (string, error) {
	code, err := draw(text)
	if err != nil {
		return "", err
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			run := x
			for run < n && black(code.At(run, y)) {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run-x, run-x)
				x = run
			}
		}
	}
	side := n + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="%[2]s"/></svg>`, side, path.String()), nil
}

// drawPNG is a QR code in pixels.
func drawPNG(text string) ([]byte, error) {
	code, err := draw(text)
	if err != nil {
		return nil, err
	}
	n := code.Bounds().Dx()
	side := (n + 2*quiet) * pngScale
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			mx, my := x/pngScale-quiet, y/pngScale-quiet
			if mx >= 0 && my >= 0 && mx < n && my < n && black(code.At(mx, my)) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	err = png.Encode(&out, picture)
	return out.Bytes(), err
}
