package counter

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Usual is a counter as most campuses have one: cards, machines and accounts, a
// quarter of an hour each. Who opens it says where it is and when it is open.
func Usual() Counter {
	return Counter{
		Name: hours.Named{French: "Guichet numérique", English: "Digital services counter"}, Minutes: 15, AtOnce: 1, Lead: 2, Horizon: 30, WalkIn: true,
		Purposes: []Purpose{
			{ID: "carte", Name: hours.Named{French: "Carte d’étudiant non reconnue", English: "Student card not recognised"},
				Bring: hours.Named{French: "votre carte et une pièce d’identité", English: "your card and an identity document"}, Identity: true},
			{ID: "materiel", Name: hours.Named{French: "Ordinateur, prêt ou panne", English: "Computer, loan or breakdown"},
				Bring: hours.Named{French: "l’appareil et son chargeur", English: "the device and its charger"}},
			{ID: "compte", Name: hours.Named{French: "Compte bloqué, identité à vérifier", English: "Account locked, identity to be checked"},
				Bring: hours.Named{French: "une pièce d’identité", English: "an identity document"}, Identity: true},
		},
	}
}

// Seed opens a counter under a code.
func (x *Reception) Seed(ctx context.Context, tx db.Tx, by campus.PersonID, code string, c Counter) error {
	_, err := x.Counters.Keep(ctx, tx, by, kept.Item[Counter]{ID: code, Of: c})
	return err
}

// SeedAppointment takes the next free time at a counter for somebody. It does
// nothing when there is none.
func (x *Reception) SeedAppointment(ctx context.Context, w Wish) error {
	d, err := x.counters.One(ctx, w.Code)
	if err != nil {
		return err
	}
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return err
	}
	days, err := x.nextFree(ctx, d, calendar, 0, 1)
	if err != nil || len(days) == 0 {
		return err
	}
	slots, err := x.free(ctx, d, calendar, days[0])
	if err != nil {
		return err
	}
	w.At = slots[0].Begins
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := x.book(ctx, tx, w)
		return err
	})
}
