package knowledge_test

import (
	"context"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/knowledge"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestAReasonLeadsToThePublishedArticleThatExplainsIt(t *testing.T) {
	each(t, func(t *testing.T, l *library) {
		const reason = "helpdesk.article_missing"
		if _, _, ok := l.k.Explaining(l.english(), reason); ok {
			t.Error("an empty shelf explains something")
		}
		secret, draft := code, code
		secret.Internal, secret.Title = true, hours.Named{English: "For agents"}
		draft.State, draft.Title = knowledge.Draft, hours.Named{English: "A draft"}
		l.write(t, secret)
		l.write(t, draft)
		if title, _, ok := l.k.Explaining(l.english(), reason); ok {
			t.Errorf("%q explains it to everybody", title)
		}
		a := l.write(t, code)
		for name, c := range map[string]struct {
			ctx    context.Context
			reason string
			want   string
		}{
			"in English":     {l.english(), reason, code.Title.English},
			"in French":      {i18n.With(t.Context(), l.Texts.For(campus.French)), reason, code.Title.French},
			"another reason": {l.english(), "helpdesk.ticket_missing", ""},
		} {
			title, url, ok := l.k.Explaining(c.ctx, c.reason)
			if title != c.want || ok != (c.want != "") || ok && url != "/helpdesk/knowledge/"+a.Slug {
				t.Errorf("%s: %q %q %v", name, title, url, ok)
			}
		}
		gone, cancel := context.WithCancel(l.english())
		cancel()
		if _, _, ok := l.k.Explaining(gone, reason); !ok {
			t.Error("a request that was given up has no article")
		}
	})
}
