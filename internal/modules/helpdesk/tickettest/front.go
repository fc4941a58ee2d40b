package tickettest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/asking"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/following"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Why a code or an address of the tests is refused.
var (
	CodeWrong    = fault.Declare(fault.Invalid, "helpdesk_test.code_wrong")
	AddressWrong = fault.Declare(fault.Invalid, "helpdesk_test.address_wrong")
)

// RightCode is the code that every address of the tests receives.
const RightCode = "482913"

// Front is where people of the tests ask and follow, with neighbours that know what
// a test tells them.
type Front struct {
	*Desk
	Asking    *asking.Asking
	Following *following.Following
	Proving   *proving.Proving
	Files     *attached.Attached
	Server    *httptest.Server

	SignIn    *contract.SignIn // of every browser; nil for none
	Elsewhere *contract.SignIn // what anybody may know of its code
	Account   *contract.ServiceAccount
	Whose     map[string]campus.PersonID // by address
	Sent      []contract.Contact         // codes
	Tries     int                        // wrong codes
	Told      []contract.Notice
	Vouching  []string
	Suggested []diagnosis.Suggestion
	Outlooked promise.Outlook
}

// Open opens the front for a desk.
func Open(x *Desk) *Front {
	x.T.Helper()
	keys, err := crypt.Open(filepath.Join(x.T.TempDir(), "key"))
	if err != nil {
		x.T.Fatal(err)
	}
	store, err := files.Disk(x.T.TempDir(), 64<<20)
	if err != nil {
		x.T.Fatal(err)
	}
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		x.T.Fatal(err)
	}
	f := &Front{Desk: x, Files: &attached.Attached{DB: x.DB, Files: store, Tickets: x.Tickets}, Whose: map[string]campus.PersonID{}}
	sends := func() bool { return true }
	f.Proving = &proving.Proving{DB: x.DB, Keys: keys, Proofs: f}
	f.Asking = asking.New(asking.Deps{
		DB: x.DB, Clock: x.Clock, Log: slog.New(slog.DiscardHandler), Tickets: x.Tickets, Proving: f.Proving, Files: f.Files, SignIns: f, Proofs: f, Register: register{}, Accounts: f,
		Services: f, Catalogue: func() []contract.ServiceProvider { return []contract.ServiceProvider{f} }, Help: f, Suggesters: []diagnosis.Suggester{f}, SendsSMS: sends,
		Desks:    func(context.Context) ([]openings.Now, error) { return nil, nil },
		Foremost: func(context.Context) ([]ticket.Area, error) { return nil, nil },
	})
	f.Following = following.New(following.Deps{
		DB: x.DB, Clock: x.Clock, Keys: keys, Base: base, Texts: x.Texts, Tickets: x.Tickets, Proving: f.Proving, Proofs: f, Files: f.Files, Forecast: f, Register: register{}, Notices: f, SendsSMS: sends,
	})
	x.Tickets.Connect(x, x, x, f.Following)
	f.Server = x.Serve(func(r *web.Router) {
		f.Asking.Routes(r)
		f.Following.Routes(r)
		f.Proving.Routes(r)
	})
	return f
}

// register knows the people of campustest; the rest of a register nobody asks here.
type register struct{ contract.Register }

// KnownPeople implements contract.Register.
func (register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	found := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		for _, one := range ids {
			if v.Person == one {
				found[one] = contract.Known{ID: one, Subject: contract.Subject{GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Affiliations: v.Affiliations}}
			}
		}
	}
	return found, nil
}

// SignInHere implements contract.SignIns.
func (f *Front) SignInHere(_ *http.Request, code string) (contract.SignIn, bool, error) {
	if f.SignIn == nil || code != "" && code != f.SignIn.Code {
		return contract.SignIn{}, false, nil
	}
	return *f.SignIn, true, nil
}

// SignInElsewhere implements contract.SignIns.
func (f *Front) SignInElsewhere(_ context.Context, code string) (contract.SignIn, bool, error) {
	if f.Elsewhere == nil || code != f.Elsewhere.Code {
		return contract.SignIn{}, false, nil
	}
	return *f.Elsewhere, true, nil
}

// NewPasswords implements contract.SignIns.
func (f *Front) NewPasswords(context.Context, campus.PersonID, time.Time) ([]time.Time, error) {
	return []time.Time{Start.Add(-48 * time.Hour)}, nil
}

// Vouchers implements contract.SignIns.
func (f *Front) Vouchers(context.Context) []string { return f.Vouching }

// ReadContact implements contract.Proofs.
func (f *Front) ReadContact(typed string) (contract.Contact, error) {
	switch {
	case strings.Count(typed, "@") == 1 && !strings.HasSuffix(typed, "@"):
		return contract.Contact{Value: typed, Masked: typed[:1] + "…@" + strings.Split(typed, "@")[1]}, nil
	case strings.HasPrefix(typed, "+"):
		return contract.Contact{Phone: true, Value: typed, Masked: "…" + typed[len(typed)-2:]}, nil
	}
	return contract.Contact{}, AddressWrong
}

// SendProof implements contract.Proofs.
func (f *Front) SendProof(_ context.Context, _ db.Tx, _ string, to contract.Contact, _ campus.Locale) error {
	f.Sent = append(f.Sent, to)
	return nil
}

// CheckProof implements contract.Proofs.
func (f *Front) CheckProof(_ context.Context, _, typed string) error {
	if typed == RightCode {
		return nil
	}
	f.Tries++
	return CodeWrong
}

// WhoseContact implements contract.Proofs.
func (f *Front) WhoseContact(_ context.Context, c contract.Contact) (campus.PersonID, error) {
	return f.Whose[c.Value], nil
}

// AccountIn implements contract.ServiceAccounts.
func (f *Front) AccountIn(_ context.Context, _ campus.PersonID, service string) (contract.ServiceAccount, bool, error) {
	if f.Account == nil || f.Account.Service != service {
		return contract.ServiceAccount{}, false, nil
	}
	return *f.Account, true, nil
}

// ServiceCalled names the one service there is.
func (f *Front) ServiceCalled(_ context.Context, service string) (name, address string) {
	if service == "moodle" {
		return "Moodle", "https://moodle.valmont.example"
	}
	return "", ""
}

// Services implements contract.ServiceProvider.
func (f *Front) Services(context.Context, campus.Viewer) ([]contract.Service, error) {
	return []contract.Service{{ID: "sso.moodle", Name: "Moodle"}}, nil
}

// HelpAbout finds one answer about codes.
func (f *Front) HelpAbout(_ context.Context, words string) []contract.Hit {
	if !strings.Contains(words, "code") {
		return nil
	}
	return []contract.Hit{{Title: "My code does not arrive", URL: "/portal/help/code"}}
}

// Suggest implements diagnosis.Suggester.
func (f *Front) Suggest(context.Context, diagnosis.Wanted) ([]diagnosis.Suggestion, error) {
	if len(f.Suggested) == 1 && f.Suggested[0].Title == "" {
		return nil, errors.New("the knowledge is away")
	}
	return f.Suggested, nil
}

// Outlook implements following.Forecaster.
func (f *Front) Outlook(_ context.Context, _ ticket.Ticket) (promise.Outlook, error) {
	return f.Outlooked, nil
}

// Notify implements contract.Notices.
func (f *Front) Notify(_ context.Context, _ db.Tx, _ campus.PersonID, n contract.Notice) error {
	f.Told = append(f.Told, n)
	return nil
}

// English is somebody who reads English.
func English(v campus.Viewer) campus.Viewer {
	v.Locale = campus.English
	return v
}
