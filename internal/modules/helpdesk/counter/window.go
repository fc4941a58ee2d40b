package counter

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// A counter with several windows says at which one somebody is expected. An agent
// says it with the first call of the day; later calls of theirs come from there
// until they choose another one.

// The bounds of windows.
const (
	mostWindows   = 30
	longestWindow = 40 // letters: it is read from across a room
)

// readWindows reads the windows of a form, one a line, each once.
func readWindows(typed string, problems *web.Problems) []string {
	var list []string
	for line := range strings.Lines(typed) {
		name := campus.OneLine(line)
		if name == "" || slices.Contains(list, name) {
			continue
		}
		list = append(list, name)
		if len(list) > mostWindows || len([]rune(name)) > longestWindow {
			problems.Add("windows", "helpdesk.counter.problem.windows", "most", mostWindows, "limit", longestWindow)
			return nil
		}
	}
	return list
}

// usualWindow is where an agent called from last among the visits of a day, or the
// only one that there is; empty when they have to say.
func (c Counter) usualWindow(list []Visit, agent campus.PersonID) string {
	if len(c.Windows) == 1 {
		return c.Windows[0]
	}
	var last Visit
	for _, v := range list {
		if v.Agent == agent && slices.Contains(c.Windows, v.Window) && v.Called.After(last.Called) {
			last = v
		}
	}
	return last.Window
}

// windowFor is from where somebody is called: the window that was chosen, or the
// usual one of the agent. It is false when the counter has windows and none is said.
func (c Counter) windowFor(chosen string, list []Visit, agent campus.PersonID) (window string, said bool) {
	if len(c.Windows) == 0 {
		return "", true
	}
	if chosen == "" {
		chosen = c.usualWindow(list, agent)
	}
	return chosen, slices.Contains(c.Windows, chosen)
}

// windowOptions are the windows to choose from.
func (c Counter) windowOptions() []ui.Option {
	options := make([]ui.Option, len(c.Windows))
	for i, name := range c.Windows {
		options[i] = ui.Option{Value: name, Label: name}
	}
	return options
}

// needsWindow is the problem of a call that says no window.
func needsWindow() web.Problems {
	return web.Problems{{Field: "window", Key: "helpdesk.counter.problem.window"}}
}
