package renewal

import (
	"io"
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// passphrase answers with one passphrase in the reader's language, for the
// script that offers another.
func (x *Renewal) passphrase(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := io.WriteString(w, rules.Phrase(i18n.Locale(r.Context()), x.rules))
	return err
}
