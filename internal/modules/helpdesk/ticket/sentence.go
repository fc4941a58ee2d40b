package ticket

import (
	"context"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Names are what the people and queues are called that events speak of.
type Names struct {
	People map[campus.PersonID]string
	Queues map[string]string
}

// Person is somebody's name, or that nobody here bears it any more.
func (n Names) Person(ctx context.Context, who campus.PersonID) string {
	if name := n.People[who]; name != "" {
		return name
	}
	return i18n.T(ctx, "helpdesk.event.somebody")
}

// PeopleIn are those whom events speak of.
func PeopleIn(events []Event) []campus.PersonID {
	seen := map[campus.PersonID]bool{"": true}
	var list []campus.PersonID
	add := func(who campus.PersonID) {
		if !seen[who] {
			seen[who] = true
			list = append(list, who)
		}
	}
	for _, e := range events {
		add(e.By.Person)
		if e.Kind == "assigned" {
			add(campus.PersonID(e.Facts["from"]))
			add(campus.PersonID(e.Facts["to"]))
		}
	}
	return list
}

// Said words an event. An event of an alcove has its sentence below helpdesk.event,
// with its facts as arguments.
func (e Event) Said(ctx context.Context, n Names) string {
	key := "helpdesk.event." + e.Kind
	switch e.Kind {
	case "opened":
		return i18n.T(ctx, key, "channel", i18n.T(ctx, "helpdesk.channel."+e.Facts["channel"]))
	case "state":
		return i18n.T(ctx, "helpdesk.event.state_"+e.Facts["to"])
	case "assigned":
		if e.Facts["to"] == "" {
			return i18n.T(ctx, "helpdesk.event.unassigned")
		}
		return i18n.T(ctx, key, "name", n.Person(ctx, campus.PersonID(e.Facts["to"])))
	case "moved":
		return i18n.T(ctx, key, "queue", n.Queues[e.Facts["to"]])
	case "priority":
		p, err := strconv.Atoi(e.Facts["to"])
		if err != nil || p < int(Urgent) || p > int(Low) {
			p = int(Normal)
		}
		return i18n.T(ctx, key, "priority", i18n.T(ctx, "helpdesk.priority."+Priority(p).Key()))
	case "spent":
		minutes, err := strconv.Atoi(e.Facts["minutes"])
		if err != nil {
			minutes = 0
		}
		return i18n.T(ctx, key, "time", time.Duration(minutes)*time.Minute)
	case "rated":
		return i18n.T(ctx, "helpdesk.event.rated_"+e.Facts["rating"])
	case "act":
		return i18n.T(ctx, key, "act", i18n.T(ctx, e.Facts["act"]))
	}
	if p := i18n.Of(ctx); p == nil || !p.Has(key) {
		return e.Kind
	}
	pairs := make([]any, 0, 2*len(e.Facts))
	for name, value := range e.Facts {
		pairs = append(pairs, name, value)
	}
	return i18n.T(ctx, key, pairs...)
}
