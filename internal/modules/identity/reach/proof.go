package reach

import (
	"context"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// proofPurpose is what the codes are good for that show who asks for help.
const proofPurpose = "identity.proof"

// proofKind is the letter that brings them.
const proofKind = "proof"

var _ contract.Proofs = (*Reach)(nil)

// ReadContact implements [contract.Proofs].
func (x *Reach) ReadContact(typed string) (contract.Contact, error) {
	channel := MobilePhone
	if strings.ContainsRune(typed, '@') {
		channel = RecoveryMail
	} else if !x.Mailer.SendsSMS() || strings.ContainsFunc(typed, func(r rune) bool { return r >= 'A' && r <= 'z' }) {
		return contract.Contact{}, AddressForm
	}
	value, err := x.Normal(channel, typed)
	if err != nil {
		return contract.Contact{}, err
	}
	return contract.Contact{Phone: channel == MobilePhone, Value: value, Masked: Mask(channel, value)}, nil
}

// SendProof implements [contract.Proofs]. Its errors, besides those of the
// database, are code.TooMany, mailer.SMSOff and mailer.TooManySMS, which are for
// people to read.
func (x *Reach) SendProof(ctx context.Context, tx db.Tx, subject string, to contract.Contact, l campus.Locale) error {
	plain, err := x.Codes.Issue(ctx, tx, code.Ask{Purpose: proofPurpose, Subject: subject, Lasts: x.config.CodeLasts})
	if err != nil {
		return err
	}
	w := x.wording(l, proofKind, "code", plain, "duration", x.config.CodeLasts)
	if to.Phone {
		text := economical(w.say("sms", "code.sms")) + boundTo(x.BaseURL, plain)
		return x.Mailer.SendSMS(ctx, tx, mailer.SMS{Kind: outboxKind(proofKind), To: to.Value, Text: text})
	}
	letter := mailer.Letter{
		Locale: w.Locale(), Greeting: w.T("identity.reach.letter.hello"), Before: paragraphs(w.say("text", "code.text")), Code: code.Shown(plain),
		After:     []string{w.T("identity.reach.letter.code.lasts", w.args...), w.T("identity.letter.proof.never", w.args...)},
		Signature: w.T("identity.reach.letter.signature", w.args...),
	}
	return x.Mailer.Send(ctx, tx, letter.Message(outboxKind(proofKind), to.Value, w.say("subject", "code.subject")))
}

// CheckProof implements [contract.Proofs].
func (x *Reach) CheckProof(ctx context.Context, subject, typed string) error {
	return x.Codes.Check(ctx, proofPurpose, subject, typed)
}

// WhoseContact implements [contract.Proofs].
func (x *Reach) WhoseContact(ctx context.Context, c contract.Contact) (campus.PersonID, error) {
	channel := RecoveryMail
	if c.Phone {
		channel = MobilePhone
	} else {
		p, err := x.People.PersonByLogin(ctx, strings.ToLower(c.Value))
		if err == nil && strings.EqualFold(p.Mail, c.Value) {
			return p.ID, nil
		}
		if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
			return "", err
		}
	}
	found, err := sqlgen.New(x.DB.Read()).PointsByValue(ctx, sqlgen.PointsByValueParams{Channel: string(channel), Value: c.Value})
	if err != nil {
		return "", fmt.Errorf("look for who has a contact: %w", err)
	}
	var who campus.PersonID
	now := db.At(x.Clock.Now())
	for _, row := range found {
		owner := campus.PersonID(row.PersonID)
		if !live(row, now) || !pointOf(row).Usable(now.Time()) || owner == who {
			continue
		}
		if who != "" { // a family shares it: nobody in particular
			return "", nil
		}
		who = owner
	}
	return who, nil
}
