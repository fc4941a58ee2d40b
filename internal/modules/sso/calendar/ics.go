package calendar

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// file gives the calendar to calendar programs (RFC 5545): a day for each end,
// with alarms before it.
func (c *Calendar) file(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := c.All(ctx)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="amphi-ends.ics"`)
	w.Header().Set("Cache-Control", "no-store")
	var b strings.Builder
	line := func(name, value string) { b.WriteString(fold(name + ":" + value)) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Amphi//registry of services//EN")
	line("X-WR-CALNAME", escape(i18n.T(ctx, "sso.calendar.title")))
	stamp := c.DB.Now().Time().UTC().Format("20060102T150405Z")
	for _, e := range all {
		line("BEGIN", "VEVENT")
		line("UID", id.Hash(e.ID + " " + e.Ends.UTC().Format(time.RFC3339))[:32]+"@amphi")
		line("DTSTAMP", stamp)
		line("DTSTART;VALUE=DATE", e.Ends.UTC().Format("20060102"))
		line("SUMMARY", escape(i18n.T(ctx, "sso.calendar.event", "name", e.Name(i18n.Locale(ctx)), "kind", i18n.T(ctx, "sso.calendar.kind."+string(e.Kind)))))
		line("DESCRIPTION", escape(e.Detail))
		line("URL", c.BaseURL+e.URL)
		line("TRANSP", "TRANSPARENT")
		for _, before := range []string{"-P60D", "-P30D", "-P7D"} {
			line("BEGIN", "VALARM")
			line("ACTION", "DISPLAY")
			line("DESCRIPTION", escape(e.Name(i18n.Locale(ctx))))
			line("TRIGGER", before)
			line("END", "VALARM")
		}
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	_, err = w.Write([]byte(b.String()))
	return err
}

// escape writes a text value (RFC 5545 §3.3.11).
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`).Replace(text)
}

// fold breaks a line after at most 75 bytes, never inside a letter (RFC 5545
// §3.1).
func fold(text string) string {
	const most = 75
	var b strings.Builder
	room := most
	for _, r := range text {
		if n := utf8.RuneLen(r); n > room {
			b.WriteString("\r\n ")
			room = most - 1
		}
		b.WriteRune(r)
		room -= utf8.RuneLen(r)
	}
	return b.String() + "\r\n"
}
