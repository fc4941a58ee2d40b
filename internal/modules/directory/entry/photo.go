package entry

import (
	"context"
	"errors"

	"github.com/amphi-campus/amphi/internal/modules/directory/entry/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// dropPhoto deletes a photo that nothing shows any more.
type dropPhoto struct{ Ref string }

// JobName is "directory.drop_photo".
func (dropPhoto) JobName() string { return "directory.drop_photo" }

// Jobs registers the deletion of photos.
func Jobs(r *jobs.Registry, d *db.DB, store files.Store) {
	jobs.Handle(r, func(ctx context.Context, j dropPhoto) error {
		uses, err := sqlgen.New(d.Read()).PhotoUses(ctx, j.Ref)
		if err != nil || uses > 0 { // chosen again meanwhile
			return err
		}
		if err := store.Delete(ctx, files.Ref(j.Ref)); err != nil && !errors.Is(err, files.NotFound) {
			return err
		}
		return nil
	}, jobs.Policy{})
}
