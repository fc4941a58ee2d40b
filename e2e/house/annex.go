package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Annex opens a second installation for one test: `amphi serve` with a
// configuration file, on a copy of the demo. It is at 127.0.0.1 while the demo is
// at localhost, so that browsers take the two for sites that have nothing to do
// with each other.
func Annex(t testing.TB, configuration string) *House {
	t.Helper()
	data, err := os.MkdirTemp(filepath.Dir(Program(t)), "annex-")
	if err != nil {
		t.Fatal(err)
	}
	furnish(t, data)
	file := filepath.Join(data, "annex.toml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	cmd := exec.Command(Program(t), "serve", "--config", file)
	cmd.Env = append(os.Environ(), "AMPHI_SERVER__DATA_DIR="+data, "AMPHI_SERVER__LISTEN="+address,
		"AMPHI_SERVER__BASE_URL=http://"+address, "AMPHI_MONITOR__LISTEN=")
	h := &House{data: data}
	h.start(t, cmd)
	h.closeAfter(t)
	return h
}
