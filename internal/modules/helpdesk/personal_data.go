package helpdesk

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/following"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	all := []contract.Holding{
		contract.Held(ctx, "helpdesk_members", "helpdesk.holding.member").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Delete("person_id")),
		// The whole ticket goes with who asked; the other tables hang on it.
		contract.Held(ctx, "helpdesk_tickets", "helpdesk.holding.ticket").On(contract.PublicTask, contract.DataWritings, contract.DataContact).
			Erased(contract.Delete("requester_id"), contract.Delete("requester_mail").Marked(contract.ByMail).Only("requester_id = ''"), contract.Clear("assignee_id")),
		contract.Held(ctx, "helpdesk_messages", "helpdesk.holding.message").On(contract.PublicTask, contract.DataWritings).
			Erased(contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id"), contract.Clear("author_id").Also("author_name", "").Also("author_mail", "")),
		contract.Held(ctx, "helpdesk_attachments", "helpdesk.holding.attachment").On(contract.PublicTask, contract.DataWritings).
			Erased(contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id")),
		contract.Held(ctx, "helpdesk_events", "helpdesk.holding.event").On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id"), contract.Clear("actor_id")),
		contract.Held(ctx, "helpdesk_facts", "helpdesk.holding.fact").On(contract.PublicTask, contract.DataUse).
			Erased(contract.Delete("ticket_id").Through("helpdesk_tickets", "id", "requester_id")),
	}
	for _, a := range those[holder](m.alcoves()) {
		all = append(all, a.Holdings(ctx)...)
	}
	return all
}

// holder is an alcove that keeps something about people in tables of its own.
type holder interface {
	Holdings(context.Context) []contract.Holding
}

// exporter is an alcove that exports tables of its own.
type exporter interface {
	Export(context.Context, campus.PersonID, *contract.Archive) error
}

// Erase implements contract.Eraser: what the alcoves keep beside their tables goes.
func (m *Module) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	var all []contract.Erased
	for _, a := range those[contract.Eraser](m.alcoves()) {
		erased, err := a.Erase(ctx, who)
		if err != nil {
			return all, err
		}
		all = append(all, erased...)
	}
	return all, nil
}

// Export writes what the room holds about one person: what they asked, with their account
// or from their address without having signed in, and what everybody said to it.
func (m *Module) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	list, err := m.following.OfPerson(ctx, who, known[who].Subject.Mail)
	if err != nil {
		return err
	}
	out := make([]following.Copy, 0, len(list))
	for _, t := range list {
		c, err := m.following.CopyOf(ctx, t)
		if err != nil {
			return err
		}
		out = append(out, c)
	}
	if err := a.JSON("tickets", out); err != nil {
		return err
	}
	queues, err := m.queuesOf(ctx, who)
	if err != nil {
		return err
	}
	if err := a.JSON("queues", queues); err != nil {
		return err
	}
	for _, x := range those[exporter](m.alcoves()) {
		if err := x.Export(ctx, who, a); err != nil {
			return err
		}
	}
	return nil
}

// queuesOf names the queues in which an agent works.
func (m *Module) queuesOf(ctx context.Context, who campus.PersonID) ([]string, error) {
	of, err := m.listing.QueuesOf(ctx, who)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, id := range of {
		q, err := m.tickets.Queue(ctx, id)
		if err != nil {
			return nil, err
		}
		names = append(names, q.Name(i18n.Locale(ctx)))
	}
	return names, nil
}
