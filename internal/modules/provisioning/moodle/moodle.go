// Package moodle keeps accounts, cohorts and enrolments in a Moodle, by its web
// service functions. Accounts carry our key as their idnumber; courses and
// cohorts are found by theirs, which is the code of a group.
package moodle

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Config is what is particular to a Moodle.
type Config struct {
	Token       string   `toml:"token" secret:"true" help:"token of the web service (moodle)"`
	Auth        string   `toml:"auth" help:"moodle: how its people sign in: oauth2, which every Moodle has, or another plugin that is installed there, such as cas, oidc or saml2"`
	Adopt       bool     `toml:"adopt" help:"moodle: take over an account with the same login that has no idnumber yet"`
	Courses     []string `toml:"courses" help:"moodle: groups that are courses, whose idnumber is the code of the group, such as uv-*"`
	Cohorts     []string `toml:"cohorts" help:"moodle: groups that are cohorts, made when they are missing"`
	StudentRole int      `toml:"student_role" help:"moodle: role of who is enrolled"`
	TeacherRole int      `toml:"teacher_role" help:"moodle: role of teachers who do not study"`
}

// Defaults are those of a Moodle that nobody changed. An account of a plugin that is not
// there is refused: CAS left Moodle with 5.0, and oauth2 is in every one since 3.3.
func Defaults() Config { return Config{Auth: "oauth2", StudentRole: 5, TeacherRole: 3} }

// Moodle is one Moodle.
type Moodle struct {
	config Config
	caller *target.Caller
	now    func() time.Time
	called func(ctx context.Context, group string) (string, error) // nil knows no names

	mu      sync.Mutex
	cohorts map[string]*cohort // by idnumber
	readAt  time.Time
	sawAt   time.Time // when we last saw for certain that we are shown accounts
}

var (
	_ target.Target = (*Moodle)(nil)
	_ target.Lister = (*Moodle)(nil)
)

// New is the connector of a Moodle.
func New(line target.Line, c Config) (*Moodle, error) {
	caller, err := target.NewCaller(line, nil, c.Token)
	if err != nil {
		return nil, err
	}
	now := line.Now
	if now == nil {
		now = time.Now
	}
	return &Moodle{config: c, caller: caller, now: now, called: line.GroupName}, nil
}

// user is an account as Moodle shows it.
type user struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	IDNumber  string `json:"idnumber"`
	Suspended bool   `json:"suspended"`
	Auth      string `json:"auth"`
}

func (u user) remote() target.Remote {
	return target.Remote{ID: strconv.FormatInt(u.ID, 10), Key: u.IDNumber, Login: u.Username, Mail: u.Email, Suspended: u.Suspended}
}

// installed is the last identifier of the accounts that every Moodle is born with:
// the guest, and its first administrator.
const installed = 2

// unkeyed is an account that has no key yet. A Moodle tells nobody who administers
// it, but how an account came to be and how its owner signs in tell enough.
func (m *Moodle) unkeyed(u user) target.Remote {
	r := u.remote()
	switch {
	case u.ID <= installed || slices.Contains([]string{"admin", "administrator", "guest", "root"}, u.Username):
		r.Privileged = "an account of the installation, number " + r.ID
	case u.Auth == "nologin" || u.Auth == "webservice":
		r.Privileged = "auth " + u.Auth
	case u.Suspended:
		r.Privileged = "suspended"
	}
	return r
}

// exception is how Moodle says that something went wrong: with status 200.
type exception struct {
	Exception string `json:"exception"`
	Code      string `json:"errorcode"`
	Message   string `json:"message"`
	Debug     string `json:"debuginfo"`
}

// call asks a function of the web service; into may be nil.
func (m *Moodle) call(ctx context.Context, function string, parameters url.Values, into any) error {
	form := url.Values{"wstoken": {m.config.Token}, "wsfunction": {function}, "moodlewsrestformat": {"json"}}
	for name, values := range parameters {
		form[name] = values
	}
	answer, err := m.caller.Do(ctx, http.MethodPost, "/webservice/rest/server.php", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(form.Encode()))
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return target.Fail(target.Unclear, "%s: status %d", function, answer.Status)
	}
	var e exception
	if json.Unmarshal(answer.Body, &e) == nil && e.Exception != "" { // an answer that is no object has no exception
		return m.failure(function, e)
	}
	if into == nil {
		return nil
	}
	return answer.JSON(into)
}

