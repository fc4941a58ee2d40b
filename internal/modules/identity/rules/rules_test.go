package rules_test

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
)

var all = rules.Rules{MinLength: 12, LettersAndDigits: true, Upper: true, Special: true, Passphrase: 20, NotYou: true, NotSimple: true, Breached: true, History: 5}

var zoe = rules.About{Login: "zlefevre3", GivenName: "Zoé", FamilyName: "Le Fèvre-Œuvrard", Mail: "zoe.lefevre@etu.valmont.example", StudentNumber: "22104567"}

func TestARuleIsBrokenByWhatItSays(t *testing.T) {
	const length, classes, upper, special = rules.KeyLength, rules.KeyClasses + "_or_long", rules.KeyUpper + "_or_long", rules.KeySpecial + "_or_long"
	for name, c := range map[string]struct {
		plain string
		want  []string
	}{
		"a good one":                            {"Gravier-93-lampe", nil},
		"too short":                             {"Gravier-93", []string{length}},
		"no digit":                              {"Gravier-lampe-u", []string{classes}},
		"no letter":                             {"48151623-42!93=", []string{classes, upper}},
		"no capital":                            {"gravier-93-lampe", []string{upper}},
		"no special character":                  {"Gravier93lampe", []string{special}},
		"a space is none":                       {"Gravier 93 lampe", []string{special}},
		"an emoji is one":                       {"Gravier93lampe🐸", nil},
		"an emoji of several code points":       {"Gravier93lamp👩‍🚀", nil},
		"Arabic letters and digits":             {"سلام٣٤٥ نافذةA!", nil},
		"Hebrew, right to left, with vowels":    {"שָׁלוֹם93חלון-A", nil},
		"a long phrase needs no classes":        {"gravier lampe cerise tunnel", nil},
		"the login":                             {"X9!zlefevre3!Q7u", []string{rules.KeyNotYou}},
		"the name, in capitals and with signs":  {"L-e-F-E-V-R-E-93!x", []string{rules.KeyNotYou}},
		"the name with its ligature spelt out":  {"Oeuvrard-93!xyq", []string{rules.KeyNotYou}},
		"the name with other accents":           {"lefêvre-93!Xuqk", []string{rules.KeyNotYou}},
		"the number":                            {"Ab!22104567-xu", []string{rules.KeyNotYou}},
		"a given name of three letters is fine": {"Gravier-93-zoe", nil},
		"a long phrase with the name":           {"la maison de lefevre au bord", []string{rules.KeyNotYou}},
		"one character":                         {strings.Repeat("a", 30), []string{rules.KeyNotSimple}},
		"a run of the keyboard":                 {"azertyuiopqsdfghjklm", []string{rules.KeyNotSimple}},
		"a run backwards":                       {"zyxwvutsrqponmlkjihg", []string{rules.KeyNotSimple}},
		"a repetition":                          {"Ab1!Ab1!Ab1!Ab1!", []string{rules.KeyNotSimple}},
		"digits in a row":                       {"A!123456789012345", []string{rules.KeyNotSimple}},
		"beyond the bound":                      {strings.Repeat("é", 129), []string{rules.KeyTooLong}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, form := range []norm.Form{norm.NFC, norm.NFD} {
				var got []string
				for _, b := range all.Check(form.String(c.plain), zoe) {
					got = append(got, b.Key)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%q breaks %v, want %v", form.String(c.plain), got, c.want)
				}
			}
		})
	}
}

func TestARuleThatIsOffIsNeitherShownNorChecked(t *testing.T) {
	none := rules.Rules{MinLength: 8}
	if list := none.List(); len(list) != 1 || list[0].Key != rules.KeyLength {
		t.Errorf("the list is %v", list)
	}
	if broken := none.Check("lefevre1", zoe); len(broken) > 0 {
		t.Errorf("broken: %v", broken)
	}
	always := all
	always.Passphrase = 0
	if broken := always.Check("gravier lampe cerise tunnel", zoe); len(broken) != 3 {
		t.Errorf("without relief for long ones, broken are %v", broken)
	}
}

