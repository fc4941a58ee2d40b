package ui

import "fmt"

// The hues of Amphi, in degrees of OKLCH: ink blue for the upper rows, warm
// light for the stage.
const (
	DefaultHue  = 258
	DefaultWarm = 48
)

// ThemeCSS is the small stylesheet that gives the house a university's two hues.
// The content-security policy forbids style attributes, so the front hall serves
// it under [Shell.ThemeURL]. Lightness and chroma stay ours: a test shows that
// contrast holds for every hue.
func ThemeCSS(hue, warm int) []byte {
	return fmt.Appendf(nil, ":root{--u-hue:%d;--u-warm:%d}\n", turn(hue), turn(warm))
}

// turn brings an angle into 0…359.
func turn(degrees int) int { return ((degrees % 360) + 360) % 360 }
