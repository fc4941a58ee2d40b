// Package log sets up log/slog: text for a person at a terminal, JSON for a machine, and no secret
// in either.
package log

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is the [log] part of the configuration file; empty values mean info and auto.
type Config struct {
	Level  string `toml:"level" help:"debug, info, warn or error"`
	Format string `toml:"format" help:"auto (text at a terminal, JSON otherwise), text or json"`
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	if _, ok := levels[strings.ToLower(c.Level)]; !ok {
		problems = append(problems, config.Problem{Key: "level", Text: fmt.Sprintf("is %q; it can be debug, info, warn or error", c.Level)})
	}
	if !slices.Contains([]string{"", "auto", "text", "json"}, c.Format) {
		problems = append(problems, config.Problem{Key: "format", Text: fmt.Sprintf("is %q; it can be auto, text or json", c.Format)})
	}
	return problems
}

// levels are the levels by name; an empty name means info.
var levels = map[string]slog.Level{
	"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// New makes the program's logger for a configuration that Check accepts. It writes to w, usually
// os.Stderr.
func New(c Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: levels[strings.ToLower(c.Level)], ReplaceAttr: redact}
	if c.Format == "text" || c.Format != "json" && terminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
