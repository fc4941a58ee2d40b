package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Config is [identity.lifecycle] in the configuration.
type Config struct {
	Reasons       []ReasonConfig `toml:"reasons"`
	Rules         []RuleConfig   `toml:"rules"`
	KeepDays      int            `toml:"keep_days" help:"days that the data of a closed account stay before they are due for deletion; nothing is deleted before"`
	AppealFrench  string         `toml:"appeal_fr" help:"how to contest a decision, added to its letter and to the page that explains it"`
	AppealEnglish string         `toml:"appeal_en" help:"the same in English"`
}

// ReasonConfig is one entry of the list from which a reason is chosen.
type ReasonConfig struct {
	Code          string `toml:"code" help:"stable name of the reason, such as unpaid_fees"`
	TextFrench    string `toml:"text_fr" help:"the reason as the person and the secretariat read it"`
	TextEnglish   string `toml:"text_en" help:"the same in English"`
	OfficeFrench  string `toml:"office_fr" help:"who can mend it, such as: la scolarité"`
	OfficeEnglish string `toml:"office_en" help:"the same in English"`
	Contact       string `toml:"contact" help:"mail address, telephone number or page of that office"`
	Shown         bool   `toml:"shown_to_person" help:"the person reads the reason; otherwise only which office to ask"`
}

// RuleConfig closes the accounts of those who are no longer registered.
type RuleConfig struct {
	Code       string        `toml:"code" help:"stable name of the rule, such as students"`
	Kinds      []campus.Kind `toml:"kinds" help:"whom it concerns: student, teacher, staff, guest"`
	WaitDays   int           `toml:"wait_days" help:"days after the end of the registration during which nothing happens: people register late"`
	GraceDays  int           `toml:"grace_days" help:"days from the first notice to the closing; the account stays usable"`
	NoticeDays []int         `toml:"notice_days" help:"reminders, in days before the closing"`
	KeepDays   int           `toml:"keep_days" help:"days that the data stay after the closing; 0 for identity.lifecycle.keep_days"`
	Reason     string        `toml:"reason" help:"code of the reason that people are given"`
	AtMost     int           `toml:"at_most" help:"a night that would touch more accounts than this touches none and reports: a broken import must not close a university; 0 for 500"`
	Enabled    bool          `toml:"enabled" help:"false shows what the rule would do, and does nothing"`
}

// Defaults are safe for an institution that sets nothing: a list of reasons, and
// rules that only show what they would do.
func Defaults() Config { return Config{KeepDays: 365} }

