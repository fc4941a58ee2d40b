package privacy

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// tell says to somebody what happened with their request, in the portal and by
// mail: the sentences of privacy.tell.<what>.
func (m *Module) tell(ctx context.Context, tx db.Tx, to contract.Known, what string, q Request) error {
	return m.write(ctx, tx, to, what, "/privacy/requests/"+q.ID, "number", q.Number, "day", q.DueAt)
}

// tellReady says that a copy can be downloaded.
func (m *Module) tellReady(ctx context.Context, tx db.Tx, to contract.Known, until time.Time) error {
	return m.write(ctx, tx, to, "ready", "/privacy/export", "day", until)
}

func (m *Module) write(ctx context.Context, tx db.Tx, to contract.Known, what, path string, pairs ...any) error {
	key := "privacy.tell." + what
	say := func(l campus.Locale, part string) string {
		p := m.Texts.For(l)
		said := make([]any, len(pairs))
		for i, v := range pairs {
			if t, ok := v.(time.Time); ok {
				v = p.Date(t, i18n.Day)
			}
			said[i] = v
		}
		return p.T(key+"."+part, said...)
	}
	err := m.Notices.Notify(ctx, tx, to.ID, contract.Notice{
		Room: "privacy", Key: what + path, URL: path, Icon: "lock",
		TitleFrench: say(campus.French, "title"), TitleEnglish: say(campus.English, "title"),
		DetailFrench: say(campus.French, "detail"), DetailEnglish: say(campus.English, "detail"),
	})
	if err != nil {
		return err
	}
	language := to.Subject.Locale
	if language == "" {
		language = campus.French
	}
	words := i18n.With(ctx, m.Texts.For(language))
	letter := mailer.Letter{
		Locale: language, Greeting: i18n.T(words, "privacy.tell.greeting", "name", to.Subject.GivenName),
		Before: []string{say(language, "detail")}, Label: i18n.T(words, "privacy.tell.open"), URL: m.Base.JoinPath(path).String(),
		Signature: i18n.Pick(words, m.InstitutionFrench, m.InstitutionEnglish),
	}
	return m.Mailer.Send(ctx, tx, letter.Message("privacy."+what, to.Subject.Mail, say(language, "title")))
}
