package ui

import (
	"context"
	"io"
	"maps"
	"slices"

	"github.com/a-h/templ"
)

// Icon draws a sign of our own set, 24 units square, stroked in the colour of
// the text. It is decoration: the words beside it say the same. An unknown name
// draws a plain dot, because names also come from configuration files.
func Icon(name string) templ.Component {
	drawing, ok := icons[name]
	if !ok {
		drawing = icons["dot"]
	}
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">`+drawing+`</svg>`)
		return err
	})
}

// IconNames lists the set, for the checks of configuration files.
func IconNames() []string { return slices.Sorted(maps.Keys(icons)) }

// icons are drawn for this project with one pen: round ends, 1.75 units wide,
// on a grid of half units, with 3 units of air around.
var icons = map[string]string{
	"arrow-left":  `<path d="M20 12H4.5M11 5.5 4.5 12l6.5 6.5"/>`,
	"arrow-right": `<path d="M4 12h15.5M13 5.5l6.5 6.5-6.5 6.5"/>`,
	"award":       `<circle cx="12" cy="9" r="6"/><path d="m8.5 14-1.5 7 5-2.5L17 21l-1.5-7"/>`,
	"bell":        `<path d="M6 9a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7M10 20a2 2 0 0 0 4 0"/>`,
	"book":        `<path d="M4 5a2 2 0 0 1 2-2h13v15H6a2 2 0 0 0-2 2zM4 20a2 2 0 0 0 2 1h13"/>`,
	"building":    `<path d="M3.5 9.5 12 4l8.5 5.5M4 20.5h16M6 10v7.5M10 10v7.5M14 10v7.5M18 10v7.5"/>`,
	"calendar":    `<rect x="3" y="5" width="18" height="16" rx="2"/><path d="M3 10h18M8 3v4M16 3v4"/>`,
	"chart":       `<path d="M4 4v14a2 2 0 0 0 2 2h14M8.5 16v-4M13 16V7M17.5 16v-6"/>`,
	"chat":        `<path d="M21 12a8 8 0 0 1-8 8H4l2-3.2A8 8 0 1 1 21 12z"/>`,
	"check":       `<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
	"chevron":     `<path d="m6.5 9.5 5.5 5.5 5.5-5.5"/>`,
	"chevron-up":  `<path d="m6.5 14.5 5.5-5.5 5.5 5.5"/>`,
	"clock":       `<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>`,
	"close":       `<path d="m6 6 12 12M18 6 6 18"/>`,
	"computer":    `<rect x="3" y="4" width="18" height="12" rx="2"/><path d="M8.5 20h7M12 16v4"/>`,
	"copy":        `<rect x="8.5" y="8.5" width="12" height="12" rx="2"/><path d="M15.5 8.5v-3a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h3"/>`,
	"database":    `<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v6c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12v6c0 1.7 3.6 3 8 3s8-1.3 8-3v-6"/>`,
	"desk":        `<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="3.5"/><path d="m5.6 5.6 3.9 3.9M14.5 14.5l3.9 3.9M18.4 5.6l-3.9 3.9M9.5 14.5l-3.9 3.9"/>`,
	"dot":         `<circle cx="12" cy="12" r="4"/>`,
	"download":    `<path d="M12 4v11M6.5 10 12 15.5l5.5-5.5M4 20h16"/>`,
	"edit":        `<path d="M4 20l1-4.5L16 4.5a2 2 0 0 1 3 0l.5.5a2 2 0 0 1 0 3L8.5 19zM14 6.5l3.5 3.5"/>`,
	"exit":        `<path d="M10 21H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4M9.5 12H20.5M16.5 8l4 4-4 4"/>`,
	"external":    `<path d="M13.5 4H20v6.5M20 4l-9.5 9.5M18 14.5V18a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h3.5"/>`,
	"eye":         `<path d="M2.5 12C4.5 8 8 5.5 12 5.5s7.5 2.5 9.5 6.5c-2 4-5.5 6.5-9.5 6.5S4.5 16 2.5 12z"/><circle cx="12" cy="12" r="3"/>`,
	"eye-off":     `<path d="M6.5 7.2C4.8 8.4 3.4 10 2.5 12c2 4 5.5 6.5 9.5 6.5 1.8 0 3.5-.5 5-1.4M10 5.7c.6-.1 1.3-.2 2-.2 4 0 7.5 2.5 9.5 6.5-.5 1-1.2 2-2 2.8M4 4l16 16M9.8 9.9a3 3 0 0 0 4.2 4.2"/>`,
	"file":        `<path d="M6 3h8l5 5v11a2 2 0 0 1-2 2H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5"/>`,
	"folder":      `<path d="M3 7a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"/>`,
	"globe":       `<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c2.6 2.7 3.9 5.7 3.9 9s-1.3 6.3-3.9 9c-2.6-2.7-3.9-5.7-3.9-9S9.4 5.7 12 3z"/>`,
	"help":        `<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 17h.01"/>`,
	"home":        `<path d="M3 10.5 12 3l9 7.5V20a1 1 0 0 1-1 1h-5v-6H9v6H4a1 1 0 0 1-1-1z"/>`,
	"info":        `<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5h.01"/>`,
	"jobs":        `<circle cx="12" cy="12" r="3.5"/><path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2"/>`,
	"key":         `<circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l2.5 2.5"/>`,
	"library":     `<path d="M5 4v16M10 4v16M14.5 4.5l4.5 15"/>`,
	"keyboard":    `<rect x="2.5" y="6" width="19" height="12.5" rx="2"/><path d="M6.5 10h.01M10 10h.01M13.5 10h.01M17.5 10h.01M8 14.5h8"/>`,
	"list":        `<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/>`,
	"lock":        `<rect x="4.5" y="10.5" width="15" height="10.5" rx="2"/><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3M12 14.5v2.5"/>`,
	"mail":        `<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3.5 7 8.5 6 8.5-6"/>`,
	"minus":       `<path d="M5 12h14"/>`,
	"moon":        `<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
	"news":        `<path d="M4 4.5h13v13a2 2 0 0 0 2 2H6a2 2 0 0 1-2-2zM17 9h3.5v8.5a1.75 1.75 0 0 1-3.5 0M7.5 8h6M7.5 12h6M7.5 16h3.5"/>`,
	"phone":       `<rect x="6.5" y="2.5" width="11" height="19" rx="2.5"/><path d="M11 18.5h2"/>`,
	"pin":         `<path d="M9 3.5h6l-.7 6 3.2 3.5H6.5l3.2-3.5zM12 13v7.5"/>`,
	"pin-off":     `<path d="M9 3.5h6l-.6 5.2M15.5 10.8l2 2.2H14M10 13H6.5l3-3.3M12 13v7.5M4 4l16 16"/>`,
	"plug":        `<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"/>`,
	"plus":        `<path d="M12 5v14M5 12h14"/>`,
	"print":       `<path d="M7 9V3.5h10V9M7 17.5H5a2 2 0 0 1-2-2V11a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v4.5a2 2 0 0 1-2 2h-2M7 14h10v6.5H7z"/>`,
	"rss":         `<path d="M4.5 11a8.5 8.5 0 0 1 8.5 8.5M4.5 4.5a15 15 0 0 1 15 15M5.5 18.5h.01"/>`,
	"search":      `<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>`,
	"settings":    `<path d="M4 7h9M19 7h1M4 17h1M11 17h9"/><circle cx="16" cy="7" r="2.5"/><circle cx="8" cy="17" r="2.5"/>`,
	"shield":      `<path d="M12 3 4.5 6v6c0 4.6 3.2 7.6 7.5 9 4.3-1.4 7.5-4.4 7.5-9V6z"/>`,
	"sms":         `<path d="M4 4.5h16a1 1 0 0 1 1 1V16a1 1 0 0 1-1 1h-8l-5 4v-4H4a1 1 0 0 1-1-1V5.5a1 1 0 0 1 1-1zM8 10.8h.01M12 10.8h.01M16 10.8h.01"/>`,
	"sun":         `<circle cx="12" cy="12" r="4"/><path d="M12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3 7 7M17 17l1.7 1.7M18.7 5.3 17 7M7 17l-1.7 1.7"/>`,
	"trash":       `<path d="M4 6.5h16M9 6.5V4a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2.5M6 6.5 7 20a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1l1-13.5M10 11v5.5M14 11v5.5"/>`,
	"upload":      `<path d="M12 15.5V4.5M6.5 10 12 4.5l5.5 5.5M4 20h16"/>`,
	"user":        `<circle cx="12" cy="8" r="4"/><path d="M4 21c1-4 4-6 8-6s7 2 8 6"/>`,
	"users":       `<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 20c.7-3.5 3.2-5.2 6.5-5.2s5.8 1.7 6.5 5.2M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 15.3c1.8.8 3 2.3 3.5 4.7"/>`,
	"warning":     `<path d="M10.3 4.2 2.7 17.5A2 2 0 0 0 4.4 20.5h15.2a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0zM12 9.5v4.5M12 17h.01"/>`,
	"wifi":        `<path d="M2.5 9.5a14 14 0 0 1 19 0M5.8 13a9 9 0 0 1 12.4 0M9 16.5a4.5 4.5 0 0 1 6 0M12 20h.01"/>`,
}
