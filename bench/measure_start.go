package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// measureStart times the program from its launch to its first answer, with a
// database that exists, and compares that with a launch that only prints the
// version. The server runs afterwards.
func measureStart(ctx context.Context, s *server, p plan) ([]row, error) {
	var starts, launches tally
	for range p.starts {
		if err := s.stop(); err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := exec.CommandContext(ctx, s.binary, "version").Run(); err != nil {
			return nil, fmt.Errorf("amphi version: %w", err)
		}
		launches.took = append(launches.took, time.Since(begin))
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		starts.took = append(starts.took, s.startedIn)
	}
	median, launch := starts.percentile(.5), launches.percentile(.5)
	return []row{{
		what:    fmt.Sprintf("start to first answer, existing database (median of %d)", p.starts),
		aim:     "under 150 ms",
		figure:  millis(median),
		ratio:   fmt.Sprintf("%.1f × printing the version (%s)", float64(median)/float64(launch), millis(launch)),
		verdict: verdictOf(median < 150*time.Millisecond),
	}}, nil
}

// measureIdleMemory waits for the start's garbage to be gone.
func measureIdleMemory(ctx context.Context, s *server, _ plan) ([]row, error) {
	if err := pause(ctx, 3*time.Second); err != nil {
		return nil, err
	}
	m, err := s.memory()
	if err != nil {
		return nil, err
	}
	return []row{{what: "resident memory, idle after start", aim: "under 60 MB", figure: megabytes(m.resident), ratio: "", verdict: verdictOf(m.resident < 60e6)}}, nil
}

func measureBinary(_ context.Context, s *server, _ plan) ([]row, error) {
	info, err := os.Stat(s.binary)
	if err != nil {
		return nil, err
	}
	return []row{{what: "size of the binary", figure: megabytes(info.Size())}}, nil
}
