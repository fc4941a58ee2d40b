package files

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orient is how a phone held the picture: the values of EXIF's Orientation tag.
type orient uint16

const upright orient = 1

// sideways reports whether width and height change places.
func (o orient) sideways() bool { return o >= 5 && o <= 8 }

// apply turns a picture upright.
func (o orient) apply(from *image.NRGBA) *image.NRGBA {
	if o <= upright || o > 8 {
		return from
	}
	wide, high := from.Bounds().Dx(), from.Bounds().Dy()
	to := image.NewNRGBA(image.Rect(0, 0, wide, high))
	if o.sideways() {
		to = image.NewNRGBA(image.Rect(0, 0, high, wide))
	}
	for y := range high {
		for x := range wide {
			tx, ty := x, y
			switch o {
			case 2:
				tx = wide - 1 - x
			case 3:
				tx, ty = wide-1-x, high-1-y
			case 4:
				ty = high - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = high-1-y, x
			case 7:
				tx, ty = high-1-y, wide-1-x
			case 8:
				tx, ty = y, wide-1-x
			}
			to.SetNRGBA(tx, ty, from.NRGBAAt(x, y))
		}
	}
	return to
}

// orientation finds the Orientation tag of a JPEG. Anything odd means upright: a wrong turn is a
// blemish, never a reason to refuse a picture.
func orientation(jpeg []byte) orient {
	rest := jpeg
	if len(rest) < 2 || rest[0] != 0xFF || rest[1] != 0xD8 {
		return upright
	}
	for rest = rest[2:]; len(rest) >= 4 && rest[0] == 0xFF; {
		marker, length := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0xDA || length < 2 || len(rest) < 2+length { // pixels begin, or cut
			return upright
		}
		segment := rest[4 : 2+length]
		if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); marker == 0xE1 && ok {
			return orientationIn(tiff)
		}
		rest = rest[2+length:]
	}
	return upright
}

func orientationIn(tiff []byte) orient {
	const tag, entrySize = 0x0112, 12
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(tiff, []byte("MM")) {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < entrySize {
			return upright
		}
		if order.Uint16(entries) == tag {
			if found := orient(order.Uint16(entries[8:])); found >= 1 && found <= 8 {
				return found
			}
			return upright
		}
		entries = entries[entrySize:]
	}
	return upright
}
