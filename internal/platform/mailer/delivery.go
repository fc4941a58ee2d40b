package mailer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Delivery is the job that hands one message over. It may hand it over twice: when the program stops
// after the server took the message and before that was written down.
type Delivery struct {
	ID string `json:"id"`
}

// JobName implements jobs.Args.
func (Delivery) JobName() string { return "mailer.deliver" }

// attempts: with pauses from 15 seconds to 6 hours, about a day and a half. Later than that a code is
// worthless and a mail is a riddle.
const attempts = 12

// Jobs registers delivery, and the pruning of old records.
func (m *Mailer) Jobs(reg *jobs.Registry) {
	jobs.Handle(reg, m.deliver, jobs.Policy{
		Attempts: attempts,
		Timeout:  2*max(m.Config.SMTP.Timeout, m.Config.SMS.Timeout) + 30*time.Second,
	})
	reg.Every("mailer.prune", 24*time.Hour, m.prune)
}

// deliver makes one attempt. No transaction is open while a server is being talked to.
func (m *Mailer) deliver(ctx context.Context, d Delivery) error {
	r, err := find(ctx, m.DB.Read(), d.ID)
	if errors.Is(err, MessageNotFound) || err == nil && r.done() {
		return nil // pruned, or delivered by an attempt that could not say so
	}
	if err != nil {
		return fmt.Errorf("deliver %s: %w", d.ID, err)
	}
	out, attemptErr := m.attempt(ctx, r)
	// The outcome is written even when the program is stopping.
	if err := m.note(context.WithoutCancel(ctx), r, out); err != nil {
		return errors.Join(attemptErr, fmt.Errorf("deliver %s: %w", d.ID, err))
	}
	m.Count(r.Channel, out.outcome())
	switch {
	case attemptErr == nil:
		return nil
	case hopeless(attemptErr):
		return jobs.GiveUp(fmt.Errorf("deliver %s: %w", d.ID, attemptErr))
	default:
		return fmt.Errorf("deliver %s: %w", d.ID, attemptErr)
	}
}

// attempt opens the message and hands it to its transport.
func (m *Mailer) attempt(ctx context.Context, r record) (outcome, error) {
	ref, kept, err := m.handOver(ctx, r)
	switch {
	case err != nil:
		last := hopeless(err) || (r.Attempts+1)%attempts == 0 // "run again" starts another round
		state := StateWaiting
		if last {
			state = StateGivenUp
		}
		return outcome{state: state, reason: fault.Of(err).Reason.Code(), detail: detailOf(err), sealed: r.sealed}, err
	case kept:
		return outcome{state: StateKept, sealed: r.sealed}, nil
	default:
		return outcome{state: StateSent, ref: ref}, nil // and the text is gone
	}
}

func (m *Mailer) handOver(ctx context.Context, r record) (ref string, kept bool, err error) {
	mail, sms, err := m.open(r)
	if err != nil {
		return "", false, err
	}
	switch {
	case r.Channel == ChannelMail && m.Config.Transport == TransportOutbox,
		r.Channel == ChannelSMS && m.Config.SMS.Transport == TransportOutbox:
		return "", true, nil
	case r.Channel == ChannelMail && m.mail != nil:
		ref, err = m.mail.deliver(ctx, r.ID, mail)
		return ref, false, err
	case r.Channel == ChannelSMS && m.sms != nil:
		ref, err = m.sms.deliver(ctx, r.ID, sms)
		return ref, false, err
	default:
		return "", false, SMSOff // switched off since the message was written
	}
}

// open unseals a message; the one of its channel is filled.
func (m *Mailer) open(r record) (mail Message, sms SMS, err error) {
	plain, err := m.Keys.OpenText(sealPurpose, r.sealed)
	if err != nil {
		return mail, sms, TextLost.From(err)
	}
	if r.Channel == ChannelSMS {
		err = json.Unmarshal([]byte(plain), &sms)
	} else {
		err = json.Unmarshal([]byte(plain), &mail)
	}
	if err != nil {
		return mail, sms, TextLost.From(err)
	}
	return mail, sms, nil
}

// hopeless tells which failures no further attempt can cure.
func hopeless(err error) bool {
	for _, reason := range []*fault.Reason{Refused, TextLost, AddressMalformed, TextMalformed, SMSOff} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

const maxDetail = 1000

// detailOf is what the record keeps of a failure for the administrator.
func detailOf(err error) string {
	text := []rune(err.Error())
	return string(text[:min(len(text), maxDetail)])
}

func (m *Mailer) prune(ctx context.Context) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		return deleteBefore(ctx, tx, tx.Now().Add(-m.Config.Keep))
	})
}
