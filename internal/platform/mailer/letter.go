package mailer

import (
	"html"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Letter is a message in parts. Its plain and its HTML form say the same, because both are made from
// the same paragraphs.
type Letter struct {
	Locale   campus.Locale
	Greeting string
	// Before and After are paragraphs around the code and the button.
	Before []string
	// Code is set apart so that it can be read out and typed; empty for none.
	Code string
	// Label and URL are the one thing to do; empty for none.
	Label, URL string
	After      []string
	// Signature is usually the institution's name.
	Signature string
}

// Message makes the mail.
func (l Letter) Message(kind, to, subject string) Message {
	return Message{Kind: kind, To: to, Subject: subject, Text: l.Text(), HTML: l.HTML(subject)}
}

// Text is the letter for those who read plain text.
func (l Letter) Text() string {
	var parts []string
	add := func(texts ...string) {
		for _, text := range texts {
			if text != "" {
				parts = append(parts, text)
			}
		}
	}
	add(l.Greeting)
	add(l.Before...)
	if l.Code != "" {
		add("    " + l.Code)
	}
	if l.URL != "" {
		add(l.Label + "\n" + l.URL) // the address on a line of its own stays one piece
	}
	add(l.After...)
	if l.Signature != "" {
		add("-- \n" + l.Signature) // the mark of a signature, blank included (RFC 3676, 4.3)
	}
	return strings.Join(parts, "\n\n") + "\n"
}

const (
	letterStyle    = "margin:0;padding:24px;background:#f6f7f9;color:#1c2430;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
	sheetStyle     = "max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #d9dee5;border-radius:12px"
	codeStyle      = "font:600 28px/1.2 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.15em;margin:24px 0"
	buttonStyle    = "display:inline-block;padding:12px 20px;background:#1f4f8f;color:#ffffff;text-decoration:none;border-radius:8px;font-weight:600"
	smallStyle     = "color:#566273;font-size:14px;word-break:break-all"
	signatureStyle = "margin-top:32px;padding-top:16px;border-top:1px solid #d9dee5;color:#566273"
)

// HTML is the letter for those who read HTML: no pictures, nothing to load, nothing that counts
// readers.
func (l Letter) HTML(title string) string {
	var b strings.Builder
	text := func(format, value string) {
		if value != "" {
			b.WriteString(strings.Replace(format, "%", strings.ReplaceAll(html.EscapeString(value), "\n", "<br>"), 1))
		}
	}
	locale := l.Locale
	if locale == "" {
		locale = campus.French
	}
	b.WriteString(`<!doctype html><html lang="` + html.EscapeString(string(locale)) + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>`)
	b.WriteString(html.EscapeString(title))
	b.WriteString(`</title></head><body style="` + letterStyle + `"><div style="` + sheetStyle + `">`)
	text(`<p>%</p>`, l.Greeting)
	for _, paragraph := range l.Before {
		text(`<p>%</p>`, paragraph)
	}
	text(`<p style="`+codeStyle+`">%</p>`, l.Code)
	if l.URL != "" {
		address := html.EscapeString(l.URL)
		b.WriteString(`<p style="margin:24px 0"><a href="` + address + `" style="` + buttonStyle + `">` + html.EscapeString(l.Label) + `</a></p>`)
		// The address in clear: for those who want to see where a button leads before they press it.
		b.WriteString(`<p style="` + smallStyle + `">` + address + `</p>`)
	}
	for _, paragraph := range l.After {
		text(`<p>%</p>`, paragraph)
	}
	text(`<p style="`+signatureStyle+`">%</p>`, l.Signature)
	b.WriteString(`</div></body></html>` + "\n")
	return b.String()
}
