package portal

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

const (
	// searchPatience is how long the search waits for a room: who searches came
	// for the answer, so longer than a page does.
	searchPatience = time.Second
	// minWords is the shortest word worth looking for, in characters.
	minWords = 2
	// searchMost bounds the hits of one group.
	searchMost = 8
)

// hitGroup is the hits of one kind.
type hitGroup struct {
	Name string
	Hits []contract.Hit
}

// searchEverywhere asks every room and returns the hits by group, in the order
// of the rooms, with the rooms that did not answer.
func (m *Module) searchEverywhere(ctx context.Context, v campus.Viewer, words string) ([]hitGroup, []silence) {
	var groups []hitGroup
	var silent []silence
	index := map[string]int{}
	for _, a := range askAll(ctx, searchPatience, m.Searchers(), func(ctx context.Context, s contract.Searcher) ([]contract.Hit, error) {
		return s.Search(ctx, v, words)
	}) {
		if a.err != nil {
			silent = append(silent, m.silent(ctx, "search", a.room, a.err))
			continue
		}
		for _, h := range a.value {
			i, known := index[h.Group]
			if !known {
				i = len(groups)
				index[h.Group] = i
				groups = append(groups, hitGroup{Name: h.Group})
			}
			groups[i].Hits = append(groups[i].Hits, h)
		}
	}
	return groups, silent
}

// worthSearching reports whether words are long enough to find something.
func worthSearching(words string) bool {
	return utf8.RuneCountInString(campus.Fold(words)) >= minWords
}

// Search finds services, help and news for the one search box.
func (m *Module) Search(ctx context.Context, v campus.Viewer, words string) ([]contract.Hit, error) {
	var hits []contract.Hit
	l := i18n.Locale(ctx)
	entries, _, err := m.services(ctx, v) // silent rooms are logged, and say so themselves
	if err != nil {
		return nil, err
	}
	for _, e := range first(catalogue.Match(entries, words), searchMost) {
		hits = append(hits, contract.Hit{
			Group: i18n.T(ctx, "portal.nav.services"), Title: e.Name, Detail: e.Description, URL: openURL(e), Icon: iconOf(e),
		})
	}
	for _, a := range first(help.Search(m.help, words), searchMost) {
		hits = append(hits, contract.Hit{Group: i18n.T(ctx, "portal.nav.help"), Title: a.Question(l), URL: "/portal/help/" + a.ID, Icon: "help"})
	}
	lines, err := m.desk.Search(ctx, v, words, searchMost)
	if err != nil {
		return nil, err
	}
	for _, h := range lines {
		address, _ := headlineURL(h)
		hits = append(hits, contract.Hit{
			Group: i18n.T(ctx, "portal.nav.news"), Title: h.Title.In(l), Detail: h.Summary.In(l), URL: address, Icon: "news",
		})
	}
	return hits, nil
}

func first[T any](list []T, most int) []T { return list[:min(len(list), most)] }
