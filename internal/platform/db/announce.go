package db

import (
	"slices"
	"sync"
)

// announcements tell listeners in this process that something was committed.
// They carry no content and may merge: who hears one looks at the tables.
type announcements struct {
	mu        sync.Mutex
	listeners map[string][]chan struct{}
}

// Listen returns a channel that receives after each commit that announced the
// topic, and a function that ends it. Other servers on the same database are
// not heard, so a listener also looks by itself now and then.
func (d *DB) Listen(topic string) (heard <-chan struct{}, stop func()) {
	a := &d.announcements
	c := make(chan struct{}, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listeners == nil {
		a.listeners = make(map[string][]chan struct{})
	}
	a.listeners[topic] = append(a.listeners[topic], c)
	return c, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.listeners[topic] = slices.DeleteFunc(a.listeners[topic], func(other chan struct{}) bool { return other == c })
	}
}

func (a *announcements) announce(topic string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.listeners[topic] {
		select {
		case c <- struct{}{}:
		default: // it has one to hear already
		}
	}
}
