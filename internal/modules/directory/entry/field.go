package entry

import (
	"encoding/json"
	"fmt"
)

// Field is a part of an entry whose audience is decided apart.
type Field string

// The fields. The name is always shown to whoever sees the entry.
const (
	FieldEntry     Field = "entry" // that the person is there at all
	FieldPhoto     Field = "photo"
	FieldMail      Field = "mail"
	FieldPhone     Field = "phone" // desk and fax
	FieldMobile    Field = "mobile"
	FieldOffice    Field = "office"
	FieldFunctions Field = "functions"
	FieldHours     Field = "hours"
	FieldReplaced  Field = "replaced"
	FieldStudies   Field = "studies" // programmes
	FieldGroups    Field = "groups"
)

// Fields lists them in the order of the page.
var Fields = []Field{FieldEntry, FieldPhoto, FieldFunctions, FieldMail, FieldPhone, FieldMobile, FieldOffice, FieldHours, FieldReplaced, FieldStudies, FieldGroups}

// object is how audiences stand in one column; none is an empty text.
func object(audiences map[Field]Audience) string {
	if len(audiences) == 0 {
		return ""
	}
	text, err := json.Marshal(audiences)
	if err != nil {
		panic(fmt.Sprintf("write audiences: %v", err)) // a map of strings is always writable
	}
	return string(text)
}
