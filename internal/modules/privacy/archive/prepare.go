package archive

import (
	"archive/zip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Prepare is the job that makes a copy. Cut short, it begins again: the store keeps
// whole files only.
type Prepare struct {
	Export string `json:"export"`
}

// JobName is the job's name.
func (Prepare) JobName() string { return "privacy.prepare_export" }

// attempts is how often a copy is tried before the person reads that it failed.
const attempts = 4

// Jobs registers the alcove's jobs.
func (a *Archives) Jobs(r *jobs.Registry) {
	jobs.Handle(r, a.prepare, jobs.Policy{Attempts: attempts, Timeout: time.Hour})
	r.Every("privacy.drop_exports", time.Hour, a.dropOld)
	r.EveryWith("privacy.sweep_exports", 24*time.Hour, a.sweep, jobs.Policy{Timeout: time.Hour})
}

// fileName is how the files of copies begin; sweep knows them by it.
const fileName = "amphi-export-"

func (a *Archives) prepare(ctx context.Context, job Prepare) error {
	row, err := sqlgen.New(a.DB.Read()).Export(ctx, job.Export)
	if errors.Is(err, sql.ErrNoRows) { // the person was erased meanwhile
		return nil
	}
	if err != nil {
		return fmt.Errorf("read about a copy: %w", err)
	}
	c := copyOf(row)
	if !c.UnderWay() {
		return nil
	}
	people, err := a.Register.KnownPeople(ctx, []campus.PersonID{c.Person})
	if err != nil {
		return err
	}
	known, ok := people[c.Person]
	if !ok {
		return a.fail(ctx, c.ID, Missing.Code())
	}
	ref, size, err := a.store(ctx, c, known)
	if reason := fault.Of(err).Reason; err != nil && fault.Of(err).Reason.Kind() == fault.TooLarge {
		return a.fail(ctx, c.ID, reason.Code())
	}
	if err != nil {
		return err
	}
	kept := false
	err = a.DB.InTx(ctx, func(tx db.Tx) error {
		until := tx.Now().Add(a.Keep)
		n, err := sqlgen.New(tx).FinishExport(ctx, sqlgen.FinishExportParams{ID: c.ID, FileRef: string(ref), Size: size, ReadyAt: tx.Now(), ExpiresAt: until})
		if err != nil {
			return fmt.Errorf("finish a copy: %w", err)
		}
		if kept = n > 0; !kept {
			return nil
		}
		return a.Tell(ctx, tx, known, until.Time())
	})
	if err != nil || !kept {
		return errors.Join(err, a.Files.Delete(ctx, ref))
	}
	return nil
}

func (a *Archives) fail(ctx context.Context, export, reason string) error {
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).FailExport(ctx, sqlgen.FailExportParams{ID: export, Reason: reason})
		return err
	})
}

