package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/graph"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ldapwrite"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/nextcloud"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/scim"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/webhook"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/worker"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// service is one target of the configuration, connected.
type service struct {
	TargetConfig
	worker.Service
}

// connect makes the connector of a target.
func (m *Module) connect(c TargetConfig) (service, error) {
	c = c.withDefaults()
	s := service{TargetConfig: c}
	line := target.Line{Base: c.URL, Timeout: c.Timeout, Rate: c.Rate, CAFile: c.CAFile, Transport: m.HTTP, Now: m.Clock.Now, GroupName: m.Groups.GroupCalled}
	t, err := c.connector(line)
	if err != nil {
		return s, fmt.Errorf("connect %s: %w", c.ID, err)
	}
	carry := c.Groups
	if c.Kind == kindMoodle {
		carry = c.Moodle.Carried()
	}
	setting, err := json.Marshal([]any{c.Kind, c.Rule, c.told(), carry})
	if err != nil {
		return s, fmt.Errorf("connect %s: %w", c.ID, err)
	}
	s.Service = worker.Service{
		ID: c.ID, Target: t, Rule: c.Rule, Told: c.told(), Carry: carry,
		// A service that did not answer in time may still be at work: it gets as long
		// again, and half a minute.
		Terms:    ledger.Terms{Keep: c.KeepFor, DeleteAfter: c.DeleteAfter, Settle: c.Timeout + 30*time.Second},
		Patience: 4 * c.Timeout, Together: c.Together,
		BrakeShare: int64(c.BrakePercent), BrakeFloor: int64(c.BrakeFloor), Setting: id.Hash(string(setting)),
	}
	return s, nil
}

func (c TargetConfig) connector(line target.Line) (target.Target, error) {
	switch c.Kind {
	case kindMoodle:
		return moodle.New(line, c.Moodle)
	case kindWebhook:
		return webhook.New(line, c.ID, c.Webhook)
	case kindSCIM:
		return scim.New(line, c.SCIM)
	case kindNextcloud:
		return nextcloud.New(line, c.Nextcloud)
	case kindGraph:
		return graph.New(line, c.Graph)
	case kindLDAP:
		return ldapwrite.New(line, c.LDAP)
	default:
		return nil, fmt.Errorf("there is no kind %q", c.Kind)
	}
}

// name is what people call the target.
func (m *Module) name(ctx context.Context, s *service) string {
	if name := i18n.Pick(ctx, s.NameFrench, s.NameEnglish); name != "" {
		return name
	}
	if m.Catalogue != nil {
		if name, _ := m.Catalogue.ServiceCalled(ctx, s.TargetConfig.Service); name != "" {
			return name
		}
	}
	return s.TargetConfig.ID
}

// address is where people open the service; empty when nobody knows.
func (m *Module) address(ctx context.Context, s *service) string {
	if m.Catalogue == nil {
		return ""
	}
	_, address := m.Catalogue.ServiceCalled(ctx, s.TargetConfig.Service)
	return address
}

// decides is who decides about the accounts of a target.
func (s *service) decides(ctx context.Context) string {
	if who := i18n.Pick(ctx, s.DecidesFrench, s.DecidesEnglish); who != "" {
		return who
	}
	return i18n.T(ctx, "provisioning.help_desk")
}
