// Package intake takes over the tickets of another help desk program: Zammad, GLPI or
// Request Tracker.
//
// A file has one ticket on each line, as the other program's own interface gives it;
// docs/helpdesk/import.md says how to get one. It is read line by line, however large
// it is, and kept in batches: an import that was stopped in the middle goes on when it
// is run again, because what was taken over is remembered.
package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Register says who people are by their address; the identity room keeps it.
type Register interface {
	FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error)
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Figures counts what was taken over, on the days on which it happened.
type Figures interface {
	Mark(ctx context.Context, tx db.Tx, tickets ...ticket.Ticket) error
}

// Intake takes tickets over.
type Intake struct {
	DB       *db.DB
	Tickets  *ticket.Tickets
	Files    *attached.Attached
	Register Register
	Figures  Figures
	Zone     *time.Location // of dates that name none
}

// Order says what to take over.
type Order struct {
	From   string // zammad, glpi or rt
	Source string // a name for this very installation; empty means From
	Queue  string // team code of the queue for tickets of queues that are not here; empty refuses them
	DryRun bool   // writes nothing
	// Refused hears of each line that was not taken over, Unkept of each file of those
	// that were, Done of each batch; all may be nil.
	Refused func(Refusal)
	Unkept  func(Unkept)
	Done    func(Report)
}

// Refusal is a line that cannot be taken over.
type Refusal struct {
	Line int    // counted from 1
	ID   string // of the ticket there; empty when it could not be read
	Why  error
}

// String is the refusal in one line.
func (r Refusal) String() string {
	if r.ID == "" {
		return fmt.Sprintf("line %d: %v", r.Line, r.Why)
	}
	return fmt.Sprintf("line %d, ticket %s: %v", r.Line, r.ID, r.Why)
}

// Unkept is a file of a ticket that was not kept. Its message names it too.
type Unkept struct {
	Line     int    // of its ticket, counted from 1
	ID, Name string // of the ticket there, and of the file
	Why      string // code of the reason; empty when the export has no content
}

// whyUnkept words the reasons for those at a terminal.
var whyUnkept = map[string]string{
	"": "the export has no content of it", attached.TooLarge.Code(): "it is larger than 10 MB", attached.TooMuch.Code(): "the files of its message are larger than 30 MB together",
	attached.TooMany.Code(): "its message has more than 20 files", attached.Empty.Code(): "it is empty", attached.Executable.Code(): "it is a program, or an archive with one",
	attached.Explodes.Code(): "it is an archive that would fill a disk", attached.Nested.Code(): "it is an archive with archives in it", attached.PictureBroken.Code(): "it is a picture that cannot be drawn",
}

// String is the file in one line.
func (u Unkept) String() string {
	return fmt.Sprintf("line %d, ticket %s: the file %q is not kept: %s", u.Line, u.ID, u.Name, cmp.Or(whyUnkept[u.Why], u.Why))
}

// Report counts what came of an import.
type Report struct {
	Lines     int // read
	Tickets   int // taken over, or that would be
	Messages  int
	Files     int // kept
	Unkept    int // files that were refused, or whose content is not in the file
	Known     int // tickets that had been taken over before
	Refused   int
	Unmatched int // requesters whose address nobody here has
}

// parser reads the lines of one program.
type parser interface {
	// read makes a ticket of a line; nil for a line that says something else.
	read(line []byte) (*foreign, error)
}

func (o Order) parser(zone *time.Location) (parser, error) {
	switch o.From {
	case "zammad":
		return &zammad{people: map[string]person{}}, nil
	case "glpi":
		return &glpi{zone: zone, people: map[int64]person{}}, nil
	case "rt":
		return &rt{}, nil
	}
	return nil, fmt.Errorf("tickets come from zammad, glpi or rt, not from %q", o.From)
}

// Bounds of an import.
const (
	longestLine = 64 << 20 // bytes: a ticket with its attachments

	// A batch is as large as it may be without keeping others who write waiting for
	// long: more tickets at once share the pages of the index of words.
	leastBatch  = 25 // tickets
	firstBatch  = 100
	mostBatch   = 400
	saidFor     = 10       // messages a ticket: a batch of long ones is shorter
	batchBytes  = 64 << 20 // of their lines
	quickEnough = 400 * time.Millisecond
	tooLong     = time.Second
)

// nextBatch is how many tickets the next batch has when one of so many took so long.
func nextBatch(size int, took time.Duration) int {
	switch {
	case took < quickEnough:
		return min(2*size, mostBatch)
	case took > tooLong:
		return max(size/2, leastBatch)
	}
	return size
}

