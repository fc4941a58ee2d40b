package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Where Debian's packages request-tracker5, rt5-db-sqlite and rt5-standalone put what
// is needed of Request Tracker.
const (
	rtServer = "/usr/share/request-tracker5/libexec/rt-server"
	rtSetup  = "/usr/sbin/rt-setup-database-5"
)

const (
	// rtStarts is how long RT may take to compile its pages and answer.
	rtStarts = time.Minute
	// rtNobody is a user that every installation of RT has; whoever asks is in the
	// groups of everybody and of those without rights of their own.
	rtNobody       = 6
	rtEveryone     = 3
	rtUnprivileged = 5
)

// rtPages are the same question to both programs: the path in Amphi, the query in RT.
var rtPages = []struct{ what, amphi, rt string }{
	{"the list of what is to be done", "/helpdesk/tickets", "Status = '__Active__'"},
	{"a search for a frequent word in subjects", "", "Subject LIKE '" + deskWord(0) + "'"},
	{"a search for a frequent word", "/helpdesk/tickets?q=" + deskWord(0) + "+", "Content LIKE '" + deskWord(0) + "'"},
	{"a search for a rare word", "/helpdesk/tickets?q=" + deskWord(5000) + "+", "Content LIKE '" + deskWord(5000) + "'"},
}

// measureRequestTracker opens the same lists and searches in Amphi and in Debian's
// Request Tracker, with the same tickets and messages, one after the other on the same
// machine. Both keep them in SQLite. RT's SQLite has no index of texts, so that a
// search there reads every message; that of subjects, its usual one, is measured too.
func measureRequestTracker(ctx context.Context, s *server, p plan) (rows []row, err error) {
	for _, file := range []string{rtServer, rtSetup} {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("Request Tracker is not installed: apt install request-tracker5 rt5-db-sqlite rt5-standalone (%w)", err)
		}
	}
	own, err := newServer(s.binary, filepath.Join(filepath.Dir(s.data), "beside-rt"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop()); err != nil {
		return nil, err
	}
	token, _, err := settleDesk(ctx, own.database(), p.tickets)
	if err != nil {
		return nil, err
	}
	tracker, err := newTracker(ctx, filepath.Join(filepath.Dir(s.data), "rt"))
	if err != nil {
		return nil, err
	}
	if err := tracker.fill(ctx, own.database()); err != nil {
		return nil, fmt.Errorf("give RT the tickets: %w", err)
	}
	stop, err := tracker.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.stop()) }()

	client := newClient()
	client.Timeout = 5 * time.Minute // a search in RT may take that long
	defer client.CloseIdleConnections()
	ours, theirs := newVisitor(client, own.base), newVisitor(client, tracker.base)
	ours.cookies[sessionCookie] = token
	// Whatever this answers, a session that is not open shows no list.
	if _, err := theirs.post(ctx, "/NoAuth/Login.html", url.Values{"user": {"root"}, "pass": {"password"}}); err != nil {
		return nil, fmt.Errorf("sign in to RT: %w", err)
	}
	var problems []error
	var subjects tally // RT's usual search, which needs no text
	for _, page := range rtPages {
		query := "/Search/Results.html?" + url.Values{"Query": {page.rt}, "Rows": {"50"}, "OrderBy": {"id"}, "Order": {"DESC"}}.Encode()
		there, err := rtLook(ctx, theirs, query, rtFound, page.what)
		if err != nil {
			problems = append(problems, fmt.Errorf("RT: %w", err))
			continue
		}
		if page.amphi == "" {
			subjects = there
			rows = append(rows, row{what: "Request Tracker: " + page.what + " (p50, p99)", figure: both(there), ratio: "its usual search, which reads no message"})
			continue
		}
		here, err := rtLook(ctx, ours, page.amphi, amphiFound, page.what)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		against := fmt.Sprintf("%s; Amphi needs %.3f of it at p50, %.3f at p99", both(there), ratioOf(here, there, .5), ratioOf(here, there, .99))
		if strings.Contains(page.what, "frequent") {
			against += fmt.Sprintf("; %.3f of RT's search of subjects at p50", ratioOf(here, subjects, .5))
		}
		rows = append(rows, row{what: fmt.Sprintf("beside Request Tracker, %s tickets with %d messages each: %s (p50, p99)", thousands(p.tickets), deskMessages, page.what), figure: both(here), ratio: "RT " + against})
	}
	return rows, errors.Join(problems...)
}

