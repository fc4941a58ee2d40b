package demo

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// demoTexts are those that agents insert: titles and texts, French before English.
var demoTexts = [][4]string{
	{
		"Demander une copie d’écran", "Ask for a picture of the screen",
		"Bonjour {name},\n\npouvez-vous nous envoyer une copie de ce que vous voyez ? Vous pouvez la coller directement ici : {link}\n\nBien à vous,\n{agent}",
		"Hello {name},\n\ncould you send us a picture of what you see? You can paste it right here: {link}\n\nKind regards,\n{agent}",
	},
	{
		"C’est réparé", "It is mended",
		"Bonjour {name},\n\nc’est réparé. Si le problème revient, répondez simplement à ce message : votre demande {number} se rouvrira.\n\nBien à vous,\n{agent}",
		"Hello {name},\n\nit is mended. If it comes back, just answer this message: your request {number} opens again.\n\nKind regards,\n{agent}",
	},
	{
		"Passer au guichet avec une pièce d’identité", "Come to the counter with an identity card",
		"Bonjour {name},\n\npour ceci, nous devons vous voir. Venez au guichet avec votre carte d’étudiant ou une pièce d’identité, et donnez le numéro {number}.\n\nBien à vous,\n{agent}",
		"Hello {name},\n\nfor this we have to see you. Come to the counter with your student card or an identity card, and give the number {number}.\n\nKind regards,\n{agent}",
	},
}

// seedTexts writes them.
func (h Rooms) seedTexts(ctx context.Context) error {
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		for _, x := range demoTexts {
			if err := h.Helpdesk.Handling().KeepText(ctx, tx, "new", x[0], x[1], x[2], x[3]); err != nil {
				return fmt.Errorf("write a text that agents insert: %w", err)
			}
		}
		return nil
	})
}
