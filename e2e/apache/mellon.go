package apache

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// writeMellon lays out what mod_auth_mellon reads once, at its start: a key pair,
// and the metadata of the identity provider as it stands now.
func (c configuration) writeMellon() error {
	key, err := saml.GenerateCredential(saml.RSA2048, "service of the tests", time.Now(), 30*24*time.Hour)
	if err != nil {
		return fmt.Errorf("make a key for mod_auth_mellon: %w", err)
	}
	pair, err := key.Encode()
	if err != nil {
		return fmt.Errorf("write the key of mod_auth_mellon: %w", err)
	}
	private, rest := pem.Decode(pair)
	metadata, err := fetch(c.Providers.SAML)
	if err != nil {
		return fmt.Errorf("read the metadata of the identity provider: %w", err)
	}
	for name, content := range map[string][]byte{
		"sp.key": pem.EncodeToMemory(private), "sp.crt": bytes.TrimSpace(rest), "idp.xml": metadata,
	} {
		// Apache reads them before its workers give up root.
		if err := os.WriteFile(filepath.Join(c.Folder, name), append(content, '\n'), 0o644); err != nil {
			return fmt.Errorf("lay out Apache's folder: %w", err)
		}
	}
	return nil
}

func fetch(address string) ([]byte, error) {
	answer, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", address, answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}
