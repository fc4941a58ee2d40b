package reach

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Channel is a kind of way to reach somebody.
type Channel string

// The channels.
const (
	Mail         Channel = "mail"          // the institutional address
	RecoveryMail Channel = "recovery_mail" // an address outside the institution
	MobilePhone  Channel = "mobile"        // a phone that gets text messages
)

// Source is who gave a point.
type Source string

// The sources.
const (
	FromTheRecord Source = "record" // the registration record
	FromSelf      Source = "self"   // the person
)

// MailPoint is the identifier of everybody's institutional address, which is
// kept with the person.
const MailPoint = "mail"

// Point is one way to reach somebody.
type Point struct {
	ID      string
	Channel Channel
	Value   string // as messages are sent to it
	Masked  string // as it may be shown to who has not signed in
	Source  Source
	// VerifiedAt is when its owner typed back a code that was sent to it, zero
	// for never. UsableAt is from when codes may be sent to it; zero means not
	// before it is verified.
	VerifiedAt, UsableAt time.Time
	AddedAt              time.Time
	ConfirmedAt          time.Time // when its owner last said that it is still theirs
	// EndsAt is when its replacement takes over, zero when none waits.
	EndsAt time.Time
	// Replaces is the point that this one takes over from, or "".
	Replaces string
}

// Usable reports whether the point counts: as a second factor, and for codes
// that open an account.
func (p Point) Usable(now time.Time) bool {
	return !p.UsableAt.IsZero() && !now.Before(p.UsableAt)
}

// Waiting reports whether the point counts at a later date, because it changed
// in the record.
func (p Point) Waiting(now time.Time) bool { return !p.UsableAt.IsZero() && now.Before(p.UsableAt) }

// SMS reports whether messages to it are text messages.
func (p Point) SMS() bool { return p.Channel == MobilePhone }

// mailPoint is the institutional address: the institution made it, so it needs
// no code and has counted since ever.
func mailPoint(p account.Person) Point {
	ever := time.Unix(0, 0).UTC()
	return Point{ID: MailPoint, Channel: Mail, Value: p.Mail, Masked: MaskAddress(p.Mail), Source: FromTheRecord, VerifiedAt: ever, UsableAt: ever, AddedAt: ever, ConfirmedAt: ever}
}

// pointOf is a row as others see it.
func pointOf(r sqlgen.IdentityPoint) Point {
	return Point{
		ID: r.ID, Channel: Channel(r.Channel), Value: r.Value, Masked: Mask(Channel(r.Channel), r.Value), Source: Source(r.Source),
		VerifiedAt: r.VerifiedAt.Time(), UsableAt: r.UsableAt.Time(), AddedAt: r.CreatedAt.Time(), ConfirmedAt: r.ConfirmedAt.Time(),
		EndsAt: r.RemovedAt.Time(), Replaces: r.Replaces,
	}
}

// live reports whether a row counts for anything at a moment.
func live(r sqlgen.IdentityPoint, now db.Time) bool {
	return r.RemovedAt.IsZero() || now.Before(r.RemovedAt)
}

// Mask hides most of a value.
func Mask(c Channel, value string) string {
	if c == MobilePhone {
		return MaskMobile(value)
	}
	return MaskAddress(value)
}

// Normal is a value as it is stored for a channel, or why it cannot be: see
// [Mobile] and [Address].
func (x *Reach) Normal(c Channel, typed string) (string, error) {
	if c == MobilePhone {
		return Mobile(typed, x.config.Country)
	}
	return Address(typed)
}

// same reports whether two stored values of a channel mean the same.
func same(a, b string) bool { return sameMailbox(a, b) }