func both(t tally) string { return millis(t.percentile(.5)) + ", " + millis(t.percentile(.99)) }

// ratioOf compares two of the same share; 0 when the other was not measured.
func ratioOf(a, b tally, share float64) float64 {
	if b.percentile(share) == 0 {
		return 0
	}
	return float64(a.percentile(share)) / float64(b.percentile(share))
}

// What stands on a page that found tickets.
var (
	rtFound    = regexp.MustCompile(`<title>Found [1-9][0-9,]* ticket`)
	amphiFound = regexp.MustCompile(`name="number"`)
)

// rtLook asks for one page again and again, at least three times.
func rtLook(ctx context.Context, v *visitor, path string, found *regexp.Regexp, what string) (tally, error) {
	look := func(ctx context.Context, _ int) error {
		a, err := v.get(ctx, path)
		if err := expect(a, err, http.StatusOK, what); err != nil {
			return err
		}
		if !found.Match(a.body) {
			return errors.New(what + " shows no tickets")
		}
		return nil
	}
	if err := look(ctx, 0); err != nil { // pages are compiled, caches filled
		return tally{}, err
	}
	t := loop(ctx, 1, deskTime, 0, look)
	for t.err == nil && len(t.took) < 3 {
		more := loop(ctx, 1, time.Millisecond, 0, look)
		if len(more.took) == 0 && more.err == nil {
			return t, ctx.Err()
		}
		t.add(more)
	}
	return t, t.err
}

// tracker is an RT with a database of its own, on the loopback.
type tracker struct{ folder, address, base string }

func newTracker(ctx context.Context, folder string) (*tracker, error) {
	// The second folder stays empty: the settings of the machine's own RT do not count.
	if err := os.MkdirAll(filepath.Join(folder, "conf.d"), 0o700); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	t := &tracker{folder: folder, address: address, base: "http://" + address}
	_, port, _ := strings.Cut(address, ":")
	settings := fmt.Sprintf(`Set($rtname, 'bench');
Set($Organization, 'bench.example');
Set($WebDomain, '127.0.0.1');
Set($WebPort, %s);
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '%s');
Set(%%FullTextSearch, Enable => 1, Indexed => 0);
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MailCommand, 'testfile');
Set($RestrictReferrer, 0);
1;
`, port, t.database())
	if err := os.WriteFile(filepath.Join(folder, "site.pm"), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	if said, err := t.command(ctx, rtSetup, "--action", "init", "--skip-create").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make RT's database: %w\n%.2000s", err, said)
	}
	return t, nil
}

func (t *tracker) database() string { return filepath.Join(t.folder, "rt.db") }

func (t *tracker) command(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, arguments...)
	c.Env = append(os.Environ(), "RT_SITE_CONFIG="+filepath.Join(t.folder, "site.pm"), "RT_SITE_CONFIG_DIR="+filepath.Join(t.folder, "conf.d"))
	return c
}

// start launches RT's own server and returns once it answers.
func (t *tracker) start(ctx context.Context) (stop func() error, err error) {
	_, port, _ := strings.Cut(t.address, ":")
	var output tail
	c := t.command(ctx, rtServer, "--host", "127.0.0.1", "--port", port)
	c.Stdout, c.Stderr = &output, &output
	c.WaitDelay = time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has processes of its own, which end with it
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start RT: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop = func() error {
		if err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop RT: %w", err)
		}
		<-ended // killed by us: how it ended says nothing
		return nil
	}
	client := &http.Client{Timeout: rtStarts}
	for deadline := time.Now().Add(rtStarts); time.Now().Before(deadline); {
		select {
		case err := <-ended:
			return nil, fmt.Errorf("RT ended instead of listening (%v):\n%s", err, output.String())
		default:
		}
		response, err := client.Get(t.base + "/")
		if err != nil {
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return nil, errors.Join(err, stop())
			}
			continue
		}
		if err := response.Body.Close(); err != nil {
			return nil, errors.Join(err, stop())
		}
		if response.StatusCode == http.StatusOK {
			return stop, nil
		}
		return nil, errors.Join(fmt.Errorf("RT answered %d:\n%s", response.StatusCode, output.String()), stop())
	}
	return nil, errors.Join(fmt.Errorf("RT did not answer within %s:\n%s", rtStarts, output.String()), stop())
}

