package pretend

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// MoodleUser is an account of a pretended Moodle.
type MoodleUser struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	FirstName string `json:"firstname"`
	LastName  string `json:"lastname"`
	Email     string `json:"email"`
	IDNumber  string `json:"idnumber"`
	Auth      string `json:"auth"`
	Lang      string `json:"lang"`
	Suspended bool   `json:"suspended"`
}

// Moodle pretends to be a Moodle with its web service.
type Moodle struct {
	Trouble
	Token string
	// Doubles makes it take the same username twice, as a database without the right
	// index does.
	Doubles bool
	// Blind makes it show no accounts, as to a role without the capabilities for it.
	Blind bool
	// Refuse names usernames that it does not take.
	Refuse []string

	users   map[int64]*MoodleUser
	courses map[string]int64          // idnumber to id
	cohorts map[string]int64          // idnumber to id
	enrols  map[int64]map[int64]int64 // course to account to role
	members map[int64]map[int64]bool  // cohort to account
	called  map[int64]string          // cohorts
	next    int64
}

// NewMoodle is an empty Moodle with these courses.
func NewMoodle(token string, courses ...string) *Moodle {
	m := &Moodle{Token: token, users: map[int64]*MoodleUser{}, courses: map[string]int64{}, cohorts: map[string]int64{}, enrols: map[int64]map[int64]int64{}, called: map[int64]string{}, members: map[int64]map[int64]bool{}, next: 100}
	for _, code := range courses {
		m.next++
		m.courses[code] = m.next
	}
	return m
}

// Add puts an account there that Amphi did not make, with the next identifier if it
// has none.
func (m *Moodle) Add(u MoodleUser) {
	m.set(func() {
		if u.ID == 0 {
			m.next++
			u.ID = m.next
		}
		m.users[u.ID] = &u
	})
}

// Change changes an account behind everybody's back.
func (m *Moodle) Change(username string, change func(*MoodleUser)) {
	m.set(func() {
		for _, u := range m.users {
			if u.Username == username {
				change(u)
			}
		}
	})
}

// Remove takes an account away behind everybody's back.
func (m *Moodle) Remove(username string) {
	m.set(func() {
		for id, u := range m.users {
			if u.Username == username {
				delete(m.users, id)
			}
		}
	})
}

// AddCourse opens a course.
func (m *Moodle) AddCourse(code string) {
	m.set(func() {
		m.next++
		m.courses[code] = m.next
	})
}

// Users are the accounts with this username.
func (m *Moodle) Users(username string) []MoodleUser {
	var found []MoodleUser
	m.set(func() {
		for _, id := range slices.Sorted(maps.Keys(m.users)) {
			if m.users[id].Username == username {
				found = append(found, *m.users[id])
			}
		}
	})
	return found
}

// Count is how many accounts there are.
func (m *Moodle) Count() (n int) {
	m.set(func() { n = len(m.users) })
	return n
}

// Enrolled is the role of a username in a course; zero when not enrolled.
func (m *Moodle) Enrolled(username, course string) (role int64) {
	m.set(func() {
		for id, u := range m.users {
			if u.Username == username {
				role = m.enrols[m.courses[course]][id]
			}
		}
	})
	return role
}

// InCohort reports whether a username is in a cohort.
func (m *Moodle) InCohort(username, cohort string) (in bool) {
	m.set(func() {
		for id, u := range m.users {
			if u.Username == username {
				in = m.members[m.cohorts[cohort]][id]
			}
		}
	})
	return in
}

// CohortCalled is the name of a cohort, by its ID number; empty when there is none.
func (m *Moodle) CohortCalled(cohort string) (name string) {
	m.set(func() { name = m.called[m.cohorts[cohort]] })
	return name
}

// ServeHTTP implements http.Handler.
func (m *Moodle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.serve(w, r, func(r *http.Request) bool {
		name := r.FormValue("wsfunction")
		return strings.Contains(name, "create") || strings.Contains(name, "update") || strings.Contains(name, "delete") || strings.Contains(name, "enrol_users")
	}, func(w http.ResponseWriter, r *http.Request) {
		var answer any
		m.set(func() { answer = m.answer(r) })
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			return // whoever asked went away
		}
	})
}

type moodleException struct {
	Exception string `json:"exception"`
	Code      string `json:"errorcode"`
	Message   string `json:"message"`
}

func number(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.FormValue(name), 10, 64) // zero is nobody
	return n
}

