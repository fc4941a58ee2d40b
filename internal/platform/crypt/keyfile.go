package crypt

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	lineMark   = "amphi-key-1"
	maxKeyFile = 64 << 10
	fileHead   = `# Amphi's keys, oldest first; the last line seals, all of them open.
# Keep a copy away from the database and its backups. See docs/secrets.md.
`
)

// Open reads the key file at path. When there is none it makes one with a fresh key, readable by
// its owner only. It refuses a file that others may read and a file that is damaged, and says
// which line and what to do.
func Open(path string) (*Keyring, error) {
	keys, err := load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return nil, err
		}
		return &Keyring{keys: keys}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the key file: %w", err)
	}
	fresh, err := newKey(nil)
	if err != nil {
		return nil, err
	}
	created := true
	err = writeNew(path, []key{fresh})
	if errors.Is(err, fs.ErrExist) {
		created = false // another process starting at the same moment was first: its keys count
	} else if err != nil {
		return nil, err
	}
	if keys, err = load(path); err != nil {
		return nil, err
	}
	return &Keyring{keys: keys, created: created}, nil
}

// Rotate adds a key to the file at path and returns its id. Running servers use it after their
// next start; what older keys sealed stays readable.
func Rotate(path string) (string, error) {
	keys, err := load(path)
	if err != nil {
		return "", err
	}
	fresh, err := newKey(keys)
	if err != nil {
		return "", err
	}
	if err := replace(path, append(keys, fresh)); err != nil {
		return "", err
	}
	return hex.EncodeToString(fresh.id[:]), nil
}

func load(path string) ([]key, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the key file: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the key file %s is not a plain file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s may be read by others (mode %04o): run chmod 600 %s, and rotate the key if somebody may have copied it", path, mode, path)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("the key file %s is %d bytes long, which no key file is: check the path", path, info.Size())
	}
	var keys []key
	scanner := bufio.NewScanner(file)
	for number := 1; scanner.Scan(); number++ {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		one, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("the key file %s is damaged at line %d: %w; put back your copy of the file", path, number, err)
		}
		for _, earlier := range keys {
			if earlier.id == one.id {
				return nil, fmt.Errorf("the key file %s is damaged at line %d: key %x is there twice; put back your copy of the file", path, number, one.id)
			}
		}
		keys = append(keys, one)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read the key file %s: %w", path, err)
	}
	if len(keys) == 0 {
		// Never healed by writing a new key: what the lost key sealed would stay closed, unnoticed.
		return nil, fmt.Errorf("the key file %s holds no key: put back your copy, or remove the file to start with a new key (docs/secrets.md says what is lost)", path)
	}
	return keys, nil
}

// A line is: mark, id, creation time, secret, checksum. The checksum finds a slip of an editor or
// a disk; it is not a protection against anybody.
func parseKey(line string) (key, error) {
	fields := strings.Fields(line)
	if len(fields) != 5 || fields[0] != lineMark {
		return key{}, fmt.Errorf("expected %q and four more words", lineMark)
	}
	id, err := hex.DecodeString(fields[1])
	if err != nil || len(id) != keyIDBytes {
		return key{}, errors.New("the key's id is not eight hexadecimal digits")
	}
	if _, err := time.Parse(time.RFC3339, fields[2]); err != nil {
		return key{}, errors.New("the key's date cannot be read")
	}
	secret, err := base64.RawStdEncoding.DecodeString(fields[3])
	if err != nil || len(secret) != keyBytes {
		return key{}, errors.New("the key is cut or altered")
	}
	one := key{id: [keyIDBytes]byte(id), created: fields[2], secret: secret}
	if one.checksum() != fields[4] {
		return key{}, errors.New("the checksum does not fit the key")
	}
	return one, nil
}

func (k key) line() string {
	return strings.Join([]string{lineMark, hex.EncodeToString(k.id[:]), k.created, base64.RawStdEncoding.EncodeToString(k.secret), k.checksum()}, " ")
}

func (k key) checksum() string {
	sum := sha256.Sum256(append([]byte(k.created+string(k.id[:])), k.secret...))
	return hex.EncodeToString(sum[:4])
}

// newKey draws a key whose id none of the others has.
func newKey(others []key) (key, error) {
	for {
		drawn := make([]byte, keyIDBytes+keyBytes)
		if _, err := rand.Read(drawn); err != nil {
			return key{}, fmt.Errorf("draw a key: %w", err)
		}
		fresh := key{
			id:      [keyIDBytes]byte(drawn[:keyIDBytes]),
			created: time.Now().UTC().Format(time.RFC3339), // for people; nothing decides by it
			secret:  drawn[keyIDBytes:],
		}
		taken := false
		for _, one := range others {
			taken = taken || one.id == fresh.id
		}
		if !taken {
			return fresh, nil
		}
	}
}

// writeNew puts the keys at path unless something is there already. The link is atomic: no other
// process ever sees half a key file.
func writeNew(path string, keys []key) error {
	return placed(path, keys, func(temporary string) error {
		return errors.Join(os.Link(temporary, path), os.Remove(temporary))
	})
}

func replace(path string, keys []key) error {
	return placed(path, keys, func(temporary string) error { return os.Rename(temporary, path) })
}

func placed(path string, keys []key, place func(temporary string) error) error {
	var text bytes.Buffer
	text.WriteString(fileHead)
	for _, one := range keys {
		text.WriteString(one.line() + "\n")
	}
	folder := filepath.Dir(path)
	temporary, err := os.CreateTemp(folder, ".amphi-key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	_, err = temporary.Write(text.Bytes())
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write the key file: %w", err), os.Remove(temporary.Name()))
	}
	if err := place(temporary.Name()); err != nil {
		return fmt.Errorf("put the key file in place: %w", err)
	}
	dir, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("settle the key file: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
