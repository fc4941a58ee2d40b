// Package proving lets people who have not signed in show by a code that a mail
// address or a telephone is theirs, and remembers in their browser which tickets
// that opened to them.
package proving

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

const (
	// URL is the page on which the code is typed.
	URL = "/helpdesk/proof"
	// Lasts is how long what was begun waits for its code.
	Lasts = 2 * time.Hour

	draftCookie = "amphi_helpdesk_draft"
	tokenBytes  = 24
	sealPurpose = "helpdesk.draft"
)

// How many codes leave: for one address, and for one network, which may be a whole
// campus behind one number. Resending is between two for one address.
const (
	resending      = 30 * time.Second
	contactPerHour = 5
	contactPerDay  = 10
	networkPerHour = 200
	networkPerDay  = 1000
	// To telephones of strangers in all: messages cost money, and there are those who
	// earn it by causing them.
	phonesPerHour = 100
	phonesPerDay  = 500
)

// Proved is what somebody began, and what they showed since.
type Proved struct {
	Contact contract.Contact
	// Person is who the contact belongs to; empty for nobody that the house knows.
	Person campus.PersonID
	// Begun is what was given to [Proving.Begin].
	Begun json.RawMessage
}

// Purpose goes on with what was begun, in a transaction: it returns where the
// browser goes, and the tickets that are opened to it.
type Purpose func(ctx context.Context, tx db.Tx, p Proved) (to string, tickets []string, err error)

// Proving is the alcove. Purposes are registered before the first request.
type Proving struct {
	DB     *db.DB
	Keys   *crypt.Keyring
	Proofs contract.Proofs

	purposes map[string]Purpose
}

// On registers a purpose.
func (p *Proving) On(name string, do Purpose) {
	if p.purposes == nil {
		p.purposes = map[string]Purpose{}
	}
	p.purposes[name] = do
}

// Routes lists the addresses. They are open to strangers, and show a browser only
// what it began itself.
func (p *Proving) Routes(r *web.Router) {
	r.Handle("GET "+URL, p.page, web.Public)
	r.Handle("POST "+URL, p.check, web.Public)
	r.Handle("POST "+URL+"/send", p.again, web.Public)
}

// Jobs forgets what nobody went on with.
func (p *Proving) Jobs(r *jobs.Registry) { r.Every("helpdesk.forget_proofs", time.Hour, p.forget) }

func (p *Proving) forget(ctx context.Context) error {
	return p.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if _, err := q.ForgetDrafts(ctx, tx.Now().Add(-Lasts)); err != nil {
			return fmt.Errorf("forget drafts: %w", err)
		}
		if _, err := q.ForgetProofs(ctx, tx.Now().Add(-24*time.Hour)); err != nil {
			return fmt.Errorf("forget codes that were sent: %w", err)
		}
		return nil
	})
}

// draft is what is sealed.
type draft struct {
	To     contract.Contact `json:"to"`
	Locale campus.Locale    `json:"locale"`
	Begun  json.RawMessage  `json:"begun"`
}

// Begin keeps what somebody began, sends a code to the contact that they typed, and
// leads to the page on which they type it. What is told is the same whether or not
// the house knows the contact.
func (p *Proving) Begin(w http.ResponseWriter, r *http.Request, purpose string, to contract.Contact, begun any) error {
	body, err := json.Marshal(begun)
	if err != nil {
		return fmt.Errorf("keep a draft: %w", err)
	}
	d := draft{To: to, Locale: i18n.Locale(r.Context()), Begun: body}
	plain, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("keep a draft: %w", err)
	}
	sealed, err := p.Keys.SealText(sealPurpose, string(plain))
	if err != nil {
		return fmt.Errorf("keep a draft: %w", err)
	}
	draftID, token := id.New(), id.Token(tokenBytes)
	if err := p.DB.InTx(r.Context(), func(tx db.Tx) error {
		if err := p.send(r, tx, draftID, d); err != nil {
			return err
		}
		return sqlgen.New(tx).KeepDraft(r.Context(), sqlgen.KeepDraftParams{ID: draftID, TokenHash: id.Hash(token), Purpose: purpose, Sealed: sealed, MadeAt: tx.Now()})
	}); err != nil {
		return err
	}
	web.SetCookie(w, r, draftCookie, token, 0)
	return web.SeeOther(w, r, URL)
}

