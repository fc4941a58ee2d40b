package upstream

import (
	"regexp"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// microsoftCodes are the codes that Microsoft Entra puts into its words, as AADSTS
// and a number, and what they mean for the person.
var microsoftCodes = map[string]*fault.Reason{
	"50020": WrongTenant, "50034": WrongTenant, "51004": WrongTenant, "90072": WrongTenant, "500212": WrongTenant,
	"50055": PasswordExpired, "50144": PasswordExpired, "50142": PasswordReset,
	"50053": AccountLocked, "50057": AccountDisabled, "50126": Refused,
	"50105": NotAssigned, "50177": NotAssigned,
	"53000": PolicyStopped, "53001": PolicyStopped, "53002": PolicyStopped, "53003": PolicyStopped, "53004": PolicyStopped,
	"53011": PolicyStopped, "530003": PolicyStopped, "530032": PolicyStopped,
	"50072": FactorWanted, "50074": FactorWanted, "50076": FactorWanted, "50078": FactorWanted, "50079": FactorWanted,
	"50158": FactorWanted, "75011": FactorWanted, "500121": FactorWanted,
	"65004": Declined,
	"65001": Misconfigured, "90094": Misconfigured, "700016": Misconfigured, "700054": Misconfigured, "50011": Misconfigured,
	"70001": Misconfigured, "90002": Misconfigured, "900023": Misconfigured, "7000215": Misconfigured, "7000218": Misconfigured,
	"7000222": CertificateOver, "700027": CertificateOver,
	"50058": Stale, "54005": Stale, "70008": Stale, "16000": Stale, "50089": Stale, "70043": Stale,
	"50196": Loop,
	"90033": Faulty, "90012": Faulty, "50000": Faulty,
}

// withoutDemand is the code that goes away when no way of proof is asked for.
const withoutDemand = "75011"

var microsoftCode = regexp.MustCompile(`\bAADSTS(\d{4,8})\b`)

// Microsoft reads the code in what Microsoft Entra says in words, by OpenID
// Connect (error_description) or SAML (StatusMessage). code is "" when there is
// none, and reason nil for one that says nothing new; plain asks for one more try
// without the demand for a way of proof.
func Microsoft(words string) (code string, reason *fault.Reason, plain bool) {
	found := microsoftCode.FindStringSubmatch(words)
	if found == nil {
		return "", nil, false
	}
	return "AADSTS" + found[1], microsoftCodes[found[1]], found[1] == withoutDemand
}
