package proving

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// A browser that proved an address follows some tickets without signing in. It
// keeps their identifiers itself, sealed, until it is closed, and for half a day at
// most: many of these browsers are other people's.

const (
	grantCookie  = "amphi_helpdesk_follow"
	grantPurpose = "helpdesk.follow"
	grantLasts   = 12 * time.Hour
	// mostGranted bounds what the cookie holds.
	mostGranted = 20
)

type granted struct {
	Tickets []string  `json:"t"`
	Until   time.Time `json:"u"`
}

// Grant opens tickets to this browser, besides those that are open to it already.
func (p *Proving) Grant(w http.ResponseWriter, r *http.Request, tickets ...string) error {
	if len(tickets) == 0 {
		return nil
	}
	list := slices.Clone(tickets)
	for _, t := range p.Granted(r) {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	body, err := json.Marshal(granted{list[:min(len(list), mostGranted)], p.DB.Now().Time().Add(grantLasts)})
	if err != nil {
		return fmt.Errorf("open a ticket to a browser: %w", err)
	}
	sealed, err := p.Keys.SealText(grantPurpose, string(body))
	if err != nil {
		return fmt.Errorf("open a ticket to a browser: %w", err)
	}
	web.SetCookie(w, r, grantCookie, sealed, 0)
	return nil
}

// Granted are the tickets that are open to this browser, the latest first. A cookie
// that was altered or is too old opens none.
func (p *Proving) Granted(r *http.Request) []string {
	sealed := web.Cookie(r, grantCookie)
	if sealed == "" {
		return nil
	}
	body, err := p.Keys.OpenText(grantPurpose, sealed)
	if err != nil {
		return nil
	}
	var g granted
	if json.Unmarshal([]byte(body), &g) != nil || !p.DB.Now().Time().Before(g.Until) {
		return nil
	}
	return g.Tickets
}

// Revoke closes all tickets to this browser.
func (p *Proving) Revoke(w http.ResponseWriter, r *http.Request) {
	web.SetCookie(w, r, grantCookie, "", -1)
}
