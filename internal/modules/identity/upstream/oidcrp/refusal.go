package oidcrp

import (
	"regexp"
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

// entraCodes are the codes that Microsoft Entra puts into error_description, as
// AADSTS and a number, and what they mean for the person.
var entraCodes = map[string]*fault.Reason{
	"50020": upstream.WrongTenant, "50034": upstream.WrongTenant, "51004": upstream.WrongTenant, "90072": upstream.WrongTenant, "500212": upstream.WrongTenant,
	"50055": upstream.PasswordExpired, "50144": upstream.PasswordExpired, "50142": upstream.PasswordReset,
	"50053": upstream.AccountLocked, "50057": upstream.AccountDisabled, "50126": upstream.Refused,
	"50105": upstream.NotAssigned, "50177": upstream.NotAssigned,
	"53000": upstream.PolicyStopped, "53001": upstream.PolicyStopped, "53002": upstream.PolicyStopped, "53003": upstream.PolicyStopped, "53004": upstream.PolicyStopped,
	"53011": upstream.PolicyStopped, "530003": upstream.PolicyStopped, "530032": upstream.PolicyStopped,
	"50072": upstream.FactorWanted, "50074": upstream.FactorWanted, "50076": upstream.FactorWanted, "50078": upstream.FactorWanted, "50079": upstream.FactorWanted,
	"50158": upstream.FactorWanted, "75011": upstream.FactorWanted, "500121": upstream.FactorWanted,
	"65004": upstream.Declined,
	"65001": upstream.Misconfigured, "90094": upstream.Misconfigured, "700016": upstream.Misconfigured, "700054": upstream.Misconfigured, "50011": upstream.Misconfigured,
	"70001": upstream.Misconfigured, "90002": upstream.Misconfigured, "900023": upstream.Misconfigured, "7000215": upstream.Misconfigured, "7000218": upstream.Misconfigured,
	"7000222": upstream.CertificateOver, "700027": upstream.CertificateOver,
	"50058": upstream.Stale, "54005": upstream.Stale, "70008": upstream.Stale, "16000": upstream.Stale, "50089": upstream.Stale, "70043": upstream.Stale,
	"50196": upstream.Loop,
	"90033": upstream.Faulty, "90012": upstream.Faulty, "50000": upstream.Faulty,
}

// withoutDemand are the codes that go away when no way of proof is asked for.
var withoutDemand = map[string]bool{"unmet_authentication_requirements": true, "75011": true}

var entraCode = regexp.MustCompile(`\bAADSTS(\d{4,8})\b`)

// refusal reads why the provider did not sign somebody in.
func refusal(code, description string) *upstream.Failure {
	f := &upstream.Failure{Reason: errorCodes[code], Code: code, Text: description, Plain: withoutDemand[code]}
	if f.Reason == nil {
		f.Reason = upstream.Faulty
	}
	if code == "temporarily_unavailable" && strings.Contains(description, "authentication_expired") { // Keycloak: its page was left open for too long
		f.Reason = upstream.Stale
	}
	if found := entraCode.FindStringSubmatch(description); found != nil {
		f.Code = "AADSTS" + found[1]
		if reason := entraCodes[found[1]]; reason != nil {
			f.Reason = reason
		}
		f.Plain = withoutDemand[found[1]]
	}
	if f.Reason == upstream.Loop {
		f.Args = fault.Args{"times": 3}
	}
	return f
}
