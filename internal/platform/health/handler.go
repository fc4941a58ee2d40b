package health

import (
	"encoding/json"
	"net/http"
)

// Handler is what the monitors' listener serves:
//
//	/healthz   200 while the process answers at all; a supervisor restarts it otherwise
//	/readyz    200 while every essential check passes, 503 otherwise; the checks as JSON either way
//	/metrics   for Prometheus
//
// Failing checks that are not essential show in /readyz and leave it at 200: a mail server that is
// down is no reason to close the house.
func Handler(doctor *Doctor, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		checks := doctor.Checks(r.Context())
		status, word := http.StatusOK, "ready"
		for _, check := range checks {
			switch {
			case check.OK:
			case check.Essential:
				status, word = http.StatusServiceUnavailable, "not ready"
			case status == http.StatusOK:
				word = "impaired"
			}
		}
		answer(w, status, map[string]any{"status": word, "checks": listed(checks)})
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}

// listed is how monitors read checks: names and codes are stable, details are not.
func listed(checks []Check) []map[string]any {
	list := make([]map[string]any, 0, len(checks))
	for _, check := range checks {
		one := map[string]any{"name": check.Name, "ok": check.OK, "essential": check.Essential, "took_ms": check.Took.Milliseconds()}
		if check.Reason != nil {
			one["reason"] = check.Reason.Code()
		}
		if check.Detail != "" {
			one["detail"] = check.Detail
		}
		list = append(list, one)
	}
	return list
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The only way to fail here is a monitor that hung up; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
