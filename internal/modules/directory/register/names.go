package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// piece is a part of a pattern: literal text, or a part of the name cut to a
// length.
type piece struct {
	text string
	part string
	cut  int // letters; 0 for all
}

// The parts that patterns know.
var (
	loginParts = []string{"given", "family", "number", "yy"}
	mailParts  = []string{"given", "family", "number", "yy", "login"}
)

// parsePattern reads "{given:1}{family}".
func parsePattern(text string, parts []string) ([]piece, error) {
	var pieces []piece
	for text != "" {
		literal, rest, open := strings.Cut(text, "{")
		if literal != "" {
			if strings.ContainsFunc(literal, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_", r) }) {
				return nil, fmt.Errorf("between the parts, only lower-case letters, digits, dots, hyphens and underscores may stand, not %q", literal)
			}
			pieces = append(pieces, piece{text: literal})
		}
		if !open {
			break
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, errors.New("a { is never closed")
		}
		name, length, bounded := strings.Cut(inner, ":")
		p := piece{part: name}
		if !slices.Contains(parts, name) {
			return nil, fmt.Errorf("{%s} is unknown; there are {%s}", name, strings.Join(parts, "}, {"))
		}
		if bounded {
			n, err := strconv.Atoi(length)
			if err != nil || n < 1 || n > 32 {
				return nil, fmt.Errorf("{%s}: the length must lie between 1 and 32", inner)
			}
			p.cut = n
		}
		pieces, text = append(pieces, p), after
	}
	if len(pieces) == 0 {
		return nil, errors.New("it is empty")
	}
	return pieces, nil
}

// nameRule is a [NameRule], read.
type nameRule struct {
	kinds  []campus.Kind
	login  []piece
	length int
	mail   []piece
	domain string
}

// names are the rules, in order.
type names []nameRule

// usualLength is the longest login when the configuration does not say: what old
// systems still take.
const usualLength = 20

// newNames reads rules that [Config.Check] has accepted.
func newNames(rules []NameRule) names {
	var all names
	for _, r := range rules {
		n := nameRule{kinds: r.Kinds, length: r.Length}
		if n.length == 0 {
			n.length = usualLength
		}
		// The checks of the configuration have seen both patterns: a pattern that is not
		// there makes no name.
		n.login, _ = parsePattern(r.Login, loginParts)
		if local, domain, ok := strings.Cut(r.Mail, "@"); ok {
			n.mail, _ = parsePattern(local, mailParts)
			n.domain = domain
		}
		all = append(all, n)
	}
	return all
}

// rule is the first that fits somebody.
func (n names) rule(s contract.Subject) (nameRule, bool) {
	for _, r := range n {
		if len(r.kinds) == 0 || slices.ContainsFunc(s.Affiliations, func(a campus.Affiliation) bool { return slices.Contains(r.kinds, a.Kind) }) {
			return r, true
		}
	}
	return nameRule{}, false
}

// bare keeps what every program accepts in an identifier; words are joined by
// glue.
func bare(name, glue string) string {
	words := strings.Fields(campus.Fold(name))
	for i, w := range words {
		words[i] = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, w)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), glue)
}

// fill puts somebody's name into a pattern. Words of a name are joined by glue.
func fill(pattern []piece, s contract.Subject, employee, login, glue string, year int) string {
	var b strings.Builder
	for _, p := range pattern {
		var text string
		switch p.part {
		case "given":
			text = bare(s.GivenName, glue)
		case "family":
			text = bare(s.FamilyName, glue)
		case "number":
			if text = bare(s.StudentNumber, ""); text == "" {
				text = bare(employee, "")
			}
		case "yy":
			text = fmt.Sprintf("%02d", year%100)
		case "login":
			text = login
		default:
			text = p.text
		}
		if p.cut > 0 && len(text) > p.cut {
			text = text[:p.cut]
		}
		b.WriteString(text)
	}
	return strings.Trim(b.String(), ".-_")
}

// nth is the n-th name of homonyms, from 1, within a length.
func nth(base string, n, length int) string {
	end := ""
	if n > 1 {
		end = strconv.Itoa(n)
	}
	return base[:min(len(base), length-len(end))] + end
}

// wish is a name that somebody needs.
type wish struct {
	base   string
	length int
	domain string // of an address; empty for a login
	got    string
}

