package mapping

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// form is the stored form of a clean value, or why it has none. "" leaves it out.
type form func(value string) (string, error)

// rule is how the values of a field are taken.
type rule struct {
	form form
	many bool // otherwise the first value is the only one
}

// mostValues bounds the values of one field; groups have members without end.
const mostValues = 500

// personFields are the plain fields of people; affiliations, until and photo have rules
// of their own.
var personFields = map[Field]rule{
	"login":          {form: login},
	"mail":           {form: address},
	"recovery_mail":  {form: address},
	"given_name":     {form: name},
	"family_name":    {form: name},
	"display_name":   {form: name},
	"student_number": {form: number},
	"job_title":      {form: words(200)},
	"locale":         {form: locale},
	"mobile":         {form: phone},

	FieldEmployeeNumber: {form: number},
	FieldLoginDomain:    {form: domain},
	FieldPhone:          {form: phone, many: true},
	FieldOffice:         {form: words(60)},
	FieldBuilding:       {form: words(100)},
	FieldListed:         {form: boolean},
	FieldActive:         {form: boolean},
	FieldManager:        {form: reference},
	FieldGroups:         {form: reference, many: true},
	FieldUnits:          {form: code, many: true},
	FieldFunctions:      {form: stored, many: true},
	FieldEntitlements:   {form: words(300), many: true},
}

var groupFields = map[Field]rule{
	FieldCode: {form: code}, FieldName: {form: words(200)}, FieldDescription: {form: words(1000)},
	FieldMembers: {form: reference, many: true}, FieldOwners: {form: reference, many: true},
}

var unitFields = map[Field]rule{
	FieldCode: {form: code}, FieldName: {form: words(200)}, FieldDescription: {form: words(1000)},
	FieldParent: {form: code}, FieldType: {form: words(60)}, FieldPhone: {form: phone, many: true},
	"mail": {form: address}, FieldAddress: {form: postal}, FieldURL: {form: words(300)}, FieldBuilding: {form: words(100)},
}

// fieldsOf are the fields of a kind.
func fieldsOf(k source.Kind) map[Field]rule {
	switch k {
	case source.Group:
		return groupFields
	case source.Unit:
		return unitFields
	default:
		return personFields
	}
}

