package main

import "math"

// library: lit windows by the river, at night.
func library() canvas {
	c := newCanvas(ink(.2), ink(.4))
	for i := range 5 {
		c.fill(ink(.36+.02*float64(i)), .35, ring(600, 500, 620-float64(i)*90, 34))
	}
	c.fill(warm(.9), 1, disc(1130, 75, 36))
	c.fill(ink(.222), 1, disc(1114, 66, 33))

	const ground = 470.0
	c.fill(ink(.17), 1, rectangle(120, 210, 960, ground-210), polygon(90, 210, 600, 120, 1110, 210))
	c.fill(ink(.25), 1, ring(600, 180, 20, 7))
	for i := range 7 {
		x := 165 + float64(i)*128
		c.fill(warm(.62), .35, arch(x-9, ground, 102, 214))
		c.fill(between(warm(.84), warm(.74), math.Abs(float64(i)-3)/3), 1, arch(x, ground, 84, 200))
		for shelf := range 4 {
			c.fill(ink(.3), .55, rectangle(x, ground-34-float64(shelf)*38, 84, 4))
			for book := range 6 {
				// Heights repeat with no visible pattern, without any randomness.
				tall := 14 + float64((i*7+shelf*5+book*11)%13)
				c.fill(ink(.3), .4, rectangle(x+6+float64(book)*13, ground-34-float64(shelf)*38-tall, 8, tall))
			}
		}
	}
	c.fill(ink(.13), 1, rectangle(0, ground, width, 16))
	for i := range 7 {
		x := 165 + float64(i)*128
		for band := range 9 {
			depth := float64(band)
			c.fill(warm(.78), .5-depth*.05, ellipse(x+42+8*math.Sin(depth*1.7+float64(i)), ground+34+depth*19, 44-depth*2, 4.5))
		}
	}
	reader(c, 452, ground, 1)
	reader(c, 736, ground, .92)
	return c
}

// reader is a small figure in front of the light.
func reader(c canvas, x, ground, scale float64) {
	c.fill(ink(.15), 1, disc(x, ground-52*scale, 10*scale), arch(x-15*scale, ground, 30*scale, 40*scale))
}

// horizon: leaving, at daybreak.
func horizon() canvas {
	c := newCanvas(ink(.46), lch{.88, .1, 68})
	for i := range 6 {
		c.fill(warm(.9), .2-.025*float64(i), ring(760, 440, 110+float64(i)*74, 36))
	}
	c.fill(lch{.93, .09, 80}, 1, disc(760, 440, 84))
	c.fill(ink(.6), 1, hills(440, 34, 170, .4))
	c.fill(ink(.45), 1, hills(500, 40, 210, 2.2))
	c.fill(ink(.31), 1, hills(570, 30, 150, 4))
	for i := range 26 {
		t := float64(i) / 25
		x, y := 90+t*880, 470-math.Sin(t*2.05)*330
		if i < 25 {
			c.fill(paper, .95, disc(x, y, 4.2))
		}
	}
	const x, y = 985.0, 165.0
	c.fill(paper, 1, polygon(x-34, y-6, x+62, y+16, x-12, y+24))
	c.fill(lch{.85, .03, inkHue}, 1, polygon(x-12, y+24, x+62, y+16, x-4, y+50))
	return c
}

// amphitheatre: the rows seen from the stage.
func amphitheatre() canvas {
	c := newCanvas(ink(.26), ink(.35))
	const x, y = 600.0, 760.0
	for row := range 9 {
		radius := 800 - float64(row)*76
		light := float64(row) / 8
		seat := between(ink(.38), warm(.82), light*light)
		c.fill(seat, 1, ring(x, y, radius, 40))
		heads := int(radius / 19)
		for i := range heads {
			angle := math.Pi * (1 + (float64(i)+.5)/float64(heads))
			if (i*13+row*7)%11 == 0 {
				continue // a free seat
			}
			hx, hy := x+(radius+16)*math.Cos(angle), y+(radius+16)*math.Sin(angle)
			tone := between(ink(.52), warm(.93), light)
			if (i*5+row*3)%7 == 0 {
				tone = between(ink(.62), lch{.97, .05, 80}, light)
			}
			c.fill(tone, 1, disc(hx, hy, 10.5))
		}
	}
	c.fill(lch{.93, .08, 75}, 1, disc(x, y, 130))
	return c
}