// errLong is a line that is longer than what is read.
var errLong = fmt.Errorf("the line is longer than %d MB", longestLine>>20)

// Run takes over what stands in a file.
func (x *Intake) Run(ctx context.Context, o Order, file io.Reader) (Report, error) {
	o.Source = cmp.Or(o.Source, o.From)
	parse, err := o.parser(x.Zone)
	if err != nil {
		return Report{}, err
	}
	run := &run{Intake: x, order: o, ids: map[string]int{}, size: firstBatch}
	if run.queues, err = x.queues(ctx, o.Queue); err != nil {
		return Report{}, err
	}
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return run.report, run.flush(ctx)
		}
		if err != nil && !errors.Is(err, errLong) {
			return run.report, errors.Join(fmt.Errorf("read the file: %w", err), run.flush(ctx))
		}
		run.report.Lines++
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var f *foreign
		if err == nil {
			f, err = parse.read(line)
		}
		if err == nil && f != nil {
			err = run.check(f)
		}
		if err != nil {
			run.refuse(f, err)
			continue
		}
		if f == nil {
			continue
		}
		f.line = run.report.Lines
		run.batch, run.said, run.bytes = append(run.batch, f), run.said+len(f.Said), run.bytes+len(line)
		if len(run.batch) >= run.size || run.said >= run.size*saidFor || run.bytes >= batchBytes {
			if err := run.flush(ctx); err != nil {
				return run.report, err
			}
		}
	}
}

// nextLine reads a line without its end; [errLong] skips it.
func nextLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > longestLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long), err == nil:
			if long {
				return nil, errLong
			}
			return bytes.TrimRight(line, "\r\n"), nil
		}
		return nil, err
	}
}

// queues are the open ones by what they are called, folded; the empty name is the one
// for tickets of queues that are not here.
func (x *Intake) queues(ctx context.Context, team string) (map[string]ticket.Queue, error) {
	list, err := x.Tickets.Queues(ctx)
	if err != nil {
		return nil, err
	}
	found := map[string]ticket.Queue{}
	for _, q := range list {
		if !q.ClosedAt.IsZero() {
			continue
		}
		for _, name := range []string{q.ID, q.NameFrench, q.NameEnglish, q.Team} {
			key := campus.Fold(name)
			if _, taken := found[key]; !taken && key != "" {
				found[key] = q
			}
		}
	}
	if team == "" {
		return found, nil
	}
	q, ok := found[campus.Fold(team)]
	if !ok {
		return nil, fmt.Errorf("there is no queue %q: name one by its team or its name", team)
	}
	found[""] = q
	return found, nil
}

// run is one import under way.
type run struct {
	*Intake
	order  Order
	report Report
	queues map[string]ticket.Queue
	batch  []*foreign
	said   int            // messages of the batch
	bytes  int            // that it was read from
	size   int            // tickets that a batch may have now
	ids    map[string]int // line on which each ticket stood
}

func (r *run) refuse(f *foreign, why error) {
	r.report.Refused++
	if r.order.Refused == nil {
		return
	}
	refusal := Refusal{Line: r.report.Lines, Why: why}
	if f != nil {
		refusal.ID = f.ID
	}
	r.order.Refused(refusal)
}

// unkept counts a file that is not kept, and says so.
func (r *run) unkept(f *foreign, name, why string) {
	r.report.Unkept++
	if r.order.Unkept != nil {
		r.order.Unkept(Unkept{Line: f.line, ID: f.ID, Name: name, Why: why})
	}
}

// check says what is wrong with a ticket, and finds its queue.
func (r *run) check(f *foreign) error {
	switch {
	case f.ID == "":
		return errors.New("it has no identifier")
	case f.Opened.IsZero():
		return errors.New("it does not say when it was opened")
	case f.State == "":
		return fmt.Errorf("its state %q is not known", f.stateSaid)
	case strings.TrimSpace(f.Subject) == "" && len(f.Said) == 0:
		return errors.New("it has neither a subject nor a message")
	}
	if line, twice := r.ids[f.ID]; twice {
		return fmt.Errorf("it stands on line %d already", line)
	}
	q, ok := r.queues[campus.Fold(f.Queue)]
	if !ok || f.Queue == "" {
		if q, ok = r.queues[""]; !ok {
			return fmt.Errorf("there is no queue %q here: make it, or choose one with --queue", f.Queue)
		}
	}
	f.queue = q
	r.ids[f.ID] = r.report.Lines
	return nil
}

