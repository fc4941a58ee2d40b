// Package log sets up log/slog: text for a person at a terminal, JSON for a machine, and no secret
// in either.
package log

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Config is the [log] part of the configuration file.
type Config struct {
	// Level is debug, info, warn or error; empty means info.
	Level string `toml:"level"`
	// Format is text, json or auto; empty means auto: text at a terminal, JSON otherwise.
	Format string `toml:"format"`
}

// Check says what is wrong with the configuration; nil when nothing is.
func (c Config) Check() error {
	if _, err := level(c.Level); err != nil {
		return err
	}
	switch c.Format {
	case "", "auto", "text", "json":
		return nil
	}
	return fmt.Errorf("log.format is %q; it can be auto, text or json", c.Format)
}

// New makes the program's logger. It writes to w, usually os.Stderr.
func New(c Config, w io.Writer) (*slog.Logger, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	from, err := level(c.Level)
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: from, ReplaceAttr: redact}
	if c.Format == "text" || c.Format != "json" && terminal(w) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

func level(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "", "info":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log.level is %q; it can be debug, info, warn or error", text)
}

func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
