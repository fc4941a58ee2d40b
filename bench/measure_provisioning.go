package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
)

// The Moodle of the measure: as fast as one can be, and allowed as much as the
// configuration allows.
const (
	provisioningRate = 1000 // questions a second
	// provisioningAsks is how many questions a new account costs: three to find that
	// there is none, one to make it.
	provisioningAsks = 4
)

const provisioningSettings = `
[[provisioning.targets]]
id = "bench"
kind = "moodle"
url = %q
rate = %d
together = 16

[provisioning.targets.moodle]
token = "bench"
`

// measureProvisioning counts the accounts that one target gets in a second, and
// the time from a change by another process to its effect in the service.
func measureProvisioning(ctx context.Context, s *server, p plan) (rows []row, err error) {
	if err := s.stop(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.start(ctx)) }() // as the next step expects it
	there := pretend.NewMoodle("bench")
	moodle := httptest.NewServer(there)
	defer moodle.Close()
	config := filepath.Join(filepath.Dir(s.data), "provisioning.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, provisioningSettings, moodle.URL, provisioningRate), 0o600); err != nil {
		return nil, err
	}
	stop, err := s.serve(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := until(ctx, time.Minute, func() bool { return there.Count() > 0 }); err != nil {
		return nil, fmt.Errorf("the first account: %w", err)
	}
	began, before := time.Now(), there.Count()
	window := max(5*time.Second, p.slice)
	if err := pause(ctx, window); err != nil {
		return nil, err
	}
	speed := float64(there.Count()-before) / time.Since(began).Seconds()
	allowed := float64(provisioningRate) / provisioningAsks
	rows = append(rows, row{
		what: "accounts made in a Moodle of no delay, one worker", figure: fmt.Sprintf("%.0f/s", speed),
		ratio: fmt.Sprintf("%.0f %% of what %d questions a second allow", 100*speed/allowed, provisioningRate),
	})
	last, same := there.Count(), 0
	if err := until(ctx, 5*time.Minute, func() bool { // until everybody has one
		if now := there.Count(); now != last {
			last, same = now, 0
			return false
		}
		same++
		return same >= 10
	}); err != nil {
		return rows, fmt.Errorf("until everybody has an account: %w", err)
	}
	var delays tally
	for i := range 5 {
		login := fmt.Sprintf("newcomer%d", i)
		if err := s.amphi(ctx, "person", "add", "--config", config, login, "--mail", login+"@valmont.example", "--given-name", "New", "--family-name", "Comer", "--affiliation", "student:rives:L-INFO"); err != nil {
			return rows, err
		}
		changed := time.Now()
		for len(there.Users(login)) == 0 {
			if time.Since(changed) > time.Minute {
				return rows, fmt.Errorf("%s has no account after a minute", login)
			}
			if err := pause(ctx, 5*time.Millisecond); err != nil {
				return rows, err
			}
		}
		delays.took = append(delays.took, time.Since(changed))
	}
	median, most := delays.percentile(.5), delays.percentile(1)
	return append(rows, row{
		what: "from a new person to the account, changed by another process (median of 5)", aim: "under 60 s", figure: millis(median) + ", at most " + millis(most),
		verdict: verdictOf(most < time.Minute),
	}), nil
}

// until waits for something, looking twice a second.
func until(ctx context.Context, most time.Duration, done func() bool) error {
	for deadline := time.Now().Add(most); !done(); {
		if time.Now().After(deadline) {
			return errors.New("waited in vain")
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// serve runs the program as an installation does, on the data of the stopped demo,
// and returns how to stop it.
func (s *server) serve(ctx context.Context, config string) (stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	command := exec.Command(s.binary, "serve", "--config", config)
	command.Env = append(s.environment(), "AMPHI_SERVER__DATA_DIR="+s.data, "AMPHI_SERVER__LISTEN="+address, "AMPHI_SERVER__BASE_URL=http://"+address)
	if err := command.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			return err
		}
		return command.Wait()
	}
	err = until(ctx, time.Minute, func() bool {
		answer, err := http.Get("http://" + address + "/login")
		if err != nil {
			return false // not listening yet
		}
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}
