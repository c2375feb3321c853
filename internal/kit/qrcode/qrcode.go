// Package qrcode draws QR codes.
package qrcode

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the white margin that ISO/IEC 18004 wants around a QR code, in modules.
const quiet = 4

// SVG draws a text as a QR code, as a picture without script or style, dark on white in any theme.
// Level M can be read with a seventh of it under a thumb.
func SVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	n := code.Size
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			run := x
			for run < n && code.Black(run, y) {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %d.5h%d", x+quiet, y+quiet, run-x)
				x = run
			}
		}
	}
	side := n + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path stroke="#000" d="%[2]s"/></svg>`, side, path.String()), nil
}
