package demo

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Privacy is what an administrator of Valmont would write in [privacy].
func Privacy(u *valmont.University, c privacy.Config) privacy.Config {
	c.Address = "1 quai des Tanneurs, 38400 Valmont"
	c.Contact = "contact@" + u.Institution.Domain
	c.OfficerName, c.OfficerMail, c.OfficerPhone = "Dominique Pradel", "dpo@"+u.Institution.Domain, "04 99 00 14 30"
	return c
}

// demoRequest is one request of the demo, and how far it went.
type demoRequest struct {
	kind, words string
	then        func(context.Context, *privacy.Module, privacy.Request) error
}

// seedPrivacy files requests in every state, a legal hold, data that is due, and a
// look at the student's file.
func (h Rooms) seedPrivacy(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	officer := people["admin"]
	if officer == "" {
		return nil
	}
	// The last ones of the list have not activated their account: nobody signs in as
	// them, and an erasure takes nothing from the rest of the demo.
	var others []campus.PersonID
	for i := len(u.People) - 1; i >= 0 && len(others) < 8; i-- {
		if !u.People[i].Demo {
			others = append(others, people[u.People[i].Login])
		}
	}
	requests := demoRequests(officer)
	if len(others) < len(requests)+1 {
		return nil
	}
	for i, d := range requests {
		id, err := h.Privacy.Ask(ctx, others[i], d.kind, d.words)
		if err != nil {
			return fmt.Errorf("file a request: %w", err)
		}
		q, err := h.Privacy.Request(ctx, id)
		if err != nil {
			return err
		}
		if d.then != nil {
			if err := d.then(ctx, h.Privacy, q); err != nil {
				return fmt.Errorf("go on with a request: %w", err)
			}
		}
	}
	if err := h.Privacy.Erasures().PlaceHold(ctx, erasure.Hold{Person: others[1], Reason: "Recours devant le tribunal administratif, dossier 2026-118.", PlacedBy: officer}); err != nil {
		return err
	}
	place, err := h.Privacy.Erasures().Prepare(ctx, erasure.Order{Person: others[len(requests)], Cause: erasure.WhenDue, Rule: "la règle pour les étudiants", Propose: true})
	if err != nil {
		return err
	}
	if err := h.DB.InTx(ctx, func(tx db.Tx) error { _, err := place(ctx, tx); return err }); err != nil {
		return err
	}
	return h.Privacy.Looked(ctx, contract.Look{
		By: people["agent"], About: people["student"], As: campus.RightHelpdesk, What: "identity.support.look.reason", Why: "Appel au sujet d’un téléphone perdu",
	})
}

// demoRequests has one request for each state.
func demoRequests(officer campus.PersonID) []demoRequest {
	answer := func(state, words string) func(context.Context, *privacy.Module, privacy.Request) error {
		return func(ctx context.Context, m *privacy.Module, q privacy.Request) error {
			if err := m.Take(ctx, q, officer); err != nil {
				return err
			}
			return m.Answer(ctx, q, state, officer, words)
		}
	}
	return []demoRequest{
		{privacy.Rectification, "Mon prénom d’usage n’apparaît pas dans l’annuaire.", nil},
		{privacy.Erasure, "J’ai quitté l’université et je souhaite que mes données soient effacées.", nil},
		{privacy.Restriction, "Ne vous servez plus de mon ancienne adresse tant que vous n’avez pas vérifié la nouvelle.", func(ctx context.Context, m *privacy.Module, q privacy.Request) error {
			if err := m.Take(ctx, q, officer); err != nil {
				return err
			}
			return m.Say(ctx, q, privacy.ByOfficer, officer, "De quelle adresse s’agit-il : celle de la scolarité, ou celle de la bibliothèque ?")
		}},
		{privacy.Rectification, "Ma date d’inscription est fausse.", answer(privacy.Done, "La scolarité a corrigé la date.")},
		{privacy.Objection, "Je m’oppose à ce que mes résultats soient conservés.", answer(privacy.Refused, "Le code de l’éducation impose de garder les résultats qui fondent un diplôme. Vous pouvez saisir la CNIL.")},
		{privacy.Objection, "Je ne veux plus que mes services préférés soient comptés.", func(ctx context.Context, m *privacy.Module, q privacy.Request) error {
			return m.Withdraw(ctx, q)
		}},
		{privacy.Erasure, "Je ne viendrai finalement pas : effacez mon dossier, s’il vous plaît.", func(ctx context.Context, m *privacy.Module, q privacy.Request) error {
			if err := m.Take(ctx, q, officer); err != nil {
				return err
			}
			return m.DecideErasure(ctx, q, officer, "Vos données sont effacées.", nil)
		}},
	}
}
