package figures

import (
	"strconv"
	"strings"
)

// Percentile is the one of the page.
var Percentile = percentile

// Breakdown words the lines of a breakdown.
func Breakdown(counts map[string]int) string {
	var list []string
	for _, one := range breakdown(counts, mostShares) {
		name := one.Key
		if one.Rare {
			name = "rare"
		}
		list = append(list, name+" "+strconv.Itoa(one.Count))
	}
	return strings.Join(list, ", ")
}

// Spoken and Spent are how the page says lengths of time.
var (
	Spoken = spoken
	Spent  = spent
)
