package find

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// arena holds words and, for each entry, which of them it has. A search compares what
// is looked for with every word once, and then looks at every entry: at 100,000 people
// that is a few milliseconds, it forgives mistakes anywhere in a word, and it is the
// same on both databases. It is not safe for use while it changes.
type arena struct {
	numbers map[string]uint32 // of each word
	words   []word
}

type word struct {
	text   string
	runes  []rune
	set    uint64
	length int
}

func newArena() *arena { return &arena{numbers: map[string]uint32{}} }

// add returns the numbers of the words of texts, each once.
func (a *arena) add(texts ...string) []uint32 {
	var numbers []uint32
	for _, text := range texts {
		for w := range strings.FieldsSeq(campus.Fold(text)) {
			n, known := a.numbers[w]
			if !known {
				w = strings.Clone(w)
				n = uint32(len(a.words))
				a.numbers[w] = n
				runes := []rune(w)
				a.words = append(a.words, word{text: w, runes: runes, set: letters(w), length: len(runes)})
			}
			if !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
	}
	return slices.Clip(numbers)
}

// The costs of a match: the lower, the nearer. A word costs at most worst.
const (
	exact     = 1
	beginning = 2
	mistyped  = 6 // and two more for each mistake
	worst     = 14
	none      = 0 // no match, in the tables of costs
)

// clean reports whether a cost was reached without forgiving a mistake.
func clean(cost uint8) bool { return cost == exact || cost == beginning }

// small words tell nothing about whom one looks for when there are others.
var small = []string{"a", "au", "aux", "d", "de", "des", "du", "et", "l", "la", "le", "les", "of", "the", "and", "for", "pour", "mr", "mme", "m"}

// maxWanted bounds the words of one search.
const maxWanted = 8

// wanted are the words that somebody looks for, folded.
func wantedWords(text string) []string {
	all := strings.Fields(campus.Fold(text))
	telling := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(small, w) })
	if len(telling) == 0 {
		telling = all
	}
	slices.Sort(telling)
	telling = slices.Compact(telling)
	return telling[:min(len(telling), maxWanted)]
}

// costs compares one wanted word with all words that are there.
func (a *arena) costs(wanted string) []uint8 {
	table := make([]uint8, len(a.words))
	w := []rune(wanted)
	limit, set := patience(len(w)), letters(wanted)
	for i := range a.words {
		t := &a.words[i]
		switch {
		case t.text[0] == wanted[0] && strings.HasPrefix(t.text, wanted):
			table[i] = beginning
			if len(t.text) == len(wanted) {
				table[i] = exact
			}
		case limit == 0 || t.length < len(w)-limit || bits.OnesCount64(set&^t.set) > limit:
		default:
			whole, begin := distance(w, t.runes, limit)
			if whole <= limit {
				table[i] = uint8(mistyped + 2*whole)
			} else if begin <= limit && len(w) >= 5 {
				table[i] = uint8(mistyped + 2*begin + 1)
			}
		}
	}
	return table
}

// cost is what an entry with these words costs for one wanted word, or none.
func cost(table []uint8, words []uint32) uint8 {
	best := uint8(none)
	for _, n := range words {
		if c := table[n]; c != none && (best == none || c < best) {
			best = c
		}
	}
	return best
}
