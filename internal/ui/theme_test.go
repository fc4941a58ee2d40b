package ui

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colour is linear sRGB.
type colour [3]float64

// oklch follows the CSS Color 4 conversion; what lies outside sRGB is clipped,
// as screens do.
func oklch(l, c, h float64) colour {
	sin, cos := math.Sincos(h * math.Pi / 180)
	a, b := c*cos, c*sin
	cube := func(x float64) float64 { return x * x * x }
	L := cube(l + 0.3963377774*a + 0.2158037573*b)
	M := cube(l - 0.1055613458*a - 0.0638541728*b)
	S := cube(l - 0.0894841775*a - 1.2914855480*b)
	clip := func(x float64) float64 { return max(0, min(1, x)) }
	return colour{
		clip(4.0767416621*L - 3.3077115913*M + 0.2309699292*S),
		clip(-1.2684380046*L + 2.6097574011*M - 0.3413193965*S),
		clip(-0.0041960863*L - 0.7034186147*M + 1.7076147010*S),
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(a, b colour) float64 {
	luminance := func(c colour) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

var (
	token    = regexp.MustCompile(`--([a-z-]+): light-dark\(oklch\(([^()]*(?:\([^()]*\))?[^()]*)\), oklch\(([^()]*(?:\([^()]*\))?[^()]*)\)\)`)
	channels = regexp.MustCompile(`\s+`)
)

// tokens reads the colours of tokens.css for a pair of hues, light and dark.
func tokens(t *testing.T, hue, warm int) [2]map[string]colour {
	t.Helper()
	text := string(read("css/tokens.css"))
	text = strings.ReplaceAll(text, "var(--u-hue)", strconv.Itoa(hue))
	text = strings.ReplaceAll(text, "var(--u-warm)", strconv.Itoa(warm))
	both := [2]map[string]colour{{}, {}}
	for _, m := range token.FindAllStringSubmatch(text, -1) {
		for mode := range both {
			var v [3]float64
			for i, part := range channels.Split(strings.TrimSpace(m[2+mode]), -1)[:3] {
				n, err := strconv.ParseFloat(part, 64)
				if err != nil {
					t.Fatalf("the token %s: %v", m[1], err)
				}
				v[i] = n
			}
			both[mode][m[1]] = oklch(v[0], v[1], v[2])
		}
	}
	return both
}

func TestContrastHoldsForEveryHue(t *testing.T) {
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"ink", "paper", 7}, {"ink", "sheet", 7}, {"ink", "sunk", 7},
		{"soft", "paper", 4.5}, {"soft", "sheet", 4.5}, {"soft", "sunk", 4.5},
		{"accent", "paper", 4.5}, {"accent", "sheet", 4.5}, {"accent", "sunk", 4.5}, {"on-accent", "accent", 4.5},
		{"good", "good-bg", 4.5}, {"warn", "warn-bg", 4.5}, {"bad", "bad-bg", 4.5},
		{"ink", "good-bg", 7}, {"ink", "warn-bg", 7}, {"ink", "bad-bg", 7},
		{"good", "sheet", 4.5}, {"warn", "sheet", 4.5}, {"bad", "sheet", 4.5}, {"bad", "paper", 4.5},
		{"edge", "sheet", 3}, {"edge", "paper", 3}, {"edge", "sunk", 3},
		{"focus", "paper", 3}, {"focus", "sheet", 3},
	}
	failed := map[string]bool{}
	for degrees := range 360 {
		for mode, colours := range tokens(t, degrees, degrees) {
			for _, p := range pairs {
				name := fmt.Sprintf("%s on %s in %s", p.front, p.back, [2]string{"light", "dark"}[mode])
				front, known := colours[p.front]
				back, alsoKnown := colours[p.back]
				if !known || !alsoKnown {
					t.Fatalf("%s: no such token", name)
				}
				if ratio := contrast(front, back); ratio < p.least && !failed[name] {
					failed[name] = true
					t.Errorf("%s has a contrast of %.2f at hue %d; it needs %.1f", name, ratio, degrees, p.least)
				}
			}
		}
	}
}

func TestContrastIsMeasuredAsWCAGDoes(t *testing.T) {
	if ratio := contrast(oklch(1, 0, 0), oklch(0, 0, 0)); math.Abs(ratio-21) > 0.01 {
		t.Errorf("white on black is %.2f, not 21", ratio)
	}
}

func TestAHueIsAnAngle(t *testing.T) {
	if got := string(ThemeCSS(-90, 400)); got != ":root{--u-hue:270;--u-warm:40}\n" {
		t.Errorf("the theme is %q", got)
	}
}
