package pretend

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// Network reaches pretended services by their hosts, without a network.
type Network map[string]http.Handler

// RoundTrip implements http.RoundTripper.
func (n Network) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	there := n[r.URL.Host]
	if there == nil {
		return nil, errors.New("nobody pretends to be " + r.URL.Host)
	}
	asked := r.Clone(r.Context())
	asked.Host, asked.RequestURI = r.URL.Host, r.URL.RequestURI()
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	w := &written{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if p := recover(); p != nil { // the answer that got lost
			answer, err = nil, io.ErrUnexpectedEOF
		}
	}()
	there.ServeHTTP(w, asked)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
	}, nil
}

// written is an answer in memory.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header            { return w.header }
func (w *written) WriteHeader(status int)         { w.status = status }
func (w *written) Write(text []byte) (int, error) { return w.body.Write(text) }
