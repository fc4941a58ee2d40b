package operations

import (
	"context"
	"io"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Deps is what the room needs of the house.
type Deps struct {
	DB     *db.DB
	Board  Board
	Outbox Outbox
	Doctor Doctor
	// Version is the program's version; Started is when it started.
	Version string
	Started time.Time
	// Configuration writes the configuration in force as TOML, secrets masked.
	Configuration func(io.Writer) error
}

// Board is the table of background jobs; *jobs.Board is one.
type Board interface {
	List(context.Context, jobs.Filter) ([]jobs.Job, error)
	Count(context.Context, jobs.Filter) (int, error)
	Job(ctx context.Context, id string) (jobs.Job, error)
	RunAgain(ctx context.Context, id string) error
	Discard(ctx context.Context, id string) error
}

// Outbox is the record of messages; *mailer.Mailer is one.
type Outbox interface {
	Outbox(context.Context, mailer.Filter) ([]mailer.Record, error)
	Counted(context.Context, mailer.Filter) (int, error)
	Message(ctx context.Context, id string) (mailer.Kept, error)
}

// Doctor asks every room how it is; *health.Doctor is one.
type Doctor interface {
	Checks(context.Context) []health.Check
}
