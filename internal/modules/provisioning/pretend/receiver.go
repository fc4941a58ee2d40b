package pretend

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
)

// Message is what a receiver got.
type Message struct {
	ID, Timestamp, Signature string
	Body                     []byte
	Type                     string
	Key                      string
}

// Receiver pretends to be a program that takes signed messages. One that it has
// had already it takes and ignores.
type Receiver struct {
	Trouble
	// Status is what it answers; 200 when zero.
	Status int

	messages []Message
	accounts map[string]string // key to state
}

// Messages are those that came, each once.
func (r *Receiver) Messages() (all []Message) {
	r.set(func() { all = slices.Clone(r.messages) })
	return all
}

// Accounts are the states of the accounts by key.
func (r *Receiver) Accounts() (all map[string]string) {
	r.set(func() { all = maps.Clone(r.accounts) })
	return all
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.serve(w, q, func(*http.Request) bool { return true }, func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // whoever asked went away
		}
		var said struct {
			Type string `json:"type"`
			Data struct {
				Key string `json:"key"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &said); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		status := http.StatusOK
		r.set(func() {
			if r.Status != 0 {
				status = r.Status
				return
			}
			m := Message{q.Header.Get("Webhook-Id"), q.Header.Get("Webhook-Timestamp"), q.Header.Get("Webhook-Signature"), body, said.Type, said.Data.Key}
			if slices.ContainsFunc(r.messages, func(had Message) bool { return had.ID == m.ID }) {
				return
			}
			r.messages = append(r.messages, m)
			if r.accounts == nil {
				r.accounts = map[string]string{}
			}
			if m.Key != "" {
				r.accounts[m.Key] = m.Type
			}
		})
		w.WriteHeader(status)
	})
}