// store writes the zip into the file store while it is made: no part of it is in
// memory longer than it takes to pack it.
func (a *Archives) store(ctx context.Context, c Copy, known contract.Known) (files.Ref, int64, error) {
	r, w := io.Pipe()
	counted := &counter{to: w}
	packed := make(chan error, 1)
	go func() {
		err := a.pack(ctx, counted, c, known)
		packed <- err
		w.CloseWithError(err) // nil ends the file
	}()
	ref, err := a.Files.Put(ctx, r, files.Meta{Name: fileName + c.ID + ".zip"})
	r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // so that the packer stops when the store did
	packErr := <-packed
	if err != nil {
		return "", 0, err
	}
	if packErr != nil {
		return "", 0, errors.Join(packErr, a.Files.Delete(ctx, ref))
	}
	return ref, counted.n, nil
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// pack writes everything into a zip, and at last the page that explains it.
func (a *Archives) pack(ctx context.Context, to io.Writer, c Copy, known contract.Known) error {
	z := zip.NewWriter(to)
	now := a.Clock.Now()
	create := func(name string) (io.Writer, error) {
		return z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
	}
	holders := a.holders()
	var parts []part
	for i, h := range holders {
		if err := a.progress(ctx, c.ID, i, len(holders), h.name); err != nil {
			return err
		}
		p := part{Room: h.name}
		inLanguage := i18n.With(ctx, a.Texts.For(localeOf(known)))
		err := h.room.Export(inLanguage, c.Person, &contract.Archive{Create: func(name string) (io.Writer, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			name = path.Join(h.name, strings.TrimPrefix(path.Clean("/" + name)[1:], h.name+"/"))
			p.Files = append(p.Files, name)
			return create(name)
		}})
		if err != nil {
			return fmt.Errorf("export the room %s: %w", h.name, err)
		}
		parts = append(parts, p)
	}
	page, err := create("index.html")
	if err != nil {
		return fmt.Errorf("begin the page of an archive: %w", err)
	}
	if err := a.index(ctx, page, parts, known, now); err != nil {
		return fmt.Errorf("write the page of an archive: %w", err)
	}
	return z.Close()
}

// localeOf is the language of somebody, for rooms that word what they export.
func localeOf(known contract.Known) campus.Locale {
	if known.Subject.Locale == "" {
		return campus.French
	}
	return known.Subject.Locale
}

// Write writes a copy for somebody at once, as the command line does.
func (a *Archives) Write(ctx context.Context, to io.Writer, who contract.Known) error {
	return a.pack(ctx, to, Copy{Person: who.ID}, who)
}

// progress notes how far the copy is. It fails when somebody stopped it.
func (a *Archives) progress(ctx context.Context, export string, done, total int, room string) error {
	if export == "" { // nobody waits for it on a page
		return nil
	}
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).MoveExport(ctx, sqlgen.MoveExportParams{ID: export, Done: int64(done), Total: int64(total), Room: room})
		if err != nil {
			return fmt.Errorf("note the progress of a copy: %w", err)
		}
		if n == 0 {
			return Gone
		}
		return nil
	})
}

// dropOld deletes copies whose time is over, says of those that a day did not finish that
// they failed, and forgets about those of a year ago.
func (a *Archives) dropOld(ctx context.Context) error {
	for {
		rows, err := sqlgen.New(a.DB.Read()).OldExports(ctx, a.DB.Now())
		if err != nil {
			return fmt.Errorf("list copies whose time is over: %w", err)
		}
		for _, r := range rows {
			if err := a.drop(ctx, copyOf(r), Gone.Code()); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			break
		}
	}
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		// The job of such a one gave up: the person may ask again.
		if _, err := q.FailStuck(ctx, sqlgen.FailStuckParams{AskedAt: tx.Now().Add(-24 * time.Hour), Reason: Broken.Code()}); err != nil {
			return fmt.Errorf("note copies that failed: %w", err)
		}
		_, err := q.ForgetExports(ctx, tx.Now().Add(-365*24*time.Hour))
		return err
	})
}

// sweep deletes files that no line names: the process was killed between storing
// one and noting it. Only those that had a day to be noted go.
func (a *Archives) sweep(ctx context.Context) error {
	var ours []files.Ref
	err := a.Files.Walk(ctx, func(ref files.Ref, meta files.Meta) error {
		if strings.HasPrefix(meta.Name, fileName) {
			ours = append(ours, ref)
		}
		return nil
	})
	if err != nil {
		return err
	}
	named, err := sqlgen.New(a.DB.Read()).ExportFiles(ctx)
	if err != nil {
		return fmt.Errorf("list the files of copies: %w", err)
	}
	known := map[files.Ref]bool{}
	for _, ref := range named {
		known[files.Ref(ref)] = true
	}
	for _, ref := range ours {
		if known[ref] {
			continue
		}
		meta, err := a.about(ctx, ref)
		if errors.Is(err, files.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		export := strings.TrimSuffix(strings.TrimPrefix(meta.Name, fileName), ".zip")
		row, err := sqlgen.New(a.DB.Read()).Export(ctx, export)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read about a copy: %w", err)
		}
		if err == nil && copyOf(row).UnderWay() { // it may be about to be noted
			continue
		}
		if err := a.Files.Delete(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

// about reads the name of a stored file.
func (a *Archives) about(ctx context.Context, ref files.Ref) (files.Meta, error) {
	f, meta, err := a.Files.Open(ctx, ref)
	if err != nil {
		return meta, err
	}
	return meta, f.Close()
}
