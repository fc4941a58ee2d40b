// Package diagnosis leads somebody from "it does not work" to what mends it, by a
// few questions, of which those that the house can answer itself are not asked.
package diagnosis

import (
	"slices"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// Question is one page of the guide. Its sentences are
// helpdesk.diagnosis.ask.<Key>.title and .help.
type Question struct {
	Key     string
	Answers []Answer
}

// Answer leads on to a question or a leaf. Its sentence is
// helpdesk.diagnosis.answer.<Key>, and no two answers of the tree share a key.
type Answer struct{ Key, To string }

// Start is the first question, with what is foremost these days before the rest: at the
// start of term, most ask about a few things.
func Start(foremost []ticket.Area) Question {
	q := Question{Key: Questions[0].Key, Answers: slices.Clone(Questions[0].Answers)}
	rank := func(a Answer) int {
		if i := slices.Index(foremost, areas[a.Key]); i >= 0 {
			return i
		}
		return len(foremost)
	}
	slices.SortStableFunc(q.Answers, func(a, b Answer) int { return rank(a) - rank(b) })
	return q
}

// Leaf is where a way through the guide ends. Its sentences are
// helpdesk.diagnosis.leaf.<Key>.title, .text and, with a Mend, .mend.
type Leaf struct {
	Key string
	// Mend is the local address of the page that mends it; empty when there is none.
	Mend string
	// Write says that only the desk can help: the request is the main thing to do.
	Write bool
	// Area is what seems to be at fault; empty when the first answer says it.
	Area ticket.Area
	// Account says that the ledger of accounts has more to say.
	Account bool
}

// Step is a question that was answered.
type Step struct {
	Question, Answer string
	// Known says that the house answered it, Because why; its sentence is
	// helpdesk.diagnosis.known.<Because>, and an empty one is not worth a word.
	Known   bool
	Because string
}

// Known is what the house knows before it asks.
type Known struct {
	// Reason is the code of what stopped the sign-in that this is about.
	Reason string
	// Vouchers says that some people sign in elsewhere first.
	Vouchers bool
	// Service is the identifier of the service that it is about.
	Service string
	// Account is how far the person's account in that service is; empty when nobody
	// can tell.
	Account contract.AccountState
	// Outage says that something that fits is out of order for many.
	Outage bool
}

// Place is where a way through the guide stands: at a question or at a leaf.
type Place struct {
	Steps    []Step
	Said     []string // the answers that the person gave, as an address holds them
	Question *Question
	Leaf     *Leaf
}

// Walk goes through the tree by what the person said and what is known. What they
// said wins. Answers that do not belong to the way are passed over: an address that
// was kept leads as far as it still does.
func Walk(said []string, known Known) Place {
	var p Place
	at := Root
	for range len(Questions) + len(Leaves) { // the tree has no circle; this holds even if one is drawn
		if leaf := LeafOf(at); leaf != nil {
			p.Leaf = leaf
			return p
		}
		q := questionOf(at)
		if i := slices.IndexFunc(said, q.has); i >= 0 {
			p.Said = append(p.Said, said[i])
			p.Steps = append(p.Steps, Step{Question: q.Key, Answer: said[i]})
			at = q.to(said[i])
			said = said[i+1:]
		} else if answer, because := known.answer(q.Key); answer != "" {
			p.Steps = append(p.Steps, Step{Question: q.Key, Answer: answer, Known: true, Because: because})
			at = q.to(answer)
		} else {
			p.Question = q
			return p
		}
		if at == afterSignIn && known.Reason != "" {
			if leaf := ByReason(known.Reason); leaf != nil {
				p.Steps[len(p.Steps)-1].Known, p.Steps[len(p.Steps)-1].Because = true, "reason"
				p.Leaf = leaf
				return p
			}
		}
	}
	p.Leaf = LeafOf("else")
	return p
}

// answer is what the house says to a question, and why; empty when it cannot.
func (k Known) answer(question string) (answer, because string) {
	switch question {
	case Root:
		switch {
		case k.Service != "":
			return "service", "service"
		case ByReason(k.Reason) != nil:
			return "signin", "reason"
		}
	case afterSignIn:
		if !k.Vouchers {
			return "upstream_unused", ""
		}
	case whichService:
		if k.Service != "" {
			return "named", ""
		}
	case "running":
		if k.Outage {
			return "outage", "outage"
		}
		return "no_outage", ""
	case "account":
		switch k.Account {
		case contract.AccountQueued:
			return "coming", "account"
		case contract.AccountBlocked:
			return "blocked", "account"
		case contract.AccountNotDue:
			return "not_due", "account"
		case contract.AccountLeaving:
			return "leaving", "account"
		case contract.AccountReady:
			return "ready", "account_ready"
		default:
			return "untold", ""
		}
	}
	return "", ""
}

// AreaOf is what seems to be at fault at the end of a way.
func (p Place) AreaOf() ticket.Area {
	if p.Leaf != nil && p.Leaf.Area != "" {
		return p.Leaf.Area
	}
	for _, s := range p.Steps {
		if area, ok := areas[s.Answer]; ok {
			return area
		}
	}
	return ticket.AreaOther
}

// LockedOut reports whether who stands at the leaf cannot enter their account.
// Those come first: they can do nothing else meanwhile.
func LockedOut(leaf string) bool { return slices.Contains(lockedOut, leaf) }

func (q *Question) has(answer string) bool {
	return slices.ContainsFunc(q.Answers, func(a Answer) bool { return a.Key == answer })
}

func (q *Question) to(answer string) string {
	for _, a := range q.Answers {
		if a.Key == answer {
			return a.To
		}
	}
	return "else"
}

func questionOf(key string) *Question {
	for i := range Questions {
		if Questions[i].Key == key {
			return &Questions[i]
		}
	}
	return nil
}

// LeafOf returns the leaf with a key, or nil.
func LeafOf(key string) *Leaf {
	for i := range Leaves {
		if Leaves[i].Key == key {
			return &Leaves[i]
		}
	}
	return nil
}

// ByReason is the leaf that explains what stopped a sign-in, or nil.
func ByReason(reason string) *Leaf {
	if reason == "" {
		return nil
	}
	if leaf, ok := reasons[reason]; ok {
		return LeafOf(leaf)
	}
	return nil
}
