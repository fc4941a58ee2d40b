package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // formats that Picture reads
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // formats that Picture reads

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

const jpegQuality = 85

// Image is a picture made again from its pixels: it carries no place, no camera, no comment, and
// nothing that hid behind the pixels of the original.
type Image struct {
	Data          []byte
	MediaType     string // image/jpeg, or image/png when the picture has transparent parts
	Width, Height int
}

// drawing bounds how many pictures are unpacked at a time: each may take hundreds of
// megabytes, and anybody who has signed in may send one.
var drawing = make(chan struct{}, 2)

// Picture reads a JPEG, PNG, GIF or WebP and draws it again, turned the right way up and no wider
// than width. A picture of more than maxPixels is refused before its pixels are unpacked: a file of
// a few kilobytes may claim gigabytes of them. Bound r with Limit.
func Picture(r io.Reader, maxPixels, width int) (Image, error) {
	original, err := io.ReadAll(r)
	if err != nil {
		return Image{}, fmt.Errorf("read a picture: %w", err)
	}
	facts, format, err := image.DecodeConfig(bytes.NewReader(original))
	if err != nil {
		return Image{}, PictureUnreadable.From(err)
	}
	if facts.Width <= 0 || facts.Height <= 0 {
		return Image{}, PictureUnreadable
	}
	if facts.Width > maxPixels/facts.Height {
		return Image{}, PictureTooLarge.With(fault.Args{"width": facts.Width, "height": facts.Height})
	}
	drawing <- struct{}{}
	defer func() { <-drawing }()
	pixels, _, err := image.Decode(bytes.NewReader(original))
	if err != nil {
		return Image{}, PictureUnreadable.From(err)
	}
	turn := upright
	if format == "jpeg" {
		turn = orientation(original)
	}
	return encode(redraw(pixels, turn, width))
}

// PutPicture makes a picture again with Picture and stores it.
func PutPicture(ctx context.Context, store Store, r io.Reader, name string, maxPixels, width int) (Ref, Image, error) {
	picture, err := Picture(r, maxPixels, width)
	if err != nil {
		return "", Image{}, err
	}
	ref, err := store.Put(ctx, bytes.NewReader(picture.Data), Meta{Name: name})
	return ref, picture, err
}

func redraw(from image.Image, turn orient, width int) *image.NRGBA {
	bounds := from.Bounds()
	wide, high := bounds.Dx(), bounds.Dy()
	if turn.sideways() {
		wide, high = high, wide
	}
	if wide > width {
		high, wide = max(1, high*width/wide), width
	}
	// Scaled lying as it was stored, then turned: turning the small picture is the cheap order.
	scaled := image.NewNRGBA(image.Rect(0, 0, wide, high))
	if turn.sideways() {
		scaled = image.NewNRGBA(image.Rect(0, 0, high, wide))
	}
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), from, bounds, draw.Src, nil)
	return turn.apply(scaled)
}

func encode(picture *image.NRGBA) (Image, error) {
	var out bytes.Buffer
	made := Image{Width: picture.Bounds().Dx(), Height: picture.Bounds().Dy()}
	var err error
	if picture.Opaque() {
		made.MediaType = "image/jpeg"
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: jpegQuality})
	} else {
		made.MediaType = "image/png"
		err = png.Encode(&out, picture)
	}
	if err != nil {
		return Image{}, errors.Join(errors.New("encode a picture"), err)
	}
	made.Data = out.Bytes()
	return made, nil
}
