// Package qr draws QR codes.
package qr

import (
	"fmt"
	"html"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white border around a QR code, in modules; readers need it
// (ISO/IEC 18004 §9.1).
const quiet = 4

// SVG draws a QR code, black on white in dark mode as well: many apps read no
// inverted code. The label is what a screen reader says of it; it passes over one
// whose content stands beside it, with an empty label. The picture has no size of
// its own and no style attribute, and is safe to put into a page as it is.
func SVG(text, label string) (string, error) {
	picture, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw a QR code: %w", err)
	}
	said := `aria-hidden="true" focusable="false"`
	if label != "" {
		said = `role="img" aria-label="` + html.EscapeString(label) + `"`
	}
	side := picture.Bounds().Dx()
	full := side + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 %d %d" shape-rendering="crispEdges" %s>`, full, full, said)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, full, full)
	for y := range side {
		for x := 0; x < side; x++ {
			if !dark(picture.At(x, y)) {
				continue
			}
			run := 1
			for x+run < side && dark(picture.At(x+run, y)) {
				run++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
			x += run
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}

func dark(c interface{ RGBA() (r, g, b, a uint32) }) bool {
	r, _, _, _ := c.RGBA()
	return r == 0
}
