// Package files keeps uploaded and generated files outside the database, behind an interface that
// a disk implements today and an object store may implement later.
package files

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Locales holds the sentences of this package's reasons.
//
//go:embed locales/*.toml
var Locales embed.FS

var (
	// NotFound: the store has no such file.
	NotFound = fault.Declare(fault.NotFound, "files.not_found")
	// TooLarge: the file is bigger than the place it was sent to accepts.
	TooLarge = fault.Declare(fault.TooLarge, "files.too_large")
	// Damaged: the stored bytes are not those that were stored.
	Damaged = fault.Declare(fault.Broken, "files.damaged")
	// PictureUnreadable: the file is not a picture, or not in a format that we read.
	PictureUnreadable = fault.Declare(fault.Invalid, "files.picture_unreadable")
	// PictureTooLarge: the picture would take more memory than we give to one.
	PictureTooLarge = fault.Declare(fault.Invalid, "files.picture_too_large")
)

// Ref names one stored file: the SHA-256 of its content, a dash, and a part of its own. The same
// content stored twice takes its place on disk once, yet each owner deletes only their own Ref.
type Ref string

var refShape = regexp.MustCompile(`^[0-9a-f]{64}-[0-9a-f]{16}$`)

// Valid reports whether the text has the shape of a Ref. Every method of a Store checks it first,
// so a Ref that came from outside can never leave the store's folder.
func (r Ref) Valid() bool { return refShape.MatchString(string(r)) }

// Sum is the SHA-256 of the content in hexadecimal.
func (r Ref) Sum() string {
	sum, _, _ := strings.Cut(string(r), "-")
	return sum
}

func (r Ref) own() string {
	_, own, _ := strings.Cut(string(r), "-")
	return own
}

func newRef(sum string) Ref {
	own := make([]byte, 8)
	rand.Read(own) //nolint:errcheck // documented never to fail
	return Ref(sum + "-" + hex.EncodeToString(own))
}

// Meta says what a file is. Put takes the name; it finds the size and the media type itself.
type Meta struct {
	// Name is shown when the file is downloaded; it never becomes a path.
	Name string `json:"name"`
	// MediaType comes from the content, helped by the name's ending where formats share a shape.
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
}

// Store keeps files.
type Store interface {
	// Put stores what r gives. When it returns, the file survives a power cut; when it fails,
	// nothing is left under any Ref.
	Put(ctx context.Context, r io.Reader, meta Meta) (Ref, error)
	// Open reads a file back, or answers NotFound.
	Open(ctx context.Context, ref Ref) (io.ReadSeekCloser, Meta, error)
	// Delete removes a file. Deleting what is gone already is not an error.
	Delete(ctx context.Context, ref Ref) error
	// Walk visits every stored file, for a backup. Files stored meanwhile may be missed.
	Walk(ctx context.Context, visit func(Ref, Meta) error) error
}

const maxName = 200

// cleanName keeps what a download dialogue can show: one line, no folders, no control characters.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) { // a bidi mark can make exe.pdf of fdp.exe
			return -1
		}
		return r
	}, name))
	for len(name) > maxName {
		_, width := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-width]
	}
	if name == "" || name == "." || name == ".." || name == "/" {
		return "file"
	}
	return name
}
