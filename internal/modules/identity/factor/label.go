package factor

import (
	"context"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// models name the authenticators that say what they are (AAGUID, WebAuthn §6.1.2).
// It only fills in a name that its owner may change: nothing is decided by it,
// because without attestation anybody may say anything.
var models = map[string]string{
	"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4": "Google Password Manager",
	"adce0002-35bc-c60a-648b-0b25f1f05503": "Chrome (macOS)",
	"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "iCloud Keychain",
	"dd4ec289-e01d-41c9-bb89-70fa845d4bf2": "iCloud Keychain",
	"08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
	"9ddd1817-af5a-4672-a2b9-3e3dd95000a9": "Windows Hello",
	"6028b017-b1d4-4c02-b4b3-afcdafc96bb2": "Windows Hello",
	"bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
	"d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden",
	"531126d6-e717-415c-9320-3d9aa6981239": "Dashlane",
	"fdb141b2-5d84-443e-8a35-4698c205a502": "KeePassXC",
	"50726f74-6f6e-5061-7373-50726f746f6e": "Proton Pass",
	"53414d53-554e-4700-0000-000000000000": "Samsung Pass",
	"ee882879-721c-4913-9775-3dfcce97072a": "YubiKey 5",
	"cb69481e-8ff7-4039-93ec-0a2729a154a8": "YubiKey 5",
	"fa2b99dc-9e39-4257-8f92-4a30d23c4118": "YubiKey 5 NFC",
	"2fc0579f-8113-47ea-b116-bb5a8db9202a": "YubiKey 5 NFC",
	"c5ef55ff-ad9a-4b9f-b580-adebafe026d0": "YubiKey 5Ci",
	"149a2021-8ef6-4133-96b8-81f8d5b7f1f5": "Security Key NFC (Yubico)",
	"b92c3f9a-c014-4056-887f-140a2501163b": "Security Key (Yubico)",
}

// keyLabel says what a new key is, for who gives it no name: its model, or the
// device it is built into, or how it is plugged in.
func keyLabel(ctx context.Context, c *webauthn.Credential, agent string) string {
	if model, err := uuid.FromBytes(c.Authenticator.AAGUID); err == nil && models[model.String()] != "" {
		return models[model.String()]
	}
	has := func(t protocol.AuthenticatorTransport) bool { return slices.Contains(c.Transport, t) }
	switch {
	case c.Authenticator.Attachment == protocol.Platform || has(protocol.Internal) && !has(protocol.Hybrid):
		if system := useragent.Parse(agent).OS; system != "" {
			return i18n.T(ctx, "identity.factor.label.device_named", "system", system)
		}
		return i18n.T(ctx, "identity.factor.label.device")
	case has(protocol.Hybrid):
		return i18n.T(ctx, "identity.factor.label.phone")
	case has(protocol.NFC) && !has(protocol.USB):
		return i18n.T(ctx, "identity.factor.label.card")
	default:
		return i18n.T(ctx, "identity.factor.label.key")
	}
}
