package rules

import (
	"crypto/rand"
	_ "embed"
	"math/big"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// PhraseBits is the least entropy of a [Phrase]: five words out of more than
// 1,400. At a thousand guesses a second, which the sign-in never grants, half of
// them take 70,000 years.
const PhraseBits = 52

const phraseWords = 5

// The words are short, common, and typed alike on every keyboard: no accents.
// They were chosen for this project.
//
//go:embed words_fr.txt
var frenchWords string

//go:embed words_en.txt
var englishWords string

var words = map[campus.Locale][]string{
	campus.French:  strings.Fields(frenchWords),
	campus.English: strings.Fields(englishWords),
}

// Phrase makes a passphrase in a language, such as "lampe-cerise-radeau-tunnel-
// brume", that keeps the rules: where classes of characters are asked of every
// password, it has a capital letter and a digit too.
func Phrase(l campus.Locale, r Rules) string {
	list := words[l]
	if list == nil {
		list = words[campus.English]
	}
	picked := make([]string, phraseWords)
	for i := range picked {
		picked[i] = list[draw(len(list))]
	}
	phrase := strings.Join(picked, "-")
	if broken := r.Check(phrase, About{}); len(broken) > 0 {
		phrase = strings.ToUpper(phrase[:1]) + phrase[1:] + "-" + strconv.Itoa(draw(10))
	}
	return phrase
}

// draw is a random number below n, each as likely as the others.
func draw(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic("rules: " + err.Error()) // crypto/rand never fails since Go 1.24
	}
	return int(i.Int64())
}
