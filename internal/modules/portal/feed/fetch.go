package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Why a feed does not come in; its publishers see it.
var (
	// Unreachable: the site does not answer.
	Unreachable = fault.Declare(fault.Upstream, "portal.feed_unreachable")
	// TimedOut: the site answers too slowly.
	TimedOut = fault.Declare(fault.Upstream, "portal.feed_timed_out")
	// Refused: the site answers with an error.
	Refused = fault.Declare(fault.Upstream, "portal.feed_refused")
	// TooLarge: the feed is larger than any feed should be.
	TooLarge = fault.Declare(fault.Upstream, "portal.feed_too_large")
	// Unreadable: what the site sends is no feed.
	Unreadable = fault.Declare(fault.Upstream, "portal.feed_unreadable")
)

const (
	maxFeed      = 2 << 20
	maxRedirects = 3
	visitLimit   = 15 * time.Second
)

// Validators let a site answer "not changed" (RFC 9110 §13.1).
type Validators struct{ ETag, Modified string }

// fetched is what one visit brought.
type fetched struct {
	items      []Item
	validators Validators
	unchanged  bool
}

// client follows few redirects, to web addresses only.
func client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport,
		Timeout:   visitLimit,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			if r.URL.Scheme != "https" && r.URL.Scheme != "http" {
				return fmt.Errorf("redirected to %s", r.URL.Scheme)
			}
			return nil
		},
	}
}

// fetch visits a feed. Every failure is one of the reasons above.
func fetch(ctx context.Context, c *http.Client, address string, known Validators) (fetched, error) {
	at, err := url.Parse(address)
	if err != nil {
		return fetched{}, Unreachable.From(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fetched{}, Unreachable.From(err)
	}
	r.Header.Set("Accept", "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8")
	r.Header.Set("User-Agent", "Amphi (news of the university portal)")
	if known.ETag != "" {
		r.Header.Set("If-None-Match", known.ETag)
	}
	if known.Modified != "" {
		r.Header.Set("If-Modified-Since", known.Modified)
	}
	answer, err := c.Do(r)
	if err != nil {
		return fetched{}, unreachable(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified:
		return fetched{validators: known, unchanged: true}, nil
	case answer.StatusCode != http.StatusOK:
		return fetched{}, Refused.With(fault.Args{"status": answer.StatusCode})
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxFeed+1))
	if err != nil {
		return fetched{}, unreachable(err)
	}
	if len(text) > maxFeed {
		return fetched{}, TooLarge.With(fault.Args{"limit": i18n.Bytes(maxFeed)})
	}
	items, err := Parse(text, at)
	if err != nil {
		return fetched{}, Unreadable.From(err)
	}
	return fetched{items: items, validators: Validators{
		ETag: short(answer.Header.Get("ETag")), Modified: short(answer.Header.Get("Last-Modified")),
	}}, nil
}

// short drops a header that is too long to be kept; without it the site sends
// everything again, which is harmless.
func short(header string) string {
	if len(header) > 200 || strings.ToValidUTF8(header, "") != header {
		return ""
	}
	return header
}

func unreachable(err error) error {
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return TimedOut.Because(err, fault.Args{"limit": visitLimit})
	}
	return Unreachable.From(err)
}
