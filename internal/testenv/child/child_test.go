package child_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/child"
)

func TestAChildIsHeardAndEndsWhenAsked(t *testing.T) {
	ready := make(chan struct{})
	c, err := child.Start(exec.Command("sh", "-c", "echo also this >&2; echo ready; exec sleep 60"), func(line string) {
		if line == "ready" {
			close(ready)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	if err := c.Stop(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.Words(), "also this") {
		t.Errorf("both streams should be kept, there is %q", c.Words())
	}
}

func TestAChildThatDoesNotObeyIsKilledAndReported(t *testing.T) {
	ready := make(chan struct{}, 1)
	c, err := child.Start(exec.Command("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"), func(string) { ready <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	if err := c.Stop(100 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "deaf") {
		t.Errorf("the error should hold the program's words, it is %v", err)
	}
	select {
	case <-c.Ended():
	default:
		t.Error("the program should have ended")
	}
}
