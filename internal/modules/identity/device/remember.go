package device

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// cookie holds the browser's token; only its hash is stored.
const cookie = "amphi_device"

// tokenBytes is the length of a token: 256 bits.
const tokenBytes = 32

// most is how many browsers of one person are known. A browser that keeps no
// cookies is new at each sign-in; the table must not fill with it.
const most = 50

// quiet is how long a browser that looks the same from the same network is not
// announced again by a letter: one that keeps no cookies would send one each time.
const quiet = 24 * time.Hour

// Sight is a browser as a request shows it at the end of a sign-in.
type Sight struct {
	Address netip.Addr
	Agent   string
	Place   place.Place
	// Shared: its user says that others use it too. It is not remembered, and
	// forgotten if it was.
	Shared bool
	// Trust: its owner proved a factor and wants to be asked for it no more.
	Trust bool
	// Expected: no letter, because the account was activated in this browser just now.
	Expected bool

	token, fresh string
}

func (s Sight) network() string { return limit.AddressKey(s.Address) }

// See reads what a request shows. The new token that the browser may need is drawn
// here, because the transaction around [Devices.Remember] may run twice.
func See(r *http.Request) Sight {
	const maxAgent = 400
	agent := r.UserAgent()
	agent = strings.ToValidUTF8(agent[:min(len(agent), maxAgent)], "")
	return Sight{
		Address: web.ClientAddr(r), Agent: strings.ReplaceAll(agent, "\x00", ""),
		token: web.Cookie(r, cookie), fresh: id.Token(tokenBytes),
	}
}

// Remember writes down that somebody signed in with a browser, in the transaction
// that opens the session; call [Devices.Keep] when it is durable. A browser that is
// new to this person gets a new token, and everybody known in it moves to that one:
// whoever planted or copied the old token gains nothing by the next sign-in. Its
// owner gets a letter.
func (x *Devices) Remember(ctx context.Context, tx db.Tx, who account.Person, s Sight) (Device, error) {
	if s.Shared {
		return Device{}, x.forgetToken(ctx, tx, s.token, who.ID)
	}
	d, known, err := x.byToken(ctx, tx, s.token, who.ID)
	if err != nil {
		return Device{}, err
	}
	if !known {
		if d, err = x.add(ctx, tx, who, s); err != nil {
			return Device{}, err
		}
	} else if err := x.see(ctx, tx, &d, s); err != nil {
		return Device{}, err
	}
	if !s.Trust || x.config.Trust == 0 {
		return d, nil
	}
	return d, x.trust(ctx, tx, who.ID, &d, s)
}

// Keep gives the browser the cookie of the device that Remember wrote down.
func (x *Devices) Keep(w http.ResponseWriter, r *http.Request, d Device) {
	if d.token != "" {
		web.SetCookie(w, r, cookie, d.token, maxCookie)
	}
}

// add writes a browser down that is new to its user, and tells them.
func (x *Devices) add(ctx context.Context, tx db.Tx, who account.Person, s Sight) (Device, error) {
	alike, err := x.countAlike(ctx, tx, who.ID, s, tx.Now().Add(-quiet))
	if err != nil {
		return Device{}, err
	}
	d, err := x.insert(ctx, tx, who.ID, s)
	if err != nil || alike > 0 || s.Expected {
		return d, err
	}
	return d, x.Post.Tell(ctx, tx, who, reach.Letter{
		Kind: "new_device", URL: "/identity/devices",
		Args: []any{"device", Name(x.Texts.For(who.Locale), s.Agent), "place", placeWords(who.Locale, s.Place, s.Address), "at", tx.Now().Time()},
	})
}

// trust writes down until when the browser stands in for a factor.
func (x *Devices) trust(ctx context.Context, tx db.Tx, who campus.PersonID, d *Device, s Sight) error {
	d.TrustedAt = tx.Now().Time()
	d.TrustEndsAt = d.TrustedAt.Add(x.config.Trust)
	if err := x.storeTrust(ctx, tx, who, *d); err != nil {
		return err
	}
	return x.Journal.Write(ctx, tx, journal.Event{
		Person: who, Actor: who, Kind: "identity.device_trusted", Address: s.Address.String(), Agent: s.Agent,
		Facts: map[string]string{"device": Name(x.Texts.For(campus.English), s.Agent)},
	})
}

// longestName bounds what a browser may call itself in a letter, in characters.
const longestName = 60

// Name says in words what a browser is, such as "Firefox on Linux".
func Name(p *i18n.Printer, agent string) string {
	ua := useragent.Parse(agent)
	if utf8.RuneCountInString(ua.Name+ua.OS) > longestName {
		return p.T("identity.device.name_unknown")
	}
	switch {
	case ua.Name != "" && ua.OS != "":
		return p.T("identity.device.name", "browser", ua.Name, "system", ua.OS)
	case ua.Name != "":
		return ua.Name
	default:
		return p.T("identity.device.name_unknown")
	}
}

// placeWords says where a browser is: the place, or only its address.
func placeWords(l campus.Locale, p place.Place, address netip.Addr) string {
	if name := p.Name(l); name != "" {
		return name + " (" + address.String() + ")"
	}
	return address.String()
}
