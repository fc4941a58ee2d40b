package knowledge

import (
	"context"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// patience is how long a page about a failure waits for its article.
const patience = 300 * time.Millisecond

// Explaining implements contract.Explainer: the article that most readers found
// helpful comes first. When the tables do not answer, what was read last serves.
func (k *Knowledge) Explaining(ctx context.Context, reason string) (title, url string, ok bool) {
	asked, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	books, err := k.published(asked)
	if err != nil {
		k.Log.WarnContext(ctx, "look for the article of a reason", "reason", reason, "error", err)
		books = k.shelf.last()
	}
	best := -1
	for i, b := range books {
		if !b.Internal && slices.Contains(b.Reasons, reason) && (best < 0 || b.Helped-b.Unhelped > books[best].Helped-books[best].Unhelped) {
			best = i
		}
	}
	if best < 0 {
		return "", "", false
	}
	return books[best].Title.In(i18n.Locale(ctx)), URL + "/" + books[best].Slug, true
}