// fill gives RT the tickets and messages of Amphi's benchmark, in RT's own tables as
// it writes them itself: a ticket with its four groups of people, a transaction and an
// attachment for each message.
func (t *tracker) fill(ctx context.Context, amphi string) error {
	return withDatabase(amphi, func(from *sql.DB) error {
		return withDatabase(t.database(), func(into *sql.DB) error {
			tx, err := into.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback() // after Commit there is nothing to undo
			f := &rtFiller{ctx: ctx, tx: tx, users: map[string]int64{}, queues: map[string]int64{}, tickets: map[string]int64{}}
			for _, pass := range []func(*sql.DB) error{f.begin, f.readTickets, f.readMessages} {
				if err := pass(from); err != nil {
					return err
				}
			}
			if err := tx.Commit(); err != nil {
				return err
			}
			_, err = into.ExecContext(ctx, "ANALYZE")
			return err
		})
	})
}

// rtFiller writes into RT's tables.
type rtFiller struct {
	ctx       context.Context
	tx        *sql.Tx
	root      int64
	principal int64 // the last one: users and groups share their identifiers
	users     map[string]int64
	queues    map[string]int64
	tickets   map[string]int64
	err       error // the first failure; what follows does nothing
}

func (f *rtFiller) put(query string, args ...any) int64 {
	if f.err != nil {
		return 0
	}
	result, err := f.tx.ExecContext(f.ctx, query, args...)
	if err != nil {
		f.err = fmt.Errorf("%.60s: %w", query, err)
		return 0
	}
	n, err := result.LastInsertId()
	f.err = err
	return n
}

func (f *rtFiller) begin(*sql.DB) error {
	return f.tx.QueryRowContext(f.ctx, "SELECT (SELECT id FROM Users WHERE Name = 'root'), (SELECT MAX(id) FROM Principals)").Scan(&f.root, &f.principal)
}

// rtTime is a time as RT keeps it.
func rtTime(at db.Time) string { return at.Time().UTC().Format(time.DateTime) }

// group makes a group of somebody's parts in a ticket or a queue, with its members.
func (f *rtFiller) group(part, domain string, instance int64, members ...int64) {
	f.principal++
	which := f.principal
	f.put("INSERT INTO Principals (id, PrincipalType, Disabled) VALUES ($1, 'Group', 0)", which)
	f.put("INSERT INTO Groups (id, Name, Domain, Instance) VALUES ($1, $2, $3, $4)", which, part, domain, instance)
	self := f.put("INSERT INTO CachedGroupMembers (GroupId, MemberId, Via, ImmediateParentId, Disabled) VALUES ($1, $1, 0, $1, 0)", which)
	f.put("UPDATE CachedGroupMembers SET Via = id WHERE id = $1", self)
	for _, member := range members {
		f.put("INSERT INTO GroupMembers (GroupId, MemberId) VALUES ($1, $2)", which, member)
		f.put("INSERT INTO CachedGroupMembers (GroupId, MemberId, Via, ImmediateParentId, Disabled) VALUES ($1, $2, $3, $1, 0)", which, member, self)
	}
}

