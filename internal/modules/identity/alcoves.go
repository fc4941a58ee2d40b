package identity

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation"
	"github.com/amphi-campus/amphi/internal/modules/identity/apppass"
	"github.com/amphi-campus/amphi/internal/modules/identity/bulk"
	"github.com/amphi-campus/amphi/internal/modules/identity/challenge"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/diagnostic"
	"github.com/amphi-campus/amphi/internal/modules/identity/enrol"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/mandate"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/modules/identity/support"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/ldapbind"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/oidcrp"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/samlsp"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// alcoves are the parts of the room that have pages and tables of their own.
type alcoves struct {
	codes      *code.Store
	reach      *reach.Reach
	journal    *journal.Journal
	devices    *device.Devices
	factors    *factor.Factors
	enrol      *enrol.Enrol
	renewal    *renewal.Renewal
	risk       *risk.Risk
	mandates   *mandate.Mandates
	apps       *apppass.Passwords
	lifecycle  *lifecycle.Lifecycle
	bulk       *bulk.Bulk
	activation *activation.Activation
	challenge  *challenge.Challenge
	recovery   *recovery.Recovery
	support    *support.Support
	help       *diagnostic.Help
	upstreams  *upstream.Upstreams
}

// furnish opens the alcoves, those that others lean on first.
func (m *Module) furnish(d Deps, c Config) (err error) {
	way := door{m}
	m.codes = code.New(d.DB, d.Keys)
	m.journal = journal.New(journal.Deps{
		DB: d.DB, Keys: d.Keys, Log: d.Log, People: m, Sessions: m, Guard: guard{m}, Browser: device.Name, Zone: d.Zone,
	}, c.Journal)
	m.reach = reach.New(reach.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, People: m, Codes: m.codes, Door: way, Mailer: d.Mailer, Notices: lateNotices{m}, Journal: m.journal,
		Texts: d.Texts, BaseURL: d.Base, NameFrench: d.NameFrench, NameEnglish: d.NameEnglish, Demo: d.Demo,
	}, c.Reach)
	m.devices = device.New(device.Deps{DB: d.DB, Clock: d.Clock, Post: m.reach, Journal: m.journal, Texts: d.Texts}, c.Device)
	m.factors, err = factor.New(factor.Deps{
		DB: d.DB, Keys: d.Keys, Log: d.Log, People: m, Codes: m.codes, Reach: m.reach, Journal: m.journal, Trust: m.devices,
		TextMessages: d.Mailer.SendsSMS(), BaseURL: d.Base.String(), Institution: d.NameFrench,
	}, c.Factor)
	if err != nil {
		return fmt.Errorf("open the second factors: %w", err)
	}
	m.enrol = enrol.New(enrol.Deps{Clock: d.Clock, Keys: d.Keys, People: m, Door: way, Factors: m.factors, Devices: m.devices, Destination: m.leadsTo, Bars: m.bars, Onward: func(r *http.Request) string { return m.activation.Onward(r) }})
	m.renewal, err = renewal.New(renewal.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Keys: d.Keys, Texts: d.Texts, People: m, Hasher: m, Checker: m, Sessions: m, Devices: m.devices, Way: m,
		Door: way, Codes: m.codes, Contacts: m.reach, Post: d.Mailer, Journal: m.journal, Base: d.Base,
		NameFrench: d.NameFrench, NameEnglish: d.NameEnglish, OwnDomain: c.ownDomain, Elsewhere: m.keptElsewhere,
	}, c.Password)
	if err != nil {
		return fmt.Errorf("open the passwords: %w", err)
	}
	m.risk, err = risk.New(risk.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Zone: d.Zone, Sign: d.Keys.MAC, People: m, Admins: m.admins, Devices: m.devices, Door: way,
		Post: m.reach, Codes: m.codes, Journal: m.journal, HasFactor: m.HasFactor, FactorURL: "/login/factor",
	}, c.Risk)
	if err != nil {
		return fmt.Errorf("open the risk rules: %w", err)
	}
	if d.Places == nil {
		d.Places = place.Fixed{}
	}
	m.mandates = mandate.New(mandate.Deps{DB: d.DB, People: m, Journal: m.journal, Changed: m.personChanged, Door: way, Places: d.Places})
	m.apps = apppass.New(apppass.Deps{
		DB: d.DB, Clock: d.Clock, People: m, Journal: m.journal, Post: m.reach, Viewer: m.Viewer, Door: way, Server: d.Base.String(),
	})
	m.lifecycle = lifecycle.New(lifecycle.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Texts: d.Texts, Zone: d.Zone, People: m, Sessions: closings{m}, Journal: m.journal, Letters: m.reach,
		Places: d.Places, Changed: m.personChanged, Looked: m.looked,
	}, c.Lifecycle)
	m.bulk = bulk.New(bulk.Deps{DB: d.DB, Clock: d.Clock, Zone: d.Zone, People: m, Accounts: m.lifecycle, Places: d.Places, Door: way})
	m.activation = activation.New(activation.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Texts: d.Texts, Base: d.Base, People: m, Register: m, Door: way, Factors: m, Endings: endings{m.lifecycle},
		Codes: m.codes, Reach: m.reach, Mailer: d.Mailer, Passwords: m.renewal, Journal: m.journal,
		MailDomains: c.MailDomains, NameFrench: d.NameFrench, NameEnglish: d.NameEnglish,
	}, c.Activation)
	m.challenge = challenge.New(challenge.Deps{
		Log: d.Log, People: m, Door: way, Factors: m.factors, TrustFor: m.devices.TrustFor, Destination: m.leadsTo, Arrives: m.originsOf,
	})
	m.recovery = recovery.New(recovery.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Keys: d.Keys, Codes: m.codes, People: m, Journal: m.journal, Letters: m.reach, Passwords: m.renewal,
		Sessions: m, Factors: m.factors, Devices: m.devices, Door: way, BaseURL: d.Base,
	}, c.Recovery)
	m.upstreams, err = upstream.New(upstream.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Keys: d.Keys, Base: d.Base, People: m, Register: m, Door: way, Journal: m.journal, Letters: m.reach, Guess: m.guessElsewhere, End: m.End,
		OwnDomain: c.ownDomain,
		EndSession: func(ctx context.Context, tx db.Tx, session string) error {
			return m.endSession(ctx, tx, session, endedByUpstream)
		},
		Protocols: map[string]func(upstream.Config) (upstream.Protocol, error){
			upstream.KindOIDC: func(c upstream.Config) (upstream.Protocol, error) { return oidcrp.New(c, d.Clock) },
			upstream.KindSAML: func(c upstream.Config) (upstream.Protocol, error) {
				return samlsp.New(c, samlsp.Deps{DB: d.DB, Clock: d.Clock, Keys: d.Keys})
			},
		},
		Directories: map[string]func(upstream.Config) (upstream.Directory, error){
			upstream.KindLDAP: func(c upstream.Config) (upstream.Directory, error) { return ldapbind.New(c, d.Clock) },
		},
	}, c.Upstreams)
	if err != nil {
		return fmt.Errorf("open the upstreams: %w", err)
	}
	m.support = support.New(support.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Keys: d.Keys, Texts: d.Texts, People: m, Stories: m.stories, Visitor: visitor{m}, Accounts: m.lifecycle,
		Factors: m.factors, Contacts: m.reach, Locks: m.risk, Devices: m.devices, Resets: m.renewal, Recoveries: m.recovery, Journal: m.journal,
		About: m.aboutElsewhere, Looked: m.looked,
	})
	m.help = diagnostic.New(diagnostic.Deps{Clock: d.Clock, Keys: d.Keys, Incidents: m, Sessions: m})
	return nil
}

