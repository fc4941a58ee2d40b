package reach

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// demoMessages is how many messages the demo phone holds.
const demoMessages = 30

// demoMessage is one message on the demo phone.
type demoMessage struct {
	SMS         bool
	To, Subject string
	Pieces      []piece
	At          time.Time
}

// piece is a run of a message's text. One with a path is a link of ours, which
// leads on this very house, whatever name it calls itself.
type piece struct{ Text, Path string }

// pieces parts a text at the links that lead here.
func (x *Reach) pieces(text string) (list []piece) {
	base := strings.TrimSuffix(x.BaseURL.String(), "/") + "/"
	for {
		before, after, found := strings.Cut(text, base)
		if before != "" {
			list = append(list, piece{Text: before})
		}
		if !found {
			return list
		}
		path := after
		if end := strings.IndexFunc(after, unicode.IsSpace); end >= 0 {
			path = after[:end]
		}
		list = append(list, piece{Text: base + path, Path: web.Local("/" + path)})
		text = after[len(path):]
	}
}

// demoPhone shows what the demo would have sent, so that somebody who tries it
// alone can read the codes on "their" phone. Everybody in a demo is invented; in
// any other house the address does not exist.
func (x *Reach) demoPhone(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	records, err := x.Mailer.Outbox(ctx, mailer.Filter{State: mailer.StateKept, Limit: demoMessages})
	if err != nil {
		return err
	}
	messages := make([]demoMessage, 0, len(records))
	for _, record := range records {
		kept, err := x.Mailer.Message(ctx, record.ID)
		if err != nil {
			return err
		}
		messages = append(messages, demoMessage{
			SMS: record.Channel == mailer.ChannelSMS, To: kept.FullTo, Subject: record.Subject, Pieces: x.pieces(kept.Text), At: record.Created,
		})
	}
	return web.Render(w, r, http.StatusOK, demoPhoneTempl(messages))
}
