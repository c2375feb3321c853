package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/vector"
)

// side is of a drawing, in pixels; shapes are given in hundredths of it.
const side = 900

// canvas draws flat shapes: the things of a tea shop.
type canvas struct{ m *image.RGBA }

// drawing is a picture as a PNG.
func drawing(looks func(*canvas)) []byte {
	c := &canvas{image.NewRGBA(image.Rect(0, 0, side, side))}
	looks(c)
	var b bytes.Buffer
	if err := png.Encode(&b, c.m); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

// fill fills a closed path: moves, lines and curves, as walk gives them.
func (c *canvas) fill(rgb uint32, walk func(z *pen)) {
	z := &pen{vector.NewRasterizer(side, side)}
	walk(z)
	z.r.ClosePath()
	paint := image.NewUniform(color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255})
	z.r.Draw(c.m, c.m.Bounds(), paint, image.Point{})
}

// pen walks in hundredths.
type pen struct{ r *vector.Rasterizer }

func px(v float64) float32 { return float32(v * side / 100) }

func (z *pen) move(x, y float64) { z.r.MoveTo(px(x), px(y)) }
func (z *pen) line(x, y float64) { z.r.LineTo(px(x), px(y)) }
func (z *pen) curve(x1, y1, x2, y2, x, y float64) {
	z.r.CubeTo(px(x1), px(y1), px(x2), px(y2), px(x), px(y))
}

// box is a rectangle with round corners.
func (c *canvas) box(rgb uint32, x, y, w, h, r float64) {
	c.fill(rgb, func(z *pen) {
		k := r * 0.4477 // how far the handles of a quarter circle stand from its corner
		z.move(x+r, y)
		z.line(x+w-r, y)
		z.curve(x+w-k, y, x+w, y+k, x+w, y+r)
		z.line(x+w, y+h-r)
		z.curve(x+w, y+h-k, x+w-k, y+h, x+w-r, y+h)
		z.line(x+r, y+h)
		z.curve(x+k, y+h, x, y+h-k, x, y+h-r)
		z.line(x, y+r)
		z.curve(x, y+k, x+k, y, x+r, y)
	})
}

// disc is an ellipse.
func (c *canvas) disc(rgb uint32, x, y, rx, ry float64) {
	c.fill(rgb, func(z *pen) {
		const k = 0.5523
		z.move(x+rx, y)
		z.curve(x+rx, y+ry*k, x+rx*k, y+ry, x, y+ry)
		z.curve(x-rx*k, y+ry, x-rx, y+ry*k, x-rx, y)
		z.curve(x-rx, y-ry*k, x-rx*k, y-ry, x, y-ry)
		z.curve(x+rx*k, y-ry, x+rx, y-ry*k, x+rx, y)
	})
}

// leaf is a tea leaf from its stem, so long, at an angle in degrees.
func (c *canvas) leaf(rgb uint32, x, y, long, angle float64) {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	at := func(u, v float64) (float64, float64) { return x + u*cos - v*sin, y + u*sin + v*cos }
	c.fill(rgb, func(z *pen) {
		z.move(at(0, 0))
		ax, ay := at(long*.3, -long*.28)
		bx, by := at(long*.75, -long*.22)
		tx, ty := at(long, 0)
		z.curve(ax, ay, bx, by, tx, ty)
		ax, ay = at(long*.75, long*.22)
		bx, by = at(long*.3, long*.28)
		z.curve(ax, ay, bx, by, x, y)
	})
}

// steam is a wisp.
func (c *canvas) steam(rgb uint32, x, y float64) {
	c.fill(rgb, func(z *pen) {
		z.move(x, y)
		z.curve(x-4, y-5, x+4, y-9, x, y-15)
		z.line(x+1.6, y-15)
		z.curve(x+5.6, y-9, x-2.4, y-5, x+1.6, y)
	})
}

func drawTin(c *canvas) {
	c.box(0xEEF1E6, 0, 0, 100, 100, 0)
	c.disc(0xDDE4D2, 50, 83, 30, 4)
	c.box(0x4F7A5A, 30, 30, 40, 52, 4)
	c.box(0x3E6448, 30, 30, 40, 9, 3)
	c.box(0x6A9475, 33, 22, 34, 10, 4)
	c.box(0xF6F2E7, 36, 46, 28, 26, 3)
	c.leaf(0x4F7A5A, 50, 68, 15, -122)
	c.leaf(0x6A9475, 50, 68, 17, -90)
	c.leaf(0x86AE8E, 50, 68, 15, -58)
}

func drawGaiwan(c *canvas) {
	c.box(0xE9EEEC, 0, 0, 100, 100, 0)
	c.disc(0xB9CCC5, 50, 78, 32, 5)
	c.disc(0xCFE0D9, 50, 75, 32, 5)
	c.fill(0x9CBFB3, func(z *pen) {
		z.move(24, 46)
		z.curve(26, 66, 36, 74, 42, 74)
		z.line(58, 74)
		z.curve(64, 74, 74, 66, 76, 46)
	})
	c.disc(0x84AB9E, 50, 46, 26, 4)
	c.fill(0xB4D2C7, func(z *pen) {
		z.move(28, 43)
		z.curve(32, 32, 42, 30, 50, 30)
		z.curve(58, 30, 68, 32, 72, 43)
		z.curve(60, 47, 40, 47, 28, 43)
	})
	c.disc(0x84AB9E, 50, 28, 6, 3)
}

