package api

import "github.com/amphi-campus/amphi/internal/platform/fault"

var (
	// BodyUnfit: the body is no JSON object of what is wanted.
	BodyUnfit = fault.Declare(fault.Malformed, "directory.api_body_unfit")
	// KeyUnfit: the key in the address cannot name anything.
	KeyUnfit = fault.Declare(fault.Malformed, "directory.api_key_unfit")
	// NumberUnfit: a parameter of the address is no number in its bounds.
	NumberUnfit = fault.Declare(fault.Malformed, "directory.api_number_unfit")
)
