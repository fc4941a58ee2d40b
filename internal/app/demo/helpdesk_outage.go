package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/knowledge"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/outage"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// seedOutages says what happened last week and what is planned, and writes two
// articles. Nothing is out of order now: the sign-in page stays calm.
func (h Rooms) seedOutages(ctx context.Context, people map[string]campus.PersonID) error {
	board, shelf, manager := h.Helpdesk.Outages(), h.Helpdesk.Knowledge(), people["admin"]
	if err := h.DB.InTx(ctx, func(tx db.Tx) error {
		now := tx.Now().Time()
		past, err := board.Make(ctx, tx, outage.Outage{
			Kind: outage.Incident, Impact: outage.Down, Services: []string{"moodle"}, Begins: now.AddDate(0, 0, -6).Add(-time.Hour), Announced: now, By: manager,
			Title: hours.Named{French: "Moodle ne répond plus", English: "Moodle does not answer"},
		})
		if err != nil {
			return err
		}
		if past, err = board.Tell(ctx, tx, manager, past, outage.Telling{State: outage.Over, Words: hours.Named{
			French: "Un disque plein empêchait Moodle de démarrer. Rien n’est perdu.", English: "A full disk kept Moodle from starting. Nothing is lost.",
		}}); err != nil {
			return err
		}
		if err := board.Date(ctx, tx, past, past.Begins.Add(95*time.Minute)); err != nil {
			return err
		}
		begins := now.AddDate(0, 0, 9).Truncate(24 * time.Hour).Add(19 * time.Hour)
		_, err = board.Make(ctx, tx, outage.Outage{
			Kind: outage.Maintenance, Impact: outage.Down, Services: []string{"moodle"}, Begins: begins, Ends: begins.Add(2 * time.Hour), By: manager,
			Title: hours.Named{French: "Mise à jour de Moodle", English: "Moodle is being updated"},
		})
		return err
	}); err != nil {
		return fmt.Errorf("seed incidents: %w", err)
	}
	for _, a := range demoArticles() {
		if err := h.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := shelf.Keep(ctx, tx, manager, a)
			return err
		}); err != nil {
			return fmt.Errorf("seed an article: %w", err)
		}
	}
	return nil
}

func demoArticles() []knowledge.Article {
	return []knowledge.Article{
		{
			State: knowledge.Published, Leaves: []string{"wifi"},
			Title: hours.Named{French: "Le Wi-Fi me refuse après un changement de mot de passe", English: "The Wi-Fi refuses me after I changed my password"},
			Body: hours.Named{
				French:  "Votre appareil se souvient de l’ancien mot de passe.\n\n1. Ouvrez les réglages Wi-Fi et oubliez le réseau.\n2. Choisissez-le de nouveau, et tapez le nouveau mot de passe.",
				English: "Your device remembers the old password.\n\n1. Open the Wi-Fi settings and forget the network.\n2. Choose it again, and type the new password.",
			},
		},
		{
			State: knowledge.Published, Internal: true, Leaves: []string{"card"},
			Title: hours.Named{French: "Carte refusée par une porte : que vérifier", English: "A door refuses a card: what to look at"},
			Body: hours.Named{
				French:  "- La carte ouvre-t-elle une autre porte ?\n- Les droits sont recopiés à 6 h : demander d’attendre le lendemain d’une inscription.",
				English: "- Does the card open another door?\n- Rights are copied at 6: after an enrolment, ask to wait until the next day.",
			},
		},
	}
}
