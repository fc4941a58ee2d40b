// Package child runs the real programs that tests talk to, so that none
// outlives the tests: each ends when asked, and when whoever started it dies.
package child

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Child is a running program whose words are kept.
type Child struct {
	command *exec.Cmd
	words   words
	ended   chan struct{}
	err     error // of the exit, once ended is closed
}

// Start starts the command. Every line that it prints, on either stream, is
// kept and handed to hear, which may be nil.
func Start(command *exec.Cmd, hear func(line string)) (*Child, error) {
	c := &Child{command: command, ended: make(chan struct{})}
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	command.WaitDelay = 2 * time.Second // for grandchildren that keep the streams open
	EndWithUs(command, syscall.SIGTERM)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(reader)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			c.words.add(lines.Text())
			if hear != nil {
				hear(lines.Text())
			}
		}
		// A line too long to keep must not stop the program that prints it.
		if _, err := io.Copy(io.Discard, reader); err != nil {
			c.words.add("its words were lost: " + err.Error())
		}
	}()
	go func() {
		defer close(c.ended)
		c.err = errors.Join(command.Wait(), writer.Close())
		<-read
	}()
	return c, nil
}

// Ended is closed when the program has ended.
func (c *Child) Ended() <-chan struct{} { return c.ended }

// Words are everything that the program has printed so far.
func (c *Child) Words() string { return c.words.String() }

// Stop asks the program to end and waits for it. One that does not obey in
// time is killed, and that is an error.
func (c *Child) Stop(patience time.Duration) error {
	if err := c.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.command.Path, err)
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(patience):
	}
	if err := c.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s did not end within %s and was killed; it said:\n%s", c.command.Path, patience, c.Words())
}

// Kill ends the program at once, without asking, and waits for its end.
func (c *Child) Kill() error {
	if err := c.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", c.command.Path, err)
	}
	<-c.ended
	return nil
}

// words is text that one goroutine adds to while others read it.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.WriteString(line)
	w.text.WriteByte('\n')
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
