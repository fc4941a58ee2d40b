package ui_test

import (
	"context"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// failed is the page about a failure, of a house with one article.
func failed(t *testing.T, f web.Failure) string {
	t.Helper()
	ctx := ui.WithShell(t.Context(), ui.Shell{Answer: func(_ context.Context, reason string) ui.Link {
		if reason != "identity.account_suspended" {
			return ui.Link{}
		}
		return ui.Link{Label: "Why & how", URL: "/helpdesk/knowledge/why"}
	}})
	var page strings.Builder
	if err := ui.FailurePage(f).Render(ctx, &page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestAFailureLinksTheArticleThatExplainsItWhenThereIsOne(t *testing.T) {
	with, without := failed(t, web.Failure{Title: "No", Code: "identity.account_suspended"}), failed(t, web.Failure{Title: "No", Code: "platform.page_missing"})
	if !strings.Contains(with, `<a href="/helpdesk/knowledge/why">Why &amp; how</a>`) || strings.Contains(without, "/helpdesk/knowledge") {
		t.Error("the link is missing, or stands where there is no article")
	}
}

func TestAFailurePageOffersHelpOnce(t *testing.T) {
	for name, test := range map[string]struct {
		failure web.Failure
		want    []string // the addresses of the buttons, in their order
	}{
		"nothing mends it":              {web.Failure{Code: "a.b", RequestID: "7"}, []string{"/", "/helpdesk?reason=a.b&amp;request=7"}},
		"something else mends it":       {web.Failure{Code: "a.b", RequestID: "7", Action: "Sign in", ActionURL: "/login"}, []string{"/login", "/helpdesk?reason=a.b&amp;request=7"}},
		"asking for help mends it":      {web.Failure{Code: "a.b", RequestID: "7", Action: "Ask", ActionURL: "/helpdesk"}, []string{"/helpdesk?reason=a.b&amp;request=7", "/"}},
		"it is the story of a sign-in":  {web.Failure{Code: "a.b", Incident: "K7F-3Q9"}, []string{"/", "/helpdesk/ask/signin?code=K7F-3Q9"}},
		"its requests are what helps":   {web.Failure{Code: "a.b", RequestID: "7", Action: "My requests", ActionURL: "/helpdesk/mine"}, []string{"/helpdesk/mine", "/helpdesk?reason=a.b&amp;request=7"}},
		"its story and asking mends it": {web.Failure{Code: "a.b", Incident: "K7F-3Q9", Action: "Ask", ActionURL: "/helpdesk"}, []string{"/helpdesk/ask/signin?code=K7F-3Q9", "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, page, _ := strings.Cut(failed(t, test.failure), `<div class="actions">`)
			page, _, _ = strings.Cut(page, "</div>")
			var got []string
			for _, part := range strings.Split(page, `<a class="button`)[1:] {
				_, part, _ = strings.Cut(part, `href="`)
				address, _, _ := strings.Cut(part, `"`)
				got = append(got, address)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("the buttons lead to %q", got)
			}
		})
	}
}