// loginForm is what every system that people connect accepts as a user name.
var loginForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,31}$`)

func login(v string) (string, error) {
	v = strings.ToLower(v)
	if !loginForm.MatchString(v) {
		return "", LoginUnfit
	}
	return v, nil
}

// domain is what stands behind the @ of a login.
func domain(v string) (string, error) { return strings.ToLower(v), nil }

// address is a mail address in lower case, as the register of people keeps it.
func address(v string) (string, error) {
	v = strings.TrimPrefix(strings.ToLower(v), "mailto:")
	parsed, err := mail.ParseAddress(v)
	if err != nil || parsed.Address != v || len(v) > 254 || strings.ContainsAny(v, "\"' ") {
		return "", MailUnfit
	}
	return v, nil
}

func name(v string) (string, error) {
	if utf8.RuneCountInString(v) > 100 {
		return "", ValueTooLong
	}
	if !strings.ContainsFunc(v, unicode.IsLetter) || strings.ContainsAny(v, "<>@|") {
		return "", ValueUnfit
	}
	return v, nil
}

// longestNumber bounds a number, in characters. (Counted in the expression, all letters
// of all scripts would stand in memory that often.)
const longestNumber = 40

var (
	numberForm = regexp.MustCompile(`^[\pL\pN][\pL\pN._/-]*$`)
	rounded    = regexp.MustCompile(`^\d[.,]\d+[eE]\+?\d+$`)
)

func number(v string) (string, error) {
	v = strings.TrimPrefix(bare(v), "'") // spreadsheets keep leading zeros behind an apostrophe
	v = strings.ReplaceAll(v, " ", "")
	switch {
	case rounded.MatchString(v):
		return "", NumberRounded
	case utf8.RuneCountInString(v) > longestNumber, !numberForm.MatchString(v):
		return "", ValueUnfit
	}
	return v, nil
}

// words is text up to a number of characters.
func words(most int) form {
	return func(v string) (string, error) {
		if utf8.RuneCountInString(v) > most {
			return "", ValueTooLong
		}
		return v, nil
	}
}

// stored takes a value that a function has put into its stored form.
func stored(v string) (string, error) { return words(300)(v) }

// postal is an address in the syntax of LDAP (RFC 4517 §3.3.28), in which $ ends a line.
func postal(v string) (string, error) {
	lines := strings.Split(v, "$")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return words(300)(strings.Join(lines, ", "))
}

// code takes a code of a unit, a group or a place.
func code(v string) (string, error) {
	switch {
	case utf8.RuneCountInString(v) > 100:
		return "", ValueTooLong
	case strings.Contains(v, separator):
		return "", ValueUnfit
	}
	return v, nil
}

// locale is one of the languages that the house speaks; another one is no mistake, the
// person just has not chosen yet.
func locale(v string) (string, error) {
	v, _, _ = strings.Cut(v, ",") // preferredLanguage can be an Accept-Language header
	l, ok := campus.ParseLocale(strings.ReplaceAll(v, "_", "-"))
	if !ok {
		return "", nil
	}
	return string(l), nil
}

// phone is a number as somebody may dial it: what stands between the digits is left to
// the source.
func phone(v string) (string, error) {
	v = strings.TrimPrefix(strings.TrimPrefix(v, "tel:"), "'")
	digits := 0
	for i, r := range v {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" .-/()", r):
		default:
			return "", PhoneUnfit
		}
	}
	if digits < 2 || digits > 15 {
		return "", PhoneUnfit
	}
	return v, nil
}

func boolean(v string) (string, error) {
	b, ok := truth(v)
	if !ok {
		return "", ValueUnfit
	}
	return strconv.FormatBool(b), nil
}

func reference(v string) (string, error) {
	if len(v) > 1000 {
		return "", ValueTooLong
	}
	return source.Name(v), nil
}

// layouts are the dates that sources write: with a time, and of a day.
var (
	momentLayouts = []string{time.RFC3339, "20060102150405Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05"}
	dayLayouts    = []string{"2006-01-02", "02/01/2006", "2/1/2006", "02.01.2006", "02-01-2006", "20060102"}
)

// moment reads a date. A day without a time is meant as a whole: it is over when the
// next one begins in the institution's zone. The zero time stands for never.
func moment(v string, zone *time.Location) (time.Time, error) {
	for _, layout := range dayLayouts {
		if day, err := time.ParseInLocation(layout, v, zone); err == nil {
			return inRange(day.AddDate(0, 0, 1))
		}
	}
	for _, layout := range momentLayouts {
		if at, err := time.ParseInLocation(layout, v, zone); err == nil {
			return inRange(at)
		}
	}
	return fileTime(v)
}

// fileTime reads the 100 ns since 1601 of Active Directory. 0 and the largest number
// mean never ([MS-ADA1] accountExpires).
func fileTime(v string) (time.Time, error) {
	ticks, err := strconv.ParseInt(v, 10, 64)
	const epoch = 116444736000000000 // 1970
	switch {
	case err != nil:
		return time.Time{}, DateUnfit
	case ticks == 0 || ticks == 1<<63-1:
		return time.Time{}, nil
	}
	return inRange(time.UnixMicro((ticks - epoch) / 10))
}

// inRange refuses dates that are mistakes. One after 2200 is how people write never.
func inRange(at time.Time) (time.Time, error) {
	switch {
	case at.Year() < 1970:
		return time.Time{}, DateUnfit
	case at.Year() > 2200:
		return time.Time{}, nil
	}
	return at.UTC(), nil
}
