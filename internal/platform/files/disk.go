package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// On disk:
//
//	ab/abcd…(64)/content         the bytes, once per content
//	ab/abcd…(64)/<own>.json      one Meta per Ref
//	incoming/*                   files being received
//
// A file gets its final name only when it is whole and synced. Killed at any point, the store holds
// either the whole file or none; what may stay behind (in incoming, or a content without a Meta)
// is removed by Sweep.

const (
	contentName   = "content"
	incomingName  = "incoming"
	metaEnding    = ".json"
	maxMeta       = 64 << 10
	locks         = 64
	noOwn         = "0000000000000000"
	leftoverAfter = 24 * time.Hour
)

// DiskStore is a Store in one folder, written by one process at a time.
type DiskStore struct {
	root string
	max  int64
	// lock keeps a Put and a Delete of the same content apart; one of 64, by the sum's beginning.
	lock [locks]sync.Mutex
}

var _ Store = (*DiskStore)(nil)

// Disk opens the store in dir and makes the folder when it is absent. No file may be larger than
// max bytes; a smaller limit for one upload is set with Limit.
func Disk(dir string, max int64) (*DiskStore, error) {
	if max <= 0 {
		return nil, fmt.Errorf("files: the size limit must be positive, not %d", max)
	}
	if err := os.MkdirAll(filepath.Join(dir, incomingName), 0o700); err != nil {
		return nil, fmt.Errorf("make the files folder: %w", err)
	}
	return &DiskStore{root: dir, max: max}, nil
}

// Put implements Store.
func (d *DiskStore) Put(ctx context.Context, r io.Reader, meta Meta) (Ref, error) {
	meta.Name = cleanName(meta.Name)
	received, err := d.receive(ctx, r)
	if err != nil {
		return "", err
	}
	meta.Size, meta.MediaType = received.size, MediaType(received.first, meta.Name)
	ref := newRef(received.sum)
	if err := d.settle(received, ref, meta); err != nil {
		return "", errors.Join(fmt.Errorf("store a file: %w", err), dropped(received.path))
	}
	return ref, nil
}

// PutAs stores a file under a Ref it had before, for a restore. Content that does not fit the Ref
// is refused as Damaged.
func (d *DiskStore) PutAs(ctx context.Context, ref Ref, r io.Reader, meta Meta) error {
	if !ref.Valid() {
		return NotFound
	}
	meta.Name = cleanName(meta.Name)
	received, err := d.receive(ctx, r)
	if err != nil {
		return err
	}
	if received.sum != ref.Sum() {
		return errors.Join(Damaged.With(fault.Args{"ref": string(ref)}), dropped(received.path))
	}
	meta.Size = received.size
	if err := d.settle(received, ref, meta); err != nil {
		return errors.Join(fmt.Errorf("restore file %s: %w", ref, err), dropped(received.path))
	}
	return nil
}

// Open implements Store.
func (d *DiskStore) Open(ctx context.Context, ref Ref) (io.ReadSeekCloser, Meta, error) {
	if err := ctx.Err(); err != nil {
		return nil, Meta{}, err
	}
	if !ref.Valid() {
		return nil, Meta{}, NotFound
	}
	meta, err := d.meta(ref)
	if err != nil {
		return nil, Meta{}, err
	}
	content, err := os.Open(d.contentPath(ref.Sum()))
	if err != nil {
		return nil, Meta{}, lost(ref, err)
	}
	info, err := content.Stat()
	if err != nil || info.Size() != meta.Size {
		return nil, Meta{}, errors.Join(Damaged.With(fault.Args{"ref": string(ref)}), err, content.Close())
	}
	return content, meta, nil
}

// Delete implements Store. The Meta goes first: killed in between, the Ref is gone and Sweep
// removes the content later.
func (d *DiskStore) Delete(ctx context.Context, ref Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !ref.Valid() {
		return nil
	}
	defer d.hold(ref.Sum())()
	if err := dropped(d.metaPath(ref)); err != nil {
		return fmt.Errorf("delete file %s: %w", ref, err)
	}
	if err := d.dropUnused(ref.Sum()); err != nil {
		return fmt.Errorf("delete file %s: %w", ref, err)
	}
	return nil
}

