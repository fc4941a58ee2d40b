package oidcrp

import (
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// errorCodes are those of OAuth 2.0 (RFC 6749 §4.1.2.1 and §5.2), of OpenID
// Connect (Core §3.1.2.6), and of unmet authentication requirements (OpenID
// Connect Core Error Code, RFC 9470).
var errorCodes = map[string]*fault.Reason{
	"access_denied":                     upstream.Declined,
	"consent_required":                  upstream.Declined,
	"login_required":                    upstream.Stale,
	"interaction_required":              upstream.Stale,
	"account_selection_required":        upstream.Stale,
	"invalid_grant":                     upstream.Stale, // the code was used, or took too long
	"temporarily_unavailable":           upstream.Faulty,
	"server_error":                      upstream.Faulty,
	"unmet_authentication_requirements": upstream.FactorWanted,
	"insufficient_user_authentication":  upstream.FactorWanted,
	"invalid_request":                   upstream.Misconfigured,
	"invalid_client":                    upstream.Misconfigured,
	"invalid_scope":                     upstream.Misconfigured,
	"invalid_request_uri":               upstream.Misconfigured,
	"invalid_request_object":            upstream.Misconfigured,
	"unauthorized_client":               upstream.Misconfigured,
	"unsupported_response_type":         upstream.Misconfigured,
	"unsupported_grant_type":            upstream.Misconfigured,
	"request_not_supported":             upstream.Misconfigured,
	"request_uri_not_supported":         upstream.Misconfigured,
	"registration_not_supported":        upstream.Misconfigured,
}

// refusal reads why the provider did not sign somebody in.
func refusal(code, description string) *upstream.Failure {
	f := &upstream.Failure{Reason: errorCodes[code], Code: code, Text: description, Plain: code == "unmet_authentication_requirements"}
	if f.Reason == nil {
		f.Reason = upstream.Faulty
	}
	if code == "temporarily_unavailable" && strings.Contains(description, "authentication_expired") { // Keycloak: its page was left open for too long
		f.Reason = upstream.Stale
	}
	if code, reason, plain := upstream.Microsoft(description); code != "" {
		f.Code, f.Plain = code, plain
		if reason != nil {
			f.Reason = reason
		}
	}
	if f.Reason == upstream.Loop {
		f.Args = fault.Args{"times": 3}
	}
	return f
}