// known leaves out of the batch what was taken over before.
func (r *run) known(ctx context.Context) error {
	if len(r.batch) == 0 {
		return nil
	}
	args := []any{r.order.Source}
	for _, f := range r.batch {
		args = append(args, f.ID)
	}
	before := map[string]bool{}
	rows, err := r.DB.Read().QueryContext(ctx, "SELECT foreign_id FROM helpdesk_imported WHERE source = $1 AND foreign_id IN "+db.In(len(r.batch), 2), args...)
	if err != nil {
		return fmt.Errorf("look for what was taken over: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return fmt.Errorf("look for what was taken over: %w", err)
		}
		before[one] = true
	}
	rest := r.batch[:0]
	for _, f := range r.batch {
		if before[f.ID] {
			r.report.Known++
		} else {
			rest = append(rest, f)
		}
	}
	r.batch = rest
	return rows.Err()
}

// flush keeps the batch.
func (r *run) flush(ctx context.Context) error {
	defer func() { r.batch, r.said, r.bytes = nil, 0, 0 }()
	if err := r.known(ctx); err != nil {
		return err
	}
	if len(r.batch) == 0 {
		return nil
	}
	people, err := r.people(ctx, r.batch)
	if err != nil {
		return err
	}
	for _, f := range r.batch {
		if f.Requester.Mail != "" && people[f.Requester.Mail].ID == "" {
			r.report.Unmatched++
		}
		for _, s := range f.Said {
			for _, file := range s.Files {
				if file.Content == nil {
					r.unkept(f, file.Name, "")
				} else if r.order.DryRun {
					r.report.Files++
				}
			}
		}
	}
	if r.order.DryRun {
		for _, f := range r.batch {
			r.report.Tickets++
			r.report.Messages += len(f.Said)
		}
		return nil
	}
	ready := make([]ready, len(r.batch))
	for i, f := range r.batch {
		if ready[i], err = r.prepare(ctx, f, people); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := r.keep(ctx, ready); err != nil {
		return err
	}
	r.size = nextBatch(r.size, time.Since(began))
	if r.order.Done != nil {
		r.order.Done(r.report)
	}
	return nil
}

// keep writes tickets in one transaction, or in smaller ones when that takes too long.
func (r *run) keep(ctx context.Context, list []ready) error {
	var kept, messages int
	err := r.DB.InTx(ctx, func(tx db.Tx) error {
		kept, messages = 0, 0
		var tickets []ticket.Ticket
		var known []words.Posting
		for _, one := range list {
			t, about, err := r.keepOne(ctx, tx, one)
			if err != nil {
				return fmt.Errorf("line %d, ticket %s: %w", one.line, one.id, err)
			}
			if t.ID != "" {
				tickets, known = append(tickets, t), append(known, about...)
				kept, messages = kept+1, messages+len(one.past.Messages)
			}
		}
		if err := words.AddAll(ctx, tx, known); err != nil {
			return err
		}
		return r.Figures.Mark(ctx, tx, tickets...)
	})
	if errors.Is(err, db.ErrTooSlow) && len(list) > 1 {
		half := len(list) / 2
		if err := r.keep(ctx, list[:half]); err != nil {
			return err
		}
		return r.keep(ctx, list[half:])
	}
	if err != nil {
		return err
	}
	r.report.Tickets += kept
	r.report.Messages += messages
	r.report.Known += len(list) - kept
	return nil
}

// keepOne keeps a ticket and says by what it is found; no ticket when another import
// kept it at the same time.
func (r *run) keepOne(ctx context.Context, tx db.Tx, one ready) (ticket.Ticket, []words.Posting, error) {
	t, thread, err := r.Tickets.TakeOver(ctx, tx, one.past)
	if err != nil {
		return ticket.Ticket{}, nil, err
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_imported (source, foreign_id, ticket_id, taken_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", r.order.Source, one.id, t.ID, tx.Now())
	if err != nil {
		return ticket.Ticket{}, nil, fmt.Errorf("remember what was taken over: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return ticket.Ticket{}, nil, fmt.Errorf("remember what was taken over: %w", err)
	}
	if n == 0 {
		_, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_tickets WHERE id = $1", t.ID)
		return ticket.Ticket{}, nil, err
	}
	return t, words.Postings(t.ID, words.With(words.In(t, thread), one.label)), nil
}
