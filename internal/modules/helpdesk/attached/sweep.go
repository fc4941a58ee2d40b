package attached

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// uploadWaits is how long a file waits for the message that names it.
const uploadWaits = 24 * time.Hour

// dropFile deletes a file that nothing names any more.
type dropFile struct{ Ref string }

// JobName is "helpdesk.drop_file".
func (dropFile) JobName() string { return "helpdesk.drop_file" }

// Jobs registers the deletion of files, and the daily search for those that no
// message came to name.
func (a *Attached) Jobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, j dropFile) error { return a.drop(ctx, files.Ref(j.Ref)) }, jobs.Policy{})
	r.Every("helpdesk.sweep_files", uploadWaits, a.sweep)
}

// LetGo deletes a file after the transaction that took its last name away.
func (a *Attached) LetGo(ctx context.Context, tx db.Tx, ref string) error {
	return jobs.Enqueue(ctx, tx, dropFile{Ref: ref})
}

// drop deletes a file unless a message names it, and forgets that it waited.
func (a *Attached) drop(ctx context.Context, ref files.Ref) error {
	used, err := sqlgen.New(a.DB.Read()).FileUses(ctx, string(ref))
	if err != nil {
		return fmt.Errorf("look who names a file: %w", err)
	}
	if used == 0 {
		if err := a.Files.Delete(ctx, ref); err != nil && !errors.Is(err, files.NotFound) {
			return fmt.Errorf("delete a file: %w", err)
		}
	}
	return a.DB.InTx(ctx, func(tx db.Tx) error { return sqlgen.New(tx).ForgetUpload(ctx, string(ref)) })
}

// sweep goes through the files that waited for a day.
func (a *Attached) sweep(ctx context.Context) error {
	for {
		var old []string
		if err := a.DB.InTx(ctx, func(tx db.Tx) (err error) {
			old, err = sqlgen.New(tx).OldUploads(ctx, tx.Now().Add(-uploadWaits))
			return err
		}); err != nil {
			return fmt.Errorf("find files that nothing names: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		for _, ref := range old {
			if err := a.drop(ctx, files.Ref(ref)); err != nil {
				return err
			}
		}
	}
}

// Erase implements contract.Eraser: the files beside somebody's tickets go before the
// rows that name them.
func (a *Attached) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	var count int64
	for after := ""; ; {
		refs, err := sqlgen.New(a.DB.Read()).FilesOfPerson(ctx, sqlgen.FilesOfPersonParams{RequesterID: string(who.ID), Mail: who.Mail, AfterRef: after})
		if err != nil {
			return nil, fmt.Errorf("list the files of a person: %w", err)
		}
		for _, ref := range refs {
			if err := a.Files.Delete(ctx, files.Ref(ref)); err != nil && !errors.Is(err, files.NotFound) {
				return nil, fmt.Errorf("erase a file: %w", err)
			}
			after = ref
			count++
		}
		if len(refs) == 0 {
			break
		}
	}
	waited, err := a.eraseTrays(ctx, string(who.ID))
	if err != nil {
		return nil, err
	}
	var erased []contract.Erased
	for table, rows := range map[string]int64{"helpdesk_attachments": count, "helpdesk_uploads": waited} {
		if rows > 0 {
			erased = append(erased, contract.Erased{Table: table, Fate: contract.Deleted, Rows: rows})
		}
	}
	return erased, nil
}

// eraseTrays deletes the files that wait for somebody's next try, and says how many.
func (a *Attached) eraseTrays(ctx context.Context, who string) (count int64, err error) {
	for after := ""; ; {
		rows, err := sqlgen.New(a.DB.Read()).FilesWaitingFor(ctx, sqlgen.FilesWaitingForParams{OwnerID: who, AfterRef: after})
		if err != nil {
			return count, fmt.Errorf("list the files that wait for a person: %w", err)
		}
		if len(rows) == 0 {
			return count, nil
		}
		for _, row := range rows {
			if err := a.drop(ctx, files.Ref(row.FileRef)); err != nil {
				return count, err
			}
			after = row.FileRef
			count++
		}
	}
}
