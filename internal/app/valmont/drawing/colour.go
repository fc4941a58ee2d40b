package main

import (
	"image/color"
	"math"
)

// lch is a colour in OKLCH, the space in which the style sheet names its tokens.
type lch struct{ l, c, h float64 }

// The university's two hues, as in data/institution.toml.
const (
	inkHue  = 258
	warmHue = 58
)

func ink(l float64) lch  { return lch{l, .09, inkHue} }
func warm(l float64) lch { return lch{l, .13, warmHue} }

// paper is the light of a page.
var paper = lch{.975, .012, 85}

func (c lch) lab() (l, a, b float64) {
	angle := c.h * math.Pi / 180
	return c.l, c.c * math.Cos(angle), c.c * math.Sin(angle)
}

func (c lch) rgba() color.RGBA { return fromLab(c.lab()) }

// mix goes from one colour to another in a straight line through OKLab.
func mix(from, to lch, share float64) color.RGBA {
	l0, a0, b0 := from.lab()
	l1, a1, b1 := to.lab()
	return fromLab(l0+(l1-l0)*share, a0+(a1-a0)*share, b0+(b1-b0)*share)
}

// between is mix for colours that are mixed again later.
func between(from, to lch, share float64) lch {
	l0, a0, b0 := from.lab()
	l1, a1, b1 := to.lab()
	a, b := a0+(a1-a0)*share, b0+(b1-b0)*share
	return lch{l0 + (l1-l0)*share, math.Hypot(a, b), math.Atan2(b, a) * 180 / math.Pi}
}

// fromLab converts OKLab to sRGB with Björn Ottosson's matrices.
func fromLab(l, a, b float64) color.RGBA {
	lms := [3]float64{
		l + 0.3963377774*a + 0.2158037573*b,
		l - 0.1055613458*a - 0.0638541728*b,
		l - 0.0894841775*a - 1.2914855480*b,
	}
	for i, v := range lms {
		lms[i] = v * v * v
	}
	return color.RGBA{
		R: encode(4.0767416621*lms[0] - 3.3077115913*lms[1] + 0.2309699292*lms[2]),
		G: encode(-1.2684380046*lms[0] + 2.6097574011*lms[1] - 0.3413193965*lms[2]),
		B: encode(-0.0041960863*lms[0] - 0.7034186147*lms[1] + 1.7076147010*lms[2]),
		A: 255,
	}
}

// encode applies the sRGB curve to one linear component.
func encode(v float64) uint8 {
	v = max(0, min(1, v))
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(v * 255))
}