// failure is what an exception means.
func (m *Moodle) failure(function string, e exception) *target.Failure {
	kind := target.Refused
	switch e.Code {
	case "invalidtoken", "accessexception", "nopermissions", "requireloginerror", "servicenotavailable", "servicerequireslogin", "invalidtimedtoken", "enablewsdescription", "forbiddenwsuser":
		kind = target.Denied
	case "dmlreadexception", "dmlwriteexception", "dmlexception", "ddlexception", "sitemaintenance", "upgraderunning", "maintenance", "locktimeout", "dbconnectionfailed", "sessionwaiterr":
		kind = target.Down
	case "invaliduser", "userdeleted", "invaliduserid":
		kind = target.Gone
	}
	if function == "core_user_delete_users" && strings.Contains(e.Exception, "dml_missing_record") {
		kind = target.Gone
	}
	if strings.Contains(e.Exception, "required_capability") || strings.Contains(e.Exception, "webservice_access") {
		kind = target.Denied
	}
	if e.Code == "invalidparameter" && e.Debug == "" && function == "core_user_create_users" {
		// Moodle keeps the reason to itself unless its administrator debugs.
		e.Debug = "(it says why only while it debugs; often the authentication plugin " + m.config.Auth + " is not there)"
	}
	f := m.caller.Fail(kind, "%s: %s: %s %s", function, e.Code, e.Message, e.Debug)
	f.Maybe = kind == target.Down
	return f
}

// by finds accounts by a field.
func (m *Moodle) by(ctx context.Context, field, value string) ([]user, error) {
	var found []user
	err := m.call(ctx, "core_user_get_users_by_field", url.Values{"field": {field}, "values[0]": {value}}, &found)
	return found, err
}

// Find implements [target.Target]. Somebody else's account with the same login or
// address stands in the way, for Moodle takes neither twice.
func (m *Moodle) Find(ctx context.Context, a target.Account) (target.Remote, bool, error) {
	ours, err := m.by(ctx, "idnumber", a.Key)
	if err != nil {
		return target.Remote{}, false, err
	}
	switch len(ours) {
	case 0:
	case 1:
		return ours[0].remote(), true, nil
	default:
		f := target.Fail(target.Double, "%d accounts have the idnumber %s", len(ours), a.Key)
		f.Other = ours[1].Username
		return target.Remote{}, false, f
	}
	// The login first: whoever is adopted by it has the address as well.
	for _, has := range []struct{ field, value string }{{"username", strings.ToLower(a.Login)}, {"email", a.Mail}} {
		if has.value == "" {
			continue
		}
		others, err := m.by(ctx, has.field, has.value)
		if err != nil {
			return target.Remote{}, false, err
		}
		if len(others) == 0 {
			continue
		}
		other := others[0]
		if has.field == "username" && other.IDNumber == "" && m.config.Adopt {
			return m.unkeyed(other), true, nil
		}
		f := target.Fail(target.Taken, "the account %s has the same %s", other.Username, has.field)
		f.Other = other.Username
		return target.Remote{}, false, f
	}
	return target.Remote{}, false, m.sighted(ctx)
}

// guest is an account that every Moodle has.
const guest = "guest"

// trusted is how long we go on believing that we are shown accounts.
const trusted = time.Hour

// sighted fails when our account is not shown others: a Moodle then answers that nobody
// has a username, an address or an idnumber, and not that we may not know.
func (m *Moodle) sighted(ctx context.Context) error {
	m.mu.Lock()
	recent := m.now().Sub(m.sawAt) < trusted
	m.mu.Unlock()
	if recent {
		return nil
	}
	found, err := m.by(ctx, "username", guest)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return target.Fail(target.Denied, "our account is not shown who has which username: its role needs moodle/user:viewdetails and moodle/user:viewalldetails in the system")
	case found[0].Email == "":
		return target.Fail(target.Denied, "our account is not shown who has which address: its role needs moodle/site:viewuseridentity in the system, and the setting showuseridentity needs email")
	}
	m.mu.Lock()
	m.sawAt = m.now()
	m.mu.Unlock()
	return nil
}

// At implements [target.Target].
func (m *Moodle) At(ctx context.Context, account string, _ target.Account) (target.Remote, bool, error) {
	found, err := m.by(ctx, "id", account)
	if err != nil || len(found) == 0 {
		return target.Remote{}, false, err
	}
	return found[0].remote(), true, nil
}

// fields are the parameters that describe an account.
func (m *Moodle) fields(a target.Account) url.Values {
	v := url.Values{}
	set := func(name, value string) { v.Set("users[0]["+name+"]", value) }
	set("username", strings.ToLower(a.Login))
	set("auth", m.config.Auth)
	set("idnumber", a.Key)
	set("firstname", orDash(a.GivenName))
	set("lastname", orDash(a.FamilyName))
	set("email", a.Mail)
	if a.Language != "" {
		set("lang", a.Language)
	}
	return v
}

// orDash is a name that Moodle takes: it wants both parts of it.
func orDash(name string) string {
	if name == "" {
		return "–"
	}
	return name
}

// Create implements [target.Target].
func (m *Moodle) Create(ctx context.Context, a target.Account) (string, error) {
	v := m.fields(a)
	// Moodle asks for a password even where another place checks it. Nobody ever
	// learns this one.
	v.Set("users[0][password]", id.Token(24)+"aA1!")
	var made []user
	if err := m.call(ctx, "core_user_create_users", v, &made); err != nil {
		return "", err
	}
	if len(made) != 1 || made[0].ID == 0 {
		f := target.Fail(target.Unclear, "core_user_create_users names no account")
		f.Maybe = true
		return "", f
	}
	account := strconv.FormatInt(made[0].ID, 10)
	return account, m.arrange(ctx, account, a)
}

