package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// The size in which scenes are drawn, 16:9.
const (
	width  = 1200
	height = 675
)

// canvas is a picture in the making.
type canvas struct{ img *image.RGBA }

// newCanvas starts with a sky that goes from one colour at the top to another at
// the bottom.
func newCanvas(top, bottom lch) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, width, height))}
	c.gradient(0, height, top, bottom)
	return c
}

// gradient fills the rows from y0 to y1, mixing in OKLab so that no grey band
// appears between blue and orange.
func (c canvas) gradient(y0, y1 int, top, bottom lch) {
	for y := y0; y < y1; y++ {
		shade := mix(top, bottom, float64(y-y0)/float64(y1-y0))
		draw.Draw(c.img, image.Rect(0, y, width, y+1), image.NewUniform(shade), image.Point{}, draw.Src)
	}
}

// shape is a closed outline.
type shape func(*vector.Rasterizer)

// fill paints shapes with one colour; opacity goes from 0 to 1.
func (c canvas) fill(colour lch, opacity float64, shapes ...shape) {
	r := vector.NewRasterizer(width, height)
	for _, s := range shapes {
		s(r)
	}
	paint := colour.rgba()
	mask := color.NRGBA{R: paint.R, G: paint.G, B: paint.B, A: uint8(math.Round(opacity * 255))}
	r.Draw(c.img, c.img.Bounds(), image.NewUniform(mask), image.Point{})
}

// polygon joins points given as x, y, x, y…
func polygon(points ...float64) shape {
	return func(r *vector.Rasterizer) {
		r.MoveTo(float32(points[0]), float32(points[1]))
		for i := 2; i < len(points); i += 2 {
			r.LineTo(float32(points[i]), float32(points[i+1]))
		}
		r.ClosePath()
	}
}

func rectangle(x, y, w, h float64) shape { return polygon(x, y, x+w, y, x+w, y+h, x, y+h) }

// line is a straight stroke.
func line(x0, y0, x1, y1, stroke float64) shape {
	length := math.Hypot(x1-x0, y1-y0)
	nx, ny := -(y1-y0)/length*stroke/2, (x1-x0)/length*stroke/2
	return polygon(x0+nx, y0+ny, x1+nx, y1+ny, x1-nx, y1-ny, x0-nx, y0-ny)
}

func disc(x, y, radius float64) shape { return ellipse(x, y, radius, radius) }

func ellipse(x, y, rx, ry float64) shape {
	return func(r *vector.Rasterizer) { outline(r, x, y, rx, ry, false) }
}

// ring is a circle drawn with a thick line.
func ring(x, y, radius, stroke float64) shape {
	return func(r *vector.Rasterizer) {
		outline(r, x, y, radius+stroke/2, radius+stroke/2, false)
		outline(r, x, y, radius-stroke/2, radius-stroke/2, true)
	}
}

// arch is a door or window with a round head; y is the ground.
func arch(x, y, w, h float64) shape {
	points := []float64{x, y}
	for i := range 33 {
		angle := math.Pi + float64(i)/32*math.Pi
		points = append(points, x+w/2+w/2*math.Cos(angle), y-h+w/2+w/2*math.Sin(angle))
	}
	return polygon(append(points, x+w, y)...)
}

// hills is a wavy ground that reaches the bottom of the picture.
func hills(y, amplitude, wave, phase float64) shape {
	points := []float64{0, height}
	for x := 0.0; x <= width; x += 8 {
		points = append(points, x, y+amplitude*math.Sin(x/wave+phase)+amplitude/3*math.Sin(x/wave*2.3+phase*2))
	}
	return polygon(append(points, width, height)...)
}

// outline walks around an ellipse; walking backwards cuts a hole.
func outline(r *vector.Rasterizer, x, y, rx, ry float64, backwards bool) {
	const steps = 180
	for i := range steps {
		angle := 2 * math.Pi * float64(i) / steps
		if backwards {
			angle = -angle
		}
		px, py := float32(x+rx*math.Cos(angle)), float32(y+ry*math.Sin(angle))
		if i == 0 {
			r.MoveTo(px, py)
			continue
		}
		r.LineTo(px, py)
	}
	r.ClosePath()
}
