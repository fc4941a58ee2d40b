package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"
)

var (
	red  = color.NRGBA{R: 250, A: 255}
	blue = color.NRGBA{B: 250, A: 255}
)

// halves is a picture whose left half is red and whose right half is blue.
func halves(wide, high int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, wide, high))
	for y := range high {
		for x := range wide {
			picture.SetNRGBA(x, y, red)
			if x >= wide/2 {
				picture.SetNRGBA(x, y, blue)
			}
		}
	}
	return picture
}

// photo is a JPEG with an EXIF block: an orientation and a place that nobody should publish.
func photo(t *testing.T, turn orient) []byte {
	t.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, halves(80, 40), nil); err != nil {
		t.Fatal(err)
	}
	exif := []byte("Exif\x00\x00MM\x00\x2A\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	exif = binary.BigEndian.AppendUint16(exif, uint16(turn))
	exif = append(exif, "\x00\x00\x00\x00\x00\x00GPS 48.85 N"...)
	out := []byte{0xFF, 0xD8, 0xFF, 0xE1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), plain.Bytes()[2:]...)
}

func TestAPhotoLosesItsPlaceAndStandsUpright(t *testing.T) {
	made, err := Picture(bytes.NewReader(photo(t, 6)), 1_000_000, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(made.Data, []byte("GPS")) || bytes.Contains(made.Data, []byte("Exif")) {
		t.Fatal("the place is still in the file")
	}
	if made.Width != 40 || made.Height != 80 || made.MediaType != "image/jpeg" {
		t.Fatalf("%dx%d %s", made.Width, made.Height, made.MediaType)
	}
	pixels, err := jpeg.Decode(bytes.NewReader(made.Data))
	if err != nil {
		t.Fatal(err)
	}
	// Turned a quarter clockwise, left becomes top.
	if r, _, b, _ := pixels.At(20, 10).RGBA(); r < b {
		t.Fatal("the top is not the red half")
	}
	if r, _, b, _ := pixels.At(20, 70).RGBA(); r > b {
		t.Fatal("the bottom is not the blue half")
	}
}

func TestEveryOrientationEndsUpright(t *testing.T) {
	// Where the top left corner of the stored picture belongs.
	corners := map[orient]image.Point{1: {0, 0}, 2: {2, 0}, 3: {2, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 2}, 8: {0, 2}}
	for turn, corner := range corners {
		stored := image.NewNRGBA(image.Rect(0, 0, 3, 2))
		stored.SetNRGBA(0, 0, red)
		if got := turn.apply(stored); got.NRGBAAt(corner.X, corner.Y) != red {
			t.Errorf("orientation %d: the corner is not at %v", turn, corner)
		}
		if got := orientation(photo(t, turn)); got != turn {
			t.Errorf("orientation %d was read as %d", turn, got)
		}
	}
	if got := orientation(photo(t, 77)); got != upright {
		t.Errorf("an impossible orientation was read as %d", got)
	}
}

func TestAWidePictureIsMadeNarrower(t *testing.T) {
	var wide bytes.Buffer
	if err := png.Encode(&wide, halves(400, 100)); err != nil {
		t.Fatal(err)
	}
	made, err := Picture(&wide, 1_000_000, 200)
	if err != nil || made.Width != 200 || made.Height != 50 {
		t.Fatalf("%dx%d, %v", made.Width, made.Height, err)
	}
}

func TestATransparentLogoStaysTransparent(t *testing.T) {
	logo := halves(20, 20)
	logo.SetNRGBA(0, 0, color.NRGBA{})
	var out bytes.Buffer
	if err := png.Encode(&out, logo); err != nil {
		t.Fatal(err)
	}
	made, err := Picture(&out, 1_000_000, 200)
	if err != nil || made.MediaType != "image/png" {
		t.Fatalf("%s, %v", made.MediaType, err)
	}
}

func TestAPictureThatClaimsTooManyPixelsIsRefusedUnread(t *testing.T) {
	// A PNG of 57 bytes that claims 60,000 by 60,000 pixels (14 GB).
	header := []byte("IHDR\x00\x00\xEA\x60\x00\x00\xEA\x60\x08\x06\x00\x00\x00")
	bomb := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	bomb = append(bomb, header...)
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(header))
	bomb = append(bomb, "\x00\x00\x00\x00IDAT\x00\x00\x00\x00"...)
	if _, err := Picture(bytes.NewReader(bomb), 40_000_000, 200); !errors.Is(err, PictureTooLarge) {
		t.Fatal(err)
	}
}

func TestWhatIsNoPictureIsRefusedWithAReason(t *testing.T) {
	whole := photo(t, 1)
	for name, data := range map[string]string{
		"empty": "", "a page": "<html><script>alert(1)</script>", "a drawing": "<svg xmlns='http://www.w3.org/2000/svg'/>",
		"a cut photo": string(whole[:len(whole)/2]),
	} {
		if _, err := Picture(strings.NewReader(data), 1_000_000, 200); !errors.Is(err, PictureUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPictureLargerThanTheUploadLimitKeepsThatReason(t *testing.T) {
	if _, err := Picture(Limit(bytes.NewReader(photo(t, 1)), 10), 1_000_000, 200); !errors.Is(err, TooLarge) {
		t.Fatal(err)
	}
}

func FuzzPictureNeverPanics(f *testing.F) {
	f.Add([]byte("\xFF\xD8\xFF\xE1\x00\x10Exif\x00\x00MM\x00\x2A\xFF\xFF\xFF\xFF"))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		orientation(data)
		made, err := Picture(bytes.NewReader(data), 10_000, 50)
		if err == nil && len(made.Data) == 0 {
			t.Fatal("a picture without content")
		}
	})
}

func TestFewPicturesAreUnpackedAtATime(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewNRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	for range cap(drawing) {
		drawing <- struct{}{}
	}
	done := make(chan error)
	go func() {
		_, err := Picture(bytes.NewReader(file.Bytes()), 100, 4)
		done <- err
	}()
	select {
	case <-done:
		t.Error("a picture is unpacked although as many are as memory is kept for")
	case <-time.After(50 * time.Millisecond):
	}
	for range cap(drawing) {
		<-drawing
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
