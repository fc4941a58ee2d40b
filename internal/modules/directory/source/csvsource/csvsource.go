// Package csvsource reads people from tables that spreadsheets and other programs write:
// whatever the separator and the encoding, with column names in French or English, one
// line at a time.
package csvsource

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Source is one table.
type Source struct {
	config     source.Config
	attributes []string // that the mapping looks at
	name       string   // of the file, for reports
	open       func() (io.ReadCloser, error)
	stat       func() (string, error) // what changes with the file; nil for an upload
}

var _ source.Reader = (*Source)(nil)

// File reads the file of the configuration. Attributes are those that the mapping looks
// at, besides the usual ones.
func File(c source.Config, attributes []string) *Source {
	s := Upload(c, attributes, c.CSV.File, func() (io.ReadCloser, error) { return os.Open(c.CSV.File) })
	s.stat = func() (string, error) {
		info, err := os.Stat(c.CSV.File)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)), nil
	}
	return s
}

// Upload reads a table that somebody sent; it is opened once for each reading.
func Upload(c source.Config, attributes []string, name string, open func() (io.ReadCloser, error)) *Source {
	return &Source{config: c, attributes: attributes, name: name, open: open}
}

// ID implements source.Reader.
func (s *Source) ID() string { return s.config.ID }

// Read implements source.Reader. A file that is as it was at the last reading is not
// read again.
func (s *Source) Read(ctx context.Context, since string, each func(source.Record) error) (source.Result, error) {
	result := source.Result{Count: map[source.Kind]int{}}
	before, err := s.mark()
	if err != nil {
		return result, s.missing(err)
	}
	if before != "" && before == since {
		result.Cursor = since
		return result, nil
	}
	f, err := s.open()
	if err != nil {
		return result, s.missing(err)
	}
	defer f.Close()
	r := &reading{Source: s, ctx: ctx, each: each, result: &result, seen: map[uint64]int{}, seed: maphash.MakeSeed()}
	if err := r.table(f); err != nil {
		return result, err
	}
	after, err := s.mark()
	if err != nil {
		return result, s.missing(err)
	}
	if after != before {
		return result, source.BrokenOff.With(fault.Args{"source": s.config.ID, "count": result.Count[source.Person], "detail": s.name + ": somebody is still writing it"})
	}
	result.Cursor = before
	if s.config.CSV.Whole {
		result.Complete = []source.Kind{source.Person}
	}
	return result, nil
}

func (s *Source) mark() (string, error) {
	if s.stat == nil {
		return "", nil
	}
	return s.stat()
}

func (s *Source) missing(err error) error {
	args := fault.Args{"source": s.config.ID, "file": s.name, "detail": err.Error()}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return source.FileMissing.Because(err, args)
	}
	return source.FileUnreadable.Because(err, args)
}

// reading is one call of Read.
type reading struct {
	*Source
	ctx     context.Context
	each    func(source.Record) error
	result  *source.Result
	columns []column
	keys    []int // columns that name somebody, best first
	// held is the last row: the next one may be about the same person.
	held *row
	// seen are the lines of the keys, as hashes: a million of them fit in memory.
	seen map[uint64]int
	seed maphash.Seed
}

// row is a line as a record, before it is handed over.
type row struct {
	record source.Record
	line   int
}

// table reads the header, then the rows.
func (r *reading) table(f io.Reader) error {
	lines, err := newLines(f, r.config.CSV.Encoding)
	if err != nil {
		return r.unreadable(err)
	}
	header, separator, err := r.header(lines)
	if err != nil {
		return err
	}
	if err := r.name(header); err != nil {
		return err
	}
	for {
		if err := r.ctx.Err(); err != nil {
			return fmt.Errorf("read %s: %w", r.config.ID, err)
		}
		text, line, err := lines.next(separator, len(r.columns))
		var broken *brokenLine
		switch {
		case errors.Is(err, io.EOF):
			return r.flush()
		case errors.As(err, &broken):
			r.refuse("", line, source.LineBroken.With(fault.Args{"detail": broken.Error()}))
			continue
		case err != nil:
			return r.unreadable(err)
		}
		if err := r.row(split(text, separator), line); err != nil {
			return err
		}
	}
}

func (r *reading) unreadable(err error) error {
	return source.FileUnreadable.Because(err, fault.Args{"source": r.config.ID, "detail": err.Error()})
}

// header finds the line of column names: the first that is not empty, after the line by
// which spreadsheets are told the separator.
func (r *reading) header(lines *lines) ([]string, rune, error) {
	separator := rune(0)
	if own := []rune(r.config.CSV.Separator); len(own) == 1 {
		separator = own[0]
	}
	for {
		text, _, err := lines.next(0, 0)
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		if err != nil {
			return nil, 0, r.unreadable(err)
		}
		if told, ok := strings.CutPrefix(strings.ToLower(text), "sep="); ok && separator == 0 && len([]rune(told)) == 1 {
			separator = []rune(told)[0]
			continue
		}
		if strings.Trim(text, ";,\t| \"") == "" {
			continue
		}
		if separator == 0 {
			separator = guess(text)
		}
		return split(text, separator), separator, nil
	}
}

