package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed css/*.css js/*.js fonts/*.woff2 images/*
var sources embed.FS

// assetsPath is where the assets live; their names carry a hash of what they
// hold, so that browsers may keep them for ever.
const assetsPath = "/assets/"

// asset is one file as it is served.
type asset struct {
	url, kind     string
	plain, zipped []byte // zipped is nil where it would not be smaller
	etag          string
}

// layers is the order of the stylesheet's layers, and of the files in it: the
// base files first, then one file per component.
var (
	layers   = "@layer reset, tokens, base, layout, components, pages, utilities, print;\n"
	baseCSS  = []string{"fonts.css", "reset.css", "tokens.css", "base.css", "layout.css"}
	finalCSS = []string{"utilities.css", "print.css"}
)

// kinds are the media types by extension; the host's own tables may lack some.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".woff2": "font/woff2", ".svg": "image/svg+xml", ".png": "image/png",
	".webmanifest": "application/manifest+json",
}

// store holds the assets by their plain name and by their address.
type store struct {
	byName, byURL map[string]*asset
	// fingerprint changes with any asset; a page swapped in by htmx compares it,
	// so that an update of the program reaches open tabs.
	fingerprint string
}

// built is made once, when the program starts. The files are embedded, so a
// failure is a mistake in the source.
var built = build()

// Asset returns the address of an asset by its plain name, such as "amphi.css".
// An unknown name stops the program: names are constants in the source.
func Asset(name string) string {
	a, ok := built.byName[name]
	if !ok {
		panic("ui: there is no asset " + strconv.Quote(name))
	}
	return a.url
}

// Assets serves everything under /assets/.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := built.byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", a.etag)
		h.Set("Vary", "Accept-Encoding")
		if r.Header.Get("If-None-Match") == a.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		body := a.plain
		if a.zipped != nil && acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = a.zipped
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method != http.MethodHead {
			w.Write(body) // a client that went away is no failure of ours
		}
	})
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && !strings.HasPrefix(strings.ReplaceAll(weight, " ", ""), "q=0") {
			return true
		}
	}
	return false
}

func build() *store {
	s := &store{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	for _, dir := range []string{"fonts", "images"} {
		for _, name := range list(dir) {
			s.add(name, s.link(dir+"/"+name))
		}
	}
	s.add("amphi.css", s.stylesheet())
	s.add("htmx.js", read("js/htmx.min.js"))
	s.add("amphi.js", script())
	// Last, because it names the others.
	s.add("amphi.webmanifest", []byte(`{"name":"Amphi","short_name":"Amphi","start_url":"/","display":"minimal-ui","background_color":"#faf9f6","theme_color":"#1d4791","icons":[`+
		`{"src":"`+s.byName["icon.svg"].url+`","sizes":"any","type":"image/svg+xml"},`+
		`{"src":"`+s.byName["touch-icon.png"].url+`","sizes":"180x180","type":"image/png"}]}`))
	s.fingerprint = hash([]byte(s.byName["amphi.css"].url + s.byName["amphi.js"].url + s.byName["htmx.js"].url))
	return s
}

// add keeps a file under a name that carries its hash.
func (s *store) add(name string, body []byte) {
	ext := path.Ext(name)
	sum := hash(body)
	a := &asset{
		url:   assetsPath + strings.TrimSuffix(name, ext) + "-" + sum + ext,
		kind:  kinds[ext],
		plain: body, zipped: zip(body), etag: `"` + sum + `"`,
	}
	s.byName[name], s.byURL[a.url] = a, a
}

// stylesheet joins the files of css/ in the order of the layers.
func (s *store) stylesheet() []byte {
	names := list("css")
	fixed := map[string]bool{}
	for _, name := range append(baseCSS, finalCSS...) {
		fixed[name] = true
	}
	ordered := append([]string{}, baseCSS...)
	for _, name := range names {
		if !fixed[name] {
			ordered = append(ordered, name)
		}
	}
	var b bytes.Buffer
	b.WriteString(layers)
	for _, name := range append(ordered, finalCSS...) {
		b.Write(tighten(s.link("css/" + name)))
	}
	return b.Bytes()
}

// reference is asset("name") in a source file.
var reference = regexp.MustCompile(`asset\("([^"]+)"\)`)

// link reads a file and puts the addresses of other assets in their places.
func (s *store) link(file string) []byte {
	body := read(file)
	if path.Ext(file) != ".css" {
		return body
	}
	return reference.ReplaceAllFunc(body, func(m []byte) []byte {
		return []byte(`url("` + s.byName[string(reference.FindSubmatch(m)[1])].url + `")`)
	})
}

// script joins our own scripts into one module, each in a block of its own.
func script() []byte {
	var b bytes.Buffer
	for _, name := range list("js") {
		if name != "htmx.min.js" {
			fmt.Fprintf(&b, "// %s\n{\n%s}\n", name, read("js/"+name))
		}
	}
	return b.Bytes()
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssSpace   = regexp.MustCompile(`\s+`)
)

// tighten drops comments and folds white space. More is not worth a parser:
// gzip does the rest.
func tighten(css []byte) []byte {
	css = cssComment.ReplaceAll(css, nil)
	css = cssSpace.ReplaceAll(bytes.TrimSpace(css), []byte(" "))
	return append(css, '\n')
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("ui: compress an asset: " + err.Error()) // a buffer takes everything
	}
	if b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// hash is short enough to read and long enough never to meet twice.
func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:6])
}

func read(file string) []byte {
	body, err := sources.ReadFile(file)
	if err != nil {
		panic("ui: " + err.Error())
	}
	return body
}

// list names the files of a folder, in order.
func list(dir string) []string {
	entries, err := fs.ReadDir(sources, dir)
	if err != nil {
		panic("ui: " + err.Error())
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}