func drawCup(c *canvas) {
	c.box(0xE6EFF3, 0, 0, 100, 100, 0)
	c.disc(0xD0DFE6, 50, 86, 24, 4)
	c.fill(0xF8FCFD, func(z *pen) {
		z.move(31, 26)
		z.line(69, 26)
		z.line(64, 86)
		z.line(36, 86)
	})
	c.fill(0xC9A24B, func(z *pen) {
		z.move(33, 44)
		z.line(67, 44)
		z.line(63.6, 84)
		z.line(36.4, 84)
	})
	c.box(0xE9F4F6, 42, 50, 10, 10, 2)
	c.box(0xDCEDF1, 50, 60, 10, 10, 2)
	c.leaf(0x5F8A57, 40, 78, 16, -35)
	c.leaf(0x77A06C, 46, 80, 14, -60)
	c.box(0x3F6C7C, 29, 17, 42, 10, 4)
	c.box(0x2F5663, 44, 10, 12, 8, 3)
}

func drawTasting(c *canvas) {
	c.box(0xF3EBE1, 0, 0, 100, 100, 0)
	c.box(0xB98E63, 10, 72, 80, 6, 3)
	c.fill(0x8C4A3C, func(z *pen) {
		z.move(34, 50)
		z.curve(34, 40, 42, 38, 50, 38)
		z.curve(58, 38, 68, 42, 68, 55)
		z.curve(68, 68, 60, 72, 50, 72)
		z.curve(40, 72, 34, 64, 34, 50)
	})
	c.fill(0x8C4A3C, func(z *pen) {
		z.move(36, 60)
		z.curve(26, 58, 24, 48, 18, 45)
		z.line(22, 42)
		z.curve(30, 46, 30, 52, 38, 52)
	})
	c.disc(0x733A2E, 50, 38, 13, 3)
	c.disc(0xA65F4E, 50, 34, 4, 3)
	for i := range 3 {
		x := 20 + float64(i)*9
		c.fill(0xFBF8F2, func(z *pen) {
			z.move(x-4, 64)
			z.line(x+4, 64)
			z.line(x+2.6, 71)
			z.line(x-2.6, 71)
		})
		c.disc(0xC98A3C, x, 64, 4, 1)
	}
	c.fill(0xFBF8F2, func(z *pen) {
		z.move(74, 62)
		z.line(86, 62)
		z.line(83, 71)
		z.line(77, 71)
	})
	c.disc(0xC98A3C, 80, 62, 6, 1.4)
	c.steam(0xDCCDBB, 79, 56)
	c.steam(0xDCCDBB, 49, 28)
}

func drawScones(c *canvas) {
	c.box(0xF6EEDF, 0, 0, 100, 100, 0)
	c.disc(0xE3D6C0, 50, 74, 40, 8)
	c.disc(0xFFFFFF, 50, 71, 40, 8)
	for _, x := range []float64{34, 62} {
		c.box(0xC98B45, x-15, 48, 30, 24, 7)
		c.box(0xE0AC68, x-15, 44, 30, 14, 7)
		c.box(0xF1D6A5, x-14, 58, 28, 4, 2)
		c.disc(0x7A4A20, x-6, 50, 1.6, 1.2)
		c.disc(0x7A4A20, x+5, 48, 1.6, 1.2)
	}
	c.disc(0xB23A48, 49, 72, 8, 3.4)
	c.disc(0xC95563, 47, 71, 3, 1.2)
}

func drawTicket(c *canvas) {
	c.box(0xE9E6F0, 0, 0, 100, 100, 0)
	c.box(0x4B3F72, 16, 32, 68, 38, 4)
	c.disc(0xE9E6F0, 16, 51, 4, 4)
	c.disc(0xE9E6F0, 84, 51, 4, 4)
	for y := 36.0; y < 68; y += 5 {
		c.box(0xE9E6F0, 62.4, y, 1.2, 2.6, 0.5)
	}
	c.fill(0xF2C14E, func(z *pen) { // a star
		for i := range 10 {
			r := 11.0
			if i%2 == 1 {
				r = 4.6
			}
			sin, cos := math.Sincos(float64(i)*math.Pi/5 - math.Pi/2)
			if x, y := 39+r*cos, 51+r*sin; i == 0 {
				z.move(x, y)
			} else {
				z.line(x, y)
			}
		}
	})
	c.box(0x8375B0, 68, 44, 10, 3, 1)
	c.box(0x8375B0, 68, 50, 8, 3, 1)
	c.box(0x8375B0, 68, 56, 10, 3, 1)
}

func drawTree(c *canvas) {
	c.box(0xEAF0EC, 0, 0, 100, 100, 0)
	c.fill(0xB7C9AE, func(z *pen) {
		z.move(0, 80)
		z.curve(30, 60, 60, 84, 100, 66)
		z.line(100, 100)
		z.line(0, 100)
	})
	c.box(0x7A5A3C, 47.6, 48, 4.8, 32, 2)
	for i, a := range []float64{-90, -130, -50, -165, -15, -110, -70} {
		c.leaf([]uint32{0x4F7A5A, 0x6A9475, 0x86AE8E}[i%3], 50, 54-float64(i%2)*8, 27, a)
	}
	c.disc(0x8B6B4A, 50, 80, 13, 3.4)
}

func drawMoon(c *canvas) {
	c.box(0x2E2A4A, 0, 0, 100, 100, 0)
	c.disc(0xF3E3B1, 70, 26, 14, 14)
	c.disc(0x1F1C36, 50, 79, 34, 5)
	for _, at := range [][2]float64{{36, 66}, {64, 66}, {50, 56}} {
		x, y := at[0], at[1]
		c.disc(0xA8642B, x, y+5, 16, 8)
		c.disc(0xC98341, x, y, 16, 8)
		c.disc(0xA8642B, x, y, 11, 5)
		c.disc(0xD99B57, x, y, 9.6, 4.2)
		c.leaf(0xA8642B, x-5, y, 10, 0)
	}
}