func (m *Moodle) answer(r *http.Request) any {
	if r.URL.Path != "/webservice/rest/server.php" {
		return moodleException{"moodle_exception", "pagemissing", r.URL.Path}
	}
	if r.FormValue("wstoken") != m.Token {
		return moodleException{"moodle_exception", "invalidtoken", "Invalid token - token not found: " + r.FormValue("wstoken")}
	}
	switch name := r.FormValue("wsfunction"); name {
	case "core_webservice_get_site_info":
		return m.site()
	case "core_user_get_users_by_field":
		return m.show(m.find(r.FormValue("field"), r.FormValue("values[0]")))
	case "core_user_get_users":
		found := m.find(r.FormValue("criteria[0][key]"), r.FormValue("criteria[0][value]"))
		if like := r.FormValue("criteria[1][value]"); like != "" { // of as many characters
			found = slices.DeleteFunc(found, func(u MoodleUser) bool { return len(u.Email) != len(like) })
		}
		return map[string]any{"users": m.show(found), "warnings": []string{}}
	case "core_user_create_users":
		return m.create(r)
	case "core_user_update_users":
		return m.update(r)
	case "core_user_delete_users":
		if _, ok := m.users[number(r, "userids[0]")]; !ok {
			return moodleException{"dml_missing_record_exception", "invalidrecordunknown", "Can't find data record in database."}
		}
		delete(m.users, number(r, "userids[0]"))
		return nil
	default:
		return m.answerGroups(r, name)
	}
}

func (m *Moodle) site() any {
	var functions []map[string]string
	for _, name := range []string{
		"core_user_get_users_by_field", "core_user_get_users", "core_user_create_users", "core_user_update_users", "core_user_delete_users",
		"core_course_get_courses_by_field", "core_enrol_get_users_courses", "enrol_manual_enrol_users", "enrol_manual_unenrol_users",
		"core_cohort_get_cohorts", "core_cohort_create_cohorts", "core_cohort_get_cohort_members", "core_cohort_add_cohort_members", "core_cohort_delete_cohort_members",
	} {
		functions = append(functions, map[string]string{"name": name})
	}
	return map[string]any{"sitename": "Moodle (pretended)", "release": "4.5", "functions": functions}
}

// show leaves out what whoever asks may not see: a Moodle does not say that it does.
func (m *Moodle) show(found []MoodleUser) []MoodleUser {
	if m.Blind {
		return []MoodleUser{}
	}
	return found
}

func (m *Moodle) find(field, value string) []MoodleUser {
	found := []MoodleUser{}
	if field == "username" && value == "guest" {
		return append(found, MoodleUser{ID: 1, Username: "guest", Email: "root@localhost", Auth: "manual"})
	}
	for _, id := range slices.Sorted(maps.Keys(m.users)) {
		u := m.users[id]
		has := map[string]string{"username": u.Username, "email": u.Email, "idnumber": u.IDNumber, "auth": u.Auth, "id": strconv.FormatInt(u.ID, 10)}
		if has[field] == value {
			found = append(found, *u)
		}
	}
	return found
}

func (m *Moodle) create(r *http.Request) any {
	get := func(name string) string { return r.FormValue("users[0][" + name + "]") }
	for _, name := range []string{"username", "firstname", "lastname", "email", "password"} {
		if get(name) == "" {
			return moodleException{"invalid_parameter_exception", "invalidparameter", "Invalid parameter value detected: missing " + name}
		}
	}
	if slices.Contains(m.Refuse, get("username")) {
		return moodleException{"invalid_parameter_exception", "invalidparameter", "Email address is invalid: " + get("email")}
	}
	if !m.Doubles && (len(m.find("username", get("username"))) > 0 || len(m.find("email", get("email"))) > 0) {
		return moodleException{"invalid_parameter_exception", "invalidparameter", "Username already exists: " + get("username")}
	}
	m.next++
	m.users[m.next] = &MoodleUser{
		ID: m.next, Username: get("username"), FirstName: get("firstname"), LastName: get("lastname"), Email: get("email"), IDNumber: get("idnumber"), Auth: get("auth"), Lang: get("lang"),
	}
	return []map[string]any{{"id": m.next, "username": get("username")}}
}