// harbour: a morning at the docks.
func harbour() canvas {
	c := newCanvas(lch{.86, .05, 240}, lch{.93, .07, 75})
	c.fill(lch{.97, .05, 85}, .8, disc(820, 360, 120))
	c.fill(warm(.8), 1, disc(820, 360, 88))
	for i := range 3 {
		c.fill(warm(.82), .22, ring(820, 360, 150+float64(i)*62, 22))
	}
	c.fill(ink(.6), .55, hills(400, 14, 120, 1))
	for _, x := range []float64{120, 330} {
		crane(c, x)
	}
	for i := range 6 {
		x := 520 + float64(i)*112
		c.fill(between(ink(.4), ink(.48), float64(i%3)/2), 1, polygon(x, 440, x, 372, x+56, 344, x+112, 372, x+112, 440))
		c.fill(warm(.84), .9, arch(x+40, 440, 32, 48))
	}
	c.fill(ink(.42), 1, rectangle(0, 436, width, 10))
	c.gradient(446, height, lch{.62, .08, 248}, lch{.36, .09, inkHue})
	for band := range 11 {
		depth := float64(band)
		c.fill(warm(.84), .75-depth*.06, ellipse(820+14*math.Sin(depth*2.1), 462+depth*19, 92-depth*5, 5))
	}
	c.fill(paper, 1, polygon(430, 540, 700, 540, 668, 580, 462, 580))
	c.fill(warm(.7), 1, rectangle(450, 556, 232, 8))
	c.fill(paper, 1, rectangle(492, 502, 150, 38))
	for i := range 5 {
		c.fill(ink(.45), 1, rectangle(502+float64(i)*28, 511, 18, 17))
	}
	for i := range 4 {
		c.fill(paper, .45, ellipse(360-float64(i)*52, 582+float64(i)*7, 46, 3))
	}
	return c
}

func crane(c canvas, x float64) {
	dark := ink(.34)
	c.fill(dark, 1, line(x, 440, x+30, 180, 12), line(x+110, 440, x+80, 180, 12),
		line(x-60, 190, x+240, 190, 11), line(x+55, 120, x+55, 190, 11),
		line(x+55, 122, x+235, 188, 5), line(x+55, 122, x-55, 188, 5),
		line(x+10, 340, x+100, 340, 8), line(x+12, 340, x+86, 240, 5))
	c.fill(dark, 1, line(x+190, 190, x+190, 290, 3))
	c.fill(warm(.66), 1, rectangle(x+160, 290, 60, 32))
}

// track: lanes and runners from above.
func track() canvas {
	c := newCanvas(lch{.7, .12, 50}, lch{.62, .13, 44})
	const x, y = 180.0, 820.0
	c.fill(lch{.56, .09, 155}, 1, disc(x, y, 330))
	c.fill(lch{.61, .09, 152}, 1, disc(x, y, 250))
	for lane := range 7 {
		c.fill(paper, .92, ring(x, y, 345+float64(lane)*84, 6))
	}
	c.fill(ink(.34), 1, ring(x, y, 1080, 310))
	c.fill(ink(.4), 1, ring(x, y, 1010, 60))
	for i, place := range []struct{ lane, angle float64 }{{0, 1.3}, {1, 1.16}, {2, 1.31}, {3, 1.13}, {4, 1.26}} {
		radius := 387 + place.lane*84
		angle := place.angle * -1
		px, py := x+radius*math.Cos(angle), y+radius*math.Sin(angle)
		shirt := []lch{paper, ink(.4), lch{.9, .12, 95}, ink(.3), lch{.86, .07, 220}}[i]
		c.fill(ink(.2), .28, ellipse(px+26, py+22, 34, 17))
		c.fill(shirt, 1, ellipse(px, py, 31, 19))
		c.fill(lch{.3 + .12*float64(i), .05, 55}, 1, disc(px, py, 12.5))
	}
	return c
}

// network: two places that hear each other.
func network() canvas {
	c := newCanvas(lch{.96, .015, 85}, lch{.93, .025, 75})
	for i := 7; i >= 0; i-- {
		radius := 90 + float64(i)*82
		fade := 1 - float64(i)/9
		c.fill(ink(.42), .2+.75*fade*fade, ring(90, 400, radius, 34))
	}
	for i := 7; i >= 0; i-- {
		radius := 90 + float64(i)*82
		fade := 1 - float64(i)/9
		c.fill(warm(.72), .2+.7*fade*fade, ring(1110, 400, radius, 34))
	}
	c.fill(ink(.34), 1, disc(90, 400, 46))
	c.fill(warm(.66), 1, disc(1110, 400, 46))
	return c
}
