package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// riskCommand is about the rules that notice unusual sign-ins.
type riskCommand struct {
	DryRun riskDryRunCommand `cmd:"" name:"dry-run" help:"Say what the rules did in the last days, or what other numbers would have done. Changes nothing."`
}

type riskDryRunCommand struct {
	configured
	Days      int            `default:"7" help:"How many days to look back, at most 35."`
	AskFactor *int           `help:"Points from which a second factor is asked, instead of those of the configuration." placeholder:"POINTS"`
	Lock      *int           `help:"Points from which an account is locked for a while." placeholder:"POINTS"`
	Points    map[string]int `help:"What a rule adds, such as travel=60. May be repeated." placeholder:"RULE=POINTS"`
}

func (c riskDryRunCommand) Run(t *terminal) (err error) {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	d, err := db.Open(t, db.Config{DSN: cfg.dsn(), Log: quiet()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	judge, err := risk.New(risk.Deps{DB: d, Clock: clock.System(), Log: quiet()}, cfg.Identity.Risk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, judge.Close()) }()
	trial, err := c.trial(judge.InForce())
	if err != nil {
		return err
	}
	result, err := judge.Try(t, trial, c.Days)
	if err != nil {
		return err
	}
	texts, err := loadTexts(defaultZone, platformTexts()...)
	if err != nil {
		return err
	}
	printTrial(i18n.With(t, texts.For(campus.English)), t, result)
	return nil
}

// trial puts the numbers of the command line over those in force.
func (c riskDryRunCommand) trial(trial risk.Trial) (risk.Trial, error) {
	if c.AskFactor != nil {
		trial.AskFactor = *c.AskFactor
	}
	if c.Lock != nil {
		trial.Lock = *c.Lock
	}
	for name, points := range c.Points {
		if _, ok := trial.Points[name]; !ok {
			return trial, fmt.Errorf("no rule is called %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(trial.Points)), ", "))
		}
		trial.Points[name] = points
	}
	return trial, trial.Check()
}

// printTrial writes what the page /identity/risk shows.
func printTrial(ctx context.Context, t *terminal, r risk.Result) {
	said := func(key string, pairs ...any) string { return i18n.T(ctx, "identity.risk."+key, pairs...) }
	t.say("%s, %s:\n", said("result.title_tried"), said("result.days", "count", r.Days))
	for _, line := range []struct {
		key string
		n   int
	}{
		{"judged", r.Judged}, {"asked", r.Asked}, {"locked", r.Locked}, {"people", r.People}, {"false_alarms", r.Proved}, {"refused", r.Refused},
	} {
		t.say("  %-40s %8d", said("result."+line.key), line.n)
	}
	t.say("  %-40s %s", said("result.locks"), said("result.locks_text", "failures", r.LocksByFailures, "rules", r.LocksByRules))
	t.say("\n  %-40s %8s %8s", said("column.rule"), said("column.points"), said("column.times"))
	for _, one := range rule.All {
		t.say("  %-40s %8d %8d", one.Name, r.Trial.Points[one.Name], r.Rules[one.Name])
	}
	if len(r.Kinds) > 0 {
		t.say("\n  %-40s %8s %8s", said("column.kind"), said("column.asked"), said("column.locked"))
	}
	for _, k := range r.Kinds {
		kind := k.Kind
		if kind == "" {
			kind = "none"
		}
		t.say("  %-40s %8d %8d", said("kind."+kind), k.Asked, k.Locked)
	}
	if len(r.Samples) > 0 {
		t.say("\n%s:", said("samples"))
	}
	for _, s := range r.Samples {
		act, end := "asked", "open"
		if s.Act == risk.Lock {
			act = "locked"
		}
		switch {
		case s.In && s.Proved:
			end = "proved"
		case s.In:
			end = "in"
		}
		t.say("  %s  %s  %4d  %s (%s): %s", s.Incident, s.At.Format(time.RFC3339), s.Score, said("act."+act), said("end."+end), strings.Join(s.Fired, ", "))
	}
	t.say("\n%s\n\n%s", said("toml_help"), r.Trial.TOML())
}
