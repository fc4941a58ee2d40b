package valmont

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// eachText calls f with every text that people read, and with the path to it.
func eachText(v reflect.Value, path string, f func(path string, text Text)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), path, f)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			eachText(v.Index(i), path+"["+v.Index(i).Type().Name()+label(v.Index(i))+"]", f)
		}
	case reflect.Struct:
		if text, ok := v.Interface().(Text); ok {
			f(path, text)
			return
		}
		for i := range v.NumField() {
			eachText(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	}
}

// label finds a word by which a failing test names an element of a list.
func label(v reflect.Value) string {
	if v.Kind() != reflect.Struct {
		return ""
	}
	for _, name := range []string{"ID", "Code", "Login", "Name"} {
		if field := v.FieldByName(name); field.IsValid() && field.Kind() == reflect.String {
			return " " + field.String()
		}
	}
	return ""
}

func TestEveryTextIsInBothLanguages(t *testing.T) {
	n := 0
	eachText(reflect.ValueOf(load(t)), "", func(path string, text Text) {
		n++
		if (text.French == "") != (text.English == "") {
			t.Errorf("%s is %q in French and %q in English", path, text.French, text.English)
		}
	})
	if n < 500 {
		t.Errorf("only %d texts were looked at", n)
	}
}

func TestWhatMustBeReadIsWritten(t *testing.T) {
	u := load(t)
	written := func(what string, texts ...Text) {
		for _, text := range texts {
			if text == (Text{}) {
				t.Errorf("%s lacks a text", what)
			}
		}
	}
	written("the institution", u.Institution.Name, u.Institution.Motto, u.Institution.Scene, u.Institution.SceneMore)
	for _, c := range u.Campuses {
		written(c.Code, c.Name, c.About, c.Access)
	}
	for _, p := range u.Programmes {
		written(p.Code, p.Title, p.About)
	}
	for _, unit := range u.CourseUnits {
		written(unit.Code, unit.Title, unit.About)
	}
	for _, s := range u.Services {
		written(s.ID, s.Name, s.Description)
	}
	for _, a := range u.News {
		written(a.ID, a.Title, a.Summary, a.Body, a.Source)
	}
	for _, h := range u.Help {
		written(h.ID, h.Question, h.Answer)
	}
	for _, p := range u.Pictures {
		written(p.Name, p.Alt)
	}
}

// The mistakes that French typography forbids; U+202F is the narrow no-break space.
var frenchMistakes = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"a sign without its narrow no-break space", regexp.MustCompile(`[^\x{202f}:/\w][;!?»](\s|$)|[^\x{202f}] ?:(\s|$)|[\p{L}\d][;!?»](\s|$)`)},
	{"an opening quote without its narrow no-break space", regexp.MustCompile(`«[^\x{202f}]`)},
	{"a straight apostrophe", regexp.MustCompile(`\p{L}'\p{L}`)},
	{"an hour without its narrow no-break space", regexp.MustCompile(`\d ?h( ?\d|\b)`)},
	{"a unit or thousand without its narrow no-break space", regexp.MustCompile(`\d ?(€|%)|\d (min|km|Go)\b`)},
}

func TestFrenchIsSetAsFrench(t *testing.T) {
	check := func(path, text string) {
		for _, m := range frenchMistakes {
			for _, found := range m.pattern.FindAllString(text, -1) {
				t.Errorf("%s: %s: %q in %.60q", path, m.name, found, text)
			}
		}
	}
	u := load(t)
	eachText(reflect.ValueOf(u), "", func(path string, text Text) { check(path, text.French) })
	check("feed", u.Feed.Title+"\n"+u.Feed.Description)
	for _, item := range u.Feed.Items {
		check("feed "+item.Path, item.Title+"\n"+item.Description)
	}
}

func TestEnglishIsSetAsEnglish(t *testing.T) {
	mistake := regexp.MustCompile(`\x{202f}|\p{L}'\p{L}|[«»]| [:;!?](\s|$)`)
	eachText(reflect.ValueOf(load(t)), "", func(path string, text Text) {
		if found := mistake.FindString(text.English); found != "" && text.French != text.English {
			t.Errorf("%s has %q in English: %.60q", path, found, text.English)
		}
	})
}

func TestEveryTelephoneIsFictional(t *testing.T) {
	u := load(t)
	number := regexp.MustCompile(`0[1-9]( \d\d){4}`)
	fictional := regexp.MustCompile(`^(01 99 00|06 39 98)( \d\d){2}$`)
	check := func(path, text string) {
		for _, found := range number.FindAllString(text, -1) {
			if !fictional.MatchString(found) {
				t.Errorf("%s: %s could ring somewhere", path, found)
			}
		}
	}
	var phones int
	field := func(path, phone string) {
		phones++
		if !fictional.MatchString(phone) {
			t.Errorf("%s: %q is not a fictional number", path, phone)
		}
	}
	for _, p := range u.People {
		field(p.Login, p.Mobile)
		if p.Phone != "" {
			field(p.Login, p.Phone)
		}
	}
	for _, c := range u.Campuses {
		field(c.Code, c.Phone)
		for _, d := range c.Desks {
			field(d.Code, d.Phone)
		}
	}
	for _, d := range u.Departments {
		field(d.Code, d.Phone)
	}
	if phones < 400 {
		t.Errorf("only %d telephones were looked at", phones)
	}
	eachText(reflect.ValueOf(u), "", func(path string, text Text) {
		check(path, text.French)
		check(path, strings.ReplaceAll(text.English, "\u202f", " "))
	})
}