func TestEveryRuleHasItsSentenceInBothLanguages(t *testing.T) {
	short := all
	short.Passphrase = 0
	for _, l := range campus.Locales {
		text, err := os.ReadFile("locales/" + string(l) + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range append(append(all.List(), short.List()...), rules.Rule{Key: rules.KeyTooLong}) {
			leaf := r.Key[strings.LastIndex(r.Key, ".")+1:]
			labels, sentences, _ := strings.Cut(string(text), "[identity.rules.broken]")
			if !strings.Contains(labels, "\n"+leaf+" = ") && !strings.Contains(labels, "rules."+leaf+"]") {
				t.Errorf("%s: %s has no label", l, r.Key)
			}
			if !strings.Contains(sentences, "\n"+leaf+" = ") && !strings.Contains(sentences, "broken."+leaf+"]") || rules.Broken(r.Key) != "identity.rules.broken."+leaf {
				t.Errorf("%s: %s has no sentence", l, r.Key)
			}
		}
	}
}

func TestComposedAndDecomposedAreOnePassword(t *testing.T) {
	for _, plain := range []string{"é à ü ñ ç", "Å", "한글", "שָׁלוֹם", "e\u0323\u0302"} {
		if rules.Normal(norm.NFD.String(plain)) != rules.Normal(norm.NFC.String(plain)) {
			t.Errorf("%q has two normal forms", plain)
		}
	}
	if rules.Normal("a\u00a0b\u202fc\u3000d") != "a b c d" {
		t.Error("a space of another kind stays what it is")
	}
	if rules.Normal(" A ﬁ ² ") != " A ﬁ ² " { // no compatibility forms, no case, no trimming
		t.Error("the normal form changes more than spaces and composition")
	}
}

func TestKnownPasswordsAreSeenThroughTheirVariations(t *testing.T) {
	for plain, want := range map[string]string{
		"Soleil2026!":      "soleil",
		"SOLEIL":           "soleil",
		"!!soleil12":       "soleil",
		"soleilsoleil":     "soleil",
		"Été12345":         "", // too little is left
		"soleil8402957361": "",
	} {
		forms := rules.Known(plain)
		if want != "" && !slices.Contains(forms, want) || want == "" && len(forms) > 2 {
			t.Errorf("the forms of %q are %q", plain, forms)
		}
	}
}

func TestAPassphraseKeepsTheRulesAndHasItsEntropy(t *testing.T) {
	strict := all
	strict.Passphrase = 0
	for _, l := range campus.Locales {
		seen := map[string]bool{}
		for range 500 {
			for _, r := range []rules.Rules{all, strict} {
				phrase := rules.Phrase(l, r)
				if broken := r.Check(phrase, rules.About{}); len(broken) > 0 {
					t.Fatalf("%s breaks %v", phrase, broken)
				}
				if seen[phrase] {
					t.Fatalf("%s came twice", phrase)
				}
				seen[phrase] = true
			}
		}
		text, err := os.ReadFile("words_" + string(l) + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		list := strings.Fields(string(text))
		if bits := 5 * math.Log2(float64(len(list))); bits < rules.PhraseBits {
			t.Errorf("%s: %d words give %.1f bits", l, len(list), bits)
		}
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%s: the words are not sorted, or one stands twice", l)
		}
		for _, w := range list {
			if len(w) < 4 || len(w) > 8 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: %q is not typed easily everywhere", l, w)
			}
		}
	}
}

func FuzzRulesNeverFail(f *testing.F) {
	f.Add("Gravier-93-lampe")
	f.Add("\xff\x00é")
	f.Fuzz(func(t *testing.T, plain string) {
		all.Check(plain, rules.About{Login: plain})
		if len(rules.Known(plain)) == 0 {
			t.Error("a password has no form")
		}
		if once := rules.Normal(plain); rules.Normal(once) != once {
			t.Error("the normal form has a normal form")
		}
	})
}
