package news

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// pictureWidth is twice what the widest column shows, for fine screens.
	pictureWidth = 1600
	// picturePixels bounds the memory of one upload while it is drawn again:
	// about 160 MB at four bytes a pixel, for a picture of a good camera.
	picturePixels = 40_000_000
	// unusedFor is how long an uploaded picture waits for its article to be kept.
	unusedFor = 24 * time.Hour
)

// AddPicture keeps a picture for an article that is being written.
func (d *Desk) AddPicture(ctx context.Context, v campus.Viewer, r io.Reader, name string) (Picture, error) {
	if !v.Can(campus.RightNews) {
		return Picture{}, PublishersOnly
	}
	return d.ImportPicture(ctx, v.Person, r, name)
}

// ImportPicture is [Desk.AddPicture] for callers that answer for the right to.
func (d *Desk) ImportPicture(ctx context.Context, by campus.PersonID, r io.Reader, name string) (Picture, error) {
	ref, image, err := files.PutPicture(ctx, d.Files, files.Limit(r, d.MaxPicture), name, picturePixels, pictureWidth)
	if err != nil {
		return Picture{}, err
	}
	p := Picture{ID: id.New(), Width: image.Width, Height: image.Height}
	err = d.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).AddPicture(ctx, sqlgen.AddPictureParams{
			ID: p.ID, FileRef: string(ref), Width: int64(p.Width), Height: int64(p.Height), CreatedAt: tx.Now(), CreatedBy: string(by),
		})
	})
	if err != nil {
		return Picture{}, errors.Join(fmt.Errorf("keep a picture: %w", err), d.Files.Delete(ctx, ref))
	}
	return p, nil
}

// PictureFile is where the bytes of a picture are, for somebody who may see it:
// a reader of its article, or a publisher.
func (d *Desk) PictureFile(ctx context.Context, v campus.Viewer, picture string) (files.Ref, error) {
	if !idShape.MatchString(picture) {
		return "", PictureMissing
	}
	if !v.Can(campus.RightNews) {
		lines, err := d.Headlines(ctx, v)
		if err != nil {
			return "", err
		}
		seen := false
		for _, h := range lines {
			seen = seen || h.Picture.ID == picture
		}
		if !seen {
			return "", PictureMissing
		}
	}
	row, err := sqlgen.New(d.DB.Read()).Picture(ctx, picture)
	if errors.Is(err, sql.ErrNoRows) {
		return "", PictureMissing
	}
	if err != nil {
		return "", fmt.Errorf("read picture %s: %w", picture, err)
	}
	return files.Ref(row.FileRef), nil
}

// KnownPicture is a picture that a publisher's form names, or none.
func (d *Desk) KnownPicture(ctx context.Context, v campus.Viewer, picture string) (Picture, error) {
	if !v.Can(campus.RightNews) {
		return Picture{}, PublishersOnly
	}
	if !idShape.MatchString(picture) {
		return Picture{}, nil
	}
	row, err := sqlgen.New(d.DB.Read()).Picture(ctx, picture)
	if errors.Is(err, sql.ErrNoRows) {
		return Picture{}, nil // swept meanwhile: the form shows that there is none
	}
	if err != nil {
		return Picture{}, fmt.Errorf("read picture %s: %w", picture, err)
	}
	return Picture{ID: row.ID, Width: int(row.Width), Height: int(row.Height)}, nil
}

// DropPictures deletes the pictures that no article shows. The row goes first:
// killed in between, a file stays behind, which no page can reach.
func (d *Desk) DropPictures(ctx context.Context) error {
	rows, err := sqlgen.New(d.DB.Read()).UnusedPictures(ctx, db.At(d.Clock.Now().Add(-unusedFor)))
	if err != nil {
		return fmt.Errorf("list unused pictures: %w", err)
	}
	for _, row := range rows {
		var gone int64
		err := d.DB.InTx(ctx, func(tx db.Tx) (err error) {
			gone, err = sqlgen.New(tx).DeletePicture(ctx, row.ID)
			return err
		})
		if err != nil {
			return fmt.Errorf("drop picture %s: %w", row.ID, err)
		}
		if gone == 0 {
			continue // an article took it meanwhile
		}
		if err := d.Files.Delete(ctx, files.Ref(row.FileRef)); err != nil {
			return fmt.Errorf("drop the file of picture %s: %w", row.ID, err)
		}
	}
	return nil
}
