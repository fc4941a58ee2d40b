package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/id"
)

// importParts is in how many files the export comes: each is taken over by a command
// of its own, so that the last can be compared with the first.
const importParts = 10

// measureImport takes over the tickets of a Request Tracker by the command, on a demo
// of its own whose server is stopped.
func measureImport(ctx context.Context, s *server, p plan) ([]row, error) {
	folder := filepath.Join(filepath.Dir(s.data), "import")
	own, err := newServer(s.binary, folder)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop()); err != nil {
		return nil, err
	}
	if err := withDatabase(own.database(), func(d *sql.DB) error {
		_, err := d.ExecContext(ctx, "INSERT INTO helpdesk_queues (id, team, campus, name_fr, name_en, mail, calendar_id, closed_at) VALUES ($1, 'bench', '', 'Banc', 'Bench', '', '', 0)", id.New())
		return err
	}); err != nil {
		return nil, fmt.Errorf("add a queue: %w", err)
	}
	export := filepath.Join(folder, "export.jsonl")
	say := speaker()
	each := max(p.imported/importParts, 1)
	var took []time.Duration
	var whole time.Duration
	var highest int64
	for part := range importParts {
		if err := writeExport(export, say, part*each, each, importParts*each); err != nil {
			return nil, err
		}
		began := time.Now()
		used, err := takeOver(ctx, own, export)
		if err != nil {
			return nil, err
		}
		took, whole, highest = append(took, time.Since(began)), whole+time.Since(began), max(highest, used)
	}
	var here int
	if err := withDatabase(own.database(), func(d *sql.DB) error {
		return d.QueryRowContext(ctx, "SELECT COUNT(*) FROM helpdesk_imported").Scan(&here)
	}); err != nil {
		return nil, err
	}
	if here != importParts*each {
		return nil, fmt.Errorf("%d of %d tickets were taken over", here, importParts*each)
	}
	return []row{{
		what: fmt.Sprintf("help desk: import of %s tickets with %s messages", thousands(here), thousands(here*deskMessages)), figure: fmt.Sprintf("%.0f tickets a second", float64(here)/whole.Seconds()),
		ratio: fmt.Sprintf("the last tenth took %.1f times as long as the first; at most %s", took[importParts-1].Seconds()/took[0].Seconds(), megabytes(highest)),
	}}, nil
}

// takeOver runs the command, and returns the most memory that it had in bytes.
func takeOver(ctx context.Context, s *server, export string) (int64, error) {
	command := exec.CommandContext(ctx, s.binary, "helpdesk", "import", "--from", "rt", "--queue", "bench", export)
	command.Env = append(os.Environ(), "AMPHI_SERVER__DATA_DIR="+s.data, "AMPHI_SERVER__BASE_URL="+s.base)
	if said, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("amphi helpdesk import: %w\n%s", err, said)
	}
	used, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("the system does not say what a process used")
	}
	return used.Maxrss * 1024, nil
}

// speaker makes sentences of the words of the desk, frequent ones often.
func speaker() func(length int) string {
	random := rand.New(rand.NewPCG(6, 22))
	frequency := rand.NewZipf(random, 1.07, 8, 20_000)
	return func(length int) string {
		list := make([]string, length)
		for i := range list {
			list[i] = deskWord(int(frequency.Uint64()))
		}
		return strings.Join(list, " ")
	}
}

// writeExport writes some tickets of many as Request Tracker's interface gives them.
func writeExport(path string, say func(int) string, first, count, all int) (err error) {
	type object = map[string]any
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	lines := json.NewEncoder(w)
	for i := first; i < first+count; i++ {
		opened := time.Now().UTC().Add(-time.Duration(all-i) * 20 * time.Minute)
		var said []object
		for m := range deskMessages {
			kind, by := "Correspond", "agent@valmont.example"
			if m == 0 {
				kind = "Create"
			}
			said = append(said, object{"Type": kind, "Creator": object{"id": by}, "Created": opened.Add(time.Duration(m) * time.Hour / 2).Format(time.RFC3339), "attachments": []object{
				{"ContentType": "text/plain", "Content": base64.StdEncoding.EncodeToString([]byte(say(25)))},
			}})
		}
		if err := lines.Encode(object{
			"id": i + 1, "Subject": say(6), "Status": "resolved", "Queue": object{"Name": "Bench"}, "Requestor": []object{{"id": fmt.Sprintf("p%d@valmont.example", i%30_000)}},
			"Created": opened.Format(time.RFC3339), "LastUpdated": opened.Add(6 * time.Hour).Format(time.RFC3339), "transactions": said,
		}); err != nil {
			return err
		}
	}
	return w.Flush()
}
