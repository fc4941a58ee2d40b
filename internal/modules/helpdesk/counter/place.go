package counter

import (
	"context"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
)

// Kind is the kind of setting that counters are.
const Kind = "counter"

// Counter is a desk where people come in person.
type Counter struct {
	Name     hours.Named `json:"name"`
	Room     string      `json:"room,omitempty"`     // where it is, as people find it
	Campus   string      `json:"campus,omitempty"`   // code; empty for all
	Queue    string      `json:"queue,omitempty"`    // of the requests that come of it; empty leaves it to the rules
	Calendar string      `json:"calendar,omitempty"` // identifier; empty for the hours of the house
	Purposes []Purpose   `json:"purposes"`
	Minutes  int         `json:"minutes"`           // of one appointment
	AtOnce   int         `json:"at_once"`           // how many people are served at the same time
	Lead     int         `json:"lead"`              // hours between taking an appointment and its time
	Horizon  int         `json:"horizon"`           // days ahead
	WalkIn   bool        `json:"walk_in"`           // people may come without an appointment
	Windows  []string    `json:"windows,omitempty"` // as their signs say; empty where there is one
	Closed   bool        `json:"closed,omitempty"`
}

// Purpose is what people come for.
type Purpose struct {
	ID    string      `json:"id"`
	Name  hours.Named `json:"name"`
	Bring hours.Named `json:"bring,omitzero"` // what to bring
	// Identity says that somebody's identity is checked before anything is done.
	Identity bool `json:"identity,omitempty"`
}

// Length is that of one appointment.
func (c Counter) Length() time.Duration { return time.Duration(c.Minutes) * time.Minute }

// Purpose is one of what the counter is for.
func (c Counter) Purpose(id string) (Purpose, bool) {
	i := slices.IndexFunc(c.Purposes, func(p Purpose) bool { return p.ID == id })
	if i < 0 {
		return Purpose{}, false
	}
	return c.Purposes[i], true
}

// MayServe reports whether somebody works at the counter: their right reaches
// everybody, or its campus.
func (c Counter) MayServe(v campus.Viewer) bool {
	return v.CanFor(campus.RightHelpdesk, []campus.Affiliation{{Campus: c.Campus}})
}

// Desk is a counter with its code in addresses.
type Desk struct {
	Code string
	Counter
}

// Counters keeps the counters. It is safe for concurrent use.
type Counters struct{ Shelf *kept.Shelf[Counter] }

// Open lists the counters that people can come to.
func (x Counters) Open(ctx context.Context) ([]Desk, error) {
	items, err := x.Shelf.All(ctx)
	if err != nil {
		return nil, err
	}
	var list []Desk
	for _, item := range items {
		if !item.Of.Closed {
			list = append(list, Desk{item.ID, item.Of})
		}
	}
	return list, nil
}

// One is an open counter by its code, or [Missing].
func (x Counters) One(ctx context.Context, code string) (Desk, error) {
	open, err := x.Open(ctx)
	if err != nil {
		return Desk{}, err
	}
	if i := slices.IndexFunc(open, func(d Desk) bool { return d.Code == code }); i >= 0 {
		return open[i], nil
	}
	return Desk{}, Missing
}
