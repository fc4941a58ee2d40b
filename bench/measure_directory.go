package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The size of the university that comes by a file.
const (
	directoryPeople      = 100_000
	directoryPeopleQuick = 5_000
	directoryGroups      = 2_000
)

// directoryConfig is a source of kind csv, as an administrator would write it.
const directoryConfig = `
[[directory.sources]]
id = "bench"
kind = "csv"
name_en = "Bench"
name_fr = "Bench"
preset = "none"
[directory.sources.csv]
file = %q
whole = true
key = "student_number"
[[directory.sources.affiliations]]
kind = "student"
campus = "campus"
programme = "programme"
`

// measureDirectory brings a university in by a file: all of it, then nothing new,
// then one person in a hundred changed; each against reading the same file and
// doing nothing with it. Then it opens people's pages. It works on a demo of its own,
// so that the other measures meet nobody of these.
func measureDirectory(ctx context.Context, s *server, p plan) (rows []row, err error) {
	people := directoryPeople
	if p.quick() {
		people = directoryPeopleQuick
	}
	own, err := newServer(s.binary, filepath.Join(filepath.Dir(s.data), "directory"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop()); err != nil {
		return nil, err
	}
	file, config := own.data+".csv", own.data+".toml"
	if err := os.WriteFile(config, fmt.Appendf(nil, directoryConfig, file), 0o600); err != nil {
		return nil, err
	}
	own.config = config
	var first time.Duration
	for _, step := range []struct {
		what, aim string
		changed   int // one person in so many
		want      int // new people of the first import
	}{
		{"directory: first import of %s people, %s groups", "", 0, people},
		{"directory: a run without a change over %s people, %s groups", "a tenth of the first import", 0, 0},
		{"directory: a run with 1 %% changed of %s people, %s groups", "", 100, 0},
	} {
		if err := writeUniversity(file, people, step.changed); err != nil {
			return rows, err
		}
		raw, err := readRaw(file)
		if err != nil {
			return rows, err
		}
		took, memory, err := own.sync(ctx, config)
		if err != nil {
			return rows, err
		}
		r := row{
			what: fmt.Sprintf(step.what, thousands(people), thousands(directoryGroups)), aim: step.aim,
			figure: fmt.Sprintf("%.1f s, at most %s", took.Seconds(), megabytes(memory)),
			ratio:  fmt.Sprintf("%.0f × the raw read (%.2f s)", took.Seconds()/raw.Seconds(), raw.Seconds()),
		}
		if first == 0 {
			first = took
		}
		if step.aim != "" {
			r.verdict = verdictOf(took < first/10)
		}
		rows = append(rows, r)
		if err := own.came(ctx, people); err != nil {
			return rows, err
		}
	}
	pages, err := own.personPages(ctx)
	return append(rows, pages...), err
}

// quick reports whether the plan is the one of half a minute.
func (p plan) quick() bool { return p.rounds == 1 }

// writeUniversity writes the file. One person in so many has another name; 0 is
// nobody.
func writeUniversity(file string, people, changed int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "student_number;login;mail;family_name;given_name;campus;programme;phone;groups")
	for i := range people {
		family := "Nom" + string(rune('a'+i%26)) + string(rune('a'+i/26%26))
		if changed > 0 && i%changed == 0 {
			family += " Changé"
		}
		fmt.Fprintf(out, "%d;bench%06d;bench%06d@valmont.example;%s;Prénom;rives;l%d;+33 1 00 %05d;promo%04d\n", 9_000_000+i, i, i, family, 1+i%3, i, i%directoryGroups)
	}
	return errors.Join(out.Flush(), f.Close())
}

// readRaw reads the file as a table, and does nothing with it.
func readRaw(file string) (time.Duration, error) {
	begin := time.Now()
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.Comma, r.ReuseRecord = ';', true
	for {
		_, err := r.Read()
		if errors.Is(err, io.EOF) {
			return time.Since(begin), nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// sync runs the command, and says how long it took and how much memory it had at
// most, in bytes.
func (s *server) sync(ctx context.Context, config string) (time.Duration, int64, error) {
	command := exec.CommandContext(ctx, s.binary, "directory", "sync", "--full", "--lines", "1", "--config", config)
	command.Env = append(os.Environ(), "AMPHI_SERVER__DATA_DIR="+s.data, "AMPHI_SERVER__BASE_URL="+s.base)
	begin := time.Now()
	said, err := command.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("amphi directory sync: %w\n%s", err, said)
	}
	took := time.Since(begin)
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return took, 0, errors.New("the system does not say how much memory was used")
	}
	return took, usage.Maxrss * 1024, nil // Linux counts in kilobytes
}

// came checks that everybody is there, once.
func (s *server) came(ctx context.Context, people int) error {
	return withDatabase(s.database(), func(d *sql.DB) error {
		var n, in int
		if err := d.QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_people WHERE login LIKE 'bench%'`).Scan(&n); err != nil {
			return err
		}
		if err := d.QueryRowContext(ctx, `SELECT COUNT(*) FROM directory_group_people WHERE group_code LIKE 'promo%'`).Scan(&in); err != nil {
			return err
		}
		if n != people || in != people {
			return fmt.Errorf("%d people came, %d of them into groups; %d were in the file", n, in, people)
		}
		return nil
	})
}

// pagesOpened is how many people's pages are opened.
const pagesOpened = 300

// personPages opens the pages of people who came, as somebody who may see all of
// them.
func (s *server) personPages(ctx context.Context) ([]row, error) {
	var people []string
	err := withDatabase(s.database(), func(d *sql.DB) error {
		found, err := d.QueryContext(ctx, `SELECT id FROM identity_people WHERE login LIKE 'bench%' ORDER BY login LIMIT $1`, pagesOpened)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var who string
			if err := found.Scan(&who); err != nil {
				return err
			}
			people = append(people, who)
		}
		return found.Err()
	})
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	v := newVisitor(newClient(), s.base)
	if a, _, err := v.knock(ctx, "staff", demoPassword); err != nil || v.cookies[sessionCookie] == "" {
		return nil, errors.Join(fmt.Errorf("staff signs in: %d %s %w", a.status, a.location, err), s.stop())
	}
	if err := warm(ctx, v, "/directory/people/"+people[0]); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	var took []time.Duration
	for _, who := range people {
		begin := time.Now()
		a, err := v.get(ctx, "/directory/people/"+who)
		if err := expect(a, err, http.StatusOK, "a person's page"); err != nil {
			return nil, errors.Join(err, s.stop())
		}
		if !strings.Contains(string(a.body), "Prénom") {
			return nil, errors.Join(errors.New("a person's page does not name the person"), s.stop())
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return []row{{
		what: "directory: a person's page among them", aim: "p99 under 100 ms",
		figure:  fmt.Sprintf("p50 %.1f ms", took[len(took)/2].Seconds()*1e3),
		ratio:   fmt.Sprintf("p99 %.1f ms", took[len(took)*99/100].Seconds()*1e3),
		verdict: verdictOf(took[len(took)*99/100] < 100*time.Millisecond),
	}}, s.stop()
}

// warm waits until a page is answered: the server has just learnt of everybody.
func warm(ctx context.Context, v *visitor, path string) error {
	for deadline := time.Now().Add(3 * time.Minute); ; {
		a, err := v.get(ctx, path)
		if err == nil && a.status == http.StatusOK {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not answered: %d %w", path, a.status, err)
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}
