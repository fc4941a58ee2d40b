package valmont

// Campus is one site of the university.
type Campus struct {
	Code    string // "rives": what affiliations and audiences name
	Name    Text
	City    string
	Address []string // lines of the postal address
	Phone   string
	Mail    string
	About   Text // what one finds there, in a sentence
	Access  Text // how to get there
	Hours   Hours
	Rooms   []Room
	Desks   []Desk
}

// Room is a place that a timetable can name.
type Room struct {
	Code     string // "B214", unique on its campus
	Name     Text   // as people say it
	Kind     string // amphitheatre, classroom, computers, laboratory, meeting, library, sport
	Capacity int
	StepFree bool `toml:"step_free"` // reachable and usable in a wheelchair
}

// Desk is a counter where somebody helps.
type Desk struct {
	Code      string
	Name      Text
	Room      string // where it is, in words of the campus plan
	Phone     string
	Mail      string
	Hours     Hours
	RushHours Hours `toml:"rush_hours"` // the first three weeks of a semester; empty when they do not change
	Bring     Text  // what to have with one
}

// Department is a part of the institution that people belong to: a teaching
// department, a laboratory or a service. Affiliations name it by its code.
type Department struct {
	Code   string
	Name   Text
	Kind   string // teaching, service or management
	Campus string
	Phone  string
	Mail   string
}
