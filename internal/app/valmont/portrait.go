package valmont

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// portraitSide is the width and height of a portrait.
const portraitSide = 320

// Portrait draws a picture that stands in for the photo of somebody fictional: a
// head and shoulders in two tones of their own. The same number gives the same one.
func Portrait(n int) ([]byte, error) {
	tones := [][3]color.NRGBA{
		{{0xE9, 0xD8, 0xC4, 255}, {0x2F, 0x4A, 0x7C, 255}, {0x8A, 0x5A, 0x3C, 255}},
		{{0xD5, 0xE0, 0xEA, 255}, {0x7C, 0x3F, 0x2F, 255}, {0xC9, 0x8E, 0x6B, 255}},
		{{0xE6, 0xE2, 0xD3, 255}, {0x2F, 0x6B, 0x5A, 255}, {0x5C, 0x3D, 0x2E, 255}},
		{{0xEB, 0xDB, 0xDD, 255}, {0x4A, 0x2F, 0x6B, 255}, {0xE0, 0xAC, 0x88, 255}},
		{{0xDA, 0xE5, 0xD8, 255}, {0x6B, 0x55, 0x2F, 255}, {0xA8, 0x6F, 0x4D, 255}},
	}
	tone := tones[n%len(tones)]
	hair := []color.NRGBA{{0x2B, 0x21, 0x1C, 255}, {0x6B, 0x47, 0x2C, 255}, {0x9A, 0x95, 0x90, 255}, {0x8F, 0x3E, 0x1F, 255}}[n/len(tones)%4]
	picture := image.NewNRGBA(image.Rect(0, 0, portraitSide, portraitSide))
	for y := range portraitSide {
		for x := range portraitSide {
			px, py := (float64(x)+.5)/portraitSide, (float64(y)+.5)/portraitSide
			at := tone[0]
			switch {
			case within(px, py, .5, .42, .165, .205): // face
				at = tone[2]
				if py < .33+.03*math.Sin(px*9+float64(n)) {
					at = hair
				}
			case within(px, py, .5, .40, .20, .235) && py < .52: // hair
				at = hair
			case within(px, py, .5, 1.05, .40, .42): // shoulders
				at = tone[1]
			case math.Abs(px-.5) < .075 && py > .5 && py < .75: // neck
				at = tone[2]
			}
			picture.SetNRGBA(x, y, at)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("draw a portrait: %w", err)
	}
	return b.Bytes(), nil
}

// within reports whether a point lies in an ellipse.
func within(x, y, cx, cy, rx, ry float64) bool {
	dx, dy := (x-cx)/rx, (y-cy)/ry
	return dx*dx+dy*dy <= 1
}
