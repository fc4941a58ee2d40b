// Package words finds tickets by what was said in them, on both databases alike: an
// inverted index of folded words, whose entries stand in the order of time.
package words

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Index keeps the words of tickets. It follows them.
type Index struct{ DB *db.DB }

var _ ticket.Follower = (*Index)(nil)

// Lengths of words in bytes: shorter ones find everything, longer ones are no words.
const (
	shortest = 2
	longest  = 40
)

// mostWords bounds what one message adds: a pasted log is not a text.
const mostWords = 400

// common words say nothing about a ticket, in both languages.
var common = func() map[string]bool {
	list := map[string]bool{}
	for _, w := range strings.Fields(`le la les un une des du de et ou je tu il elle on nous vous ils elles me te se ce cette ces mon ma mes ton ta tes son sa ses
		notre nos votre vos leur leurs qui que quoi dont ne pas plus est sont suis ai as avez avons ont au aux en dans sur pour par avec sans mais donc car si
		the an and or you he she it we they my your his her its our their who what which that this these those not is are am was were be been have has had
		to of in on at for by with from but if as can do does did so bonjour merci cordialement hello hi thanks regards`) {
		list[w] = true
	}
	return list
}()

// Of are the words of texts that find them again: folded, sorted so that two
// transactions never wait for each other, each once.
func Of(texts ...string) []string {
	seen := map[string]bool{}
	var list []string
	for _, text := range texts {
		for _, w := range strings.Fields(campus.Fold(text)) {
			w = clip(w)
			if len(w) < shortest || common[w] || seen[w] || len(list) == mostWords {
				continue
			}
			seen[w] = true
			list = append(list, w)
		}
	}
	slices.Sort(list)
	return list
}

func clip(w string) string {
	if len(w) > longest {
		return strings.ToValidUTF8(w[:longest], "")
	}
	return w
}

// about is what a ticket is found by besides its messages.
func about(t ticket.Ticket) []string {
	return []string{t.Subject, t.RequesterName, t.RequesterMail, t.RequesterPhone, t.Number, t.Service, t.IncidentCode, strings.ReplaceAll(t.IncidentCode, "-", "")}
}

