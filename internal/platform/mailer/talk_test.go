package mailer

import (
	"net/mail"
	"strings"
	"testing"
)

func TestAMailOfAConversationCanBeAnswered(t *testing.T) {
	server := serveMail(t, "none")
	sender := newServer(t, smtpConfig(server, "none"))
	m := aMail()
	long := strings.Repeat("reference", 20) + "@a.example"
	m.Talk = &Talk{From: "Assistance, Valmont", ReplyTo: "aide+48291736-abc@valmont.example", MessageID: "m-2@valmont.example", References: []string{"m-0@elsewhere.example", long, "m-1@valmont.example"}, Written: true}
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.deliver(t.Context(), "018f-id", m); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(server.messages()[0], " ")
	parsed, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Message-ID": "<m-2@valmont.example>", "In-Reply-To": "<m-1@valmont.example>", "References": "<m-0@elsewhere.example> <" + long + "> <m-1@valmont.example>",
		"Reply-To": "<aide+48291736-abc@valmont.example>", "Auto-Submitted": "",
	} {
		if got := strings.Join(strings.Fields(parsed.Header.Get(name)), " "); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if from, err := parsed.Header.AddressList("From"); err != nil || from[0].Name != "Assistance, Valmont" || from[0].Address != "amphi@valmont.example" {
		t.Errorf("from %v, %v", from, err)
	}
}

func TestAConversationCannotCarryAnotherHeader(t *testing.T) {
	for name, talk := range map[string]Talk{
		"an identifier with a line":   {ReplyTo: "a@b.example", MessageID: "x@y>\r\nBcc: z@y"},
		"no identifier":               {ReplyTo: "a@b.example"},
		"a reference with a bracket":  {ReplyTo: "a@b.example", MessageID: "x@y", References: []string{"a> <b"}},
		"a name with a line":          {ReplyTo: "a@b.example", MessageID: "x@y", From: "A\nBcc: z@y"},
		"an answer to two addresses":  {ReplyTo: "a@b.example, c@d.example", MessageID: "x@y"},
		"no address for the answers":  {MessageID: "x@y"},
		"an identifier with a letter": {ReplyTo: "a@b.example", MessageID: "é@y"},
	} {
		m := aMail()
		m.Talk = &talk
		if m.check() == nil {
			t.Errorf("%s passes", name)
		}
	}
}
