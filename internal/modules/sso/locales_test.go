package sso

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestBothLanguagesAreComplete(t *testing.T) {
	texts, err := i18n.Load(start.Location(), clock.At(start), fs.FS(locales))
	if err != nil {
		t.Fatal(err)
	}
	french, english := texts.Keys(campus.French), texts.Keys(campus.English)
	if !slices.Equal(french, english) {
		t.Errorf("French %d keys, English %d", len(french), len(english))
	}
	var needed []string
	for _, r := range fault.All() {
		if strings.HasPrefix(r.Code(), "sso.") {
			needed = append(needed, r.Code()+".message", r.Code()+".next")
		}
	}
	for _, d := range cas.Differences {
		needed = append(needed, "sso.difference."+string(d))
	}
	for _, e := range cas.PatternErrors {
		needed = append(needed, "sso.mistake.pattern_"+e.Key)
	}
	for _, a := range registry.Attributes {
		needed = append(needed, "sso.attribute."+string(a))
	}
	for _, k := range campus.Kinds {
		needed = append(needed, "sso.kind."+string(k), "sso.you."+string(k))
	}
	for _, r := range campus.Rights {
		needed = append(needed, "sso.right."+string(r))
	}
	for _, p := range registry.Protocols {
		needed = append(needed, "sso.protocol."+string(p))
	}
	for _, s := range []answer.LogoutState{answer.Waiting, answer.Told, answer.Answered, answer.Failed, answer.Skipped} {
		needed = append(needed, "sso.logout_state."+string(s))
	}
	for _, key := range needed {
		if !slices.Contains(french, key) {
			t.Errorf("%s has no sentence", key)
		}
	}
}

func TestFrenchTypographyIsKept(t *testing.T) {
	text, err := fs.ReadFile(locales, "locales/fr.toml")
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		_, value, ok := strings.Cut(line, ` = "`)
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for _, wrong := range []string{"'", " ;", " !", " »", "« "} {
			if strings.Contains(value, wrong) {
				t.Errorf("line %d holds %q: %s", n+1, wrong, line)
			}
		}
	}
}
