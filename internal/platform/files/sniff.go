package files

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// byEnding tells apart formats whose first bytes are alike. It only refines: a name can turn a zip
// into a word processor's file, never a page of HTML into a picture.
var byEnding = map[string]map[string]string{
	"application/zip": {
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		".odt":  "application/vnd.oasis.opendocument.text",
		".ods":  "application/vnd.oasis.opendocument.spreadsheet",
		".odp":  "application/vnd.oasis.opendocument.presentation",
		".epub": "application/epub+zip",
	},
	"text/plain": {
		".csv": "text/csv; charset=utf-8",
		".ics": "text/calendar; charset=utf-8",
		".md":  "text/markdown; charset=utf-8",
		".svg": "image/svg+xml",
	},
	"text/xml": {
		".svg": "image/svg+xml",
	},
}

// SniffLength is how many first bytes MediaType looks at.
const SniffLength = 512

// MediaType tells what a file is from its first bytes; the name's ending only refines the answer.
// What a browser claimed when it sent the file plays no part.
func MediaType(first []byte, name string) string {
	found := http.DetectContentType(first)
	plain, _, err := mime.ParseMediaType(found)
	if err != nil {
		return "application/octet-stream"
	}
	if better, ok := byEnding[plain][strings.ToLower(path.Ext(name))]; ok {
		return better
	}
	return found
}