// Walk implements Store, in the order of the Refs.
func (d *DiskStore) Walk(ctx context.Context, visit func(Ref, Meta) error) error {
	return d.contents(func(sum string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		refs, err := d.refs(sum)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			meta, err := d.meta(ref)
			if errors.Is(err, NotFound) {
				continue // deleted since its folder was read
			}
			if err != nil {
				return err
			}
			if err := visit(ref, meta); err != nil {
				return err
			}
		}
		return nil
	})
}

// Check reads a whole file and answers Damaged when it is not what was stored.
func (d *DiskStore) Check(ctx context.Context, ref Ref) error {
	content, _, err := d.Open(ctx, ref)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, withContext(ctx, content))
	if err := errors.Join(err, content.Close()); err != nil {
		return fmt.Errorf("check file %s: %w", ref, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != ref.Sum() {
		return Damaged.With(fault.Args{"ref": string(ref)})
	}
	return nil
}

// Sweep removes what a killed process left behind more than a day before now: half received files
// and content that no Meta names. It answers how many files it removed.
func (d *DiskStore) Sweep(ctx context.Context, now time.Time) (int, error) {
	removed := 0
	incoming := filepath.Join(d.root, incomingName)
	entries, err := os.ReadDir(incoming)
	if err != nil {
		return 0, fmt.Errorf("sweep the files folder: %w", err)
	}
	for _, entry := range entries {
		old, err := olderThan(filepath.Join(incoming, entry.Name()), now)
		if err != nil {
			return removed, err
		}
		if old {
			if err := dropped(filepath.Join(incoming, entry.Name())); err != nil {
				return removed, fmt.Errorf("sweep the files folder: %w", err)
			}
			removed++
		}
	}
	err = d.contents(func(sum string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		defer d.hold(sum)()
		refs, err := d.refs(sum)
		if err != nil || len(refs) > 0 {
			return err
		}
		old, err := olderThan(d.contentPath(sum), now)
		if err != nil || !old {
			return err
		}
		removed++
		return d.dropUnused(sum)
	})
	return removed, err
}

type received struct {
	path  string
	sum   string
	size  int64
	first []byte
}

// receive writes r to a file in incoming and syncs it. On failure it leaves nothing.
func (d *DiskStore) receive(ctx context.Context, r io.Reader) (_ received, err error) {
	file, err := os.CreateTemp(filepath.Join(d.root, incomingName), "*")
	if err != nil {
		return received{}, fmt.Errorf("receive a file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dropped(file.Name()))
		}
	}()
	sum := sha256.New()
	var first firstBytes
	size, err := io.Copy(io.MultiWriter(file, sum, &first), withContext(ctx, Limit(r, d.max)))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return received{}, fmt.Errorf("receive a file: %w", err)
	}
	return received{path: file.Name(), sum: hex.EncodeToString(sum.Sum(nil)), size: size, first: first.bytes}, nil
}

// settle gives a received file its final name, then its Meta.
func (d *DiskStore) settle(got received, ref Ref, meta Meta) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	defer d.hold(got.sum)()
	folder := d.folder(got.sum)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	content := d.contentPath(got.sum)
	if info, err := os.Stat(content); err == nil && info.Size() == got.size {
		if err := os.Remove(got.path); err != nil {
			return err
		}
	} else if err := os.Rename(got.path, content); err != nil { // also heals a content cut by a bad disk
		return err
	}
	if err := d.writeMeta(ref, text); err != nil {
		return err
	}
	// The new names must survive a power cut as well as the bytes.
	return errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)), syncFolder(d.root))
}

func (d *DiskStore) writeMeta(ref Ref, text []byte) error {
	file, err := os.CreateTemp(filepath.Join(d.root, incomingName), "*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), d.metaPath(ref))
	}
	if err != nil {
		return errors.Join(err, dropped(file.Name()))
	}
	return nil
}

