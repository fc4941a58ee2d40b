package ldapwrite

import (
	"context"
	"errors"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// asFailure finds a failure that was made already.
func asFailure(err error, f **target.Failure) bool { return errors.As(err, f) }

// join makes the groups of an entry those of the account. A group of names has a
// member at any time (RFC 4519 §3.5): it is made with the first one, and goes with
// the last.
func (d *Directory) join(ctx context.Context, dn string, a target.Account) error {
	if d.config.GroupsBase == "" {
		return nil
	}
	return d.with(ctx, true, func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(d.config.GroupsBase, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false,
			"(&(objectClass="+d.config.groupClass()+")(member="+ldap.EscapeFilter(dn)+"))", []string{"cn"}, nil))
		if err != nil {
			return err
		}
		var has []string
		for _, e := range found.Entries {
			code := e.GetEqualFoldAttributeValue("cn")
			has = append(has, code)
			if !slices.Contains(a.Groups, code) {
				if err := leave(c, e.DN, dn); err != nil {
					return err
				}
			}
		}
		for _, code := range a.Groups {
			if slices.Contains(has, code) {
				continue
			}
			if err := d.enter(c, "cn="+ldap.EscapeDN(code)+","+d.config.GroupsBase, code, dn); err != nil {
				return err
			}
		}
		return nil
	})
}

// enter makes an entry a member of a group, which is made when it is missing.
func (d *Directory) enter(c *ldap.Conn, group, code, dn string) error {
	r := ldap.NewModifyRequest(group, nil)
	r.Add("member", []string{dn})
	err := c.Modify(r)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		made := ldap.NewAddRequest(group, nil)
		made.Attribute("objectClass", []string{d.config.groupClass()})
		if d.config.active() {
			made.Attribute("sAMAccountName", []string{code})
		}
		made.Attribute("cn", []string{code})
		made.Attribute("member", []string{dn})
		if err = c.Add(made); ldap.IsErrorWithCode(err, ldap.LDAPResultEntryAlreadyExists) { // somebody was faster
			err = c.Modify(r)
		}
	}
	if ldap.IsErrorWithCode(err, ldap.LDAPResultAttributeOrValueExists) {
		return nil
	}
	return err
}

// leave takes an entry out of a group.
func leave(c *ldap.Conn, group, dn string) error {
	r := ldap.NewModifyRequest(group, nil)
	r.Delete("member", []string{dn})
	err := c.Modify(r)
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute), ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultObjectClassViolation, ldap.LDAPResultConstraintViolation): // it was the last one
		return c.Del(ldap.NewDelRequest(group, nil))
	}
	return err
}