func (m *Moodle) update(r *http.Request) any {
	u := m.users[number(r, "users[0][id]")]
	not := func(code, message string) any {
		return map[string]any{"warnings": []map[string]any{{"item": "user", "itemid": number(r, "users[0][id]"), "warningcode": code, "message": message}}}
	}
	another := func(field string) bool {
		others := m.find(field, r.FormValue("users[0]["+field+"]"))
		return r.Form.Has("users[0]["+field+"]") && slices.ContainsFunc(others, func(o MoodleUser) bool { return o.ID != u.ID })
	}
	switch {
	case u == nil:
		return not("invaliduserid", "Invalid user ID")
	case !m.Doubles && another("email"):
		return not("useremailduplicate", "Duplicate address")
	case !m.Doubles && another("username"):
		return not("dmlwriteexception", "Error writing to database")
	}
	for name, to := range map[string]*string{"username": &u.Username, "firstname": &u.FirstName, "lastname": &u.LastName, "email": &u.Email, "idnumber": &u.IDNumber, "auth": &u.Auth, "lang": &u.Lang} {
		if r.Form.Has("users[0][" + name + "]") {
			*to = r.FormValue("users[0][" + name + "]")
		}
	}
	if r.Form.Has("users[0][suspended]") {
		u.Suspended = r.FormValue("users[0][suspended]") == "1"
	}
	return map[string]any{"warnings": []string{}}
}

func (m *Moodle) answerGroups(r *http.Request, name string) any {
	type group struct {
		ID       int64  `json:"id"`
		IDNumber string `json:"idnumber"`
	}
	switch name {
	case "core_course_get_courses_by_field":
		courses := []group{}
		if id, ok := m.courses[r.FormValue("value")]; ok {
			courses = append(courses, group{id, r.FormValue("value")})
		}
		return map[string]any{"courses": courses}
	case "core_enrol_get_users_courses":
		courses := []group{}
		for code, id := range m.courses {
			if _, in := m.enrols[id][number(r, "userid")]; in {
				courses = append(courses, group{id, code})
			}
		}
		return courses
	case "enrol_manual_enrol_users", "enrol_manual_unenrol_users":
		for i := 0; r.Form.Has("enrolments[" + strconv.Itoa(i) + "][courseid]"); i++ {
			at := "enrolments[" + strconv.Itoa(i) + "]"
			in := m.enrols[number(r, at+"[courseid]")]
			if in == nil {
				in = map[int64]int64{}
				m.enrols[number(r, at+"[courseid]")] = in
			}
			if name == "enrol_manual_enrol_users" {
				in[number(r, at+"[userid]")] = number(r, at+"[roleid]")
			} else {
				delete(in, number(r, at+"[userid]"))
			}
		}
		return nil
	case "core_cohort_get_cohorts":
		cohorts := []group{}
		for code, id := range m.cohorts {
			cohorts = append(cohorts, group{id, code})
		}
		return cohorts
	case "core_cohort_create_cohorts":
		m.next++
		m.cohorts[r.FormValue("cohorts[0][idnumber]")] = m.next
		m.called[m.next] = r.FormValue("cohorts[0][name]")
		m.members[m.next] = map[int64]bool{}
		return []group{{m.next, r.FormValue("cohorts[0][idnumber]")}}
	case "core_cohort_get_cohort_members":
		answer := []map[string]any{}
		for i := 0; r.Form.Has("cohortids[" + strconv.Itoa(i) + "]"); i++ {
			id := number(r, "cohortids["+strconv.Itoa(i)+"]")
			answer = append(answer, map[string]any{"cohortid": id, "userids": slices.Sorted(maps.Keys(m.members[id]))})
		}
		return answer
	case "core_cohort_add_cohort_members":
		for i := 0; r.Form.Has("members[" + strconv.Itoa(i) + "][usertype][value]"); i++ {
			at := "members[" + strconv.Itoa(i) + "]"
			m.members[number(r, at+"[cohorttype][value]")][number(r, at+"[usertype][value]")] = true
		}
		return map[string]any{"warnings": []string{}}
	case "core_cohort_delete_cohort_members":
		for i := 0; r.Form.Has("members[" + strconv.Itoa(i) + "][cohortid]"); i++ {
			at := "members[" + strconv.Itoa(i) + "]"
			delete(m.members[number(r, at+"[cohortid]")], number(r, at+"[userid]"))
		}
		return nil
	default:
		return moodleException{"dml_missing_record_exception", "invalidrecord", "Can't find data record in database table external_functions."}
	}
}
