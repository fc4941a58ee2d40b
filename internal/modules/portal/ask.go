package portal

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// answer is what one room said when all were asked.
type answer[T any] struct {
	room  string
	value T
	err   error
}

// silence is a room that did not answer, for the page.
type silence struct{ Room, Code string }

// askAll asks every room at once and returns what they said, in their order. A
// room that does not answer within patience is given up: its goroutine ends by
// its context, and what it still says goes nowhere.
func askAll[P, T any](ctx context.Context, patience time.Duration, rooms []P, ask func(context.Context, P) (T, error)) []answer[T] {
	ctx, cancel := context.WithTimeout(ctx, patience)
	type numbered struct {
		i int
		answer[T]
	}
	said := make(chan numbered, len(rooms)) // room for all, so that a late one never blocks
	for i, room := range rooms {
		go func() {
			a := answer[T]{room: nameOf(room)}
			defer func() {
				if p := recover(); p != nil {
					a.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				}
				said <- numbered{i, a}
			}()
			a.value, a.err = ask(ctx, room)
		}()
	}
	answers := make([]answer[T], len(rooms))
	for i, room := range rooms {
		answers[i] = answer[T]{room: nameOf(room), err: RoomSlow.With(fault.Args{"limit": patience})}
	}
	defer cancel()
	for range rooms {
		select {
		case a := <-said:
			if a.err != nil && ctx.Err() != nil {
				continue // it only tells that it was given up
			}
			answers[a.i] = a.answer
		case <-ctx.Done():
			return answers
		}
	}
	return answers
}

// nameOf is the name of a room among its providers.
func nameOf(room any) string {
	if named, ok := room.(interface{ Name() string }); ok {
		return named.Name()
	}
	return fmt.Sprintf("%T", room)
}

// silent words the rooms that did not answer, and logs why.
func (m *Module) silent(ctx context.Context, what, room string, err error) silence {
	f := fault.Of(err)
	m.Log.Log(ctx, f.Reason.Kind().Level(), "a room did not answer", "id", web.RequestID(ctx), "what", what, "room", room, "reason", f.Reason.Code(), "error", err.Error())
	return silence{Room: roomName(ctx, room), Code: f.Reason.Code()}
}

// roomName is what people call a room.
func roomName(ctx context.Context, room string) string {
	if p := i18n.Of(ctx); p != nil && p.Has("portal.room."+room) {
		return p.T("portal.room." + room)
	}
	return room
}
