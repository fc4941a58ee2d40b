package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var (
	// BodyTooLarge: more was sent than the page takes.
	BodyTooLarge = fault.Declare(fault.TooLarge, "platform.body_too_large")
	// FormMalformed: the form cannot be read.
	FormMalformed = fault.Declare(fault.Malformed, "platform.form_malformed")
	// TextMalformed: the form holds bytes that are not text.
	TextMalformed = fault.Declare(fault.Malformed, "platform.text_malformed")
)

var errBodyLimit = errors.New("body limit reached")

// countingBody stops reading at the limit of the route and can swallow the rest
// of a body, so that the browser reads our answer instead of a reset connection.
type countingBody struct {
	io.ReadCloser
	left    int64
	limit   int64
	blocked bool
}

func newCountingBody(body io.ReadCloser, limit int64) *countingBody {
	return &countingBody{ReadCloser: body, left: limit, limit: limit}
}

func (b *countingBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		b.blocked = true
		return 0, errBodyLimit
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		b.blocked = true
		return n - 1, errBodyLimit
	}
	return n, err
}

// drainLimit and drainTime bound what is read from a client whose body is not
// wanted any more.
const (
	drainLimit = 32 << 20
	drainTime  = 5 * time.Second
)

func (b *countingBody) drain(w http.ResponseWriter) {
	if !b.blocked {
		return
	}
	c := http.NewResponseController(w)
	if err := c.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
		return // not a real connection
	}
	io.CopyN(io.Discard, b.ReadCloser, drainLimit) // as much as comes; the answer follows either way
}

// Form reads the fields of a posted form. Fields are valid UTF-8 without NUL;
// anything else is a fault, as is a body above the route's limit. Files of a
// multipart form stay in r.MultipartForm.
func Form(r *http.Request) (url.Values, error) {
	body, _ := r.Body.(*countingBody)
	var err error
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "multipart/form-data" {
		err = r.ParseMultipartForm(1 << 20)
		stateOf(r.Context()).form = r.MultipartForm
	} else {
		err = r.ParseForm()
	}
	if body != nil && body.blocked {
		return nil, BodyTooLarge.With(fault.Args{"limit": i18n.Bytes(body.limit)})
	}
	if err != nil {
		return nil, FormMalformed.From(err)
	}
	for name, values := range r.PostForm {
		for _, v := range append(values, name) {
			if !isText(v) {
				return nil, TextMalformed
			}
		}
	}
	return r.PostForm, nil
}

// isText reports whether every database takes it: UTF-8 without NUL.
func isText(of string) bool { return utf8.ValidString(of) && !strings.ContainsRune(of, 0) }

// Problem is one thing to mend in a form.
type Problem struct {
	Field string // name of the field; empty for the form as a whole
	Key   string // key of its sentence
	Pairs []any  // facts for the sentence
}

// Problems are all the things to mend in a form, in the order of its fields.
type Problems []Problem

// Any reports whether there is something to mend.
func (p Problems) Any() bool { return len(p) > 0 }

// Add notes one more problem.
func (p *Problems) Add(field, key string, pairs ...any) {
	*p = append(*p, Problem{Field: field, Key: key, Pairs: pairs})
}

// Of returns the first problem of a field.
func (p Problems) Of(field string) (Problem, bool) {
	for _, problem := range p {
		if problem.Field == field {
			return problem, true
		}
	}
	return Problem{}, false
}
