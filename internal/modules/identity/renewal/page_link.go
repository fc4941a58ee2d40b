package renewal

import (
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

const keyField = "key"

// linkPage is where the link of a letter leads. It only shows a button: mail
// scanners follow links, and people open them twice.
func (x *Renewal) linkPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, linkTempl(r.URL.Query().Get(keyField)))
}

func (x *Renewal) takeLink(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	row, err := x.takeOver(w, r, values.Get(keyField))
	if errors.Is(err, LinkOver) { // pressed twice, or in two tabs: this browser has it already
		if mine, lost := x.recovery(r); lost == nil && !mine.ProvedAt.IsZero() {
			return x.enter(w, r, mine)
		}
	}
	if err != nil {
		return err
	}
	return x.enter(w, r, row)
}
