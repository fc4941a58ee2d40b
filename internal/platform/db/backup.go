package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// backup copies the database with VACUUM INTO, which reads one snapshot while
// others read and write, and leaves a compact file. The name appears only when
// the copy is complete and on the disk.
func (e *sqliteEngine) backup(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("back up to %s: %w", path, os.ErrExist)
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("back up to %s: %w", path, err), os.Remove(part))
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := e.readers.ExecContext(ctx, "VACUUM INTO $1", part); err != nil {
		return err
	}
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// syncPath brings a file, or the names in a folder, to the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
