package register

import (
	"context"
	"io"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Readable are the names of the sources that can be read now.
func (e *Engine) Readable() []string {
	var list []string
	for _, f := range e.Feeds {
		if f.Open != nil && !f.Config.Off {
			list = append(list, f.Config.ID)
		}
	}
	return list
}

// RunFile takes over a file that somebody has, as a source of the configuration.
func (e *Engine) RunFile(ctx context.Context, o Order, name string, open func() (io.ReadCloser, error)) (Run, error) {
	feed, err := e.feed(o.Source)
	if err != nil {
		return Run{}, err
	}
	if feed.Upload == nil {
		return Run{}, SourceTakesNoFile.With(fault.Args{"source": o.Source})
	}
	o.Reader = feed.Upload(name, open)
	return e.Run(ctx, o)
}

// Probe walks to a source, as far as its kind can tell without reading everything.
func (e *Engine) Probe(ctx context.Context, src string) ([]source.Step, error) {
	feed, err := e.feed(src)
	if err != nil {
		return nil, err
	}
	if feed.Open == nil {
		return nil, SourcePushes.With(fault.Args{"source": src})
	}
	reader, err := feed.Open()
	if err != nil {
		return nil, SourceBroken.Because(err, fault.Args{"source": src})
	}
	if p, ok := reader.(source.Prober); ok {
		return p.Probe(ctx), nil
	}
	return nil, nil
}

// Summary says a line of a report in one line, in the language of the context.
func Summary(ctx context.Context, c Change) string {
	var parts []string
	if c.Reason != nil {
		parts = append(parts, Words(ctx, c.Reason))
	}
	for _, d := range c.Diffs {
		text := fieldName(ctx, string(d.Field)) + t(ctx, "colon")
		if len(d.Old) > 0 {
			text += valueWords(ctx, d.Field, d.Old) + " → "
		}
		parts = append(parts, text+valueWords(ctx, d.Field, d.New))
	}
	return strings.Join(parts, "; ")
}