func (f *rtFiller) user(mail, name string) int64 {
	if who := f.users[mail]; who != 0 {
		return who
	}
	f.principal++
	who := f.principal
	f.users[mail] = who
	f.put("INSERT INTO Principals (id, PrincipalType, Disabled) VALUES ($1, 'User', 0)", who)
	f.put("INSERT INTO Users (id, Name, Password, EmailAddress, RealName) VALUES ($1, $2, '*NO-PASSWORD*', $2, $3)", who, mail, name)
	f.group("UserEquiv", "ACLEquivalence", who, who)
	for _, all := range []int64{rtEveryone, rtUnprivileged} {
		f.put("INSERT INTO GroupMembers (GroupId, MemberId) VALUES ($1, $2)", all, who)
		f.put("INSERT INTO CachedGroupMembers (GroupId, MemberId, Via, ImmediateParentId, Disabled) VALUES ($1, $2, $1, $1, 0)", all, who)
	}
	return who
}

func (f *rtFiller) queue(here string) int64 {
	if which := f.queues[here]; which != 0 {
		return which
	}
	which := f.put("INSERT INTO Queues (Name, Lifecycle, Creator, Created, LastUpdated, Disabled) VALUES ($1, 'default', $2, '2020-01-01 00:00:00', '2020-01-01 00:00:00', 0)", "Queue "+strconv.Itoa(len(f.queues)), f.root)
	f.queues[here] = which
	for _, part := range []string{"Owner", "Requestor", "Cc", "AdminCc"} {
		f.group(part, "RT::Queue-Role", which)
	}
	return which
}

// rtStatus says a state in RT's words.
var rtStatus = map[string]string{"new": "new", "open": "open", "waiting": "stalled", "closed": "resolved"}

func (f *rtFiller) readTickets(from *sql.DB) error {
	rows, err := from.QueryContext(f.ctx, "SELECT t.id, state, subject, requester_name, requester_mail, queue_id, assignee_id, opened_at, changed_at, solved_at FROM helpdesk_tickets t JOIN helpdesk_queues q ON q.id = t.queue_id WHERE q.team = 'bench' ORDER BY t.id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var here, state, subject, name, mail, queue, assignee string
		var opened, changed, solved db.Time
		if err := rows.Scan(&here, &state, &subject, &name, &mail, &queue, &assignee, &opened, &changed, &solved); err != nil {
			return err
		}
		owner := int64(rtNobody)
		if assignee != "" {
			owner = f.root
		}
		asker := f.user(mail, name)
		number := f.put(`INSERT INTO Tickets (EffectiveId, Queue, Type, Owner, Subject, Status, Creator, Created, LastUpdatedBy, LastUpdated, Resolved)
			VALUES (0, $1, 'ticket', $2, $3, $4, $5, $6, $5, $7, $8)`, f.queue(queue), owner, subject, rtStatus[state], asker, rtTime(opened), rtTime(changed), rtTime(solved))
		f.put("UPDATE Tickets SET EffectiveId = id WHERE id = $1", number)
		f.tickets[here] = number
		f.group("Owner", "RT::Ticket-Role", number, owner)
		f.group("Requestor", "RT::Ticket-Role", number, asker)
		f.group("Cc", "RT::Ticket-Role", number)
		f.group("AdminCc", "RT::Ticket-Role", number)
		if f.err != nil {
			return f.err
		}
	}
	return rows.Err()
}

func (f *rtFiller) readMessages(from *sql.DB) error {
	rows, err := from.QueryContext(f.ctx, "SELECT ticket_id, author, body, said_at FROM helpdesk_messages ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	begun := map[int64]bool{}
	for rows.Next() {
		var here, author, body string
		var at db.Time
		if err := rows.Scan(&here, &author, &body, &at); err != nil {
			return err
		}
		number := f.tickets[here]
		if number == 0 {
			continue // of the demo
		}
		kind := "Correspond"
		if !begun[number] {
			begun[number], kind = true, "Create"
		}
		which := f.put("INSERT INTO Transactions (ObjectType, ObjectId, Type, Creator, Created) VALUES ('RT::Ticket', $1, $2, $3, $4)", number, kind, f.root, rtTime(at))
		f.put("INSERT INTO Attachments (TransactionId, Parent, ContentType, ContentEncoding, Content, Headers, Creator, Created) VALUES ($1, 0, 'text/plain', 'none', $2, 'Content-Type: text/plain; charset=\"utf-8\"', $3, $4)", which, body, f.root, rtTime(at))
		if f.err != nil {
			return f.err
		}
	}
	return rows.Err()
}
