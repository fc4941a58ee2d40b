package reach

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestMobileNumbersAreUnderstoodAsPeopleWriteThem(t *testing.T) {
	for name, c := range map[string]struct {
		typed, want string
		err         error
	}{
		"a French number":              {"0612345678", "+33612345678", nil},
		"in pairs":                     {"06 12 34 56 78", "+33612345678", nil},
		"with dots":                    {"06.12.34.56.78", "+33612345678", nil},
		"with no-break spaces":         {"06\u00a012\u202f34\u00a056\u00a078", "+33612345678", nil},
		"seventh series":               {"0712345678", "+33712345678", nil},
		"international":                {"+33 6 12 34 56 78", "+33612345678", nil},
		"international with 00":        {"0033 6 12 34 56 78", "+33612345678", nil},
		"international with (0)":       {"+33 (0)6 12 34 56 78", "+33612345678", nil},
		"without the plus":             {"33612345678", "+33612345678", nil},
		"without the first 0":          {"612345678", "+33612345678", nil},
		"full-width":                   {"０６１２３４５６７８", "+33612345678", nil},
		"copied with invisible marks":  {"\u202a+33 6 12 34 56 78\u202c", "+33612345678", nil},
		"from La Réunion":              {"0692 12 34 56", "+262692123456", nil},
		"from La Réunion under +33":    {"+33692123456", "+262692123456", nil},
		"from La Réunion under +262":   {"+262692123456", "+262692123456", nil},
		"from Guadeloupe":              {"0690123456", "+590690123456", nil},
		"from Martinique":              {"0696123456", "+596696123456", nil},
		"from Guyane":                  {"0694123456", "+594694123456", nil},
		"from Mayotte":                 {"0639123456", "+262639123456", nil},
		"of films and demonstrations":  {"06 39 98 12 34", "+33639981234", nil},
		"from the United Kingdom":      {"+44 7700 900123", "+447700900123", nil},
		"from Morocco":                 {"00212 6 12 34 56 78", "+212612345678", nil},
		"a landline":                   {"01 23 45 67 89", "", Landline},
		"a box":                        {"0912345678", "", Landline},
		"a landline, international":    {"+33123456789", "", Landline},
		"a premium number":             {"0812345678", "", NumberForm},
		"too short":                    {"06 12 34 56 7", "", NumberForm},
		"too long":                     {"06 12 34 56 78 9", "", NumberForm},
		"two numbers":                  {"0612345678 0712345678", "", NumberForm},
		"letters":                      {"06 12 34 56 7O", "", NumberForm},
		"an extension":                 {"0612345678#2", "", NumberForm},
		"a plus inside":                {"06+12345678", "", NumberForm},
		"nothing":                      {"", "", NumberForm},
		"only a plus":                  {"+", "", NumberForm},
		"a country that begins with 0": {"+0612345678", "", NumberForm},
		"a second recipient":           {"0612345678\n0712345678", "", NumberForm},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Mobile(c.typed, "33")
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q is %q, %v; want %q, %v", c.typed, got, err, c.want, c.err)
			}
		})
	}
	if got, err := Mobile("0470 12 34 56", "32"); got != "+32470123456" || err != nil {
		t.Errorf("for a Belgian institution: %q, %v", got, err)
	}
}

func FuzzANumberThatIsTakenStaysTheSame(f *testing.F) {
	for _, seed := range []string{"0612345678", "+33 (0)6 12 34 56 78", "0692123456", "+44 7700 900123"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		number, err := Mobile(typed, "33")
		if err != nil {
			return
		}
		if again, err := Mobile(number, "33"); again != number || err != nil || !e164.MatchString(number) {
			t.Errorf("%q became %q, then %q, %v", typed, number, again, err)
		}
	})
}

func TestAddressesAreTakenInTheirBareForm(t *testing.T) {
	for name, c := range map[string]struct{ typed, want string }{
		"plain":                {"lina@gmail.example", "lina@gmail.example"},
		"blanks around it":     {" lina@gmail.example\n", "lina@gmail.example"},
		"capitals":             {"Lina@GMAIL.example", "Lina@gmail.example"},
		"a tag":                {"lina+ent@gmail.example", "lina+ent@gmail.example"},
		"no @":                 {"lina.gmail.example", ""},
		"two of them":          {"lina@gmail.example,hugo@gmail.example", ""},
		"a name beside it":     {"Lina <lina@gmail.example>", ""},
		"another header":       {"lina@gmail.example\r\nBcc: all@valmont.example", ""},
		"no dot in the domain": {"lina@localhost", ""},
		"a dot at the end":     {"lina@localhost.", ""},
		"too long":             {strings.Repeat("a", 250) + "@gmail.example", ""},
		"nothing":              {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Address(c.typed)
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("%q is %q, %v", c.typed, got, err)
			}
		})
	}
}

func TestMasksKeepWhatTheOwnerRecognisesOnOneLine(t *testing.T) {
	for value, want := range map[string]string{
		"+33612345612": "+33\u00a06\u00a0••\u00a0••\u00a0••\u00a012", "+447700900189": "+44\u00a0••••\u00a089", "+33": "••",
		"+262692123412": "+262\u00a0••••\u00a012",
	} {
		if got := Mask(MobilePhone, value); got != want {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
	for value, want := range map[string]string{"lina@gmail.com": "l…@gmail.com", "l@gmail.com": "l…@gmail.com", "éva@a.fr": "é…@a.fr", "?": "…"} {
		if got := Mask(RecoveryMail, value); got != want {
			t.Errorf("%s is shown as %s", value, got)
		}
	}
	if got := SpelledMobile("+33612345678"); got != "+33\u00a06\u00a012\u00a034\u00a056\u00a078" {
		t.Errorf("spelled %s", got)
	}
}

func TestTextMessagesUseTheLettersThatCostNothing(t *testing.T) {
	for text, want := range map[string]string{
		"L’Université\u202f: «\u202fcode\u202f» 482913": `L'Université : "code" 482913`,
		"Ça, vœu, où, é, à, ê, ç, ô":                    "Ça, voeu, où, é, à, e, c, o",
		"deux\nlignes…":                                 "deux\nlignes...",
		"код 1":                                         "код 1",
	} {
		if got := economical(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestACodeIsBoundToARealDomain(t *testing.T) {
	for address, want := range map[string]string{
		"https://ent.valmont.example": "\n\n@ent.valmont.example #482913", "https://ent.valmont.example:8443/": "\n\n@ent.valmont.example #482913",
		"http://127.0.0.1:8080": "", "http://localhost:8080": "", "http://[::1]:8080": "",
	} {
		base, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := boundTo(base, "482913"); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
