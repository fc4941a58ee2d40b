package diagnosis

import "context"

// Wanted is what somebody is asking about, as far as it is known.
type Wanted struct {
	Words   string // as typed; may be empty
	Reason  string // reason code
	Service string // identifier
	Leaf    string
	Campus  string // code
}

// Suggestion is something that may answer before anybody is asked.
type Suggestion struct {
	Title, Detail, URL string
	// Outage says that it is out of order for many now: it is shown first, and told
	// instead of asking further.
	Outage bool
}

// Suggester knows what may answer: articles, running incidents.
type Suggester interface {
	// Suggest finds some, the best first, in the language of the context.
	Suggest(ctx context.Context, w Wanted) ([]Suggestion, error)
}
