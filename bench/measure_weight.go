package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// weights are the bytes that a first visit brings over the wire, by kind.
type weights struct{ html, css, js, font, pictures int }

// measureWeight visits the sign-in page and the home page with nothing in the
// browser's cache.
func measureWeight(ctx context.Context, s *server, _ plan) ([]row, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	var rows []row
	v := newVisitor(client, s.base)
	for _, page := range []struct{ name, path string }{{"sign-in page", "/login"}, {"home page", "/"}} {
		if page.path == "/" {
			if _, err := v.signIn(ctx); err != nil {
				return rows, err
			}
		}
		w, err := weigh(ctx, v, page.path)
		if err != nil {
			return rows, err
		}
		for _, part := range []struct {
			name       string
			bytes, aim int
		}{{"HTML", w.html, 30_000}, {"CSS", w.css, 20_000}, {"JS", w.js, 25_000}, {"font", w.font, 35_000}} {
			rows = append(rows, row{
				what: fmt.Sprintf("first visit of the %s, %s", page.name, part.name), aim: fmt.Sprintf("%d kB compressed", part.aim/1000),
				figure: kilobytes(part.bytes), verdict: verdictOf(part.bytes <= part.aim),
			})
		}
		if w.pictures > 0 {
			rows = append(rows, row{what: fmt.Sprintf("first visit of the %s, pictures", page.name), figure: kilobytes(w.pictures)})
		}
	}
	return rows, nil
}

var fontURL = regexp.MustCompile(`url\(["']?([^"')]+\.woff2[^"')]*)`)

// weigh loads a page and what it refers to, each thing once.
func weigh(ctx context.Context, v *visitor, path string) (weights, error) {
	var w weights
	size, page, err := wire(ctx, v, path)
	if err != nil {
		return w, err
	}
	w.html = size
	seen := map[string]bool{}
	load := func(reference, from string, into *int) ([]byte, error) {
		address, err := resolve(from, reference)
		if err != nil || seen[address] {
			return nil, err
		}
		seen[address] = true
		size, body, err := wire(ctx, v, address)
		*into += size
		return body, err
	}
	for _, r := range references(page) {
		switch r.kind {
		case "css":
			sheet, err := load(r.address, path, &w.css)
			if err != nil {
				return w, err
			}
			for _, font := range fontURL.FindAllSubmatch(sheet, -1) {
				if _, err := load(string(font[1]), r.address, &w.font); err != nil {
					return w, err
				}
			}
		case "js":
			if _, err := load(r.address, path, &w.js); err != nil {
				return w, err
			}
		case "picture":
			if _, err := load(r.address, path, &w.pictures); err != nil {
				return w, err
			}
		}
	}
	return w, nil
}

type reference struct{ kind, address string }

// references lists what a browser loads with a page at once.
func references(page []byte) []reference {
	var found []reference
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken: // the end of the page
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
		default:
			continue
		}
		token := tokens.Token()
		attribute := map[string]string{}
		for _, a := range token.Attr {
			attribute[a.Key] = a.Val
		}
		switch {
		case token.Data == "link" && attribute["rel"] == "stylesheet":
			found = append(found, reference{"css", attribute["href"]})
		case token.Data == "script" && attribute["src"] != "":
			found = append(found, reference{"js", attribute["src"]})
		case token.Data == "img" && attribute["loading"] != "lazy" && !strings.HasPrefix(attribute["src"], "data:"):
			found = append(found, reference{"picture", attribute["src"]})
		}
	}
}

func resolve(from, to string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	target, err := base.Parse(to)
	if err != nil {
		return "", err
	}
	if target.Host != "" {
		return "", fmt.Errorf("%s loads %s from elsewhere", from, to)
	}
	return target.String(), nil
}

// wire returns how many bytes an answer has on the wire and its readable body.
func wire(ctx context.Context, v *visitor, path string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return 0, nil, err
	}
	// Asking by ourselves keeps the client from unpacking behind our back.
	request.Header.Set("Accept-Encoding", "gzip")
	for name, value := range v.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	response, err := v.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	packed, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, nil, fmt.Errorf("%s answered %d", path, response.StatusCode)
	}
	if response.Header.Get("Content-Encoding") != "gzip" {
		return len(packed), packed, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, nil, err
	}
	body, err := io.ReadAll(reader)
	return len(packed), body, err
}