// defaultReasons stand for an empty list. They are no default value of the
// field, because a configured list would be laid over it entry by entry.
var defaultReasons = []ReasonConfig{
	{Code: "unpaid_fees", TextFrench: "Les droits d’inscription ne sont pas réglés.", TextEnglish: "The registration fees have not been paid.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: true},
	{Code: "discipline", TextFrench: "Une décision disciplinaire suspend l’accès.", TextEnglish: "A disciplinary decision suspends the access.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: true},
	{Code: "registration_ended", TextFrench: "L’inscription est terminée.", TextEnglish: "The registration has ended.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: true},
	{Code: "contract_ended", TextFrench: "Le contrat ou la mission est terminé.", TextEnglish: "The contract or assignment has ended.",
		OfficeFrench: "les ressources humaines", OfficeEnglish: "human resources", Shown: true},
	{Code: "left", TextFrench: "Départ de l’établissement.", TextEnglish: "Departure from the institution.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: true},
	{Code: "duplicate", TextFrench: "Un autre compte existe pour la même personne.", TextEnglish: "The same person has another account.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: true},
	{Code: "security", TextFrench: "Mesure de sécurité en cours d’examen.", TextEnglish: "A security measure is under examination.",
		OfficeFrench: "la scolarité", OfficeEnglish: "the registrar’s office", Shown: false},
}

// defaultRules stand for an empty list, and do nothing until they are copied
// into the configuration and enabled.
var defaultRules = []RuleConfig{
	{Code: "students", Kinds: []campus.Kind{campus.Student}, WaitDays: 30, GraceDays: 90, NoticeDays: []int{60, 30, 7}, Reason: "registration_ended"},
	{Code: "staff", Kinds: []campus.Kind{campus.Teacher, campus.Staff}, WaitDays: 7, GraceDays: 90, NoticeDays: []int{60, 30, 7}, Reason: "contract_ended"},
	{Code: "guests", Kinds: []campus.Kind{campus.Guest}, GraceDays: 14, NoticeDays: []int{7}, Reason: "contract_ended"},
}

const (
	defaultKeep   = 365 // days
	defaultAtMost = 500 // accounts in one night
)

func (c Config) reasons() []ReasonConfig {
	if len(c.Reasons) == 0 {
		return defaultReasons
	}
	return c.Reasons
}

func (c Config) rules() []RuleConfig {
	if len(c.Rules) == 0 {
		return defaultRules
	}
	return c.Rules
}

// reason finds a reason by its code.
func (c Config) reason(code string) (ReasonConfig, bool) {
	list := c.reasons()
	i := slices.IndexFunc(list, func(r ReasonConfig) bool { return r.Code == code })
	if i < 0 {
		return ReasonConfig{}, false
	}
	return list[i], true
}

// Reasons are the codes of the institution's list, in its order.
func (l *Lifecycle) Reasons() []string {
	var codes []string
	for _, r := range l.config.reasons() {
		codes = append(codes, r.Code)
	}
	return codes
}

func (c Config) keep(days int) int { return cmp.Or(days, c.KeepDays, defaultKeep) }

func (r RuleConfig) atMost() int { return cmp.Or(r.AtMost, defaultAtMost) }

// whom says for whom the rule is, as a part of a sentence: rules have no other
// name that people need.
func (r RuleConfig) whom(ctx context.Context) string {
	kinds := make([]string, len(r.Kinds))
	for i, k := range r.Kinds {
		kinds[i] = i18n.T(ctx, "identity.lifecycle.rules.for_"+string(k))
	}
	last := len(kinds) - 1
	if last < 1 {
		return strings.Join(kinds, "")
	}
	return i18n.T(ctx, "identity.lifecycle.rules.and", "list", strings.Join(kinds[:last], ", "), "last", kinds[last])
}

// ruleWords name the rule that took a decision; one that the configuration no
// longer has keeps its code.
func (c Config) ruleWords(ctx context.Context, code string) string {
	for _, r := range c.rules() {
		if r.Code == code {
			return i18n.T(ctx, "identity.lifecycle.account.by_rule", "kinds", r.whom(ctx))
		}
	}
	return i18n.T(ctx, "identity.lifecycle.account.by_rule_gone", "code", code)
}

// notices are the reminders, earliest first: those that lie within the grace.
func (r RuleConfig) notices() []int {
	days := slices.DeleteFunc(slices.Clone(r.NoticeDays), func(d int) bool { return d >= r.GraceDays })
	slices.Sort(days)
	slices.Reverse(days)
	return slices.Compact(days)
}

// codeForm is what a reason or a rule may be called.
var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,40}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.KeepDays >= 0, "keep_days", "must not be negative")
	seen := map[string]bool{}
	for i, r := range c.Reasons {
		key := fmt.Sprintf("reasons[%d].", i)
		want(codeForm.MatchString(r.Code), key+"code", "must be lower-case letters, digits and underscores")
		want(!seen[r.Code], key+"code", "stands twice in the list")
		want(strings.TrimSpace(r.TextFrench) != "" && strings.TrimSpace(r.TextEnglish) != "", key+"text_fr", "needs a sentence in French and in English")
		want(strings.TrimSpace(r.OfficeFrench) != "" && strings.TrimSpace(r.OfficeEnglish) != "", key+"office_fr", "needs the office's name in French and in English")
		seen[r.Code] = true
	}
	rules := map[string]bool{}
	for i, r := range c.Rules {
		key := fmt.Sprintf("rules[%d].", i)
		want(codeForm.MatchString(r.Code), key+"code", "must be lower-case letters, digits and underscores")
		want(!rules[r.Code], key+"code", "stands twice in the list")
		rules[r.Code] = true
		want(len(r.Kinds) > 0, key+"kinds", "must name at least one of student, teacher, staff, guest")
		for _, k := range r.Kinds {
			want(slices.Contains(campus.Kinds, k), key+"kinds", "must be among student, teacher, staff, guest")
		}
		_, known := c.reason(r.Reason)
		want(known, key+"reason", "must be the code of one of the reasons")
		want(r.WaitDays >= 0, key+"wait_days", "must not be negative")
		want(r.GraceDays >= 7, key+"grace_days", "must be at least 7: people need time to react")
		want(r.KeepDays >= 0, key+"keep_days", "must not be negative")
		want(r.AtMost >= 0, key+"at_most", "must not be negative")
		for _, d := range r.NoticeDays {
			want(d > 0 && d < r.GraceDays, key+"notice_days", "must lie between 1 and grace_days")
		}
	}
	return problems
}
