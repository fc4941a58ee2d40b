package entry

import (
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Audience says who sees a part of an entry. Each one includes those before it;
// strangers are in none.
type Audience string

// The audiences, from the narrowest to the widest. The person themselves and the
// secretariat see everything.
const (
	Nobody    Audience = "nobody"
	Employees Audience = "staff"   // teachers and staff
	Members   Audience = "members" // students as well
	SignedIn  Audience = "all"     // guests and former members as well
)

// Audiences lists them in order.
var Audiences = []Audience{Nobody, Employees, Members, SignedIn}

func (a Audience) rank() int { return slices.Index(Audiences, a) }

// Valid reports whether it is one of the audiences.
func (a Audience) Valid() bool { return a.rank() >= 0 }

// narrower is the smaller of two audiences.
func narrower(a, b Audience) Audience {
	if a.rank() < b.rank() {
		return a
	}
	return b
}

// Standing is the widest audience that a viewer is in: what they see is what is
// shown to it or to a wider one.
func Standing(v campus.Viewer) Audience {
	switch {
	case !v.SignedIn():
		return Nobody
	case v.Is(campus.Staff) || v.Is(campus.Teacher):
		return Employees
	case v.Is(campus.Student):
		return Members
	default:
		return SignedIn
	}
}

// reaches reports whether what is shown to an audience reaches somebody of this
// standing. Nobody's standing is that of strangers, whom nothing reaches.
func (a Audience) reaches(standing Audience) bool {
	return standing != Nobody && a != Nobody && a.rank() >= standing.rank()
}

// Rank is the least [Sight.Rank] of what somebody of this standing sees.
func (a Audience) Rank() int {
	if a == Nobody {
		return len(Audiences) // nothing
	}
	return a.rank()
}

// Keeps reports whether the viewer looks after the entry of somebody with these
// affiliations: their secretariat, and those who run the directory.
func Keeps(v campus.Viewer, somebody []campus.Affiliation) bool {
	return v.CanFor(campus.RightSecretariat, somebody) || v.CanFor(campus.RightDirectory, somebody)
}
