package setup

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/ui"
)

// calendarCrumb leads back to a calendar.
func calendarCrumb(ctx context.Context, plan kept.Item[hours.Plan]) ui.Link {
	return ui.Link{Label: plan.Of.Name.In(i18n.Locale(ctx)), URL: "/helpdesk/setup/calendars/" + plan.ID}
}

// framesText words the hours of a day.
func framesText(ctx context.Context, frames []hours.Frame) string {
	if len(frames) == 0 {
		return t(ctx, "closed")
	}
	return openings.Words(ctx, frames)
}

// guided keeps an address on the way through the first setup.
func guided(guide string) string {
	if guide == "" {
		return ""
	}
	return "?guide=1"
}

// guideSteps is how many steps the first setup has.
const guideSteps = 4

// guideLead says at which step of the first setup somebody is; nothing elsewhere.
func guideLead(ctx context.Context, guide string, step int) string {
	if guide == "" {
		return ""
	}
	return t(ctx, "begin.step", "step", step, "steps", guideSteps)
}

// pastTag marks what is over.
func pastTag(ctx context.Context, s hours.Span, today hours.Date) string {
	if s.Last < today {
		return t(ctx, "past")
	}
	return ""
}

// shown is how many holidays a calendar's page lists.
const shown = 12

// coming are the next holidays of a list.
func coming(list []hours.Holiday, today hours.Date) []hours.Holiday {
	var next []hours.Holiday
	for _, h := range list {
		if h.On >= today && len(next) < shown {
			next = append(next, h)
		}
	}
	return next
}

// hoursText words minutes as hours, as they are typed: "0.5", "16".
func hoursText(minutes int) string {
	if minutes == 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", float64(minutes)/60), "0"), ".")
}

// formatVersion is a version as it stands in a form.
func formatVersion(v int64) string { return strconv.FormatInt(v, 10) }

// priorities are the options for a priority.
func priorities(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, p := range ticket.Priorities {
		options = append(options, ui.Option{Value: p.Key(), Label: i18n.T(ctx, "helpdesk.priority."+p.Key())})
	}
	return options
}

// valuesOf are the values of options: all of them are chosen.
func valuesOf(options []ui.Option) []string {
	values := make([]string, len(options))
	for i, o := range options {
		values[i] = o.Value
	}
	return values
}
