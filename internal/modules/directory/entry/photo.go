package entry

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/directory/entry/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

const (
	// PhotoWidth is twice what a page shows of a photo, for fine screens.
	PhotoWidth = 384
	// PhotoPixels bounds the memory that one photo takes while it is drawn again.
	PhotoPixels = 40_000_000
	// photoWaits is how long a picture that nothing shows is kept for the plan that
	// named it: a run that was held, or a question about its record.
	photoWaits = 30 * 24 * time.Hour
)

// Photos keeps the pictures of the sources in the file store.
type Photos struct {
	DB    *db.DB
	Files files.Store
}

// Keep draws a picture of a source again and stores it under the digest of what the
// source has, for the entry that takes it. One that is there already is not drawn
// twice. It fails with [files.PictureUnreadable] or [files.PictureTooLarge].
func (p Photos) Keep(ctx context.Context, digest string, picture []byte) error {
	named := int64(0)
	err := p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		named, err = sqlgen.New(tx).NamePhoto(ctx, sqlgen.NamePhotoParams{Digest: digest, KeptAt: tx.Now()})
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a photo: %w", err)
	}
	if named > 0 {
		return nil
	}
	ref, _, err := files.PutPicture(ctx, p.Files, bytes.NewReader(picture), "photo", PhotoPixels, PhotoWidth)
	if err != nil {
		return err
	}
	kept := files.Ref("")
	err = p.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.KeepPhoto(ctx, sqlgen.KeepPhotoParams{Digest: digest, Photo: string(ref), KeptAt: tx.Now()}); err != nil {
			return err
		}
		was, err := q.PhotoOf(ctx, digest)
		kept = files.Ref(was)
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("keep a photo: %w", err), p.Files.Delete(ctx, ref))
	}
	if kept != ref { // another run was faster
		return p.Files.Delete(ctx, ref)
	}
	return nil
}

// PhotoOf is the stored picture of a digest; "" when it is not kept any more.
func PhotoOf(ctx context.Context, q db.Querier, digest string) (files.Ref, error) {
	ref, err := sqlgen.New(q).PhotoOf(ctx, digest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find a photo: %w", err)
	}
	return files.Ref(ref), nil
}

// Kept reports whether the picture of a digest is there.
func (Photos) Kept(ctx context.Context, tx db.Tx, digest string) (bool, error) {
	ref, err := PhotoOf(ctx, tx, digest)
	return ref != "", err
}

// dropPhoto deletes a photo that nothing shows any more.
type dropPhoto struct{ Ref string }

// JobName is "directory.drop_photo".
func (dropPhoto) JobName() string { return "directory.drop_photo" }

// Jobs registers the deletion of photos, and the daily search for those that no entry
// took.
func Jobs(r *jobs.Registry, d *db.DB, store files.Store) {
	p := Photos{DB: d, Files: store}
	jobs.Handle(r, func(ctx context.Context, j dropPhoto) error { return p.drop(ctx, files.Ref(j.Ref), 0) }, jobs.Policy{})
	r.Every("directory.sweep_photos", 24*time.Hour, p.sweep)
}

// drop deletes a photo that nothing shows, and that no plan has named for so long.
func (p Photos) drop(ctx context.Context, ref files.Ref, quiet time.Duration) error {
	used := false
	err := p.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		shown, err := q.PhotoUses(ctx, string(ref))
		if used = shown > 0; err != nil || used { // chosen again meanwhile
			return err
		}
		if _, err := q.ForgetPhoto(ctx, sqlgen.ForgetPhotoParams{Photo: string(ref), BeforeAt: tx.Now().Add(time.Microsecond - quiet)}); err != nil {
			return err
		}
		named, err := q.NamedPhotos(ctx, string(ref))
		used = named > 0 // a plan is about to take it
		return err
	})
	if err != nil || used {
		return err
	}
	if err := p.Files.Delete(ctx, ref); err != nil && !errors.Is(err, files.NotFound) {
		return err
	}
	return nil
}

// sweep deletes pictures that no entry took.
func (p Photos) sweep(ctx context.Context) error {
	var unused []string
	err := p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		unused, err = sqlgen.New(tx).UnusedPhotos(ctx, tx.Now().Add(-photoWaits))
		return err
	})
	if err != nil {
		return fmt.Errorf("find unused photos: %w", err)
	}
	for _, ref := range unused {
		if err := p.drop(ctx, files.Ref(ref), photoWaits); err != nil {
			return err
		}
	}
	return nil
}