// guess is the separator of a header: the most frequent of the usual ones.
func guess(header string) rune {
	best, most := ';', 0
	for _, candidate := range ";\t,|" {
		if n := len(split(header, candidate)) - 1; n > most {
			best, most = candidate, n
		}
	}
	return best
}

// row takes one line.
func (r *reading) row(cells []string, line int) error {
	if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return nil
	}
	for len(cells) > len(r.columns) {
		if strings.TrimSpace(cells[len(cells)-1]) != "" {
			r.refuse("", line, source.LineBroken.With(fault.Args{"detail": fmt.Sprintf("%d cells for %d columns", len(cells), len(r.columns))}))
			return nil
		}
		cells = cells[:len(cells)-1]
	}
	// Spreadsheets leave out empty cells at the end of a line; so does a file that was cut.
	// What is not there is not said.
	record := source.Record{Kind: source.Person, Where: r.where(line), Values: make(map[string][]string, len(cells)+4)}
	for i, cell := range cells {
		c := r.columns[i]
		for _, name := range c.names {
			record.Values[name] = append(record.Values[name], c.values(cell)...)
		}
	}
	record.Key = r.key(cells)
	if record.Key == "" {
		r.refuse("", line, source.KeyMissing.With(fault.Args{"attribute": r.keyNames()}))
		return nil
	}
	if r.held != nil && r.held.record.Key == record.Key && sameName(r.held.record, record) {
		join(&r.held.record, record)
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	r.held = &row{record, line}
	return nil
}

func (r *reading) where(line int) string { return fmt.Sprintf("%s:%d", r.base(), line) }

// base is the file without its folder.
func (r *reading) base() string {
	return r.Source.name[strings.LastIndexAny(r.Source.name, `/\`)+1:]
}

// flush hands over the row that was held back.
func (r *reading) flush() error {
	if r.held == nil {
		return nil
	}
	h := r.held
	r.held = nil
	mark := maphash.String(r.seed, h.record.Key)
	if first, twice := r.seen[mark]; twice {
		r.refuse(h.record.Key, h.line, source.KeyTwice.With(fault.Args{"other": r.where(first), "key": h.record.Key}))
		return nil
	}
	r.seen[mark] = h.line
	if err := r.each(h.record); err != nil {
		return err
	}
	r.result.Count[source.Person]++
	return nil
}

func (r *reading) refuse(key string, line int, err error) {
	r.result.Refused = append(r.result.Refused, source.Refusal{Kind: source.Person, Key: key, Where: r.where(line), Err: err})
}

// key names the person of a line for ever: the first of the key columns that is filled,
// with its name, because numbers of students and of employees may be equal.
func (r *reading) key(cells []string) string {
	for _, i := range r.keys {
		if i < len(cells) {
			if v := strings.TrimSpace(cells[i]); v != "" {
				return r.columns[i].names[0] + ":" + strings.ToLower(v)
			}
		}
	}
	return ""
}

func (r *reading) keyNames() string {
	var names []string
	for _, i := range r.keys {
		names = append(names, r.columns[i].header)
	}
	return strings.Join(names, ", ")
}

// sameName reports whether two lines are about people of the same name.
func sameName(a, b source.Record) bool {
	return campus.Fold(a.First("family_name")+" "+a.First("given_name")) == campus.Fold(b.First("family_name")+" "+b.First("given_name"))
}

// affiliationColumns belong together, line by line.
var affiliationColumns = []string{"affiliation", "campus", "programme", "unit"}

// join adds a further line about the same person: another affiliation.
func join(to *source.Record, more source.Record) {
	if _, begun := to.Values["affiliations"]; !begun {
		to.Values["affiliations"] = lineOf(*to)
	}
	to.Values["affiliations"] = append(to.Values["affiliations"], lineOf(more)...)
	delete(to.Values, "affiliation")
	for name, values := range more.Values {
		if name == "affiliations" || name == "affiliation" {
			continue
		}
		for _, v := range values {
			if !slices.Contains(to.Values[name], v) {
				to.Values[name] = append(to.Values[name], v)
			}
		}
	}
}

// lineOf is the affiliation of a line, its parts together.
func lineOf(r source.Record) []string {
	parts := make([]string, len(affiliationColumns))
	for i, name := range affiliationColumns {
		parts[i] = strings.ReplaceAll(strings.TrimSpace(r.First(name)), "|", " ")
	}
	if parts[0] == "" {
		return nil
	}
	return []string{strings.Join(parts, "|")}
}

// buffered is how much of a file is looked at to recognise it, and how long a line may be.
const buffered = 1 << 20

func buffer(f io.Reader) *bufio.Reader { return bufio.NewReaderSize(f, buffered) }
