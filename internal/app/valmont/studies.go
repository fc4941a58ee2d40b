package valmont

// Level is the kind of diploma that a programme leads to.
type Level string

// The levels of Valmont's programmes.
const (
	LevelBUT       Level = "but"
	LevelLicence   Level = "licence"
	LevelEngineer  Level = "ingenieur"
	LevelMaster    Level = "master"
	LevelDoctorate Level = "doctorat"
)

// Programme is a course of studies that leads to a diploma.
type Programme struct {
	Code       string // "L-INFO": what affiliations and audiences name
	Title      Text
	Level      Level
	Years      int
	ECTS       int
	Campus     string
	Department string
	Head       string // login of the teacher responsible
	Places     int    // offered in the first year
	About      Text
}

// CourseUnit is what students call a UV: the piece of a programme that they
// choose, follow and earn credits with.
type CourseUnit struct {
	Code       string // "NF16"
	Title      Text
	About      Text
	ECTS       int
	Semester   string // autumn, spring or both
	Campus     string
	Department string
	Teacher    string   // login of the teacher responsible
	Programmes []string // where it counts
	Requires   []string // codes of the units to have earned before
	Capacity   int
	Lectures   int // hours over the semester
	Tutorials  int
	Practicals int
	Language   string // in which it is taught
}
