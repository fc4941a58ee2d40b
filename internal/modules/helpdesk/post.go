package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

var (
	_ contract.Listener      = (*Module)(nil)
	_ contract.HealthChecker = (*Module)(nil)
)

// post opens where mail comes in and letters go out. It leans on the links that lead
// people to their requests.
func (m *Module) post() {
	m.mailroom = mailroom.New(mailroom.Deps{
		DB: m.DB, Clock: m.Clock, Log: m.Log, Texts: m.Texts, Files: m.Files, Keys: m.Keys, Base: m.Base, Tickets: m.tickets, Attached: m.attached,
		Register: m.Register, Mailer: m.Mailer, LetterURL: m.following.LetterURL, RatingURL: m.following.RatingURL,
		InstitutionFrench: m.InstitutionFrench, InstitutionEnglish: m.InstitutionEnglish,
	}, m.config.Mail)
}

// Listen implements contract.Listener: mail servers hand over mail, and mailboxes are
// emptied.
func (m *Module) Listen(ctx context.Context) error { return m.mailroom.Listen(ctx) }

// Health implements contract.HealthChecker.
func (m *Module) Health(ctx context.Context) []health.Check { return m.mailroom.Health(ctx) }
