package find

import "unicode/utf8"

// patience is how many typing mistakes are forgiven in a word of this many letters.
func patience(letters int) int {
	switch {
	case letters < 4:
		return 0
	case letters < 8:
		return 1
	default:
		return 2
	}
}

// distance is how many letters were typed wrong, left out, added or swapped between a
// word that is looked for and a word that is there: the Damerau–Levenshtein distance
// (optimal string alignment), at most limit+1. Begin is the distance to the best
// beginning of the word that is there, for somebody who is still typing.
func distance(wanted, there []rune, limit int) (whole, begin int) {
	const most = 64
	if len(wanted) > most || len(there) > most {
		return limit + 1, limit + 1
	}
	var rows [3][most + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(there) + 1 {
		last[j] = j
	}
	for i, w := range wanted {
		row[0] = i + 1
		lowest := row[0]
		for j, t := range there {
			cost := 1
			if w == t {
				cost = 0
			}
			d := min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && w == there[j-1] && wanted[i-1] == t {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
			lowest = min(lowest, d)
		}
		if lowest > limit+1 {
			return limit + 1, limit + 1
		}
		before, last, row = last, row, before
	}
	begin = limit + 1
	for j := range len(there) + 1 {
		begin = min(begin, last[j])
	}
	return min(last[len(there)], limit+1), begin
}

// letters is which of 64 classes of letters a word holds: what a word lacks shows
// without comparing it.
func letters(word string) uint64 {
	var set uint64
	for _, r := range word {
		set |= 1 << (uint32(r) & 63)
	}
	return set
}

func runeLen(s string) int { return utf8.RuneCountInString(s) }
