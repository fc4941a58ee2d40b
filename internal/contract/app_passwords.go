package contract

import (
	"context"
	"net/netip"

	"github.com/amphi-campus/amphi/internal/campus"
)

// AppPurpose is what a program does in somebody's name with an application
// password: it opens that and nothing else.
type AppPurpose string

// The purposes.
const (
	AppContacts AppPurpose = "contacts" // the directory, as an address book (CardDAV)
)

// AppPurposes lists them.
var AppPurposes = []AppPurpose{AppContacts}

// AppPasswords checks the passwords of programs that cannot show a sign-in page. The
// identity room implements it.
type AppPasswords interface {
	// ByAppPassword says on whose behalf a program asks: login is what it sends as the
	// user name, an identifier or an institutional address. The errors are faults of
	// kind Unauthenticated for a password that is wrong, ended or for something else,
	// of kind Busy for a network that guesses, and those of an account that may not
	// be used.
	ByAppPassword(ctx context.Context, login, password string, p AppPurpose, from netip.Addr) (campus.Viewer, error)
}
