package ldapview

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// The library that speaks the protocol listens by itself, takes in everybody and lets
// them stay. So it listens on the loopback only, and the gate stands before it.

// gate lets programs in: so many in all, so many from one address, and none that stays
// silent. It is safe for concurrent use.
type gate struct {
	config Config
	tls    *tls.Config // nil for connections of this machine in clear
	inside string      // address of the library
	log    *slog.Logger

	mu    sync.Mutex
	all   int
	from  map[netip.Addr]int
	going sync.WaitGroup
}

const (
	// shakePatience is how long an encrypted connection may take to begin.
	shakePatience = 10 * time.Second
	// acceptAgain is how long the gate waits when the house is out of connections.
	acceptAgain = 100 * time.Millisecond
)

// serve lets programs in until the context ends, which closes the listener.
func (g *gate) serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() }) // Accept says so
	defer stop()
	defer g.going.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // too many open files, most of all: it passes
			g.log.Warn("the LDAP view takes nobody in for a moment", "error", err)
			time.Sleep(acceptAgain)
			continue
		}
		who := addressOf(conn)
		if !g.enter(who) {
			g.log.Info("the LDAP view refused a connection: there are too many", "address", who.String())
			conn.Close() // nothing was said on it
			continue
		}
		g.going.Go(func() {
			defer g.leave(who)
			g.lead(ctx, conn)
		})
	}
}

// addressOf is who calls; the zero address when nobody can tell.
func addressOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// block is what counts as one address: a network of IPv6 gives each machine as many as it
// likes.
func block(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// enter counts a connection, unless there are too many.
func (g *gate) enter(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	a = block(a)
	if g.all >= g.config.Connections || g.from[a] >= g.config.ConnectionsPerAddress {
		return false
	}
	g.all++
	g.from[a]++
	return true
}

func (g *gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a = block(a)
	g.all--
	if g.from[a]--; g.from[a] == 0 {
		delete(g.from, a)
	}
}

// lead passes on what a program and the library say to each other.
func (g *gate) lead(ctx context.Context, outside net.Conn) {
	defer outside.Close() // both have said what they had to
	if g.tls != nil {
		shaken := tls.Server(outside, g.tls)
		patience, cancel := context.WithTimeout(ctx, shakePatience)
		err := shaken.HandshakeContext(patience)
		cancel()
		if err != nil {
			return // no program of ours
		}
		outside = shaken
	}
	inside, err := net.Dial("tcp", g.inside)
	if err != nil {
		g.log.Error("the LDAP view cannot be reached", "error", err)
		return
	}
	defer inside.Close() // as above
	end := context.AfterFunc(ctx, func() { outside.Close() })
	defer end()
	program := awake{outside, g.config.Idle}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(program, inside) // whoever hangs up ends it
		outside.Close()                 // the library has hung up
	}()
	_, _ = io.Copy(inside, program) // as above; or it was silent for too long
	if half, ok := inside.(*net.TCPConn); ok {
		_ = half.CloseWrite() // a connection that is gone needs no end
	}
	select {
	case <-answered:
	case <-time.After(g.config.Idle):
	}
}

// awake is a connection that ends when neither side says anything for a while.
type awake struct {
	net.Conn
	idle time.Duration
}

func (a awake) Read(p []byte) (int, error) {
	if err := a.SetDeadline(time.Now().Add(a.idle)); err != nil {
		return 0, err
	}
	return a.Conn.Read(p)
}

func (a awake) Write(p []byte) (int, error) {
	if err := a.SetDeadline(time.Now().Add(a.idle)); err != nil {
		return 0, err
	}
	return a.Conn.Write(p)
}
