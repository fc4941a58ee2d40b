// Package app is the front hall: it reads the command line, opens the rooms and
// lets them meet. wire.go is the only file that sees every room.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Version is set by the linker (see the Makefile).
var Version = "development"

// version is Version, or what the Go tool chain knows about this build. Every page
// asks, and reading that takes as long as drawing a small one.
var version = sync.OnceValue(func() string {
	if Version != "development" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return Version
})

// commandLine is every command that amphi knows. Each command is a struct with a
// Run method in the file named after it.
type commandLine struct {
	Serve        serveCommand        `cmd:"" help:"Run the workspace."`
	Demo         demoCommand         `cmd:"" help:"Run the fictional Université de Valmont, to try Amphi. Everything is created on the way."`
	Config       configCommand       `cmd:"" help:"Check or print the configuration."`
	Migrate      migrateCommand      `cmd:"" help:"Bring the database to the schema of this version. serve does it too."`
	Person       personCommand       `cmd:"" help:"Add people and set their passwords, for an administrator's first minutes."`
	Service      serviceCommand      `cmd:"" help:"Keep the registry of services that people are signed in to: add, list, import, test."`
	Provisioning provisioningCommand `cmd:"" help:"Look after accounts in other services: list, test, push, reconcile."`
	Directory    directoryCommand    `cmd:"" help:"Read the sources of people, take a file over, or say what that would change."`
	Helpdesk     helpdeskCommand     `cmd:"" help:"Take over the tickets of another help desk."`
	Key          keyCommand          `cmd:"" help:"Renew the key that seals secrets."`
	Backup       backupCommand       `cmd:"" help:"Write the database and the files into one archive, while the workspace runs."`
	Restore      restoreCommand      `cmd:"" help:"Build a workspace from an archive."`
	Risk         riskCommand         `cmd:"" help:"Say what the rules about unusual sign-ins did, and what other numbers would have done."`
	Journal      journalCommand      `cmd:"" help:"Verify or export the journal of what happened with accounts."`
	Breached     breachedCommand     `cmd:"" help:"Build and try the filter of known passwords."`
	Privacy      privacyCommand      `cmd:"" help:"Print the register of processing; export or erase somebody's data."`
	Reasons      reasonsCommand      `cmd:"" help:"List every reason code with its sentences, for the help desk."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// terminal is what commands talk to.
type terminal struct {
	context.Context
	environment []string
	out, err    io.Writer
}

// say prints one line for the person at the terminal.
func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// withHouse opens the house for fn, with the sentences of a language in the context.
func (c configured) withHouse(t *terminal, language string, fn func(ctx context.Context, h *House) error) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	l, ok := campus.ParseLocale(language)
	if !ok {
		return fmt.Errorf("the language must be fr or en, not %q", language)
	}
	texts, err := loadTexts(defaultZone, platformTexts()...)
	if err != nil {
		return err
	}
	house, err := Open(t, cfg, quiet())
	if err != nil {
		return err
	}
	defer house.Close()
	return fn(i18n.With(t, texts.For(l)), house)
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 not
// understood (a wrong option or configuration).
func Main(args, environment []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var line commandLine
	exit := -1
	parser, err := kong.New(&line,
		kong.Name("amphi"),
		kong.Description("Amphi, the open digital workspace for universities."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, Summary: true}),
	)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help was printed
		return exit
	}
	if err != nil {
		fmt.Fprintf(errOut, "amphi: %v\nTry: amphi --help\n", err)
		return 2
	}
	t := &terminal{Context: ctx, environment: environment, out: out, err: errOut}
	if err := command.Run(t); err != nil {
		fmt.Fprintln(errOut, "amphi: "+explain(err))
		if wrong := (*config.Error)(nil); errors.As(err, &wrong) {
			return 2
		}
		return 1
	}
	return 0
}

// explain words a failure for a terminal: a declared reason gets its sentence
// and its code, anything else is told as it is. Each of several has its line.
func explain(err error) string {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, one := range several.Unwrap() {
			lines = append(lines, explain(one))
		}
		return strings.Join(lines, "\namphi: ")
	}
	f := fault.Of(err)
	texts, loadErr := loadTexts(defaultZone, platformTexts()...)
	if f.Reason == fault.Unexpected || loadErr != nil {
		return err.Error()
	}
	p := texts.For(campus.English)
	code := f.Reason.Code()
	pairs := make([]any, 0, 2*len(f.Args))
	for k, v := range f.Args {
		pairs = append(pairs, k, v)
	}
	words := []string{p.T(code+".message", pairs...)}
	if p.Has(code + ".next") {
		words = append(words, p.T(code+".next", pairs...))
	}
	words = append(words, "("+code+")")
	if f.Cause != nil {
		if cause := strings.TrimRight(f.Cause.Error(), ": "); !strings.Contains(words[0], cause) {
			words = append(words, cause)
		}
	}
	return strings.Join(words, " ")
}

type versionCommand struct{}

func (versionCommand) Run(t *terminal) error {
	t.say("amphi %s", version())
	return nil
}