// In are all words by which a ticket is known.
func In(t ticket.Ticket, thread ticket.Thread) []string {
	all := Of(about(t)...)
	for _, m := range thread.Messages {
		all = append(all, Of(said(m)...)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// With adds the words of more texts to a list of [In].
func With(list []string, texts ...string) []string {
	list = append(list, Of(texts...)...)
	slices.Sort(list)
	return slices.Compact(list)
}

// said is what a message is found by.
func said(m ticket.Message) []string {
	texts := []string{m.Body, m.By.Name, m.By.Mail}
	for _, f := range m.Files {
		texts = append(texts, f.Name)
	}
	return texts
}

// TicketChanged implements [ticket.Follower]: what was said is found at once.
func (x *Index) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	var list []string
	if h.Opened() || !slices.Equal(about(h.Before), about(h.After)) {
		list = Of(about(h.After)...)
	}
	for _, m := range h.Messages {
		list = append(list, Of(said(m)...)...)
	}
	slices.Sort(list)
	return Add(ctx, tx, h.After.ID, slices.Compact(list))
}

// Posting is one entry of the index: a ticket has a word.
type Posting struct{ Word, Ticket string }

// Postings are the entries of a ticket.
func Postings(id string, list []string) []Posting {
	all := make([]Posting, len(list))
	for i, word := range list {
		all[i] = Posting{word, id}
	}
	return all
}

// atOnce is how many entries one statement adds.
const atOnce = 5000

// adding adds entries that come as one JSON list of pairs. As parameters of their
// own, each would be looked for among the others, and a statement with few of them
// would save the pages that it touches again and again.
var adding = map[db.Dialect]string{
	db.SQLite:   "INSERT INTO helpdesk_words (word, ticket_id) SELECT value ->> 0, value ->> 1 FROM json_each($1) WHERE true ON CONFLICT DO NOTHING",
	db.Postgres: "INSERT INTO helpdesk_words (word, ticket_id) SELECT pair ->> 0, pair ->> 1 FROM json_array_elements(CAST($1 AS JSON)) AS pair ON CONFLICT DO NOTHING",
}

// Add makes a ticket known by words.
func Add(ctx context.Context, tx db.Tx, id string, list []string) error {
	return AddAll(ctx, tx, Postings(id, list))
}

// AddAll makes many tickets known by words. Entries are added in the order of the
// index: each of its pages is touched once, however many tickets have the words on
// it, which makes many tickets at once many times faster than one by one. It sorts
// the list.
func AddAll(ctx context.Context, tx db.Tx, list []Posting) error {
	slices.SortFunc(list, func(a, b Posting) int {
		return cmp.Or(strings.Compare(a.Word, b.Word), strings.Compare(a.Ticket, b.Ticket))
	})
	for batch := range slices.Chunk(list, atOnce) {
		pairs := make([][2]string, len(batch))
		for i, p := range batch {
			pairs[i] = [2]string{p.Word, p.Ticket}
		}
		text, err := json.Marshal(pairs)
		if err != nil {
			return fmt.Errorf("index tickets: %w", err)
		}
		if _, err := tx.ExecContext(ctx, adding[tx.Dialect()], string(text)); err != nil {
			return fmt.Errorf("index tickets: %w", err)
		}
	}
	return nil
}

// Forget makes a ticket unknown by words: for texts that were redacted, less those
// that stand elsewhere in it.
func Forget(ctx context.Context, tx db.Tx, id string, list []string) error {
	for batch := range slices.Chunk(list, 200) {
		args := []any{id}
		for _, w := range batch {
			args = append(args, w)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_words WHERE ticket_id = $1 AND word IN "+db.In(len(batch), 2), args...); err != nil {
			return fmt.Errorf("forget words of a ticket: %w", err)
		}
	}
	return nil
}

// Term is one word that somebody typed, and the words of the index that it stands
// for: a word that may go on stands for those that begin with it.
type Term struct {
	Words []string
	hits  int // of the index, at most enough
}

// prefixMost bounds how many words a beginning stands for, enough how far hits are
// counted to tell rare words from frequent ones.
const (
	prefixMost = 24
	enough     = 2000
)

// Terms reads what somebody typed, the rarest first: a search begins with that. The
// last word may go on unless a space follows it. No terms find everything; a term
// without words finds nothing.
func (x *Index) Terms(ctx context.Context, typed string) ([]Term, error) {
	typed = strings.ToValidUTF8(typed, "")
	last, _ := utf8.DecodeLastRuneInString(typed)
	list := strings.Fields(campus.Fold(typed))
	var terms []Term
	for i, w := range list {
		w = clip(w)
		open := i == len(list)-1 && last != ' ' && len(w) > shortest
		if !open && (len(w) < shortest || common[w]) {
			continue
		}
		t := Term{Words: []string{w}}
		if open {
			var err error
			if t.Words, err = x.beginning(ctx, w); err != nil {
				return nil, err
			}
		}
		for _, word := range t.Words {
			var n int
			if err := x.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM helpdesk_words WHERE word = $1 LIMIT "+strconv.Itoa(enough)+") AS hits", word).Scan(&n); err != nil {
				return nil, fmt.Errorf("count tickets with a word: %w", err)
			}
			t.hits += n
		}
		terms = append(terms, t)
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return a.hits - b.hits })
	return terms, nil
}

// beginning lists words of the index with a beginning: one look-up each, however
// many tickets have them.
func (x *Index) beginning(ctx context.Context, with string) ([]string, error) {
	var list []string
	end := with + string(utf8.MaxRune)
	for from := with; len(list) < prefixMost; {
		var next *string
		if err := x.DB.Read().QueryRowContext(ctx, "SELECT MIN(word) FROM helpdesk_words WHERE word >= $1 AND word < $2", from, end).Scan(&next); err != nil {
			return nil, fmt.Errorf("list words: %w", err)
		}
		if next == nil {
			break
		}
		list = append(list, *next)
		from = *next + "\x01" // no word has this sign: the next one is another
	}
	return list, nil
}