// plugged is what an alcove brings into the house.
type plugged interface{ Routes(*web.Router) }

// furniture lists the alcoves that have pages.
func (a *alcoves) furniture() []plugged {
	return []plugged{a.reach, a.journal, a.devices, a.enrol, a.renewal, a.risk, a.mandates, a.apps, a.lifecycle, a.bulk, a.activation, a.challenge, a.recovery, a.support, a.help, a.upstreams}
}

// Reach is how people are reached: what the institution's record says of them
// comes in here.
func (m *Module) Reach() *reach.Reach { return m.reach }

// Mandates keeps who may do what beyond their affiliation.
func (m *Module) Mandates() *mandate.Mandates { return m.mandates }

// AppPasswords are those of programs that cannot show a sign-in page.
func (m *Module) AppPasswords() contract.AppPasswords { return m.apps }

// Support is what agents do for somebody, and how they find them.
func (m *Module) Support() *support.Support { return m.support }

// SignIns are the stories of sign-ins, for those who ask for help.
func (m *Module) SignIns() contract.SignIns {
	return support.SignIns{Stories: m.stories, Visitor: visitor{m}, History: m.journal.Of, Names: m.upstreams.Names}
}

// Journal keeps what happens with people's accounts.
func (m *Module) Journal() *journal.Journal { return m.journal }

// Activation invites people and opens their accounts.
func (m *Module) Activation() *activation.Activation { return m.activation }

// Lifecycle decides about accounts.
func (m *Module) Lifecycle() *lifecycle.Lifecycle { return m.lifecycle }

// guard keeps others out of an account, as the journal sees it: the alcoves that
// do it write into the journal, so they are opened after it.
type guard struct{ *Module }

// ForgetAll implements [journal.Guard].
func (g guard) ForgetAll(ctx context.Context, tx db.Tx, e journal.Event) (int, error) {
	return g.devices.ForgetAll(ctx, tx, e)
}

// LockOneself implements [journal.Guard].
func (g guard) LockOneself(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	return g.risk.LockOneself(ctx, tx, who)
}

// admins are those who run the installation.
func (m *Module) admins(ctx context.Context) ([]account.Person, error) {
	return m.holders(ctx, campus.RightAdmin)
}

// closings end the sessions of an account that may not be used any more, and say so.
type closings struct{ *Module }

// EndSessionsOf implements [lifecycle.Sessions].
func (c closings) EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, except string) (int, error) {
	return c.shutOut(ctx, tx, who, except, endedByClosing)
}

// endings are how accounts end, as activation sees it.
type endings struct{ *lifecycle.Lifecycle }

// EndOn makes a guest's account end at an instant, by the rules for guests.
func (endings) EndOn(ctx context.Context, tx db.Tx, who campus.PersonID, at time.Time) error {
	return lifecycle.Register(ctx, tx, who, campus.Guest, at, "invitation")
}

// lateNotices hands notices to the portal, which is opened after this room.
type lateNotices struct{ *Module }

// Notify implements [contract.Notices].
func (n lateNotices) Notify(ctx context.Context, tx db.Tx, to campus.PersonID, notice contract.Notice) error {
	if n.notices == nil { // a command works without the portal; letters still leave
		return nil
	}
	return n.notices.Notify(ctx, tx, to, notice)
}