func (d *DiskStore) meta(ref Ref) (Meta, error) {
	file, err := os.Open(d.metaPath(ref))
	if err != nil {
		return Meta{}, lost(ref, err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxMeta))
	if err := errors.Join(err, file.Close()); err != nil {
		return Meta{}, fmt.Errorf("read about file %s: %w", ref, err)
	}
	var meta Meta
	if err := json.Unmarshal(text, &meta); err != nil {
		return Meta{}, Damaged.From(fmt.Errorf("read about file %s: %w", ref, err))
	}
	return meta, nil
}

// dropUnused removes a content that no Meta names. The caller holds its lock.
func (d *DiskStore) dropUnused(sum string) error {
	refs, err := d.refs(sum)
	if err != nil || len(refs) > 0 {
		return err
	}
	if err := dropped(d.contentPath(sum)); err != nil {
		return err
	}
	return dropped(d.folder(sum))
}

// contents visits the sum of every content folder.
func (d *DiskStore) contents(visit func(sum string) error) error {
	shelves, err := os.ReadDir(d.root)
	if err != nil {
		return fmt.Errorf("walk the files folder: %w", err)
	}
	for _, shelf := range shelves {
		if !shelf.IsDir() || len(shelf.Name()) != 2 {
			continue
		}
		folders, err := os.ReadDir(filepath.Join(d.root, shelf.Name()))
		if err != nil {
			return fmt.Errorf("walk the files folder: %w", err)
		}
		for _, folder := range folders {
			if !Ref(folder.Name() + "-" + noOwn).Valid() {
				continue // not ours
			}
			if err := visit(folder.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// refs lists the Refs of one content; none when its folder is gone.
func (d *DiskStore) refs(sum string) ([]Ref, error) {
	entries, err := os.ReadDir(d.folder(sum))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("walk the files folder: %w", err)
	}
	var refs []Ref
	for _, entry := range entries {
		own, isMeta := strings.CutSuffix(entry.Name(), metaEnding)
		if ref := Ref(sum + "-" + own); isMeta && ref.Valid() {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

func (d *DiskStore) hold(sum string) (release func()) {
	lock := &d.lock[(int(sum[0])+int(sum[1]))%locks]
	lock.Lock()
	return lock.Unlock
}

func (d *DiskStore) folder(sum string) string      { return filepath.Join(d.root, sum[:2], sum) }
func (d *DiskStore) contentPath(sum string) string { return filepath.Join(d.folder(sum), contentName) }
func (d *DiskStore) metaPath(ref Ref) string {
	return filepath.Join(d.folder(ref.Sum()), ref.own()+metaEnding)
}

func lost(ref Ref, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return NotFound
	}
	return fmt.Errorf("open file %s: %w", ref, err)
}

// dropped removes a file or an empty folder; one that is gone already is fine.
func dropped(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func olderThan(name string, now time.Time) (bool, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("sweep the files folder: %w", err)
	}
	return now.Sub(info.ModTime()) > leftoverAfter, nil
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// firstBytes keeps what MediaType needs of a stream.
type firstBytes struct{ bytes []byte }

func (f *firstBytes) Write(p []byte) (int, error) {
	if missing := SniffLength - len(f.bytes); missing > 0 {
		f.bytes = append(f.bytes, p[:min(missing, len(p))]...)
	}
	return len(p), nil
}

// Limit gives what r gives, and fails with TooLarge after max bytes instead of cutting the file.
func Limit(r io.Reader, max int64) io.Reader { return &limited{r: r, left: max, max: max} }

type limited struct {
	r         io.Reader
	left, max int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one more than allowed tells "exactly max" from "too large"
	}
	n, err := l.r.Read(p)
	if int64(n) > l.left {
		return 0, TooLarge.With(fault.Args{"limit": i18n.Bytes(l.max)})
	}
	l.left -= int64(n)
	return n, err
}

// withContext stops a copy when ctx ends.
func withContext(ctx context.Context, r io.Reader) io.Reader { return &contextual{ctx, r} }

type contextual struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextual) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
