package activation

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// sheetView is the sheet that is handed out at registration. It is the same for
// everybody and holds nothing secret.
type sheetView struct {
	Address string // as people type it
	QR      qrCode
	Sides   []sheetSide
}

// sheetSide is the sheet in one language.
type sheetSide struct {
	Locale      campus.Locale
	Institution string
	Desk        string
	text        *i18n.Printer
}

func (s sheetSide) say(key string, pairs ...any) string {
	return s.text.T("identity.activation.sheet."+key, pairs...)
}

// qrCode is a QR code as one path of an SVG picture.
type qrCode struct {
	Size int // modules on a side, with the quiet zone around them
	Path string
}

// quietZone is the white border that readers need (ISO/IEC 18004, 4 modules).
const quietZone = 4

func newQR(content string) (qrCode, error) {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, fmt.Errorf("draw a QR code: %w", err)
	}
	side := code.Bounds().Dx()
	var path strings.Builder
	for y := range side {
		for x := range side {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	return qrCode{Size: side + 2*quietZone, Path: path.String()}, nil
}

func (q qrCode) viewBox() string { return fmt.Sprintf("0 0 %d %d", q.Size, q.Size) }

func (x *Activation) sheetPage(w http.ResponseWriter, r *http.Request) error {
	address := x.address("/activate")
	picture, err := newQR(address)
	if err != nil {
		return err
	}
	view := sheetView{Address: strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://"), QR: picture}
	for _, l := range campus.Locales {
		p := x.Texts.For(l)
		desk := x.config.DeskFrench
		if l == campus.English && x.config.DeskEnglish != "" {
			desk = x.config.DeskEnglish
		}
		view.Sides = append(view.Sides, sheetSide{Locale: l, Institution: x.institution(p), Desk: desk, text: p})
	}
	return web.Render(w, r, http.StatusOK, sheetTempl(view))
}
