package rule

// repeated is how many tries with an old password are a device that saved it.
const repeated = 3

// oldPassword: a phone or a mail program goes on with the password from before. It
// is told, and it never counts: it locks nobody out and raises no alarm.
var oldPassword = Rule{Name: "old_password", Fixed: true, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	return Facts{Count: e.OldPasswords}, e.OldPasswords >= repeated
}}