func (w wish) try(n int) string {
	if w.domain == "" {
		return nth(w.base, n, w.length)
	}
	return nth(w.base, n, w.length) + "@" + w.domain
}

// The kinds of directory_names.
const (
	nameLogin = "login"
	nameMail  = "mail"
)

// manyHomonyms is where the search for a free number ends.
const manyHomonyms = 1 << 16

// give finds a free name for each wish: one that nobody has, that was never given,
// and that no other wish of the list got. A wish that finds none stays empty.
func (e *Engine) give(ctx context.Context, kind string, wishes []*wish) error {
	field := contract.FieldLogin
	if kind == nameMail {
		field = contract.FieldMail
	}
	picked := map[string]bool{}
	open := slices.DeleteFunc(slices.Clone(wishes), func(w *wish) bool { return w.base == "" })
	for from, to := 1, 5; len(open) > 0 && to <= manyHomonyms; from, to = to, to*4 {
		var ask []string
		for _, w := range open {
			for n := from; n < to; n++ {
				ask = append(ask, w.try(n))
			}
		}
		slices.Sort(ask)
		ask = slices.Compact(ask)
		held, err := e.Register.FindPeople(ctx, field, ask)
		if err != nil {
			return err
		}
		given, err := e.givenNames(ctx, kind, ask)
		if err != nil {
			return err
		}
		var still []*wish
		for _, w := range open {
			for n := from; n < to && w.got == ""; n++ {
				name := w.try(n)
				_, has := held[name]
				_, had := given[name]
				if !has && !had && !picked[name] {
					w.got, picked[name] = name, true
				}
			}
			if w.got == "" {
				still = append(still, w)
			}
		}
		open = still
	}
	return nil
}

// givenNames says to whom names were ever given.
func (e *Engine) givenNames(ctx context.Context, kind string, list []string) (map[string]campus.PersonID, error) {
	given := map[string]campus.PersonID{}
	for some := range slices.Chunk(list, atOnce) {
		args := []any{kind}
		for _, name := range some {
			args = append(args, name)
		}
		err := db.Each(ctx, e.DB.Read(), "SELECT name, person_id FROM directory_names WHERE kind = $1 AND name IN "+db.In(len(some), 2), args, func(rows *sql.Rows) error {
			var name, who string
			err := rows.Scan(&name, &who)
			given[name] = campus.PersonID(who)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read names that were given: %w", err)
		}
	}
	return given, nil
}

// makeNames finds logins and addresses for new people whose source gives none.
func (w *work) makeNames(ctx context.Context, list []*step) error {
	year := w.e.Clock.Now().Year()
	type made struct {
		*wish
		step *step
	}
	var logins, mails []made
	var wishes []*wish
	for _, s := range list {
		if s.now.kind != kindCreation || s.now.entry.Kind != source.Person || s.now.subject.Login != "" {
			continue
		}
		rule, _ := w.e.names.rule(s.now.subject)
		x := &wish{base: fill(rule.login, s.now.subject, s.now.said.One(mapping.FieldEmployeeNumber), "", "", year), length: rule.length}
		logins, wishes = append(logins, made{x, s}), append(wishes, x)
	}
	if err := w.e.give(ctx, nameLogin, wishes); err != nil {
		return err
	}
	for _, m := range logins {
		m.step.login = m.got
	}
	wishes = nil
	for _, s := range list {
		if s.now.kind != kindCreation || s.now.entry.Kind != source.Person || s.now.subject.Mail != "" {
			continue
		}
		rule, _ := w.e.names.rule(s.now.subject)
		login := s.now.subject.Login
		if login == "" {
			login = s.login
		}
		x := &wish{base: fill(rule.mail, s.now.subject, s.now.said.One(mapping.FieldEmployeeNumber), login, "-", year), length: longestLocal, domain: rule.domain}
		mails, wishes = append(mails, made{x, s}), append(wishes, x)
	}
	if err := w.e.give(ctx, nameMail, wishes); err != nil {
		return err
	}
	for _, m := range mails {
		m.step.mail = m.got
	}
	return nil
}

// longestLocal bounds what stands before the @ (RFC 5321 §4.5.3.1.1).
const longestLocal = 64
