package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// An archive is a gzipped tar file:
//
//	database.sqlite   a consistent copy, taken while people work (SQLite only)
//	files/…           the file store; files never change once written, so copying
//	                  them after the database loses nothing that it names
//	amphi.key         only with --with-key
//	manifest.json     last: what the archive holds, with checksums
type manifest struct {
	Version string            `json:"version"`
	Made    time.Time         `json:"made"`
	SHA256  map[string]string `json:"sha256"` // by name in the archive
}

const (
	databaseEntry = "database.sqlite"
	filesEntry    = "files/"
	keyEntry      = "amphi.key"
	manifestEntry = "manifest.json"
)

type backupCommand struct {
	configured
	To      string `arg:"" help:"Archive to write, such as amphi-2026-11-22.tar.gz. It must not exist." type:"path"`
	WithKey bool   `help:"Also put in the key that opens sealed values. Keep such an archive as safe as the key itself."`
}

func (c backupCommand) Run(t *terminal) (err error) {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	// A half-written archive never carries the final name.
	unfinished := c.To + ".unfinished"
	if _, err := os.Lstat(c.To); err == nil {
		return fmt.Errorf("%s exists already; choose another name", c.To)
	}
	// What a killed backup left, or a neighbour in /tmp prepared, must not be
	// written into: its rights and its readers would stay.
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clear the way for the archive: %w", err)
	}
	out, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(unfinished) // the error that counts is the first
		}
	}()
	names, err := writeArchive(t, cfg, c.WithKey, out)
	if err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if err := os.Rename(unfinished, c.To); err != nil {
		return fmt.Errorf("name the archive: %w", err)
	}
	t.say("%s holds %d entries.", c.To, names)
	if !cfg.usesSQLite() {
		t.say("The database is PostgreSQL: copy it with pg_dump; this archive holds the files.")
	}
	if !c.WithKey {
		t.say("The key %s is not in it: keep a copy of it in another place.", cfg.keyFile())
	}
	return nil
}

