package support

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/diagnostic"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// stages are those of a sign-in, in their order.
var stages = []entry.Stage{entry.StageIdentifier, entry.StagePassword, entry.StageFactor, entry.StagePolicy, entry.StageService}

// story is a sign-in in an agent's words.
type story struct {
	attempt.Attempt
	Steps   []told
	Test    *diagnostic.Result // self-test of the browser
	Running bool               // it may still go on
}

// told is one step of a sign-in.
type told struct {
	attempt.Step
	// Read is what the person read, word for word, in their language; nil when
	// the step did not fail.
	Read *web.Failure
	Lang string
}

// sides are the two values that differed when an upstream stopped somebody, and its
// own words; or how the account in a service stood that somebody waited for.
func (t told) sides(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	for _, name := range []string{"expected", "received", "upstream_code", "upstream_words", "account_state", "account_since", "account_ready", "account_rule", "account_code"} {
		value := t.Facts[name]
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			value = i18n.Date(ctx, at, i18n.Moment)
		}
		if value != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "identity.support.incident."+name), Text: value})
		}
	}
	return facts
}

// unsaid is what a template writes for a fact that it was not given: those about
// the person, such as their name, are not kept with the story.
const unsaid = "<no value>"

// tell words a sign-in. The reader is the language in which its person reads.
func (s *Support) tell(ctx context.Context, a attempt.Attempt, reader *i18n.Printer) story {
	t := story{Attempt: a, Running: a.Live(s.Clock.Now())}
	for _, step := range a.Steps {
		line := told{Step: step, Lang: string(reader.Locale())}
		if reason := reasonOf(step.Reason); reason != nil {
			args := fault.Args{}
			for name, value := range step.Facts {
				args[name] = value
			}
			failure := web.Explain(i18n.With(ctx, reader), &fault.Fault{Reason: reason, Args: args})
			for _, said := range []*string{&failure.Title, &failure.Message, &failure.Next} {
				*said = strings.ReplaceAll(*said, unsaid, "…")
			}
			line.Read = &failure
		}
		t.Steps = append(t.Steps, line)
	}
	if a.Diagnostic != "" {
		test, err := diagnostic.Read(a.Diagnostic)
		if err != nil { // the story is worth more than its attachment
			s.Log.WarnContext(ctx, "read the self-test of an incident", "incident", a.Code, "error", err)
		} else {
			t.Test = &test
		}
	}
	return t
}

// reasonOf finds a declared reason by its code; nil for none.
func reasonOf(code string) *fault.Reason {
	all := fault.All()
	i := slices.IndexFunc(all, func(r *fault.Reason) bool { return r.Code() == code })
	if code == "" || i < 0 {
		return nil
	}
	return all[i]
}

// why is a reason in an agent's words: what it means and what helps. A reason
// for which there are none is told in the words of its own page.
func why(ctx context.Context, code string) string {
	key := "identity.support.why." + strings.ReplaceAll(code, ".", "_")
	if p := i18n.Of(ctx); p != nil && p.Has(key) {
		return p.T(key)
	}
	if p := i18n.Of(ctx); p != nil && p.Has(code+".title") {
		return p.T(code + ".title")
	}
	return code
}

// way draws how far the sign-in came: each stage as its last step left it.
func (t story) way(ctx context.Context) []ui.Stage {
	list := make([]ui.Stage, len(stages))
	for i, stage := range stages {
		list[i] = ui.Stage{State: ui.StageLater, Title: i18n.T(ctx, "identity.support.stage."+string(stage))}
	}
	furthest := -1
	for _, step := range t.Steps {
		i := slices.Index(stages, step.Stage)
		if i < 0 {
			continue
		}
		list[i].Tag, list[i].Tone, list[i].Detail = i18n.Date(ctx, step.At, i18n.Clock), "", ""
		switch step.Result {
		case attempt.Passed:
			list[i].State = ui.StageDone
			if step.Method != "" {
				list[i].Detail = methodName(ctx, step.Method)
			}
		case attempt.Asked:
			list[i].State, list[i].Detail = ui.StageStop, i18n.T(ctx, "identity.support.asked")
		default:
			list[i].State, list[i].Tone, list[i].Detail = ui.StageStop, ui.Bad, why(ctx, step.Reason)
		}
		furthest = max(furthest, i)
	}
	for i := range furthest { // what lies before a later stage was passed
		if list[i].State == ui.StageLater {
			list[i].State = ui.StageDone
		}
	}
	if t.Outcome == attempt.In {
		for i := range list {
			if stages[i] == entry.StageService && t.Stage == entry.StageService && t.Reason != "" {
				continue // got in, and stopped in front of a service
			}
			list[i].State, list[i].Tone = ui.StageDone, ""
		}
	}
	return list
}

func methodName(ctx context.Context, m entry.Method) string {
	return i18n.T(ctx, "identity.support.method."+string(m))
}

// lasted is how long the sign-in took, or has taken.
func (t story) lasted() time.Duration { return t.ChangedAt.Sub(t.StartedAt) }
