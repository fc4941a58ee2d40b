package entry

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
)

func TestEachAudienceSeesWhatIsMeantForIt(t *testing.T) {
	guest := campus.Viewer{Person: "g", Affiliations: []campus.Affiliation{{Kind: campus.Guest}}}
	former := campus.Viewer{Person: "f"}
	consent := Choices{ConsentAt: time.Unix(1, 0)}
	open := Choices{Audiences: map[Field]Audience{FieldEntry: Members, FieldMail: Members}}
	works, studies := []campus.Affiliation{{Kind: campus.Teacher}}, []campus.Affiliation{{Kind: campus.Student}}
	for name, c := range map[string]struct {
		who    []campus.Affiliation
		chosen Choices
		red    bool
		viewer campus.Viewer
		field  Field
		want   bool
	}{
		"a teacher, to a student":                   {works, Choices{}, false, campustest.Lina(), FieldEntry, true},
		"a teacher’s telephone, to a student":       {works, Choices{}, false, campustest.Lina(), FieldPhone, true},
		"a teacher’s mobile, to a student":          {works, Choices{}, false, campustest.Lina(), FieldMobile, false},
		"a teacher’s mobile, to a colleague":        {works, Choices{}, false, campustest.Sam(), FieldMobile, true},
		"a teacher, to a guest":                     {works, Choices{}, false, guest, FieldMail, true},
		"a teacher’s telephone, to a guest":         {works, Choices{}, false, guest, FieldPhone, false},
		"a teacher’s telephone, to a former member": {works, Choices{}, false, former, FieldPhone, false},
		"a teacher, to a stranger":                  {works, Choices{}, false, campus.Viewer{}, FieldEntry, false},
		"a student, to a student":                   {studies, Choices{}, false, campustest.Lina(), FieldEntry, false},
		"a student, to a teacher":                   {studies, Choices{}, false, campustest.Paul(), FieldEntry, true},
		"a student, to a guest":                     {studies, Choices{}, false, guest, FieldEntry, false},
		"a student who opened, to a student":        {studies, open, false, campustest.Lina(), FieldEntry, true},
		"a student who opened, to a guest":          {studies, open, false, guest, FieldEntry, false},
		"the studies of a student who opened":       {studies, open, false, campustest.Lina(), FieldStudies, false},
		"a photo without consent":                   {works, Choices{}, false, campustest.Paul(), FieldPhoto, false},
		"a photo without consent, to the keeper":    {works, Choices{}, false, campustest.Nadia(), FieldPhoto, false},
		"a photo with consent":                      {works, consent, false, campustest.Lina(), FieldPhoto, true},
		"the red list, to a colleague":              {works, consent, true, campustest.Paul(), FieldEntry, false},
		"the red list, to the keeper":               {works, consent, true, campustest.Nadia(), FieldEntry, true},
		"a choice beyond what one may choose":       {works, Choices{Audiences: map[Field]Audience{FieldMobile: SignedIn}}, false, campustest.Lina(), FieldMobile, false},
		"a part is not shown beyond the entry":      {studies, Choices{Audiences: map[Field]Audience{FieldMail: Members}}, false, campustest.Lina(), FieldMail, false},
	} {
		s := Defaults().Sight(c.who, c.red, c.chosen)
		if got := s.Shows(c.viewer, "somebody", c.who, c.field); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !(Sight{}).Shows(campustest.Lina(), campustest.Lina().Person, nil, FieldMobile) {
		t.Error("everybody sees everything of themselves")
	}
}

func TestEveryFieldHasItsPlace(t *testing.T) {
	if len(Fields) != fieldCount {
		t.Fatalf("%d fields, and places for %d", len(Fields), fieldCount)
	}
	for _, f := range Fields {
		if (Shown{Entry: "a", Photo: "a", Functions: "a", Mail: "a", Phone: "a", Mobile: "a", Office: "a", Hours: "a", Replaced: "a", Studies: "a", Groups: "a"}).of(f) != "a" {
			t.Errorf("the configuration has no audience for %s", f)
		}
	}
	if problems := (Shown{}).Check(); len(problems) != fieldCount {
		t.Errorf("an empty table has %d mistakes", len(problems))
	}
}
