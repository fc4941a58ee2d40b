package moodle

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// arrange makes the enrolments and cohorts of an account those of its groups.
// What does not carry a code of ours is left as it is.
func (m *Moodle) arrange(ctx context.Context, account string, a target.Account) error {
	var missing []string
	if len(m.config.Courses) > 0 {
		var err error
		if missing, err = m.enrol(ctx, account, a); err != nil {
			return err
		}
	}
	if len(m.config.Cohorts) > 0 {
		if err := m.join(ctx, account, a); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return target.Fail(target.Partial, "no course has the idnumber %s", strings.Join(missing, ", "))
	}
	return nil
}

// course is one that Moodle shows.
type course struct {
	ID       int64  `json:"id"`
	IDNumber string `json:"idnumber"`
}

// enrol makes the courses of an account those of its groups, and names those that
// do not exist yet.
func (m *Moodle) enrol(ctx context.Context, account string, a target.Account) (missing []string, err error) {
	var has []course
	if err := m.call(ctx, "core_enrol_get_users_courses", url.Values{"userid": {account}}, &has); err != nil {
		return nil, err
	}
	role := m.config.StudentRole
	if slices.Contains(a.Affiliations, "faculty") && !slices.Contains(a.Affiliations, "student") {
		role = m.config.TeacherRole
	}
	in, out := url.Values{}, url.Values{}
	add := func(v url.Values, n int, courseID int64) {
		at := "enrolments[" + strconv.Itoa(n) + "]"
		v.Set(at+"[roleid]", strconv.Itoa(role))
		v.Set(at+"[userid]", account)
		v.Set(at+"[courseid]", strconv.FormatInt(courseID, 10))
	}
	n := 0
	for _, code := range a.Groups {
		if !m.isCourse(code) || slices.ContainsFunc(has, func(c course) bool { return c.IDNumber == code }) {
			continue
		}
		var found struct {
			Courses []course `json:"courses"`
		}
		if err := m.call(ctx, "core_course_get_courses_by_field", url.Values{"field": {"idnumber"}, "value": {code}}, &found); err != nil {
			return nil, err
		}
		if len(found.Courses) == 0 {
			missing = append(missing, code)
			continue
		}
		add(in, n, found.Courses[0].ID)
		n++
	}
	left := 0
	for _, c := range has {
		if m.isCourse(c.IDNumber) && !slices.Contains(a.Groups, c.IDNumber) {
			add(out, left, c.ID)
			left++
		}
	}
	if n > 0 {
		if err := m.call(ctx, "enrol_manual_enrol_users", in, nil); err != nil {
			return nil, err
		}
	}
	if left > 0 {
		if err := m.call(ctx, "enrol_manual_unenrol_users", out, nil); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// cohort is one of ours, with the accounts in it.
type cohort struct {
	id      int64
	members map[string]bool
}

// cohortsLast is how long what we know of the cohorts is good: Moodle cannot say
// which cohorts an account is in, only who is in a cohort.
const cohortsLast = 5 * time.Minute

// join makes the cohorts of an account those of its groups.
func (m *Moodle) join(ctx context.Context, account string, a target.Account) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cohorts == nil || m.now().Sub(m.readAt) > cohortsLast {
		if err := m.readCohorts(ctx); err != nil {
			return err
		}
	}
	in, joined := url.Values{}, []*cohort{}
	for _, code := range a.Groups {
		if !m.isCohort(code) {
			continue
		}
		c, err := m.cohort(ctx, code)
		if err != nil {
			return err
		}
		if c.members[account] {
			continue
		}
		at := "members[" + strconv.Itoa(len(joined)) + "]"
		in.Set(at+"[cohorttype][type]", "id")
		in.Set(at+"[cohorttype][value]", strconv.FormatInt(c.id, 10))
		in.Set(at+"[usertype][type]", "id")
		in.Set(at+"[usertype][value]", account)
		joined = append(joined, c)
	}
	out, left := url.Values{}, []*cohort{}
	for code, c := range m.cohorts {
		if !c.members[account] || slices.Contains(a.Groups, code) {
			continue
		}
		at := "members[" + strconv.Itoa(len(left)) + "]"
		out.Set(at+"[cohortid]", strconv.FormatInt(c.id, 10))
		out.Set(at+"[userid]", account)
		left = append(left, c)
	}
	if len(joined) > 0 {
		if err := m.call(ctx, "core_cohort_add_cohort_members", in, nil); err != nil {
			m.cohorts = nil // somebody may have removed one
			return err
		}
		for _, c := range joined {
			c.members[account] = true
		}
	}
	if len(left) > 0 {
		if err := m.call(ctx, "core_cohort_delete_cohort_members", out, nil); err != nil {
			m.cohorts = nil
			return err
		}
		for _, c := range left {
			delete(c.members, account)
		}
	}
	return nil
}

// readCohorts reads the cohorts that carry a code of ours, and who is in them.
func (m *Moodle) readCohorts(ctx context.Context) error {
	var all []course // the two fields are the same
	if err := m.call(ctx, "core_cohort_get_cohorts", nil, &all); err != nil {
		return err
	}
	known, byID, ask := map[string]*cohort{}, map[int64]*cohort{}, url.Values{}
	for _, c := range all {
		if m.isCohort(c.IDNumber) {
			known[c.IDNumber] = &cohort{id: c.ID, members: map[string]bool{}}
			byID[c.ID] = known[c.IDNumber]
			ask.Set("cohortids["+strconv.Itoa(len(byID)-1)+"]", strconv.FormatInt(c.ID, 10))
		}
	}
	if len(byID) > 0 {
		var members []struct {
			Cohort int64   `json:"cohortid"`
			Users  []int64 `json:"userids"`
		}
		if err := m.call(ctx, "core_cohort_get_cohort_members", ask, &members); err != nil {
			return err
		}
		for _, one := range members {
			for _, u := range one.Users {
				if c := byID[one.Cohort]; c != nil {
					c.members[strconv.FormatInt(u, 10)] = true
				}
			}
		}
	}
	m.cohorts, m.readAt = known, m.now()
	return nil
}

// cohort is the cohort of a group, made when it is missing.
func (m *Moodle) cohort(ctx context.Context, code string) (*cohort, error) {
	if c := m.cohorts[code]; c != nil {
		return c, nil
	}
	name, err := m.cohortName(ctx, code)
	if err != nil {
		return nil, err
	}
	var made []course
	err = m.call(ctx, "core_cohort_create_cohorts", url.Values{
		"cohorts[0][categorytype][type]": {"system"}, "cohorts[0][categorytype][value]": {""},
		"cohorts[0][name]": {name}, "cohorts[0][idnumber]": {code},
	}, &made)
	if err != nil {
		m.cohorts = nil // another server may have made it
		return nil, err
	}
	if len(made) != 1 {
		return nil, target.Fail(target.Unclear, "core_cohort_create_cohorts names no cohort")
	}
	c := &cohort{id: made[0].ID, members: map[string]bool{}}
	m.cohorts[code] = c
	return c, nil
}

// longestCohort is how many characters the name of a cohort has at most in Moodle.
const longestCohort = 254

// cohortName is what a new cohort is called: as the group, or by its code when that has
// no name. Whoever renames it in Moodle may: we go by the ID number.
func (m *Moodle) cohortName(ctx context.Context, code string) (string, error) {
	if m.called == nil {
		return code, nil
	}
	name, err := m.called(ctx, code)
	if err != nil {
		return "", err
	}
	if r := []rune(cmp.Or(strings.TrimSpace(name), code)); len(r) > longestCohort {
		return string(r[:longestCohort]), nil
	}
	return cmp.Or(strings.TrimSpace(name), code), nil
}
