package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/breached"
)

// shippedFilter is the filter in the source; it is part of the binary.
var shippedFilter = filepath.Join("internal", "modules", "identity", "breached", "shipped.filter")

// measureBreached asks the filter of stolen passwords that ships with the
// product, in this process: for some invented passwords again and again, and for
// many different ones, to count those that it takes for stolen.
func measureBreached(_ context.Context, _ *server, p plan) ([]row, error) {
	filter, err := breached.Shipped()
	if err != nil {
		return nil, err
	}
	for _, known := range []string{"password", "123456", "azerty"} {
		if !filter.Has(known) {
			return nil, fmt.Errorf("the filter misses %q", known)
		}
	}
	var asked [1 << 12]string
	for i := range asked {
		asked[i] = invented(-1 - i)
	}
	const rounds = 500
	seemed := 0
	begin := time.Now()
	for range rounds {
		for _, password := range asked {
			if filter.Has(password) {
				seemed++
			}
		}
	}
	lookUp := time.Since(begin) / (rounds * time.Duration(len(asked)))
	wrong := 0
	for i := range p.passwords {
		if filter.Has(invented(i)) {
			wrong++
		}
	}
	expected := float64(p.passwords) * breached.FalsePositives
	off := math.Abs(float64(wrong) - expected)
	rows := []row{
		{
			what: "stolen passwords: one look-up, SHA-1 included", aim: "under 1 µs",
			figure: fmt.Sprintf("%d ns", lookUp.Nanoseconds()), verdict: verdictOf(lookUp < time.Microsecond),
		},
		{
			what:   fmt.Sprintf("stolen passwords: false positives of %s invented ones", thousands(p.passwords)),
			aim:    fmt.Sprintf("once in %s", thousands(int(math.Round(1/breached.FalsePositives)))),
			figure: strconv.Itoa(wrong), ratio: fmt.Sprintf("%.0f expected", expected),
			verdict: verdictOf(off <= 4*math.Sqrt(expected)), // four standard deviations of chance
		},
	}
	// What was timed must have been asked: of 4,096 passwords hardly one seems stolen.
	if seemed > 8*rounds {
		return rows, fmt.Errorf("%d of %d timed look-ups said stolen", seemed, rounds*len(asked))
	}
	info, err := os.Stat(shippedFilter)
	if err != nil {
		return rows, fmt.Errorf("the size of the filter is read where the source is: %w", err)
	}
	entries := filter.Header().Entries
	return append(rows, row{
		what: "stolen passwords: the shipped filter on disk", figure: kilobytes(int(info.Size())),
		ratio: fmt.Sprintf("%s passwords, %.1f bits each", thousands(int(entries)), 8*float64(info.Size())/float64(entries)),
	}), nil
}

// invented is a password that no list holds.
func invented(i int) string { return "nobody ever chose " + strconv.Itoa(i) + " of these" }
