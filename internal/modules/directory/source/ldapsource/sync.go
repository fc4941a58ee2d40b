package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// errUnfinished: the stream of a synchronization ended without its last message.
var errUnfinished = errors.New("the answer ended before its last message")

// sync reads a place by content synchronization (RFC 4533), in the mode refreshOnly:
// what changed since the cookie, or everything without one.
func (r *reading) sync(p place) error {
	cookie := r.since.Sync[p.kind]
	err := r.refresh(p, cookie)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSyncRefreshRequired) && len(cookie) > 0 {
		// The server forgot what the cookie stands for.
		r.remark(source.ReadWhole.With(fault.Args{"source": r.config.ID}))
		r.seen = map[string]string{}
		err = r.refresh(p, nil)
	}
	return err
}

// refresh is one synchronization operation.
func (r *reading) refresh(p place, cookie []byte) error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	r.conn.SetTimeout(0) // it may take long as a whole: the watch below bounds each silence
	defer r.conn.SetTimeout(r.timeout())
	request := ldap.NewSearchRequest(p.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, p.filter, r.wanted(p.kind), nil)
	stream := r.conn.Syncrepl(ctx, request, streamed, ldap.SyncRequestModeRefreshOnly, cookie, false)
	var done *ldap.ControlSyncDone
	r.present = map[string]bool{}
	everything := len(cookie) == 0 // all that there is is sent then, or named as present
	var silent atomic.Bool
	for {
		watch := time.AfterFunc(r.timeout(), func() { silent.Store(true); r.conn.Close() })
		more := stream.Next()
		watch.Stop()
		if silent.Load() {
			return ldap.NewError(ldap.ErrorNetwork, fmt.Errorf("silent for %v", r.timeout()))
		}
		if !more {
			break
		}
		for _, control := range stream.Controls() {
			switch c := control.(type) {
			case *ldap.ControlSyncState:
				if err := r.state(p.kind, c, stream.Entry()); err != nil {
					return err
				}
			case *ldap.ControlSyncInfo:
				everything = r.info(p.kind, c) || everything
			case *ldap.ControlSyncDone:
				done = c
			}
		}
		if address := stream.Referral(); address != "" {
			r.elsewhere([]string{address})
		}
	}
	switch err := stream.Err(); {
	case err != nil:
		return err
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case done == nil:
		return ldap.NewError(ldap.ErrorNetwork, errUnfinished)
	}
	for key := range r.seen {
		r.there[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(r.present)) {
		r.there[key] = true
		if _, changed := r.seen[key]; changed {
			continue
		}
		if err := r.hand(source.Record{Kind: p.kind, Key: key, Where: key, Unchanged: true}); err != nil {
			return err
		}
	}
	r.next.Sync[p.kind] = done.Cookie
	if len(done.Cookie) == 0 {
		r.next.Sync[p.kind] = cookie
	}
	if everything || !done.RefreshDeletes {
		r.result.Complete = append(r.result.Complete, p.kind)
	}
	return nil
}

// streamed is how many messages wait for us at most.
const streamed = 64

// state takes one message about an entry (RFC 4533 §2.2).
func (r *reading) state(k source.Kind, c *ldap.ControlSyncState, e *ldap.Entry) error {
	key := c.EntryUUID.String()
	switch c.State {
	case ldap.SyncStateDelete:
		r.gone(k, key)
		return nil
	case ldap.SyncStatePresent:
		r.present[key] = true
		return nil
	default:
		if e == nil {
			return nil
		}
		return r.take(k, e, key)
	}
}

// info takes a message about many entries (RFC 4533 §2.5). Present says that all entries
// that are still there have been named, so that others are gone.
func (r *reading) info(k source.Kind, c *ldap.ControlSyncInfo) (present bool) {
	if c.SyncIdSet != nil {
		for _, one := range c.SyncIdSet.SyncUUIDs {
			if c.SyncIdSet.RefreshDeletes {
				r.gone(k, one.String())
			} else {
				r.present[one.String()] = true // also those that follow with what changed
			}
		}
	}
	return c.RefreshPresent != nil
}

// gone notes that a server calls an entry deleted. OpenLDAP says so of every entry in its
// log of changes that may be, also of one that follows with what changed, or that is
// somewhere else than where was asked.
func (r *reading) gone(k source.Kind, key string) {
	if r.left[k] == nil {
		r.left[k] = map[string]bool{}
	}
	r.left[k][key] = true
}

// handGone hands over what is gone, when it is known what is there.
func (r *reading) handGone() error {
	for _, k := range source.Kinds {
		r.seen = map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(r.left[k])) {
			if r.there[key] {
				continue
			}
			if err := r.hand(source.Record{Kind: k, Key: key, Where: key, Gone: true}); err != nil {
				return err
			}
		}
	}
	return nil
}
