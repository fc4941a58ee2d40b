package attached

import (
	"archive/zip"
	"bytes"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// What the directory of an archive may declare. The archive is never unpacked here:
// whoever downloads it does that, so what it would do to them is what counts.
const (
	maxEntries  = 2000
	maxUnpacked = 500 << 20 // bytes
	maxRatio    = 200       // of an archive that unpacks to more than smallUnpacked
	smallUnpack = 20 << 20
)

// programs are endings that a double click runs.
var programs = []string{
	".app", ".apk", ".appx", ".bat", ".cmd", ".com", ".command", ".cpl", ".deb", ".dll", ".dmg", ".exe", ".hta", ".iso", ".jar", ".js", ".jse", ".lnk",
	".msi", ".msix", ".msp", ".pif", ".pkg", ".ps1", ".psm1", ".reg", ".rpm", ".scf", ".scr", ".sh", ".sys", ".url", ".vb", ".vbe", ".vbs", ".wsf", ".wsh", ".xpi",
}

// archives are endings of what holds other files.
var archives = []string{".zip", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".7z", ".rar", ".tar", ".cab", ".lzh", ".arj", ".z"}

// beginnings of programs, whatever they are called: Windows, Linux, macOS.
var beginnings = [][]byte{
	[]byte("MZ"), []byte("\x7fELF"), []byte("#!"),
	{0xfe, 0xed, 0xfa, 0xce}, {0xfe, 0xed, 0xfa, 0xcf}, {0xcf, 0xfa, 0xed, 0xfe}, {0xce, 0xfa, 0xed, 0xfe}, {0xca, 0xfe, 0xba, 0xbe},
	{0x4c, 0, 0, 0, 1, 0x14, 2, 0}, // a Windows link
}

// suspect says why a file is not kept; nil when nothing speaks against it.
func suspect(content []byte, name string) *fault.Reason {
	if runs(name) || slices.ContainsFunc(beginnings, func(b []byte) bool { return bytes.HasPrefix(content, b) }) {
		return Executable
	}
	if http.DetectContentType(content) == "application/zip" || ending(name) == ".zip" {
		return suspectZip(content)
	}
	return nil
}

// suspectZip reads the directory of a zip, which office documents are too.
func suspectZip(content []byte) *fault.Reason {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return Explodes // its directory cannot be read: nobody can say what it holds
	}
	if len(z.File) > maxEntries {
		return Explodes
	}
	var unpacked uint64
	for _, f := range z.File {
		if f.UncompressedSize64 > maxUnpacked {
			return Explodes
		}
		if unpacked += f.UncompressedSize64; unpacked > maxUnpacked {
			return Explodes
		}
		switch {
		case runs(f.Name):
			return Executable
		case slices.Contains(archives, ending(f.Name)):
			return Nested
		}
	}
	if unpacked > smallUnpack && unpacked/uint64(len(content)) > maxRatio {
		return Explodes
	}
	return nil
}

// runs reports whether a double click on a file of this name runs something. Windows
// leaves out dots and spaces at the end.
func runs(name string) bool { return slices.Contains(programs, ending(name)) }

func ending(name string) string {
	name = strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || !unicode.IsGraphic(r) || unicode.IsSpace(r) })
	return strings.ToLower(path.Ext(name))
}

// picture reports whether a file says that it is a picture of a kind that we draw
// again: a phone writes into them where and when they were taken.
func picture(content []byte) bool {
	return slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, http.DetectContentType(content))
}

// maxName is how much of a refused file's name is kept, in bytes.
const maxName = 200

// oneLine leaves out what a page cannot show or what turns a line round.
func oneLine(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name))
}

func cut(name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "")
	}
	if name == "" || name == "." {
		return "file"
	}
	return name
}
