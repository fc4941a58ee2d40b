package ticket

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
)

// MaxTags bounds how many tags a ticket has.
const MaxTags = 10

// tag is what one looks like: a code, so that addresses and lists can carry it.
var tag = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// ParseTags reads tags between spaces or commas, each once and in the order of the
// alphabet; ok is false when one is no code of at most 32 letters, digits and hyphens,
// or there are more than MaxTags.
func ParseTags(typed string) (tags []string, ok bool) {
	tags = strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) })
	slices.Sort(tags)
	tags = slices.Compact(tags)
	for _, one := range tags {
		if !tag.MatchString(one) {
			return nil, false
		}
	}
	return tags, len(tags) <= MaxTags
}

// keepTags lets lists find a ticket by its tags.
func keepTags(ctx context.Context, q *sqlgen.Queries, w *Work) error {
	if slices.Equal(w.before.Tags, w.Ticket.Tags) {
		return nil
	}
	if err := q.DropTags(ctx, w.Ticket.ID); err != nil {
		return fmt.Errorf("keep the tags of a ticket: %w", err)
	}
	for _, one := range w.Ticket.Tags {
		if err := q.AddTag(ctx, sqlgen.AddTagParams{Tag: one, TicketID: w.Ticket.ID}); err != nil {
			return fmt.Errorf("keep the tags of a ticket: %w", err)
		}
	}
	return nil
}
