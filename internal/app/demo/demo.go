// Package demo is the fictional university, moved in: what its administrator would have
// configured, and what its people would find on a Sunday in November.
package demo

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/modules/provisioning"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// Rooms are the rooms that the demo fills.
type Rooms struct {
	DB           *db.DB
	Files        files.Store
	Sources      []source.Config // of the directory
	Identity     *identity.Module
	Portal       *portal.Module
	Directory    *directory.Module
	Provisioning *provisioning.Module
	Privacy      *privacy.Module
	Helpdesk     *helpdesk.Module
}

// Fill fills an empty demo with the people of Valmont and what they would find
// on a Sunday in November. A demo that has people is left as it is.
func (h Rooms) Fill(ctx context.Context, u *valmont.University) error {
	n, err := h.Identity.CountPeople(ctx)
	if err != nil || n > 0 {
		return err
	}
	people := map[string]campus.PersonID{}
	for _, p := range u.People {
		if err := h.seedPerson(ctx, p, people); err != nil {
			return fmt.Errorf("add %s: %w", p.Login, err)
		}
	}
	if err := h.seedDirectory(ctx, u, people); err != nil {
		return err
	}
	if err := h.seedPortal(ctx, u, people); err != nil {
		return err
	}
	if err := h.seedProvisioning(ctx, u, people); err != nil {
		return err
	}
	if err := h.seedDesks(ctx, u, people); err != nil {
		return err
	}
	if err := h.seedTexts(ctx); err != nil {
		return err
	}
	if err := h.seedTickets(ctx, u, people); err != nil {
		return err
	}
	if err := h.seedOutages(ctx, people); err != nil {
		return err
	}
	return h.seedPrivacy(ctx, u, people)
}

func (h Rooms) seedPerson(ctx context.Context, p valmont.Person, people map[string]campus.PersonID) error {
	hash, language, state := "", p.Language, account.Invited
	if p.Demo { // the others have not activated their account yet
		language, state = "", account.Active // who tries the demo reads what their browser asks for
		var err error
		if hash, err = h.Identity.HashPassword(ctx, valmont.Password); err != nil {
			return err
		}
	}
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		id, err := h.Identity.AddPerson(ctx, tx, identity.Person{
			Login: p.Login, Mail: p.Mail, GivenName: p.GivenName, FamilyName: p.FamilyName, StudentNumber: p.StudentNumber,
			JobTitle: p.Title.French, State: state, Locale: language, Affiliations: p.Affiliations, Rights: p.Rights,
		})
		if err != nil {
			return err
		}
		people[p.Login] = id
		for _, m := range p.Mandates {
			if err := h.Identity.Mandates().Give(ctx, tx, id, m, journal.Event{}); err != nil {
				return err
			}
		}
		for channel, value := range map[reach.Channel]string{reach.MobilePhone: p.Mobile, reach.RecoveryMail: p.PersonalMail} {
			if value == "" {
				continue
			}
			if err := h.Identity.Reach().Record(ctx, tx, id, channel, value); err != nil {
				return err
			}
		}
		if hash == "" {
			return nil
		}
		return h.Identity.StorePassword(ctx, tx, id, hash)
	})
}
