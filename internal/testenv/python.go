package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs that Debian does not have come from PyPI, each into an environment of its own
// below the user's cache, so that nothing of the system is touched.

// pythonHome is the environment of a part.
func pythonHome(part string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache: %w", err)
	}
	return filepath.Join(cache, "amphi-testenv", part), nil
}

// findPython is the interpreter of a part's environment, when it has a module.
func findPython(part, module string) []string {
	home, err := pythonHome(part)
	if err != nil {
		return nil
	}
	python := filepath.Join(home, "bin", "python")
	modules := firstMatch(filepath.Join(home, "lib", "python3*", "site-packages", module, "__init__.py"))
	if len(onPath(python)) == 0 || modules == "" {
		return nil
	}
	return []string{python, modules}
}

// installPython makes the environments that are missing. One that cannot be made stays
// missing, which is told.
func installPython(ctx context.Context, missing []*part) {
	for _, p := range missing {
		if len(p.python) == 0 {
			continue
		}
		if err := makePython(ctx, p); err != nil {
			say("%v", err)
		}
	}
}

func makePython(ctx context.Context, p *part) error {
	home, err := pythonHome(p.name)
	if err != nil {
		return err
	}
	say("installing %v", p.python)
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", home},
		append([]string{filepath.Join(home, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"}, p.python...),
	} {
		if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", command, err, out)
		}
	}
	return nil
}
