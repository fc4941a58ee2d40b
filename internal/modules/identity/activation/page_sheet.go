package activation

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/qr"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// sheetView is the sheet that is handed out at registration. It is the same for
// everybody and holds nothing secret.
type sheetView struct {
	Address string // as people type it
	Sides   []sheetSide
}

// sheetSide is the sheet in one language.
type sheetSide struct {
	Locale      campus.Locale
	Institution string
	Desk        string
	QR          string // leads to Address
	text        *i18n.Printer
}

func (s sheetSide) say(key string, pairs ...any) string {
	return s.text.T("identity.activation.sheet."+key, pairs...)
}

func (x *Activation) sheetPage(w http.ResponseWriter, r *http.Request) error {
	address := x.address("/activate")
	view := sheetView{Address: strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")}
	for _, l := range campus.Locales {
		p := x.Texts.For(l)
		desk := x.config.DeskFrench
		if l == campus.English && x.config.DeskEnglish != "" {
			desk = x.config.DeskEnglish
		}
		side := sheetSide{Locale: l, Institution: x.institution(p), Desk: desk, text: p}
		var err error
		if side.QR, err = qr.SVG(address, side.say("qr", "address", view.Address)); err != nil {
			return err
		}
		view.Sides = append(view.Sides, side)
	}
	return web.Render(w, r, http.StatusOK, sheetTempl(view))
}