// warnings are what Moodle did not do in a call that it answers as if all was well.
type warnings struct {
	Warnings []struct {
		Code    string `json:"warningcode"`
		Message string `json:"message"`
	} `json:"warnings"`
}

// update changes an account. Moodle says in a warning that it did not.
func (m *Moodle) update(ctx context.Context, account string, v url.Values) error {
	v.Set("users[0][id]", account)
	var w *warnings // older versions answer null
	if err := m.call(ctx, "core_user_update_users", v, &w); err != nil {
		return err
	}
	if w == nil || len(w.Warnings) == 0 {
		return nil
	}
	kind := target.Refused
	switch w.Warnings[0].Code {
	case "usernotupdatednotexists", "usernotupdateddeleted", "invaliduserid":
		kind = target.Gone
	case "useremailduplicate":
		kind = target.Taken
	case "dmlwriteexception":
		// The database broke, or somebody else has the username: no other word is for that.
		others, err := m.by(ctx, "username", v.Get("users[0][username]"))
		if err != nil {
			return err
		}
		kind = target.Down
		if len(others) > 0 && others[0].remote().ID != account {
			kind = target.Taken
		}
	}
	return target.Fail(kind, "core_user_update_users: %s: %s", w.Warnings[0].Code, w.Warnings[0].Message)
}

// Change implements [target.Target].
func (m *Moodle) Change(ctx context.Context, account string, a target.Account) error {
	v := m.fields(a)
	v.Set("users[0][suspended]", "0")
	if err := m.update(ctx, account, v); err != nil {
		return err
	}
	return m.arrange(ctx, account, a)
}

// Suspend implements [target.Target].
func (m *Moodle) Suspend(ctx context.Context, account string, _ target.Account) error {
	return m.update(ctx, account, url.Values{"users[0][suspended]": {"1"}})
}

// Delete implements [target.Target].
func (m *Moodle) Delete(ctx context.Context, account string, _ target.Account) error {
	err := m.call(ctx, "core_user_delete_users", url.Values{"userids[0]": {account}}, nil)
	if target.Is(err, target.Gone) {
		return nil
	}
	return err
}

// Probe implements [target.Target].
func (m *Moodle) Probe(ctx context.Context) (string, error) {
	var site struct {
		Name      string `json:"sitename"`
		Release   string `json:"release"`
		Functions []struct {
			Name string `json:"name"`
		} `json:"functions"`
	}
	if err := m.call(ctx, "core_webservice_get_site_info", nil, &site); err != nil {
		return "", err
	}
	has := map[string]bool{}
	for _, f := range site.Functions {
		has[f.Name] = true
	}
	for _, name := range m.needed() {
		if !has[name] {
			return "", target.Fail(target.Denied, "the web service lacks the function %s", name)
		}
	}
	m.mu.Lock()
	m.sawAt = time.Time{} // whoever asks wants to know how it is now
	m.mu.Unlock()
	if err := m.sighted(ctx); err != nil {
		return "", err
	}
	return site.Name + ", Moodle " + site.Release, nil
}

// needed are the functions that the web service must offer.
func (m *Moodle) needed() []string {
	all := []string{"core_user_get_users_by_field", "core_user_get_users", "core_user_create_users", "core_user_update_users", "core_user_delete_users"}
	if len(m.config.Courses) > 0 {
		all = append(all, "core_course_get_courses_by_field", "core_enrol_get_users_courses", "enrol_manual_enrol_users", "enrol_manual_unenrol_users")
	}
	if len(m.config.Cohorts) > 0 {
		all = append(all, "core_cohort_get_cohorts", "core_cohort_create_cohorts", "core_cohort_get_cohort_members", "core_cohort_add_cohort_members", "core_cohort_delete_cohort_members")
	}
	return all
}

// longestMail is how long an address can be in a Moodle.
const longestMail = 100

// List implements [target.Lister]: the accounts whose people sign in as ours do. Moodle
// knows no pages and needs a second or two for a thousand accounts, so they are asked for
// by the length of their address, which shares them out without knowing any.
func (m *Moodle) List(ctx context.Context, each func(target.Remote) error) error {
	if err := m.sighted(ctx); err != nil { // an empty list would be a lie
		return err
	}
	for length := 1; length <= longestMail; length++ {
		var answer struct {
			Users []user `json:"users"`
		}
		err := m.call(ctx, "core_user_get_users", url.Values{
			"criteria[0][key]": {"auth"}, "criteria[0][value]": {m.config.Auth},
			"criteria[1][key]": {"email"}, "criteria[1][value]": {strings.Repeat("_", length)},
		}, &answer)
		if err != nil {
			return err
		}
		for _, u := range answer.Users {
			if err := each(u.remote()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Carried reports whether a group is one that the Moodle keeps.
func (c Config) Carried() []string { return append(append([]string{}, c.Courses...), c.Cohorts...) }

// isCourse and isCohort say what a group is in the Moodle.
func (m *Moodle) isCourse(code string) bool { return due.Matches(m.config.Courses, code) }
func (m *Moodle) isCohort(code string) bool { return due.Matches(m.config.Cohorts, code) }
