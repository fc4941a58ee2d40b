package knowledge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/prose"
)

// fresh is how long another server's change may go unseen.
const fresh = 5 * time.Second

// shelf is what is published, in memory: it is searched at every key that somebody
// presses.
type shelf struct {
	mu     sync.Mutex
	looked time.Time
	doubts int // counts what made the memory doubtful
	books  []book
	known  bool
}

// book is an article with the words that find it.
type book struct {
	Article
	titles, bodies []string
}

func (s *shelf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Time{}
	s.doubts++
}

// last is what was read last.
func (s *shelf) last() []book {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.books
}

// published are the articles that are. The list is shared: nobody changes it.
func (k *Knowledge) published(ctx context.Context) ([]book, error) {
	s := &k.shelf
	s.mu.Lock()
	if s.known && time.Since(s.looked) < fresh {
		defer s.mu.Unlock()
		return s.books, nil
	}
	doubts := s.doubts
	s.mu.Unlock()
	list, err := articles(ctx, k.DB.Read(), "WHERE state = 'published' ORDER BY id LIMIT 5000")
	if err != nil {
		return nil, err
	}
	books := make([]book, len(list))
	for i, a := range list {
		books[i] = book{a, words.Of(a.Title.French, a.Title.English), words.Of(a.Body.French, a.Body.English)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books, s.known = books, true
	if doubts == s.doubts {
		s.looked = time.Now()
	}
	return books, nil
}

// What an article scores for what it has in common with what somebody asks.
const (
	forReason  = 60
	forLeaf    = 30
	forService = 12
	forTitle   = 8
	forBody    = 2
	// least is what is worth a line.
	least = 8
)

// score says how well an article answers.
func (b book) score(w diagnosis.Wanted, typed []string) int {
	n := 0
	if w.Reason != "" && slices.Contains(b.Reasons, w.Reason) {
		n += forReason
	}
	if w.Leaf != "" && slices.Contains(b.Leaves, w.Leaf) {
		n += forLeaf
	}
	if w.Service != "" && slices.Contains(b.Services, w.Service) {
		n += forService
	}
	for i, word := range typed {
		begins := i == len(typed)-1 // the last one may go on
		switch {
		case has(b.titles, word, begins):
			n += forTitle
		case has(b.bodies, word, begins):
			n += forBody
		}
	}
	return n
}

// has looks a word up in sorted ones.
func has(sorted []string, word string, begins bool) bool {
	i, exact := slices.BinarySearch(sorted, word)
	return exact || begins && len(word) > 2 && i < len(sorted) && strings.HasPrefix(sorted[i], word)
}

// typedWords are the words that somebody typed, in their order and without those that
// say nothing.
func typedWords(text string) []string {
	telling := words.Of(text)
	var typed []string
	for _, w := range strings.Fields(campus.Fold(text)) {
		if _, ok := slices.BinarySearch(telling, w); ok && !slices.Contains(typed, w) {
			typed = append(typed, w)
		}
	}
	return typed
}

// mostFound is how many articles answer at once.
const mostFound = 5

// Find lists the articles that answer best, the best first: those for everybody, and
// for agents their own too.
func (k *Knowledge) Find(ctx context.Context, w diagnosis.Wanted, internal bool, most int) ([]Article, error) {
	books, err := k.published(ctx)
	if err != nil {
		return nil, err
	}
	typed := typedWords(w.Words)
	type scored struct {
		Article
		n int
	}
	var list []scored
	for _, b := range books {
		if b.Internal && !internal {
			continue
		}
		if n := b.score(w, typed); n >= least {
			list = append(list, scored{b.Article, n})
		}
	}
	slices.SortStableFunc(list, func(a, b scored) int { return b.n - a.n })
	var found []Article
	for _, s := range list[:min(len(list), most)] {
		found = append(found, s.Article)
	}
	return found, nil
}

// Suggest implements [diagnosis.Suggester] with what is for everybody.
func (k *Knowledge) Suggest(ctx context.Context, w diagnosis.Wanted) ([]diagnosis.Suggestion, error) {
	return k.suggest(ctx, w, false)
}

// ForAgents suggests what agents may read as well.
func (k *Knowledge) ForAgents(ctx context.Context, w diagnosis.Wanted) ([]diagnosis.Suggestion, error) {
	return k.suggest(ctx, w, true)
}

func (k *Knowledge) suggest(ctx context.Context, w diagnosis.Wanted, internal bool) ([]diagnosis.Suggestion, error) {
	found, err := k.Find(ctx, w, internal, mostFound)
	if err != nil {
		return nil, err
	}
	list := make([]diagnosis.Suggestion, len(found))
	for i, a := range found {
		list[i] = diagnosis.Suggestion{Title: a.Title.In(i18n.Locale(ctx)), Detail: a.opening(ctx), URL: URL + "/" + a.Slug}
	}
	return list, nil
}

// longestOpening is in characters.
const longestOpening = 140

// opening is how an article begins, without its Markdown.
func (a Article) opening(ctx context.Context) string {
	html, err := prose.HTML(a.Body.In(i18n.Locale(ctx)))
	if err != nil { // a line without it is better than none
		return ""
	}
	return prose.Plain(html, longestOpening)
}

// views counts who reads what between two runs of the job: reading a page writes
// nothing.
type views struct {
	mu sync.Mutex
	of map[string]int64
}

func (v *views) saw(article string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of == nil {
		v.of = map[string]int64{}
	}
	v.of[article]++
}

func (v *views) take() map[string]int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	taken := v.of
	v.of = nil
	return taken
}

// countViews writes down how often articles were read. What a server that stops has
// not written yet is lost, and no harm done.
func (k *Knowledge) countViews(ctx context.Context) error {
	seen := k.views.take()
	if len(seen) == 0 {
		return nil
	}
	return k.DB.InTx(ctx, func(tx db.Tx) error {
		for article, n := range seen {
			if _, err := tx.ExecContext(ctx, "UPDATE helpdesk_articles SET viewed = viewed + $1 WHERE id = $2", n, article); err != nil {
				return fmt.Errorf("count readers of an article: %w", err)
			}
		}
		return nil
	})
}
