// Package metrics counts and times what the house does, in a registry of its own, for Prometheus.
//
// Labels never carry what a visitor can choose: routes are patterns, unknown methods are "OTHER".
package metrics

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry is the list of everything that is measured.
type Registry struct {
	list *prometheus.Registry
	http *prometheus.HistogramVec
}

// New makes a registry that already measures the program and its HTTP requests.
func New(version string) (*Registry, error) {
	r := &Registry{
		list: prometheus.NewRegistry(),
		http: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "amphi_http_request_duration_seconds",
			Help: "How long requests took, by route, method and class of status.",
			// From an embedded page (1 ms) to somebody waiting for a place at sign-in (10 s).
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method", "status"}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "amphi_build_info", Help: "Always 1; the label tells the version.",
		ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), r.http, build,
	} {
		if err := r.list.Register(c); err != nil {
			return nil, fmt.Errorf("set up the metrics: %w", err)
		}
	}
	return r, nil
}

// Observe records one answered request. The route is the pattern that matched (r.Pattern), never
// the path: paths are without number.
func (r *Registry) Observe(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	r.http.WithLabelValues(route, knownMethod(method), strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// Handler answers a scrape.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.list, promhttp.HandlerOpts{Registry: r.list})
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "OTHER"
}

// Room is the part of the registry that one room fills: its names all begin with amphi_<room>_.
type Room struct {
	list *prometheus.Registry
	name string
}

var roomName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Room gives the helpers of one room. A name that Prometheus cannot take is a mistake in the source
// and stops the program.
func (r *Registry) Room(name string) *Room {
	if !roomName.MatchString(name) {
		panic("metrics: " + name + " cannot be part of a metric's name")
	}
	return &Room{list: r.list, name: name}
}

// Counter counts things that happen, with one label per name given. The values that it is counted
// under must come from a fixed list.
func (r *Room) Counter(name, help string, labels ...string) (func(values ...string), error) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "amphi", Subsystem: r.name, Name: name + "_total", Help: help}, labels)
	if err := r.list.Register(counter); err != nil {
		return nil, fmt.Errorf("measure %s of %s: %w", name, r.name, err)
	}
	return func(values ...string) { counter.WithLabelValues(values...).Inc() }, nil
}

// Duration times things that take a while, with one label per name given.
func (r *Room) Duration(name, help string, labels ...string) (func(took time.Duration, values ...string), error) {
	histogram := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "amphi", Subsystem: r.name, Name: name + "_seconds", Help: help, Buckets: prometheus.ExponentialBuckets(.001, 2.5, 12),
	}, labels)
	if err := r.list.Register(histogram); err != nil {
		return nil, fmt.Errorf("measure %s of %s: %w", name, r.name, err)
	}
	return func(took time.Duration, values ...string) {
		histogram.WithLabelValues(values...).Observe(took.Seconds())
	}, nil
}

// Gauge shows a value that is read at each scrape: keep value quick.
func (r *Room) Gauge(name, help string, value func() float64) error {
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "amphi", Subsystem: r.name, Name: name, Help: help}, value)
	if err := r.list.Register(gauge); err != nil {
		return fmt.Errorf("measure %s of %s: %w", name, r.name, err)
	}
	return nil
}
