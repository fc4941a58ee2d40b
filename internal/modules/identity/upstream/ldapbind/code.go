package ldapbind

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// dataCode is the code that Active Directory hides in the text of a refused
// bind: "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error,
// data 532, v2580".
var dataCode = regexp.MustCompile(`\bdata ([0-9a-fA-F]{2,8})\b`)

// meaning is what a code says, and whether it is only said to who knows the
// password.
type meaning struct {
	reason *fault.Reason
	proved bool
}

// active are the codes of Active Directory, Win32 errors in hexadecimal. All but
// the first three are answered after the password was found right.
var active = map[string]meaning{
	"525": {upstream.Refused, false},        // ERROR_NO_SUCH_USER
	"52e": {upstream.Refused, false},        // ERROR_LOGON_FAILURE
	"775": {upstream.AccountLocked, false},  // ERROR_ACCOUNT_LOCKED_OUT
	"52f": {upstream.PolicyStopped, true},   // ERROR_ACCOUNT_RESTRICTION
	"530": {upstream.HoursForbidden, true},  // ERROR_INVALID_LOGON_HOURS
	"531": {upstream.PlaceForbidden, true},  // ERROR_INVALID_WORKSTATION
	"532": {upstream.PasswordExpired, true}, // ERROR_PASSWORD_EXPIRED
	"533": {upstream.AccountDisabled, true}, // ERROR_ACCOUNT_DISABLED
	"701": {upstream.AccountExpired, true},  // ERROR_ACCOUNT_EXPIRED
	"773": {upstream.PasswordReset, true},   // ERROR_PASSWORD_MUST_CHANGE
}

// policy are the errors of the password policy control
// (draft-behera-ldap-password-policy-11 §6.2) that a bind may meet. A locked
// account is told of before the password is looked at.
var policy = map[int8]meaning{
	0: {upstream.PasswordExpired, true},
	1: {upstream.AccountLocked, false},
	2: {upstream.PasswordReset, true},
}

// read makes an answer of a bind into what it means: nil with remarks when the
// password was right, or a *upstream.Failure.
func read(said *ldap.SimpleBindResult, err error) ([]upstream.Remark, error) {
	var remarks []upstream.Remark
	if said != nil {
		if c, ok := ldap.FindControl(said.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy); ok {
			if m, known := policy[c.Error]; known {
				return nil, &upstream.Failure{Reason: m.reason, Proved: m.proved, Code: fmt.Sprintf("ppolicy %d", c.Error), Text: c.ErrorString, Cause: err}
			}
			if c.Grace >= 0 {
				remarks = append(remarks, upstream.Remark{Key: "identity.upstream.remark.grace", Args: fault.Args{"left": c.Grace}})
			}
			if c.Expire >= 0 {
				remarks = append(remarks, expiring(time.Duration(c.Expire)*time.Second))
			}
		}
	}
	if err == nil {
		return remarks, nil
	}
	return nil, failure(err)
}

// failure is what a refused operation means.
func failure(err error) *upstream.Failure {
	var told *upstream.Failure
	if errors.As(err, &told) {
		return told
	}
	var e *ldap.Error
	if !errors.As(err, &e) {
		return &upstream.Failure{Reason: upstream.Unreachable, Untested: true, Cause: err}
	}
	f := &upstream.Failure{Reason: upstream.Faulty, Untested: true, Code: fmt.Sprintf("LDAP %d", e.ResultCode), Text: words(e), Cause: err}
	switch e.ResultCode {
	case ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInvalidDNSyntax:
		f.Reason, f.Untested = upstream.Refused, false
		if found := dataCode.FindStringSubmatch(f.Text); found != nil {
			code := strings.ToLower(found[1])
			f.Code = "data " + code
			if m, known := active[code]; known {
				f.Reason, f.Proved = m.reason, m.proved
			}
		}
	case ldap.LDAPResultConstraintViolation: // "Exceed password retry limit" of 389 Directory Server
		f.Reason, f.Untested = upstream.AccountLocked, false
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultInsufficientAccessRights:
		f.Reason = upstream.Misconfigured
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.LDAPResultServerDown, ldap.LDAPResultTimeout, ldap.ErrorNetwork:
		f.Reason = upstream.Unreachable
	}
	return f
}

// words is what the directory wrote, without the text that the library adds.
func words(e *ldap.Error) string {
	if e.Err == nil {
		return ""
	}
	return strings.TrimRight(e.Err.Error(), "\x00")
}

// lost is err when it says that nobody answered, so that the connection is
// dropped and another one asked; nil for an answer, also one that refuses.
func lost(err error) error {
	if err == nil || failure(err).Reason != upstream.Unreachable {
		return nil
	}
	return err
}

// changed reads the answer to a change of password.
func changed(err error) error {
	if err == nil {
		return nil
	}
	f := failure(err)
	var e *ldap.Error
	if !errors.As(err, &e) {
		return f
	}
	switch {
	case strings.Contains(f.Text, "00000056"): // Active Directory: the old value does not fit
		f.Reason, f.Untested = upstream.Refused, false
	case e.ResultCode == ldap.LDAPResultConstraintViolation, e.ResultCode == ldap.LDAPResultUnwillingToPerform:
		f.Reason, f.Untested = upstream.PasswordForm, false
		f.Args = fault.Args{"words": f.Text}
	}
	return f
}
