package openings

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.openings."+key, pairs...)
}

// Words says the hours of a day: "9 h – 12 h 30, 13 h 30 – 17 h".
func Words(ctx context.Context, frames []hours.Frame) string {
	var text string
	for i, f := range hours.Tidy(frames) {
		if i > 0 {
			text += ", "
		}
		text += clock(ctx, f.From) + "\u202f–\u202f" + clock(ctx, f.To)
	}
	return text
}

// clock is a time of day, such as "9 h 30"; the end of the day is 24 h.
func clock(ctx context.Context, minute int) string {
	if minute == 24*60 {
		return t(ctx, "midnight")
	}
	p := i18n.Of(ctx)
	// Any day on which clocks do not change will do.
	return p.Date(time.Date(2026, time.January, 5, minute/60, minute%60, 0, 0, p.Zone()), i18n.Clock)
}

// moment is when a desk opens or closes, in the words of its own clock: the day is
// left out when it is today.
func moment(ctx context.Context, now Now, at time.Time) string {
	local := at.In(now.Zone)
	clock := clock(ctx, local.Hour()*60+local.Minute())
	if day := hours.DateIn(at, now.Zone); day != now.Today.On {
		if day == now.Today.On+1 {
			return t(ctx, "tomorrow", "clock", clock)
		}
		return t(ctx, "on_day", "day", i18n.Date(ctx, day.Time(), i18n.Day), "clock", clock)
	}
	return clock
}

// Row is how a desk stands, for a list of desks.
func Row(ctx context.Context, now Now) contract.CardRow {
	row := contract.CardRow{Title: now.Name.In(i18n.Locale(ctx)), Detail: said(ctx, now), Tag: t(ctx, "closed"), Tone: "warn"}
	if now.Open {
		row.Tag, row.Tone = t(ctx, "open"), "good"
	}
	return row
}

// said is how a desk stands, in one sentence.
func said(ctx context.Context, now Now) string {
	switch {
	case now.Open && now.Until.IsZero():
		return t(ctx, "always")
	case now.Open:
		return t(ctx, "open_until", "when", moment(ctx, now, now.Until))
	case now.Next.IsZero():
		return t(ctx, "never")
	}
	if hours.DateIn(now.Next, now.Zone) == now.Today.On {
		return t(ctx, "closed_today", "when", moment(ctx, now, now.Next))
	}
	return t(ctx, "closed_until", "when", moment(ctx, now, now.Next))
}
