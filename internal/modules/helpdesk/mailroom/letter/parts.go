package letter

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/textproto"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/emersion/go-message"
	mimemail "github.com/emersion/go-message/mail"
	"golang.org/x/text/encoding/charmap"

	"github.com/amphi-campus/amphi/internal/campus"
)

// parts collects what a mail is made of.
type parts struct {
	letter   *Letter
	count    int
	plain    []string
	rich     []string
	enclosed *Letter // a mail inside this one
}

// take reads one part and those inside it.
func (p *parts) take(e *message.Entity, depth int) {
	if p.count++; p.count > mostParts || depth > deepest {
		p.letter.Left++
		return
	}
	kind, params, err := e.Header.ContentType()
	if err != nil {
		kind, params = "text/plain", nil
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] == "" {
		kind = "text/plain" // nothing says where its parts end
	} else if inner := e.MultipartReader(); inner != nil {
		for {
			next, err := inner.NextPart()
			if err != nil && (next == nil || !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err)) {
				if !errors.Is(err, io.EOF) {
					p.letter.Left++ // cut short, or its boundary is missing
				}
				return
			}
			if p.take(next, depth+1); p.count > mostParts {
				return
			}
		}
	}
	h := mimemail.AttachmentHeader{Header: e.Header}
	name, err := h.Filename()
	if err != nil || name == "" {
		name = params["name"]
	}
	disposition, _, _ := e.Header.ContentDisposition()
	switch {
	case kind == "message/delivery-status" && p.letter.Kind == Bounce:
		p.status(e.Body)
	case kind == "message/rfc822" && p.enclosed == nil && p.letter.Kind != Bounce && depth < deepest/2:
		data, _ := io.ReadAll(e.Body) // what could be read of it is there
		if inner, err := read(bytes.NewReader(data), int64(len(data)), depth+1); err == nil {
			p.enclosed = inner
		}
		p.file(campus.OneLine(firstOf(name, "message.eml")), kind, data, false)
	case disposition != "attachment" && name == "" && (kind == "text/plain" || kind == ""):
		p.plain = append(p.plain, p.words(e.Body))
	case disposition != "attachment" && name == "" && kind == "text/html":
		p.rich = append(p.rich, p.words(e.Body))
	default:
		data, _ := io.ReadAll(e.Body)
		p.file(campus.OneLine(firstOf(name, "file"+extensions[kind])), kind, data, disposition == "inline" || e.Header.Get("Content-Id") != "")
	}
}

// extensions name files that have no name.
var extensions = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf", "text/calendar": ".ics", "text/plain": ".txt", "text/html": ".html"}

func (p *parts) file(name, kind string, data []byte, inline bool) {
	if len(data) == 0 && !inline && kind == "" {
		return
	}
	if len(p.letter.Files) >= mostFiles {
		p.letter.Left++
		return
	}
	p.letter.Files = append(p.letter.Files, File{Name: path.Base(strings.ReplaceAll(name, `\`, "/")), MediaType: kind, Data: data, Inline: inline})
}

// words reads a text; one that is longer than people write is cut.
func (p *parts) words(r io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(r, 4*mostText)) // markup is longer than what it says
	if rest, _ := io.Copy(io.Discard, r); rest > 0 {
		p.letter.Left++
	}
	text := string(data)
	if !utf8.ValidString(text) { // an old program that does not say how it writes
		if guessed, err := charmap.Windows1252.NewDecoder().String(text); err == nil {
			text = guessed
		}
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\x00", "")
}

// text is what the mail says: its plain form, or else its rich one.
func (p *parts) text() string {
	if text := strings.TrimSpace(strings.Join(p.plain, "\n\n")); text != "" {
		return text
	}
	var all []string
	for _, page := range p.rich {
		all = append(all, plainOf(page))
	}
	return strings.TrimSpace(strings.Join(all, "\n\n"))
}

// markup turns HTML into text with the signs that people use in plain mails.
var markup = func() *converter.Converter {
	c := converter.NewConverter(converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin()), converter.WithEscapeMode(converter.EscapeModeDisabled))
	c.Register.TagType("img", converter.TagTypeRemove, converter.PriorityEarly)
	c.Register.TagType("style", converter.TagTypeRemove, converter.PriorityEarly)
	c.Register.TagType("title", converter.TagTypeRemove, converter.PriorityEarly)
	return c
}()

// plainOf is HTML as plain text. Pictures are left out: those of other sites tell
// who reads when. Quotations keep their signs.
func plainOf(page string) string {
	text, err := markup.ConvertString(page)
	if err != nil {
		return ""
	}
	return text
}

// status reads a report of delivery (RFC 3464 §2.3).
func (p *parts) status(r io.Reader) {
	fields := textproto.NewReader(bufio.NewReader(io.LimitReader(r, 64<<10)))
	for range 50 {
		h, err := fields.ReadMIMEHeader()
		if to := h.Get("Final-Recipient"); to != "" && p.letter.Failed == "" {
			_, address, _ := strings.Cut(to, ";")
			p.letter.Failed = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
			p.letter.Again = strings.EqualFold(strings.TrimSpace(h.Get("Action")), "delayed")
		}
		if err != nil {
			return
		}
	}
}
