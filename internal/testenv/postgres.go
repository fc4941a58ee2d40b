package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/child"
)

// A cluster is a PostgreSQL server that lives in a temporary folder and is
// thrown away with it.
type cluster struct {
	dsn string // of its superuser
	dir string
	cmd *exec.Cmd
	end chan error // the server's exit
}

// superuser is the role that the tests connect with.
const superuser = "amphi"

// settings trade every promise of durability for speed: nothing here outlives
// the run.
var settings = []string{
	"fsync=off", "full_page_writes=off", "synchronous_commit=off",
	"wal_level=minimal", "max_wal_senders=0", "max_wal_size=128MB",
	"max_connections=200", "listen_addresses=127.0.0.1",
	"lc_messages=C", "timezone=UTC", "log_min_messages=warning",
}

// startCluster makes a new cluster with the programs in bin, in the first of
// these folders that will do, and waits until it answers.
func startCluster(ctx context.Context, bin string, parents ...string) (*cluster, error) {
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := reachableDir(owner, parents)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	password := rand.Text()
	if err := c.initialise(ctx, bin, owner, password); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	// Another program may take the free port between our look and the server's
	// start, so a failed start is tried again on another port.
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err == nil {
			err = c.launch(ctx, bin, owner, port)
		}
		if err == nil {
			c.dsn = fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=disable", superuser, password, port)
			return c, nil
		}
		if attempt == 3 || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(dir))
		}
	}
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// initialise runs initdb. The server listens on loopback where every account
// of the machine can knock, so its superuser has a password.
func (c *cluster) initialise(ctx context.Context, bin string, owner *syscall.Credential, password string) error {
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the password for initdb: %w", err)
	}
	if owner != nil {
		if err := os.Chown(secret, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("give the password to initdb: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata="+c.data(), "--username="+superuser,
		"--pwfile="+secret, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	c.bind(cmd, owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// launch starts the server on a port and waits for the line that says that it
// is ready.
func (c *cluster) launch(ctx context.Context, bin string, owner *syscall.Credential, port int) error {
	args := []string{"-D", c.data(), "-p", strconv.Itoa(port), "-k", c.dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	c.bind(cmd, owner)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ready := make(chan struct{})
	lines := make(chan string, 1)
	go func() { lines <- c.keepLog(pipe, ready) }()
	end := make(chan error, 1)
	go func() {
		said := <-lines // Wait may only follow the last read of the pipe
		err := cmd.Wait()
		end <- fmt.Errorf("the server stopped (%v):\n%s", err, said)
	}()
	c.cmd, c.end = cmd, end
	select {
	case <-ready:
		return nil
	case err := <-end:
		return err
	case <-ctx.Done():
	case <-time.After(30 * time.Second):
	}
	return errors.Join(errors.New("the server is not ready after 30 s"), cmd.Process.Kill())
}

// keepLog copies what the server says to a file in its folder, closes ready
// when it accepts connections, and returns its first words for an explanation.
func (c *cluster) keepLog(pipe io.Reader, ready chan<- struct{}) string {
	file, err := os.Create(filepath.Join(c.dir, "server.log"))
	if err != nil {
		say("the server's log is lost: %v", err)
		file = nil
	} else {
		defer file.Close()
	}
	var first strings.Builder
	announced := false
	scanner := bufio.NewScanner(pipe)
	for scanner.Scan() {
		line := scanner.Text()
		if !announced && strings.Contains(line, "ready to accept connections") {
			announced = true
			close(ready)
		}
		if first.Len() < 4096 {
			fmt.Fprintln(&first, line)
		}
		if file != nil {
			fmt.Fprintln(file, line)
		}
	}
	return first.String()
}

// bind gives a child of ours the server's user and ties its life to ours.
func (c *cluster) bind(cmd *exec.Cmd, owner *syscall.Credential) {
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	// SIGQUIT is PostgreSQL's immediate shutdown: it ends its workers too.
	child.EndWithUs(cmd, syscall.SIGQUIT)
}

// stop ends the server at once and removes its folder: there is nothing to save.
func (c *cluster) stop() {
	if err := c.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		say("stop PostgreSQL: %v", err)
	}
	select {
	case <-c.end:
	case <-time.After(10 * time.Second):
		say("PostgreSQL did not stop within 10 s and is killed")
		if err := c.cmd.Process.Kill(); err != nil {
			say("kill PostgreSQL: %v", err)
		}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		say("remove %s: %v", c.dir, err)
	}
}

// serverUser names whom the server runs as: nobody special when we are not
// root, else an account without rights, because PostgreSQL refuses root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue // the next one is as good
		}
		uid, errU := strconv.ParseUint(account.Uid, 10, 32)
		gid, errG := strconv.ParseUint(account.Gid, 10, 32)
		if errU == nil && errG == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as")
}

// freePort asks the kernel for a loopback port that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
