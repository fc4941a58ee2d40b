package ui_test

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func TestAFailureLinksTheArticleThatExplainsItWhenThereIsOne(t *testing.T) {
	f := web.Failure{Title: "No", Code: "helpdesk.article_missing"}
	var with, without strings.Builder
	if err := ui.ExplainedPage(f, ui.Link{Label: "Why & how", URL: "/helpdesk/knowledge/why"}).Render(t.Context(), &with); err != nil {
		t.Fatal(err)
	}
	if err := ui.FailurePage(f).Render(t.Context(), &without); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(with.String(), `<a href="/helpdesk/knowledge/why">Why &amp; how</a>`) || strings.Contains(without.String(), "/helpdesk/knowledge") {
		t.Error("the link is missing, or stands where there is no article")
	}
}