// send sends a code, when the address and the network may have another one.
func (p *Proving) send(r *http.Request, tx db.Tx, draftID string, d draft) error {
	ctx := r.Context()
	contact, network := p.key("contact", inbox(d.To)), p.key("network", limit.AddressKey(web.ClientAddr(r)))
	everyPhone := p.key("network", "every telephone")
	q := sqlgen.New(tx)
	for _, bound := range []struct {
		within                     time.Duration
		contacts, networks, phones int64
	}{{time.Hour, contactPerHour, networkPerHour, phonesPerHour}, {24 * time.Hour, contactPerDay, networkPerDay, phonesPerDay}} {
		since := tx.Now().Add(-bound.within)
		to, err := q.ProofsOfContact(ctx, sqlgen.ProofsOfContactParams{ContactKey: contact, SinceAt: since})
		if err != nil {
			return fmt.Errorf("count codes: %w", err)
		}
		if wait := db.Time(to.Newest).Add(resending).Sub(tx.Now()); to.Newest > 0 && wait > 0 {
			return TooSoon.With(fault.Args{"wait": wait})
		}
		from, err := q.ProofsOfNetwork(ctx, sqlgen.ProofsOfNetworkParams{NetworkKey: network, SinceAt: since})
		if err != nil {
			return fmt.Errorf("count codes: %w", err)
		}
		if d.To.Phone {
			all, err := q.ProofsOfNetwork(ctx, sqlgen.ProofsOfNetworkParams{NetworkKey: everyPhone, SinceAt: since})
			if err != nil {
				return fmt.Errorf("count codes: %w", err)
			}
			if all.Sent >= bound.phones {
				return TooMany.With(fault.Args{"wait": db.Time(all.Oldest).Add(bound.within).Sub(tx.Now())})
			}
		}
		switch {
		case to.Sent >= bound.contacts:
			return TooMany.With(fault.Args{"wait": db.Time(to.Oldest).Add(bound.within).Sub(tx.Now())})
		case from.Sent >= bound.networks:
			return TooMany.With(fault.Args{"wait": db.Time(from.Oldest).Add(bound.within).Sub(tx.Now())})
		}
	}
	// Those who ask at once do not see one another's: there is one place for an address
	// in each while between two codes, and they meet there.
	place := fmt.Sprintf("%s %d", contact, tx.Now().Time().Unix()/int64(resending.Seconds()))
	n, err := q.NoteProof(ctx, sqlgen.NoteProofParams{ID: p.key("place", place), ContactKey: contact, NetworkKey: network, SentAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("note a code: %w", err)
	}
	if n == 0 {
		return TooSoon.With(fault.Args{"wait": resending})
	}
	if d.To.Phone {
		if _, err := q.NoteProof(ctx, sqlgen.NoteProofParams{ID: id.New(), ContactKey: p.key("contact", id.New()), NetworkKey: everyPhone, SentAt: tx.Now()}); err != nil {
			return fmt.Errorf("note a code: %w", err)
		}
	}
	return p.Proofs.SendProof(ctx, tx, draftID, d.To, d.Locale)
}

// inbox is where a contact ends: a mail address with a tag ends in the one without.
func inbox(c contract.Contact) string {
	value := strings.ToLower(c.Value)
	if c.Phone {
		return value
	}
	local, domain, _ := strings.Cut(value, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

func (p *Proving) key(what, value string) string {
	return hex.EncodeToString(p.Keys.Name("helpdesk."+what, []byte(value)))
}

// waiting is what this browser began, or [Over].
func (p *Proving) waiting(r *http.Request) (row sqlgen.HelpdeskBegun, d draft, err error) {
	token := web.Cookie(r, draftCookie)
	if token == "" {
		return row, d, Over
	}
	row, err = sqlgen.New(p.DB.Read()).DraftByToken(r.Context(), sqlgen.DraftByTokenParams{TokenHash: id.Hash(token), SinceAt: p.DB.Now().Add(-Lasts)})
	if errors.Is(err, sql.ErrNoRows) {
		return row, d, Over
	}
	if err != nil {
		return row, d, fmt.Errorf("read a draft: %w", err)
	}
	plain, err := p.Keys.OpenText(sealPurpose, row.Sealed)
	if err != nil {
		return row, d, fmt.Errorf("open a draft: %w", err)
	}
	if err := json.Unmarshal([]byte(plain), &d); err != nil {
		return row, d, fmt.Errorf("open a draft: %w", err)
	}
	return row, d, nil
}