func writeArchive(ctx context.Context, cfg Config, withKey bool, w io.Writer) (int, error) {
	zip := gzip.NewWriter(w)
	a := &archiveWriter{tar: tar.NewWriter(zip), manifest: manifest{Version: version(), Made: time.Now().UTC(), SHA256: map[string]string{}}}
	if cfg.usesSQLite() {
		if err := a.addDatabase(ctx, cfg); err != nil {
			return 0, err
		}
	}
	root := cfg.filesDir()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == root {
			return filepath.SkipAll // no file was ever stored
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		err = a.add(filesEntry+filepath.ToSlash(relative), name)
		if errors.Is(err, fs.ErrNotExist) { // deleted since the folder was read
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("copy the files: %w", err)
	}
	if withKey {
		if err := a.add(keyEntry, cfg.keyFile()); err != nil {
			return 0, err
		}
	}
	text, err := json.MarshalIndent(a.manifest, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("write the manifest: %w", err)
	}
	if err := a.tar.WriteHeader(&tar.Header{Name: manifestEntry, Mode: 0o600, Size: int64(len(text)), ModTime: a.manifest.Made}); err != nil {
		return 0, fmt.Errorf("write the manifest: %w", err)
	}
	if _, err := a.tar.Write(text); err != nil {
		return 0, fmt.Errorf("write the manifest: %w", err)
	}
	if err := errors.Join(a.tar.Close(), zip.Close()); err != nil {
		return 0, fmt.Errorf("finish the archive: %w", err)
	}
	return len(a.manifest.SHA256), nil
}

type archiveWriter struct {
	tar      *tar.Writer
	manifest manifest
}

// add copies one file of the disk into the archive.
func (a *archiveWriter) add(name, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(a.tar, sum), f); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	a.manifest.SHA256[name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (a *archiveWriter) addDatabase(ctx context.Context, cfg Config) error {
	if _, err := os.Stat(cfg.sqliteFile()); err != nil {
		return fmt.Errorf("there is no database to copy: %w", err)
	}
	d, err := db.Open(ctx, db.Config{DSN: cfg.dsn(), Log: quiet()})
	if err != nil {
		return err
	}
	defer d.Close()
	folder, err := os.MkdirTemp(cfg.Server.DataDir, "backup-")
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer os.RemoveAll(folder)
	copied := filepath.Join(folder, databaseEntry)
	if err := d.Backup(ctx, copied); err != nil {
		return err
	}
	return a.add(databaseEntry, copied)
}

type restoreCommand struct {
	configured
	From string `arg:"" help:"Archive written by amphi backup." type:"existingfile"`
}

// Run unpacks into a folder beside the data, checks every entry against the
// manifest, and only then puts things in their places.
func (c restoreCommand) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	targets := map[string]string{databaseEntry: cfg.sqliteFile(), strings.TrimSuffix(filesEntry, "/"): cfg.filesDir(), keyEntry: cfg.keyFile()}
	if err := cfg.makeDataDir(); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(cfg.Server.DataDir, "restore-")
	if err != nil {
		return fmt.Errorf("make room for the archive: %w", err)
	}
	defer os.RemoveAll(folder)
	m, err := unpack(c.From, folder)
	if err != nil {
		return err
	}
	// Nothing is overwritten: whoever restores by mistake loses nothing.
	for entry, target := range targets {
		if _, err := os.Lstat(filepath.Join(folder, entry)); err != nil {
			delete(targets, entry)
		} else if _, err := os.Lstat(target); err == nil {
			return fmt.Errorf("%s exists: stop the workspace and move it away first", target)
		}
	}
	for entry, target := range targets {
		if err := os.Rename(filepath.Join(folder, entry), target); err != nil {
			return fmt.Errorf("put %s in its place: %w", target, err)
		}
	}
	t.say("Restored %d entries of %s, made by version %s.", len(m.SHA256), m.Made.Format(time.RFC3339), m.Version)
	if _, err := os.Lstat(cfg.keyFile()); err != nil {
		t.say("The key was not in the archive: put your copy at %s before you start the workspace.", cfg.keyFile())
	}
	return nil
}

// unpack writes the entries of an archive below folder and checks them against
// its manifest.
func unpack(archive, folder string) (m manifest, err error) {
	f, err := os.Open(archive)
	if err != nil {
		return m, fmt.Errorf("open the archive: %w", err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		return m, fmt.Errorf("%s is not an archive of amphi backup: %w", archive, err)
	}
	sums := map[string]string{}
	r := tar.NewReader(zip)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, fmt.Errorf("read the archive: %w", err)
		}
		if header.Name == manifestEntry {
			if err := json.NewDecoder(r).Decode(&m); err != nil {
				return m, fmt.Errorf("read the manifest: %w", err)
			}
			continue
		}
		if header.Typeflag != tar.TypeReg || !known(header.Name) {
			return m, fmt.Errorf("the archive holds %q, which no backup writes; nothing was changed", header.Name)
		}
		sum, err := unpackEntry(r, filepath.Join(folder, filepath.FromSlash(header.Name)))
		if err != nil {
			return m, err
		}
		sums[header.Name] = sum
	}
	if m.SHA256 == nil {
		return m, errors.New("the archive has no manifest: it was cut short; nothing was changed")
	}
	for name, want := range m.SHA256 {
		if sums[name] != want {
			return m, fmt.Errorf("%s is damaged or missing in the archive; nothing was changed", name)
		}
	}
	for name := range sums {
		if _, named := m.SHA256[name]; !named {
			return m, fmt.Errorf("%s was added to the archive: its manifest does not name it; nothing was changed", name)
		}
	}
	return m, nil
}

// known reports whether a backup could have written this name; it keeps entries
// such as ../../etc/passwd from leaving the folder.
func known(name string) bool {
	if name != path.Clean(name) || strings.Contains(name, "\\") {
		return false
	}
	return name == databaseEntry || name == keyEntry || strings.HasPrefix(name, filesEntry)
}

func unpackEntry(r io.Reader, target string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("unpack: %w", err)
	}
	var h hash.Hash = sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("unpack %s: %w", target, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
