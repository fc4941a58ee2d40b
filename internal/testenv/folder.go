package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirPrefix names our temporary folders; the process id follows it.
const dirPrefix = "amphi-testenv-"

// memory is where Linux keeps files in memory, and enough what it must have
// free for the databases of a run: containers often come with 64 MB there.
const (
	memory = "/dev/shm"
	enough = 1 << 30
)

// memoryDir makes a folder in memory, whose files wait for no disk; it is ""
// where there is none.
func memoryDir() string {
	if free, err := freeBytes(memory); err != nil || free < enough {
		return ""
	}
	dir, err := ourDir(memory)
	if err != nil {
		return ""
	}
	// PostgreSQL's user passes through on the way to a folder of its own.
	if err := os.Chmod(dir, 0o711); err != nil {
		say("%v", err)
	}
	return dir
}

// ourDir makes a folder whose name tells that it is ours.
func ourDir(parent string) (string, error) {
	return os.MkdirTemp(parent, dirPrefix+strconv.Itoa(os.Getpid())+"-")
}

// reachableDir makes a folder that the server's user can get to, in the first
// of these parents that lets it pass; "" is none.
func reachableDir(owner *syscall.Credential, parents []string) (string, error) {
	for _, parent := range parents {
		if parent == "" || owner != nil && !openToAll(parent) {
			continue
		}
		dir, err := ourDir(parent)
		if err != nil {
			return "", fmt.Errorf("make a folder for PostgreSQL: %w", err)
		}
		if owner != nil {
			if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
				return "", fmt.Errorf("give %s to PostgreSQL's user: %w", dir, err)
			}
		}
		return dir, nil
	}
	return "", fmt.Errorf("PostgreSQL's user can reach none of %s; set TMPDIR to a folder open to all", strings.Join(parents, " "))
}

// openToAll tells whether every folder down to this one lets others pass.
func openToAll(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// removeLeftovers takes away the folders of runs that were killed.
func removeLeftovers() {
	for _, parent := range []string{os.TempDir(), memory} {
		found, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*-*"))
		if err != nil {
			continue // only a malformed pattern fails
		}
		for _, dir := range found {
			number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
			pid, err := strconv.Atoi(number)
			if err != nil || syscall.Kill(pid, 0) != syscall.ESRCH {
				continue
			}
			remove(dir)
		}
	}
}

// remove takes a folder of ours away.
func remove(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		say("remove %s: %v", dir, err)
	}
}
